"""A picture of signals over time: one row per signal, one line per robot, failsafe times shaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.picture import WIDTH
from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.analysis.signals import Signal, signal, signal_names
from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.state import F64, NOMINAL

ROW, MARGIN = 1.9, 0.75
"""Inches: height of a row, and above the rows."""
COLOURS = colormaps["tab10"]
MOST_ROBOTS = 10
_MOST_POINTS = 4000  # drawn of one line


def draw_signals(recording: Recording, robots: Sequence[str], names: Sequence[str]) -> Figure:
    """Draw the signals `names` of `robots`, one below the other.

    Raises:
        RecordingError: more robots than colours, or a robot or signal that is not there.
    """
    if len(robots) > MOST_ROBOTS:
        raise RecordingError(f"found {len(robots)} robots; allowed: at most {MOST_ROBOTS} in one picture")
    height = MARGIN + ROW * len(names)
    figure = Figure(figsize=(WIDTH, height), facecolor=PAPER, layout="constrained")
    rows: list[Axes] = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0].tolist()
    for axes, name in zip(rows, names, strict=True):
        for i, robot in enumerate(robots):
            draw_line(axes, signal(recording, robot, name), COLOURS(i), robot)
        style(axes, name)
    if len(robots) == 1:
        _shade(rows, recording, robots[0])
    rows[-1].set_xlabel("time (s)", fontsize=8, color=INK)
    rows[0].set_xlim(0.0, max(recording.duration / NS, 1e-9))
    title = f"{robots[0]} in {recording.path.name}" if len(robots) == 1 else recording.path.name
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    if len(robots) > 1:
        key(figure, rows[0])
    return figure


def having(recording: Recording, names: Sequence[str]) -> list[str]:
    """Return the robots that have all of these signals; if there is none the first robot, so that it is named."""
    everyone = [node.name for node in recording.robots]
    return [robot for robot in everyone if set(names) <= set(signal_names(recording, robot))] or everyone[:1]


def draw_line(axes: Axes, one: Signal, colour: object, label: str) -> None:
    """Draw one signal; times in ms where they are delays."""
    scale, unit = (1e3, "ms") if one.unit == "s" else (1.0, one.unit)
    time, value = thinned(one.time, one.value * scale)
    steps = "steps-post" if one.held else "default"
    marker = "." if len(time) < 2 else None
    axes.plot(time, value, color=colour, linewidth=1.1, drawstyle=steps, label=label, marker=marker)
    axes.set_ylabel(unit, fontsize=8, color=INK)


def key(figure: Figure, axes: Axes) -> None:
    """Say beside the title which colour is whose."""
    lines, names = axes.get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper right", fontsize=8, frameon=False, ncols=5)


def style(axes: Axes, title: str) -> None:
    """Give axes the look of all pictures."""
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.tick_params(labelsize=8, colors=MUTED)
    axes.grid(color=FRAME, linewidth=0.5)
    for spine in axes.spines.values():
        spine.set_color(FRAME)


def thinned(time: F64, value: F64) -> tuple[F64, F64]:
    """Return at most a few thousand points: of a longer line, the least and the most of each stretch."""
    stretch = -(-len(time) // (_MOST_POINTS // 2))
    if stretch <= 2:
        return time, value
    whole = len(time) // stretch * stretch
    rows = value[:whole].reshape(-1, stretch)
    low = np.where(np.isnan(rows), np.inf, rows).argmin(axis=1)
    high = np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1)
    first = np.arange(0, whole, stretch)
    kept = np.unique(np.concatenate([first + low, first + high, np.arange(whole, len(time))]))
    return time[kept], value[kept]


def _shade(rows: Sequence[Axes], recording: Recording, robot: str) -> None:
    """Shade the times at which a robot is on its failsafe."""
    node = [one.name for one in recording.robots].index(robot)
    modes = recording.strings.decode(recording["state/mode"][:, node])
    time = recording["state/time"][:] / NS
    edges = np.flatnonzero(np.diff((modes != NOMINAL).astype(int), prepend=0, append=0))
    for start, stop in edges.reshape(-1, 2):
        for axes in rows:
            axes.axvspan(time[start], time[min(stop, len(time) - 1)], color=MUTED, alpha=0.18, linewidth=0)
