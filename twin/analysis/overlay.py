"""A picture of several runs over one another: round trips, and how far robots are from where the first run had them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from twin.analysis.diff_picture import round_trips
from twin.analysis.picture import WIDTH
from twin.analysis.plan import INK, PAPER
from twin.analysis.signal_picture import COLOURS, MARGIN, MOST_ROBOTS, ROW, key, style, thinned
from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.state import F64


def draw_overlay(runs: Sequence[Recording], names: Sequence[str]) -> Figure:
    """Draw the longest round trip of each run, and the largest distance of its robots from those of the first run.

    Raises:
        RecordingError: more runs than colours.
    """
    if len(runs) > MOST_ROBOTS:
        raise RecordingError(f"found {len(runs)} runs; allowed: at most {MOST_ROBOTS} in one picture")
    figure = Figure(figsize=(WIDTH, MARGIN + 2 * ROW), facecolor=PAPER, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    end = max(run.duration for run in runs) / NS
    for i, (run, name) in enumerate(zip(runs, names, strict=True)):
        time, delay = round_trips(run, end)
        above.plot(time, 1e3 * delay, color=COLOURS(i), linewidth=1.1, label=name)
        if i:
            below.plot(*thinned(*_apart(runs[0], run)), color=COLOURS(i), linewidth=1.1)
    style(above, "round trip of commands, the longest of all robots in each stretch")
    style(below, f"largest distance of a robot from where it is in {names[0]}")
    above.set_ylabel("ms", fontsize=8, color=INK)
    below.set_ylabel("m", fontsize=8, color=INK)
    below.set_xlabel("time (s)", fontsize=8, color=INK)
    above.set_ylim(bottom=0.0)
    below.set_ylim(bottom=0.0)
    below.set_xlim(0.0, max(end, 1e-9))
    key(figure, above)
    return figure


def _apart(first: Recording, run: Recording) -> tuple[F64, F64]:
    """Return times (n,) s that both runs have and the largest distance (n,) m of robots that both have."""
    times = first["state/time"][:] / NS, run["state/time"][:] / NS
    common = times[0][times[0] <= times[1][-1]] if len(times[1]) else times[0][:0]
    bodies = {robot.name: robot.body for robot in run.robots if robot.body >= 0}
    most = np.full(len(common), np.nan)
    for robot in first.robots:
        if robot.body >= 0 and robot.name in bodies:
            here = first["state/position"][: len(common), robot.body, :]
            there = run["state/position"][:, bodies[robot.name], :]
            aligned = np.stack([np.interp(common, times[1], there[:, axis]) for axis in range(3)], axis=1)
            most = np.fmax(most, np.linalg.norm(here - aligned, axis=1))
    return common, most
