"""Signals of one robot in a recording: name -> times and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.errors import RecordingError, nearest
from twin.recording.reader import Recording
from twin.state import COMMAND, F64, I64, NEVER, Node

_BLOCK = 1 << 18
_VECTORS = ("position", "velocity", "angular_velocity")
_ANGLES = ("roll", "pitch", "yaw")
_JOINTS = ("joint_position", "joint_velocity", "joint_effort")
_DELAYS = {
    "latency": "round trip: from a sensor sample to the arrival of the command that answers it",
    "uplink": "delay of each packet that the robot sent, at the time of its sending",
    "downlink": "delay of each packet to the robot, at the time of its sending",
}


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One signal; n points in time."""

    name: str
    robot: str
    unit: str
    time: F64  # (n,) s, rising
    value: F64  # (n,) nan where there is none, such as the delay of a lost packet
    held: bool = False  # each value holds until the next one


def signal_names(recording: Recording, robot: str) -> list[str]:
    """Return the signals that `signal` knows of a robot.

    Raises:
        RecordingError: there is no such robot.
    """
    node, index = _node(recording, robot)
    names: list[str] = []
    if node.body >= 0:
        names += [f"{vector}.{axis}" for vector in _VECTORS for axis in "xyz"] + ["speed", *_ANGLES]
        joints = range(len(recording.header.layout.joint_offset[_joints(recording, node)]))
        names += [f"{joint}.{i}" for joint in _JOINTS if f"state/{joint}" in recording.columns for i in joints]
        names += [f"command.{name}" for name in _components(recording, node)]
        names.append("latency")
    names += ["uplink", "downlink"]
    if _links(recording, index).any():
        names.append("path_gain")
    return names + [f"log.{name}" for name in _logged(recording, index)]


def signal(recording: Recording, robot: str, name: str) -> Signal:
    """Return a signal of a robot in the recording's units.

    Raises:
        RecordingError: there is no such robot, or it has no such signal.
    """
    node, index = _node(recording, robot)
    known = signal_names(recording, robot)
    if name not in known:
        raise RecordingError(f"{robot} has no signal {name!r}{nearest(name, known)}; it has: {', '.join(known)}")
    kind, _, part = name.partition(".")
    if kind in _DELAYS:
        time, value = _delays(recording, index, kind)
        return Signal(name, robot, "s", time, value)
    if kind == "log":
        time, value = _log(recording, index, part)
        return Signal(name, robot, "", time, value)
    if kind == "path_gain":
        gain = recording["links/path_gain_db"][:][:, _links(recording, index)].max(axis=1)
        return Signal(name, robot, "dB", recording["links/time"][:] / NS, gain, held=True)
    time = recording["state/time"][:] / NS
    if kind == "command":
        at = _components(recording, node).index(part)
        units = dict(recording.header.command_fields.get(node.group, ()))
        value = recording[f"state/command/{node.group}"][:, node.row, at]
        return Signal(name, robot, units.get(part, ""), time, value, held=True)
    return Signal(name, robot, *_body(recording, node, kind, part, time))


def _node(recording: Recording, robot: str) -> tuple[Node, int]:
    names = [node.name for node in recording.robots]
    if robot not in names:
        there = ", ".join(names)
        raise RecordingError(f"{recording.path}: has no robot {robot!r}{nearest(robot, names)}; it has: {there}")
    return recording.robots[names.index(robot)], names.index(robot)


def _body(recording: Recording, node: Node, kind: str, part: str, time: F64) -> tuple[str, F64, F64]:
    """Return unit, times and values of what belongs to a body."""
    if kind in _ANGLES:
        return "rad", time, euler(recording["state/orientation"][:, node.body, :])[:, _ANGLES.index(kind)]
    if kind == "speed":
        return "m/s", time, np.linalg.norm(recording["state/velocity"][:, node.body, :], axis=1)
    column = recording[f"state/{kind}"]
    if kind in _JOINTS:
        return column.unit, time, column[:, _joints(recording, node).start + int(part)]
    return column.unit, time, column[:, node.body, "xyz".index(part)]


def _joints(recording: Recording, node: Node) -> slice:
    offset = recording.header.layout.joint_offset
    return slice(int(offset[node.body]), int(offset[node.body + 1]))


def _components(recording: Recording, node: Node) -> list[str]:
    """Return the names of a robot's command components; numbers where the recording has no names."""
    fields = [name for name, _ in recording.header.command_fields.get(node.group, ())]
    _, width = recording.header.layout.commands.get(node.group, (0, 0))
    return fields or [str(i) for i in range(width)]


def _links(recording: Recording, index: int) -> NDArray[np.bool_]:
    """Return (L,) which links have a radio of this robot."""
    mine = [i for i, radio in enumerate(recording.header.radios) if radio.owner == index]
    return np.asarray(np.isin(recording.header.layout.pairs, mine).any(axis=1))


def _delays(recording: Recording, index: int, kind: str) -> tuple[F64, F64]:
    """Return times and delays [s]; see `_DELAYS`."""
    found = []
    for packets in _blocks(recording, "packets", ("created", "arrived", "stamp", "source", "destination", "kind")):
        there = packets["source" if kind == "uplink" else "destination"] == index
        if kind == "latency":
            there &= (packets["kind"] == COMMAND) & (packets["arrived"] != NEVER)
        found.append(np.stack([packets[name][there] for name in ("created", "arrived", "stamp")]))
    created, arrived, stamp = np.concatenate([*found, np.zeros((3, 0), np.int64)], axis=1)
    at, since = (arrived, stamp) if kind == "latency" else (created, created)
    order = np.argsort(at, kind="stable")
    delay = np.where(arrived == NEVER, np.nan, (arrived - since) / NS)
    return at[order] / NS, delay[order]


def _log(recording: Recording, index: int, name: str) -> tuple[F64, F64]:
    found: list[tuple[I64, F64]] = []
    for logs in _blocks(recording, "logs", ("time", "node", "name", "value")):
        mine = (logs["node"] == index) & (logs["name"] == name)
        found.append((logs["time"][mine], logs["value"][mine]))
    time, value = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(time, kind="stable")
    return time[order] / NS, value[order]


def _logged(recording: Recording, index: int) -> list[str]:
    """Return the names of the values that a robot's controller logs, sorted."""
    names: set[str] = set()
    for logs in _blocks(recording, "logs", ("node", "name")):
        names.update(logs["name"][logs["node"] == index].tolist())
    return sorted(names)


def _blocks(recording: Recording, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield columns of a table, texts as texts, not all of it at once."""
    for start in range(0, recording.rows[table], _BLOCK):
        block = {}
        for name in columns:
            column = recording[f"{table}/{name}"]
            values = column[start : start + _BLOCK]
            block[name] = recording.strings.decode(values) if column.is_text else values
        yield block


def euler(orientation: F64) -> F64:
    """Return roll, pitch, yaw (n, 3) rad, about fixed x, y, z in this order, of quaternions xyzw (n, 4)."""
    x, y, z, w = orientation.T
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.stack([roll, pitch, yaw], axis=1)
