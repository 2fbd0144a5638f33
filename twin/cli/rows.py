"""The runs that a command is given: those of a sweep, or recordings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.analysis.rows import of_recordings
from twin.errors import ScenarioError
from twin.recording.reader import Recording
from twin.studies.plan import read_plan
from twin.studies.sweep import plan_runs


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows, and how many more there would be if all of a sweep were done."""

    name: str  # the folder of a sweep, as `twin sweep` takes it, or the first recording
    rows: list[dict[str, Any]]
    missing: int = 0

    @property
    def open(self) -> str:
        """What there is to say of runs that are not done."""
        return f"{self.missing} of {self.missing + len(self.rows)} runs are not done: twin sweep {self.name}"


def rows_of(what: Sequence[Path]) -> Runs:
    """Return the runs of one sweep, or of recordings.

    Raises:
        ScenarioError: several sweeps, or none of a sweep's runs is done.
    """
    folders = [sweep_folder(path) for path in what]
    if not any(folders):
        for path in what:
            if not path.is_file():
                raise ScenarioError("found neither a sweep nor a recording of this name", file=path)
        with ExitStack() as opened:
            return Runs(str(what[0]), of_recordings([opened.enter_context(Recording(path)) for path in what]))
    if len(what) > 1 or folders[0] is None:
        raise ScenarioError(f"found {', '.join(map(str, what))}; allowed: one sweep, or recordings")
    return of_sweep(folders[0])


def of_sweep(folder: Path) -> Runs:
    """Return the rows of a sweep that are done.

    Raises:
        ScenarioError: none is.
    """
    sweep = plan_runs(read_plan(folder / "plan.toml"), folder)
    rows = sweep.rows()
    if not rows:
        others = any((folder / "runs").glob("*/*.json"))
        why = "; its rows are of other code or files" if others else ""
        raise ScenarioError(f"none of its {len(sweep.runs)} runs is done{why}: twin sweep {folder}", file=folder)
    return Runs(str(folder), rows, len(sweep.runs) - len(rows))


def study_folder(path: Path) -> Path | None:
    """Return the folder of a sweep, margins or trees, or of one of that name below sweeps/; None if there is none."""
    from twin.studies.pages.study import is_study

    return next((place for place in (path, Path("sweeps") / path) if place.is_dir() and is_study(place)), None)


def sweep_folder(path: Path) -> Path | None:
    """Return the folder of a sweep, or of one of that name below sweeps/; None if there is none."""
    places = [path, Path("sweeps") / path]
    return next((place for place in places if (place / "plan.toml").is_file()), None)
