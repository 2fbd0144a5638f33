"""What base stations saw in a recording: the figures of the run, and those of each pair of sites."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.state import F64

LEVELS = ("noise_dbm", "clutter_db", "threshold_db")
"""Columns of the table `cpis` of which a pair has its median: None for nothing at all."""


def sensed(recording: Recording) -> dict[str, Any]:
    """Return `figures`, as a run's summary has them, and `pairs` of sites with their medians.

    Raises:
        RecordingError: the run did not sense.
    """
    if not recording.header.sensing:
        raise RecordingError(f"{recording.path}: no base station of this run senses: its scenario has no [sensing]")
    names = [node.name for node in recording.robots]
    ends = recording["cpis/detection_end"][:]
    source, bounces = recording["detections/source"][:], recording["detections/bounces"][:]
    count = np.diff(ends, prepend=0)
    of_cpi = np.repeat(np.arange(len(ends)), count)
    sender, receiver = recording["cpis/transmitter"][:], recording["cpis/receiver"][:]
    table = {name: recording[f"cpis/{name}"][:] for name in LEVELS}
    pairs = []
    for a, b in sorted(set(zip(sender.tolist(), receiver.tolist(), strict=True))):
        own = (sender == a) & (receiver == b)
        seen = own[of_cpi]
        pairs.append({
            "transmitter": names[a], "receiver": names[b], "cpis": int(own.sum()), "detections": int(seen.sum()),
            "ghosts": int((seen & (source >= 0) & (bounces > 0)).sum()), "noise": int((seen & (source < 0)).sum()),
            **{name: _median(values[own]) for name, values in table.items()},
        })  # fmt: skip
    return {"figures": recording.summary.get("sensing", {}), "pairs": pairs}


def _median(values: F64) -> float | None:
    found = float(np.median(values))
    return found if np.isfinite(found) else None
