"""A recorded run to look at from Python: verdict, figures, tables, pictures, report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from twin.analysis.census import census
from twin.analysis.verdicts import overall_of
from twin.clock import NS
from twin.errors import RecordingError, nearest
from twin.extras import needed
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.surroundings import WORLDLESS, place_of, world_of
from twin.specs.figures import FIGURES
from twin.state import Frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from twin.analysis.report_run import Run as Taken

_SHOWN = ("answer", "value", "limit", "interval", "ground", "reason")
_STYLE = "text-align:left;padding:.1em 1em .1em 0"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that Jupyter shows; `figure` is matplotlib's."""

    figure: Figure

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a .png, .svg or .pdf.

        Raises:
            TwinError: it exists and `force` is off, the ending is no format, or the file can't be written.
        """
        from twin.analysis.picture import save

        save(self.figure, Path(path), force=force)

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.figure.savefig(file, format="png", dpi=110)
        return file.getvalue()


class Run:
    """A run and all that it recorded; tables are pandas DataFrames with `time` in s and `time_ns`.

    Raises:
        RecordingError: the file is missing, not a recording, damaged, or of a later format version.
    """

    def __init__(
        self, path: str | Path, project: Project | None = None, folder: TemporaryDirectory[str] | None = None
    ) -> None:
        self.recording = Recording(path)
        self._project, self._folder = project, folder  # which goes, with the recording in it, when the run does

    @property
    def path(self) -> Path:
        """Where the recording is."""
        return self.recording.path

    @property
    def figures(self) -> dict[str, Any]:
        """All figures by name, in SI, as `twin run --json` prints them."""
        return self.recording.summary

    @property
    def verdict(self) -> str:
        """Return "passed", "failed" or "inconclusive" (not shown by this run); "none" without requirements."""
        return overall_of(self.figures) or "none"

    @property
    def requirements(self) -> DataFrame:
        """Each requirement: answer, value, limit and interval in SI, what it rests on, why it may decide nothing."""
        with needed("pandas", "pandas"):
            import pandas
        rows = self.figures.get("requirements", [])
        if not rows:
            return pandas.DataFrame()
        table = pandas.DataFrame(rows).set_index("requirement")
        return table[[name for name in _SHOWN if name in table.columns]]

    @cached_property
    def packets(self) -> DataFrame:
        """One row per packet: source, destination, kind, size, fate, `latency` [s]; `time` is when it was created."""
        return self.table("packets")

    @cached_property
    def links(self) -> DataFrame:
        """One row per radio link and trace: its ends `a` and `b`, `path_gain_db`, `los`."""
        return self.table("links")

    @cached_property
    def events(self) -> DataFrame:
        """One row per event: kind, robot, detail, value."""
        return self.table("events")

    @cached_property
    def logs(self) -> DataFrame:
        """One row per value that a controller logged: robot, name, value."""
        return self.table("logs")

    def states(self, robots: str | None = None) -> DataFrame:
        """Return pose, motion and mode at the record rate: of one robot, of an entry's robots, or of all.

        Raises:
            RecordingError: there is no such robot or entry.
        """
        rows = self.table("state")
        if robots is None:
            return rows
        names = [node.name for node in self.recording.robots if robots in (node.name, node.group)]
        if not names:
            there = list(dict.fromkeys(name for node in self.recording.robots for name in (node.group, node.name)))
            raise RecordingError(f"{self.path}: has no robot {robots!r}{nearest(robots, there)}; it has: "
                                 f"{', '.join(there)}")  # fmt: skip
        return rows[rows.robot.isin(names)].reset_index(drop=True)

    def commands(self, entry: str) -> DataFrame:
        """Return the commands that held, at the record rate, of an entry's robots.

        Raises:
            KeyError: there is no such entry.
        """
        return self.table(f"command_{entry}")

    def table(self, name: str) -> DataFrame:
        """Return a table as `twin export` writes it.

        Raises:
            KeyError: there is no such table.
            TwinError: pandas is not installed.
        """
        with needed("pandas", "pandas"):
            return self.recording.to_pandas(name)

    def frames(self) -> Iterator[Frame]:
        """Yield the recorded frames, each with all that happened since the one before."""
        return self.recording.frames()

    def plot(self, *signals: str, robots: list[str] | None = None) -> Picture:
        """Draw the flown paths over the plan of the world; or signals such as "latency", one below the other.

        Raises:
            RecordingError: there is no such robot or signal.
        """
        from twin.analysis.picture import draw
        from twin.analysis.signal_picture import draw_signals, having

        if signals:
            return Picture(draw_signals(self.recording, robots or having(self.recording, signals), signals))
        world = world_of(self.recording, self._project)
        if world is None:
            return Picture(draw(self.recording, None, WORLDLESS))
        return Picture(draw(self.recording, world.geometry))

    def report(self, path: str | Path, compare: Run | None = None, *, force: bool = False) -> Path:
        """Write a page on this run, beside another one if given, and return its path.

        Raises:
            TwinError: plotly is not installed, the page exists and `force` is off, or it can't be written.
        """
        with needed("report", "plotly"):
            from twin.analysis.report import write_report
        runs = [self._taken("A" if compare else "")]
        if compare is not None:
            runs.append(compare._taken("B"))
        write_report(runs, Path(path), force=force)
        return Path(path)

    def _taken(self, label: str) -> Taken:
        from twin.analysis.report_run import take_apart

        world = world_of(self.recording, self._project)
        geometry = None if world is None else world.geometry
        return take_apart(self.recording, geometry, label, place_of(self.recording, world, self._project))

    def close(self) -> None:
        """Close the recording; one without a name of its own is then gone."""
        self.recording.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _headline(self) -> str:
        header = self.recording.header
        time = self.recording.duration / NS
        return f"{self.path.stem} in {header.world}: {census(header)}; {time:g} s, seed {header.seed}, {self.verdict}"

    def __repr__(self) -> str:
        return f"<Run {self._headline}>"

    def _repr_html_(self) -> str:
        """Return the figures as Jupyter shows them."""
        shown = [(one.label, one.shown(self.figures[name])) for name, one in FIGURES.items() if name in self.figures]
        rows = "".join(
            f'<tr><td style="{_STYLE}">{escape(label)}</td><td>{escape(value)}</td></tr>' for label, value in shown
        )
        return f"<b>{escape(self._headline)}</b><table>{rows}</table>"
