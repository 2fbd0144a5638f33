"""A video of a run: the plan from above with trails by round trip, and the round trips up to now below it."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twin.analysis.picture import DELAYS
from twin.analysis.plan import FRAME, INK, MUTED, PAPER, draw_plan
from twin.analysis.tracks import RadioSite, Track, sites, tracks
from twin.analysis.verdicts import MARKS, overall_of
from twin.clock import NS
from twin.errors import TwinError
from twin.recording.reader import Recording
from twin.state import F64
from twin.world.geometry import Geometry

SIZE = (1280, 720)  # pixels
TRAIL = 20.0  # s
_DPI = 100
_MAP, _STRIP, _KEY = (0.0, 0.24, 1.0, 0.66), (0.06, 0.075, 0.92, 0.135), (0.78, 0.925, 0.2, 0.018)
"""Left, bottom, width and height of the map, of the round trips below it, and of the key of colours above it."""
_NOW, _ASTRAY = "#0072B2", "#D55E00"
_VERDICTS = {"passed": "#00704f", "failed": "#b8400a", "inconclusive": "#7a5b00"}


def write_video(
    recording: Recording, geometry: Geometry | None, path: Path, *, rate_hz: int = 25, force: bool = False
) -> None:
    """Write an MP4 (H.264) of a run in real time.

    Raises:
        TwinError: no robot with a body was recorded, the file exists and `force` is off, or can't be written.
    """
    if path.exists() and not force:
        raise TwinError(f"{path}: exists already; --force replaces it")
    if not recording.rows["state"] or not (flown := tracks(recording)):
        raise TwinError(f"{recording.path}: holds no robot that moves")
    time = recording["state/time"][:: max(1, -(-recording.rows["state"] // len(flown[0].position)))] / NS
    film = _Film(flown, sites(recording), time, geometry)
    film.entitle(recording)
    part = path.with_name(f".{path.name}.part.mp4")
    try:
        with av.open(str(part), "w") as file:
            stream: Any = file.add_stream("libx264", rate=rate_hz)
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for picture in film.pictures(rate_hz):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            file.mux(stream.encode(None))
        part.replace(path)
    except OSError as error:
        raise TwinError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        if part.exists():
            part.unlink()


class _Film:
    """What stays is drawn once; what moves is drawn over it for each picture."""

    def __init__(
        self, flown: Sequence[Track], masts: Sequence[RadioSite], time: F64, geometry: Geometry | None
    ) -> None:
        self._flown, self._time = flown, time
        delays = np.concatenate([1e3 * track.round_trip for track in flown])
        self._slowest = float(np.nanquantile(delays, 0.99)) if np.isfinite(delays).any() else 1.0
        figure = Figure(figsize=(SIZE[0] / _DPI, SIZE[1] / _DPI), dpi=_DPI, facecolor=PAPER)
        canvas: Any = FigureCanvasAgg(figure)
        self._canvas = canvas
        self._map, self._strip = figure.add_axes(_MAP), figure.add_axes(_STRIP)
        self._figure = figure
        self._prepare_map(geometry, masts)
        self._prepare_strip()
        self._prepare_key()
        self._moving = list(self._add_moving())
        for artist in self._moving:
            artist.set_animated(True)  # so that none of them is in what stays

    def entitle(self, recording: Recording) -> None:
        """Say above the map whose run it is and what came of it."""
        scenario, summary = tomllib.loads(recording.scenario_text), recording.summary
        title = textwrap.shorten(scenario.get("description") or recording.header.world, 80, placeholder=" ...")
        kinds = [f"{part} {scenario[part]['kind']}" for part in ("channel", "network") if part in scenario]
        answer = overall_of(summary) if recording.complete else "incomplete"
        verdict = f"{MARKS.get(answer or '', '')} {answer or 'no requirements'}".strip()
        self._figure.text(0.012, 0.968, title, fontsize=14, fontweight="bold", color=INK, va="center")
        said = self._figure.text(0.012, 0.925, verdict, fontsize=11, fontweight="bold", va="center",
                                 color=_VERDICTS.get(answer or "", MUTED))  # fmt: skip
        right = said.get_window_extent(self._canvas.get_renderer()).x1 / SIZE[0]
        facts = "  ·  ".join([f"world {recording.header.world}", *kinds, f"seed {recording.header.seed}"])
        self._figure.text(right + 0.012, 0.925, facts, fontsize=11, color=MUTED, va="center")

    def pictures(self, rate_hz: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures (height, width, 3) of the run at a rate."""
        self._canvas.draw()
        still = self._canvas.copy_from_bbox(self._figure.bbox)
        for at in np.arange(0.0, float(self._time[-1]) + 1e-9, 1.0 / rate_hz).tolist():
            self._move(at)
            self._canvas.restore_region(still)
            for artist in self._moving:
                artist.axes.draw_artist(artist)
            yield np.ascontiguousarray(np.asarray(self._canvas.buffer_rgba())[..., :3])

    def _prepare_map(self, geometry: Geometry | None, masts: Sequence[RadioSite]) -> None:
        places = [track.position[:, :2] for track in self._flown] + [np.array([site.position[:2]]) for site in masts]
        points = np.concatenate(places)
        middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2 + 15.0
        shape = np.array([SIZE[0] * _MAP[2], SIZE[1] * _MAP[3]])
        half = shape * float((half / shape).max())
        low, high = middle - half, middle + half
        self._map.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        self._map.axis("off")
        if geometry is not None:
            draw_plan(self._map, geometry, low, high)
        for site in masts:
            self._map.plot(*site.position[:2], "^", color=INK, markersize=10, markeredgecolor=PAPER)
            self._name(self._map, site.robot).xy = site.position[:2]

    def _prepare_strip(self) -> None:
        strip = self._strip
        strip.set(xlim=(0, max(float(self._time[-1]), 1e-3)), ylim=(0, 1.15 * self._slowest or 1.0))
        strip.set_xlabel("time (s)", fontsize=9, color=MUTED, labelpad=1)
        strip.set_ylabel("round trip (ms)", fontsize=9, color=MUTED)
        strip.tick_params(labelsize=8, colors=MUTED)
        for side in ("top", "right"):
            strip.spines[side].set_visible(False)
        trips = np.array([1e3 * track.round_trip for track in self._flown])
        self._longest = np.where(np.isfinite(trips), trips, -np.inf).max(axis=0)
        self._longest[np.isneginf(self._longest)] = np.nan
        strip.plot(self._time, self._longest, color=FRAME, linewidth=1.2)

    def _prepare_key(self) -> None:
        """Draw what colours and marks mean."""
        key = self._figure.add_axes(_KEY)
        self._figure.colorbar(ScalarMappable(Normalize(0.0, self._slowest), DELAYS), cax=key, orientation="horizontal",
                              ticks=MaxNLocator(4))  # fmt: skip
        key.tick_params(labelsize=8, colors=MUTED, length=2, pad=1)
        key.set_title("round trip of the latest command (ms)", fontsize=9, color=INK, loc="left", pad=3)
        for spine in key.spines.values():
            spine.set_visible(False)
        kinds = (("robot", "o", INK), ("on failsafe", "X", _ASTRAY), ("base station", "^", INK))
        marks = [Line2D([], [], marker=marker, color=colour, markersize=10, label=label, linestyle="none",
                        markeredgecolor=PAPER) for label, marker, colour in kinds]  # fmt: skip
        self._map.legend(handles=marks, loc="lower left", ncols=3, fontsize=9, framealpha=0.85, edgecolor="none",
                         facecolor=PAPER, handletextpad=0.2, columnspacing=1.0)  # fmt: skip

    def _add_moving(self) -> Iterator[Any]:
        self._trails = LineCollection([], cmap=DELAYS, linewidths=4.5, capstyle="round")
        self._trails.set_clim(0.0, self._slowest)
        self._map.add_collection(self._trails, autolim=False)
        (self._robots,) = self._map.plot([], [], "o", color=INK, markersize=9, markeredgecolor=PAPER)
        (self._astray,) = self._map.plot([], [], "X", color=_ASTRAY, markersize=13, markeredgecolor=PAPER)
        self._names = [self._name(self._map, track.robot) for track in self._flown]
        self._clock = self._map.text(0.012, 0.975, "", transform=self._map.transAxes, fontsize=15, color=INK, va="top",
                                     bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85})  # fmt: skip
        self._now = self._strip.axvline(0.0, color=INK, linewidth=1.2)
        (self._past,) = self._strip.plot([], [], color=_NOW, linewidth=1.6)
        yield from (self._trails, self._robots, self._astray, *self._names, self._clock, self._past, self._now)

    @staticmethod
    def _name(axes: Axes, name: str) -> Any:
        return axes.annotate(name, (0, 0), (8, 5), textcoords="offset points", fontsize=9, color=INK,
                             bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.6, "pad": 1.0})  # fmt: skip

    def _move(self, at: float) -> None:
        first, last = np.searchsorted(self._time, [at - TRAIL, at], side="right")
        here = max(int(last) - 1, 0)
        places = np.array([track.position[here, :2] for track in self._flown])
        astray = np.array([track.on_failsafe[here] for track in self._flown])
        self._robots.set_data(*places[~astray].T)
        self._astray.set_data(*places[astray].T)
        for name, place in zip(self._names, places, strict=True):
            name.xy = tuple(place)
        every = max(1, (int(last) - int(first)) // 200)
        ways = [track.position[first:last:every, :2] for track in self._flown]
        self._trails.set_segments([piece for way in ways for piece in np.stack([way[:-1], way[1:]], axis=1)])
        delays = [1e3 * track.round_trip[first:last:every][1:] for track in self._flown]
        self._trails.set_array(np.concatenate(delays))
        self._clock.set_text(f"{at:.2f} s")
        self._past.set_data(self._time[:last], self._longest[:last])
        self._now.set_xdata([at, at])
