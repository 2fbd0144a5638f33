"""rrd, for the Rerun viewer: poses, trails, gains and what controllers logged, on the time line `sim_time`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rerun

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import F64

_TIMELINE = "sim_time"
_MOST_POINTS = 5000  # of a trail


def to_rrd(recording: Recording, path: Path) -> list[Path]:
    """Write each robot's pose and trail in `world/`, gains of links in `links/`, logged values in `logs/`."""
    stream = rerun.RecordingStream("twin", recording_id=recording.path.stem)
    stream.save(path)
    stream.log("world", rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    time = recording["state/time"][:] / NS
    stride = max(1, -(-len(time) // _MOST_POINTS))
    for robot in recording.robots:
        if robot.body >= 0:
            place = recording["state/position"][:, robot.body, :]
            turned = recording["state/orientation"][:, robot.body, :]
            columns = rerun.Transform3D.columns(translation=place, quaternion=turned)
            stream.send_columns(f"world/{robot.name}", [_times(time)], columns)
            stream.log(f"world/trails/{robot.name}", rerun.LineStrips3D([place[::stride]]), static=True)
    robots = [robot.name for robot in recording.robots]
    if "links/path_gain_db" in recording.columns:
        traced = recording["links/time"][:] / NS
        for i, (a, b) in enumerate(recording.header.layout.pairs.tolist()):
            _scalars(stream, f"links/{a}-{b}/path_gain_db", traced, recording["links/path_gain_db"][:, i])
    logs = recording.logs()
    for node, name in np.unique(logs[["node", "name"]]).tolist():
        mine = logs[(logs["node"] == node) & (logs["name"] == name)]
        _scalars(stream, f"logs/{robots[node]}/{name}", mine["time"] / NS, mine["value"])
    stream.disconnect()
    return [path]


def _scalars(stream: Any, entity: str, time: F64, value: F64) -> None:
    stream.send_columns(entity, [_times(time)], rerun.Scalars.columns(scalars=value))


def _times(time: F64) -> Any:
    return rerun.TimeColumn(_TIMELINE, duration=time)
