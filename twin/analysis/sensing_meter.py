"""What base stations saw, against what was there: errors, misses, false alarms, latency, tracks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.analysis.track_meter import TrackMeter
from twin.clock import NS
from twin.numerics.bistatic import places
from twin.scan import RESOLVED, Cpi
from twin.state import Frame, Node

SHARE = 95.0
"""Percentile of errors and latency: the confidence of TS 22.137, table 6.2-1."""


class SensingMeter:
    """Takes frames; figures are there once a CPI was.

    A target counts from its first detection on, and is missed in a look, all CPIs of one time, in which nobody detects
    it but by a ghost. Where it was at that time is told by the frame, and by its velocity in between.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._bodies = np.array([node.body for node in nodes], dtype=np.int64)
        self._tracks = TrackMeter(nodes)
        self._cell = 0.0  # m, the widest
        self._count = self._detections = self._false = self._ghosts = 0
        self._errors: list[tuple[float, float]] = []  # m, horizontal and vertical
        self._latency: list[float] = []  # s
        self._looks: dict[int, set[int]] = defaultdict(set)  # time ns -> nodes detected
        self._pairs: dict[tuple[int, int], list[int]] = defaultdict(list)  # ns, times of their CPIs

    def take(self, frame: Frame) -> None:
        """Take what a frame tells."""
        for cpi in frame.cpis:
            self._take(cpi, frame)
        self._tracks.take(frame)
        if self._count:
            self._latency += [(p.arrived - p.stamp) / NS for p in frame.packets
                              if p.kind == "detections" and p.fate == "delivered"]  # fmt: skip

    def _take(self, cpi: Cpi, frame: Frame) -> None:
        self._count += 1
        self._cell = max(self._cell, cpi.range_cell)
        self._pairs[cpi.transmitter, cpi.receiver].append(cpi.scan.time)
        true, ghost = (cpi.source >= 0) & (cpi.bounces == 0), (cpi.source >= 0) & (cpi.bounces > 0)
        self._detections += len(true)
        self._ghosts += int(ghost.sum())
        self._false += int((~true).sum())
        look = self._looks[cpi.scan.time]
        look.update(cpi.source[true].tolist())
        rows = self._bodies[cpi.source[true]]
        since = (cpi.scan.time - frame.time) / NS
        there = frame.bodies.position[rows] + since * frame.bodies.velocity[rows]
        off = places(cpi.scan)[true] - there
        self._errors += zip(np.hypot(off[:, 0], off[:, 1]).tolist(), np.abs(off[:, 2]).tolist(), strict=True)

    def summary(self) -> dict[str, Any]:
        """Return the table `sensing` of a summary, nothing where nothing sensed."""
        if not self._count:
            return {}
        looked = missed = 0
        known: set[int] = set()
        for time in sorted(self._looks):
            known |= self._looks[time]
            looked += len(known)
            missed += len(known - self._looks[time])
        horizontal, vertical = zip(*self._errors, strict=True) if self._errors else ((), ())
        gaps = [gap for times in self._pairs.values() for gap in np.diff(times).tolist()]
        figures = {
            "cpis": self._count, "detections": self._detections, "ghosts": self._ghosts, "targets": len(known),
            "missed": missed / looked if looked else None,
            "detection_probability": 1.0 - missed / looked if looked else None,
            "false_alarms": self._false / self._detections if self._detections else None,
            "horizontal_error": _percentile(horizontal), "vertical_error": _percentile(vertical),
            "latency": _percentile(self._latency), "refresh": max(gaps) / NS if gaps else None,
            "resolution": RESOLVED * self._cell, **self._tracks.summary(known),
        }  # fmt: skip
        return {"sensing": figures}


def _percentile(values: Sequence[float]) -> float | None:
    return float(np.percentile(values, SHARE)) if len(values) else None
