"""What a run cost its robots in energy."""

from __future__ import annotations

import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording

_BLOCK = 1 << 14


def work_of_drives(recording: Recording) -> dict[str, float]:
    """Return the work [J] that the drives of each robot with joints did: nothing is given back when they brake.

    The sum of max(0, torque x rate) x step over recorded frames, or force and speed: as good as the record rate.
    """
    if "state/joint_effort" not in recording.columns:
        return {}
    offset = recording.header.layout.joint_offset
    work, before = np.zeros(int(offset[-1])), 0
    for start in range(0, recording.rows["state"], _BLOCK):
        rows = slice(start, start + _BLOCK)
        time = recording["state/time"][rows]
        step = np.diff(time, prepend=before) / NS
        power = recording["state/joint_effort"][rows] * recording["state/joint_velocity"][rows]
        work += step @ np.maximum(power, 0.0)
        before = int(time[-1])
    return {
        robot.name: float(work[offset[robot.body] : offset[robot.body + 1]].sum())
        for robot in recording.robots
        if robot.body >= 0 and offset[robot.body + 1] > offset[robot.body]
    }
