"""A picture of a run: flown paths over the plan of the world, coloured by round-trip time."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from twin.analysis.plan import INK, MUTED, PAPER, draw_plan, draw_scale_and_north, make_sheet
from twin.analysis.tracks import RadioSite, Track, sites, tracks
from twin.analysis.verdicts import count_text
from twin.analysis.written import written
from twin.clock import NS
from twin.errors import TwinError
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES
from twin.state import F64
from twin.world.geometry import Geometry

DELAYS = ListedColormap(colormaps["plasma"](np.linspace(0.02, 0.82, 256)), name="delays")
"""Perceptually even and in the same order for colour-blind eyes; without the yellows that vanish on paper."""
WIDTH, TITLE, KEYS, MARGIN = 8.4, 1.15, 1.15, 0.2
"""Inches: of the picture, of the bands above and below the map, and round it."""
FORMATS, DPI = ("png", "svg", "pdf"), 160
MOST_NAMES = 12
"""Robots up to which each start bears its robot's name."""
MOST_CROSSES = 24
"""Failsafes up to which each has a large cross."""


def draw(recording: Recording, geometry: Geometry | None, note: str = "") -> Figure:
    """Draw a run over the plan of its world, if that is there; `note` is printed below the title."""
    flown, masts = tracks(recording), sites(recording)
    low, high = _view(flown, masts)
    has_keys = geometry is not None or any(np.isfinite(track.round_trip).any() for track in flown)
    figure, axes = make_sheet(low, high, (WIDTH, TITLE, KEYS if has_keys else MARGIN + 0.3, MARGIN))
    heights = None if geometry is None else draw_plan(axes, geometry, low, high)
    delays = _draw_tracks(axes, flown)
    _mark(axes, [np.array(site.position) for site in masts], "radio site", marker="^", markersize=9, color=INK)
    _mark_tracks(axes, flown, names=len(flown) <= MOST_NAMES)
    for site in masts:
        _label(axes, site.robot, *site.position[:2])
    if flown or masts:
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0), borderpad=0.3, borderaxespad=0.2, ncols=5,
                    fontsize=8, frameon=False, handletextpad=0.3)  # fmt: skip
    draw_scale_and_north(axes, low, high)
    if delays is not None:
        _draw_key(figure, delays, (MARGIN, 4.9), "round trip of the latest command (ms), slowest drawn last")
    if heights is not None:
        _draw_key(figure, heights, (5.7, WIDTH - MARGIN - 5.7), "height of buildings (m)")
    _draw_title(figure, recording, note)
    return figure


def save(figure: Figure, path: Path, *, force: bool = False) -> None:
    """Write a picture in the format that the name's ending says.

    Raises:
        TwinError: it exists and `force` is off, the ending is no format, or the file can't be written.
    """
    check_place(path, force=force)
    with written(path, "wb", force=force) as file:
        figure.savefig(file, format=path.suffix.removeprefix(".").lower(), dpi=DPI)


def check_place(path: Path, *, force: bool = False) -> None:
    """See that a picture may be written there, before hours of work for it.

    Raises:
        TwinError: it exists and `force` is off, or the ending is no format.
    """
    if path.suffix.removeprefix(".").lower() not in FORMATS:
        raise TwinError(f"{path}: found ending {path.suffix!r}; allowed: {', '.join(FORMATS)}")
    if path.exists() and not force:
        raise TwinError(f"{path}: exists already; --force replaces it")


def _view(flown: Sequence[Track], masts: Sequence[RadioSite]) -> tuple[F64, F64]:
    """Return the south-west and north-east corner of what is shown: all tracks and sites, with a margin."""
    places = [track.position[:, :2] for track in flown] + [np.array([site.position[:2]]) for site in masts]
    points = np.concatenate([*places, np.zeros((0 if places else 1, 2))])
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2
    half = np.maximum(half + 0.15 * half.max(), 20.0)
    half = np.maximum(half, [half[1] / 1.1, half[0] / 2])  # neither a tower nor a ribbon
    return middle - half, middle + half


def _draw_tracks(axes: Axes, flown: Sequence[Track]) -> ScalarMappable | None:
    """Draw all tracks, the slowest round trips on top; return their key, in ms."""
    if not flown:
        return None
    places = np.concatenate([_segments(track.position) for track in flown])
    delay = 1e3 * np.concatenate([track.round_trip[1:] for track in flown])
    astray = np.concatenate([track.on_failsafe[1:] for track in flown])
    known = np.isfinite(delay) & ~astray
    _add_lines(axes, places, 5.0, colors=PAPER, alpha=0.8)
    _add_lines(axes, places[~known & ~astray], 1.4, colors=MUTED)
    key = None
    if known.any():
        order = np.flatnonzero(known)[np.argsort(delay[known], kind="stable")]
        key = ScalarMappable(_range(delay[known]), DELAYS)
        key.set_array(delay[known])
        _add_lines(axes, places[order], 2.6, colors=key.to_rgba(delay[order]))
    _add_lines(axes, places[astray], 2.6, colors=INK, label="on failsafe" if astray.any() else None)
    return key


def _mark_tracks(axes: Axes, flown: Sequence[Track], *, names: bool) -> None:
    """Mark where each track starts and ends, and where the failsafe takes over."""
    onsets = [track.position[np.diff(track.on_failsafe, prepend=False) & track.on_failsafe] for track in flown]
    crosses = np.concatenate([*onsets, np.empty((0, 3))])
    size = 9 if len(crosses) <= MOST_CROSSES else 4
    _mark(axes, [track.position[0] for track in flown], "start", marker="o", markersize=8, color=INK, mfc=PAPER)
    _mark(axes, crosses, "failsafe takes over", marker="x", markersize=size, markeredgewidth=size / 4, color=INK)
    _mark(axes, [track.position[-1] for track in flown], "end", marker="o", markersize=4, color=INK)
    for track in flown if names else ():
        _label(axes, track.robot, *track.position[0, :2])
        _point_along(axes, track.position[:, :2])


def _point_along(axes: Axes, way: F64) -> None:
    """Draw an arrow head where a sixth of a way has been gone: which way it goes."""
    gone = np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))
    if not len(gone) or gone[-1] < 1.0:
        return
    i, j = np.searchsorted(gone, [gone[-1] / 6, gone[-1] / 6 + 0.5])
    head = {"arrowstyle": "-|>,head_width=0.35,head_length=0.6", "color": INK, "linewidth": 0}
    axes.annotate("", way[min(j + 1, len(way) - 1)], way[i], arrowprops=head, zorder=4)


def _mark(axes: Axes, places: Sequence[F64] | F64, label: str, **style: Any) -> None:
    if len(places):
        x, y = np.array(places)[:, :2].T
        halo = [withStroke(linewidth=2.5, foreground=PAPER)]
        axes.plot(x, y, linestyle="none", label=label, path_effects=halo, zorder=4, **style)


def _segments(position: F64) -> F64:
    """Return the pieces (n - 1, 2, 2) of a track, seen from above."""
    return np.stack([position[:-1, :2], position[1:, :2]], axis=1)


def _add_lines(axes: Axes, places: F64, width: float, **style: Any) -> None:
    lines = LineCollection(list(places), linewidths=width, capstyle="round", **style)
    axes.add_collection(lines, autolim=False)


def _range(delay: F64) -> Normalize:
    """Return the range of colours [ms]: from 0 to a round number above all delays but the slowest hundredth."""
    ticks = MaxNLocator(6).tick_values(0.0, max(float(np.quantile(delay, 0.99)), 1.0))
    return Normalize(0.0, float(ticks[-1]))


def _label(axes: Axes, text: str, x: float, y: float) -> None:
    halo = [withStroke(linewidth=2.5, foreground=PAPER)]
    axes.annotate(text, (x, y), (7, 5), textcoords="offset points", fontsize=8, color=INK, path_effects=halo,
                  zorder=5)  # fmt: skip


def _draw_key(figure: Figure, key: ScalarMappable, place: tuple[float, float], label: str) -> None:
    """Draw a colour bar that begins at `place[0]` inches and is `place[1]` inches wide."""
    height = figure.get_figheight()
    bar = figure.add_axes((place[0] / WIDTH, 0.48 / height, place[1] / WIDTH, 0.13 / height))
    array = key.get_array()
    beyond = array is not None and float(np.max(array)) > key.get_clim()[1]
    figure.colorbar(key, cax=bar, orientation="horizontal", ticks=MaxNLocator(6), extendfrac=0.03,
                    extend="max" if beyond else "neither")  # fmt: skip
    bar.set_xlabel(label, fontsize=8, color=INK, loc="left", labelpad=2)
    bar.tick_params(labelsize=8, colors=MUTED, length=2, pad=2)
    for spine in bar.spines.values():
        spine.set_visible(False)


def _draw_title(figure: Figure, recording: Recording, note: str) -> None:
    scenario = tomllib.loads(recording.scenario_text)
    title = textwrap.shorten(scenario.get("description") or recording.header.world, 84, placeholder=" ...")
    facts = _facts(recording, scenario["network"], scenario.get("channel", {}))
    lines = ["  ·  ".join([*facts, note] if note else facts), *("  ·  ".join(parts) for parts in _result(recording))]
    height = figure.get_figheight()
    figure.text(MARGIN / WIDTH, 1 - 0.30 / height, title, fontsize=12, fontweight="bold", color=INK, va="center")
    for i, line in enumerate(lines):
        figure.text(MARGIN / WIDTH, 1 - (0.55 + 0.2 * i) / height, line, fontsize=8.5, color=MUTED, va="center")


def _facts(recording: Recording, network: dict[str, Any], channel: dict[str, Any]) -> list[str]:
    detail = network.get("delay") or Path(network.get("file", "")).name
    kind = f"network {network['kind']}" + (f" ({detail})" if detail else "")
    where = [f"world {recording.header.world}", f"channel {channel.get('kind', '?')}"]
    return [*where, kind, f"{recording.duration / NS:g} s", f"seed {recording.header.seed}"]


def _result(recording: Recording) -> list[list[str]]:
    """Return a line of the main figures and one of the verdict."""
    summary = recording.summary
    if not summary:
        return [[f"incomplete: {recording.reason}"]]
    names = ("rtt_p50", "rtt_p99", "tracking_rms", "failsafes")
    parts = [f"{FIGURES[name].label} {FIGURES[name].shown(summary[name])}" for name in names]
    verdicts = summary["requirements"]
    if not recording.complete:
        return [parts, [f"incomplete: {textwrap.shorten(recording.reason, 90)}"]]
    return [parts, [count_text(verdicts)]] if verdicts else [parts]
