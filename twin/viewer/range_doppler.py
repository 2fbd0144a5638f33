"""A picture of a CPI: what its receiver saw in range and rate, and what was there."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.picture import WIDTH
from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.scan import Cpi, Scan
from twin.sensing.measurement import expected
from twin.sensing.windows import response
from twin.state import F64, I64, Frame

HEIGHT, POINTS = 5.6, (360, 480)
"""Inches, and points of the map in range and rate."""
MOST_NAMES = 24
"""Targets up to which each bears its name."""
_FLOOR, _MARGIN = 40.0, 1.08  # m, that the map shows at least, and its room beyond the farthest


def draw_cpi(recording: Recording, number: int) -> Figure:
    """Draw CPI `number` of a recording, counted from 0 in the order of its table `cpis`.

    Raises:
        RecordingError: the run did not sense, or has no such CPI.
    """
    cpi, frame = cpi_at(recording, number)
    targets = _targets(recording)
    there = _truth(cpi.scan, frame, np.array([recording.robots[t].body for t in targets], dtype=np.int64))
    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor=PAPER, layout="constrained")
    axes = figure.subplots()
    reach, fastest = _extent(cpi.scan, there)
    _draw_map(axes, figure, cpi, reach, fastest)
    _draw_detections(axes, cpi)
    axes.plot(there[:, 1], there[:, 0], "+", color="#ffffff", markersize=9, markeredgewidth=1.4, label="target")
    if len(targets) <= MOST_NAMES:
        for node, (distance, rate) in zip(targets.tolist(), there.tolist(), strict=True):
            axes.annotate(recording.robots[node].name, (rate, distance), xytext=(5, 4), textcoords="offset points",
                          fontsize=7, color="#ffffff")  # fmt: skip
    _style(axes, recording, cpi, number)
    return figure


def cpi_at(recording: Recording, number: int) -> tuple[Cpi, Frame]:
    """Return CPI `number` and the frame that tells of it.

    Raises:
        RecordingError: the run did not sense, or has no such CPI.
    """
    if not recording.header.sensing:
        raise RecordingError(f"{recording.path}: no base station of this run senses: its scenario has no [sensing]")
    ends = recording["state/end/cpis"][:]
    count = int(ends[-1]) if len(ends) else 0
    if not 0 <= number < count:
        raise RecordingError(f"{recording.path}: found CPI {number}; allowed: 0 to {count - 1}")
    row = int(np.searchsorted(ends, number, side="right"))
    time = int(recording["state/time"][row : row + 1][0])
    (frame,) = recording.frames(time, time + 1)
    return frame.cpis[number - (int(ends[row - 1]) if row else 0)], frame


def _targets(recording: Recording) -> I64:
    """Return the robots that any CPI of the run detected."""
    source = np.unique(recording["detections/source"][:])
    return np.asarray(source[source >= 0], dtype=np.int64)


def _truth(scan: Scan, frame: Frame, bodies: I64) -> F64:
    """Return range and rate (n, 2) of bodies at the time of a scan, the rate as it shows."""
    velocity = frame.bodies.velocity[bodies]
    place = frame.bodies.position[bodies] + (scan.time - frame.time) / NS * velocity
    value = expected(scan, np.hstack([place, velocity])).value[:, :2]
    if scan.ambiguity:
        value[:, 1] -= scan.ambiguity * np.round(value[:, 1] / scan.ambiguity)
    return np.asarray(value)


def _extent(scan: Scan, there: F64) -> tuple[float, float]:
    reach = _MARGIN * max(_FLOOR, *there[:, 0].tolist(), *scan.range.tolist())
    fastest = max([1.0, *np.abs(there[:, 1]).tolist(), *np.abs(scan.rate).tolist()])
    return reach, scan.ambiguity / 2.0 if scan.ambiguity else _MARGIN * fastest


def _draw_map(axes: Axes, figure: Figure, cpi: Cpi, reach: float, fastest: float) -> None:
    """Draw the detected echoes as the tapers show them, over noise."""
    scan = cpi.scan
    distance, rate = np.linspace(0.0, reach, POINTS[0]), np.linspace(-fastest, fastest, POINTS[1])
    apart = rate[None] - scan.rate[:, None]
    if scan.ambiguity:
        apart -= scan.ambiguity * np.round(apart / scan.ambiguity)
    along = response(apart / cpi.rate_cell) ** 2
    across = response((distance[None] - scan.range[:, None]) / cpi.range_cell) ** 2
    power = 1.0 + np.einsum("k,kr,kd->rd", 10.0 ** (scan.snr_db / 10.0), across, along)
    image = axes.imshow(10.0 * np.log10(power), origin="lower", aspect="auto", cmap="magma", vmin=0.0,
                        extent=(-fastest, fastest, 0.0, reach), interpolation="nearest")  # fmt: skip
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("echoes that were detected, over noise (dB)", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, colors=MUTED)
    axes.axvspan(-cpi.rate_cell, cpi.rate_cell, facecolor="#ffffff", alpha=0.14, linewidth=0.0, label="notch")


def _draw_detections(axes: Axes, cpi: Cpi) -> None:
    echo, ghost = (cpi.source >= 0) & (cpi.bounces == 0), (cpi.source >= 0) & (cpi.bounces > 0)
    for chosen, marker, label in ((echo, "o", "detection"), (ghost, "s", "by a wall"), (cpi.source < 0, "D", "noise")):
        axes.plot(cpi.scan.rate[chosen], cpi.scan.range[chosen], marker, label=label, markerfacecolor="none",
                  markeredgecolor="#7ee0ff", markersize=8, linestyle="none")  # fmt: skip


def _style(axes: Axes, recording: Recording, cpi: Cpi, number: int) -> None:
    names = [recording.robots[node].name for node in (cpi.transmitter, cpi.receiver)]
    pair = names[0] if names[0] == names[1] else " to ".join(names)
    axes.set_title(f"{recording.path.name}: CPI {number} of {pair}, {cpi.scan.time / NS:.3f} s", loc="left",
                   fontsize=10, fontweight="bold", color=INK)  # fmt: skip
    axes.set_xlabel("range rate (m/s)", fontsize=8, color=INK)
    axes.set_ylabel("range (m)", fontsize=8, color=INK)
    axes.tick_params(labelsize=7, colors=MUTED)
    for spine in axes.spines.values():
        spine.set_color(FRAME)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.09), ncols=5, fontsize=8, frameon=True, facecolor="#3b2a55",
                labelcolor="#ffffff", edgecolor=FRAME)  # fmt: skip
