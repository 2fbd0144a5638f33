"""What base stations saw, as rows of the tables `cpis` and `detections`, and back from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.scan import Cpi, Scan

Columns = Mapping[str, NDArray[Any]]
_OF_SCAN = ("range", "rate", "direction", "snr_db", "deviation")
_LEVELS = ("noise_dbm", "clutter_db", "threshold_db", "cells", "range_cell", "rate_cell")


def columns_of(cpis: Sequence[Cpi], rows: int) -> tuple[Columns, Columns]:
    """Return the columns of both tables, where there are `rows` detections already."""
    scans = [cpi.scan for cpi in cpis]
    detections = {name: np.concatenate([getattr(scan, name) for scan in scans]) for name in _OF_SCAN}
    detections |= {name: np.concatenate([getattr(cpi, name) for cpi in cpis]) for name in ("source", "bounces")}
    table = {name: np.array([getattr(cpi, name) for cpi in cpis]) for name in ("transmitter", "receiver", *_LEVELS)}
    table |= {name: np.array([getattr(scan, name) for scan in scans]) for name in ("time", "axes", "ambiguity")}
    table["transmitter_position"] = np.array([scan.transmitter for scan in scans])
    table["receiver_position"] = np.array([scan.receiver for scan in scans])
    table["detection_end"] = rows + np.cumsum([len(scan.range) for scan in scans])
    return table, detections


def cpis_of(cpis: Columns, detections: Columns) -> list[Cpi]:
    """Return the CPIs of rows of both tables, of which the detections are those of these CPIs alone."""
    ends = cpis["detection_end"]
    first = int(ends[-1]) - len(detections["range"]) if len(ends) else 0
    found = []
    for i in range(len(ends)):
        own = slice(int(ends[i - 1]) - first if i else 0, int(ends[i]) - first)
        seen = {name: detections[name][own] for name in _OF_SCAN}
        scan = Scan(
            time=int(cpis["time"][i]), transmitter=cpis["transmitter_position"][i],
            receiver=cpis["receiver_position"][i], axes=cpis["axes"][i], ambiguity=float(cpis["ambiguity"][i]), **seen,
        )  # fmt: skip
        levels = {name: float(cpis[name][i]) for name in _LEVELS}
        source, bounces = detections["source"][own].astype(np.int64), detections["bounces"][own]
        found.append(Cpi(scan, int(cpis["transmitter"][i]), int(cpis["receiver"][i]), source, bounces, **levels))
    return found
