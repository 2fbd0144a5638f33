"""A picture of what differs between two runs: how far apart robots are, and the round trips of both."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.changes import Change, figure_changes, verdict_changes
from twin.analysis.picture import WIDTH
from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.analysis.signal_picture import ROW, key, style, thinned
from twin.analysis.signals import signal
from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import F64

A, B = "#1f77b4", "#d95f02"
"""Blue and orange, which colour-blind eyes tell apart."""
LINE, MARGIN = 0.19, 1.0
"""Inches: height of a line of the table, and above and below."""
_BINS = 400


def draw_difference(a: Recording, b: Recording) -> Figure:
    """Draw the distance between the places of each robot in both runs, both round trips, and the figures."""
    summaries = a.summary, b.summary
    changes = [change for change in figure_changes(*summaries) + verdict_changes(*summaries) if change.change]
    table = LINE * (len(changes) + 2)
    figure = Figure(figsize=(WIDTH, MARGIN + 2 * ROW + table), facecolor=PAPER, layout="constrained")
    rows = figure.subplots(3, 1, height_ratios=[ROW, ROW, table])
    end = max(a.duration, b.duration) / NS
    for axes in rows[:2]:
        axes.set_xlim(0.0, max(end, 1e-9))
    _draw_distance(rows[0], a, b)
    for run, colour, name in ((a, A, "A"), (b, B, "B")):
        time, delay = round_trips(run, end)
        rows[1].plot(time, 1e3 * delay, color=colour, linewidth=1.2, label=f"{name}: {run.path.name}")
    style(rows[1], "round trip of commands, the longest of all robots in each stretch")
    rows[1].set_ylabel("ms", fontsize=8, color=INK)
    rows[1].set_xlabel("time (s)", fontsize=8, color=INK)
    _draw_table(rows[2], changes)
    figure.suptitle(f"{a.path.name} and {b.path.name}", x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    key(figure, rows[1])
    return figure


def _draw_distance(axes: Axes, a: Recording, b: Recording) -> None:
    """Draw how far apart the same robot is in both runs, as long as both last."""
    both = {robot.name: robot.body for robot in b.robots if robot.body >= 0}
    times = a["state/time"][:] / NS, b["state/time"][:] / NS
    common = times[0][times[0] <= times[1][-1]] if len(times[1]) else times[0][:0]
    shared = [robot for robot in a.robots if robot.body >= 0 and robot.name in both]
    far: list[F64] = []
    for robot in shared:
        here = a["state/position"][: len(common), robot.body, :]
        there = b["state/position"][:, both[robot.name], :]
        aligned = np.stack([np.interp(common, times[1], there[:, axis]) for axis in range(3)], axis=1)
        far.append(np.linalg.norm(here - aligned, axis=1))
        axes.plot(*thinned(common, far[-1]), color=MUTED, linewidth=0.8)
    if far and len(common):
        worst = int(np.argmax([distance.max() for distance in far]))
        axes.plot(*thinned(common, far[worst]), color=INK, linewidth=1.4)
        at = int(far[worst].argmax())
        axes.annotate(f"{shared[worst].name}: {far[worst][at]:.3g} m", (common[at], far[worst][at]), (4, 3),
                      textcoords="offset points", fontsize=8, color=INK)  # fmt: skip
        axes.set_ylim(0.0, max(1.25 * float(far[worst][at]), 1e-12))
    style(axes, "distance between the places of the same robot in A and B")
    axes.set_ylabel("m", fontsize=8, color=INK)


def round_trips(recording: Recording, end: float) -> tuple[F64, F64]:
    """Return times (n,) s and the longest round trip (n,) s of all robots since the time before, nan without."""
    edges = np.linspace(0.0, max(end, 1e-9), _BINS + 1)
    longest = np.full(_BINS, -np.inf)
    for robot in recording.robots:
        if robot.body >= 0:
            found = signal(recording, robot.name, "latency")
            place = np.clip(np.searchsorted(edges, found.time) - 1, 0, _BINS - 1)
            np.maximum.at(longest, place, found.value)
    return edges[1:], np.where(np.isneginf(longest), np.nan, longest)


def _draw_table(axes: Axes, changes: list[Change]) -> None:
    """Write the figures that changed."""
    axes.set_axis_off()
    rows = [("", "A", "B", "change"), *((one.label, one.a, one.b, one.change) for one in changes)]
    if not changes:
        rows = [("no figure changed", "", "", "")]
    for i, row in enumerate(rows):
        y = 1 - (i + 0.7) / (len(rows) + 0.5)
        for x, text, side in zip((0.0, 0.55, 0.75, 0.95), row, ("left", "right", "right", "right"), strict=True):
            axes.text(x, y, text, fontsize=8.5, color=INK if i else MUTED, ha=side, transform=axes.transAxes)
    axes.axhline(1.0, color=FRAME, linewidth=0.8)
