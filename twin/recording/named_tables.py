"""The tables of a recording as other programs like them: one row per thing and time, names instead of indices.

Each has `time` in seconds and, exact, `time_ns`; other times are told twice as well, such as `arrived` and
`arrived_ns`. What has not come is nan in seconds and -1 in nanoseconds. Units are in the names of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.rows import Rows
from twin.recording.schema import HOPS
from twin.state import NEVER, Node

Block = dict[str, NDArray[Any]]
"""Some rows of a table: column -> values, all equally many."""
_ROWS = 1 << 16  # of a block, about
_BODY = {
    "position": ("x_m", "y_m", "z_m"),
    "orientation": ("qx", "qy", "qz", "qw"),
    "velocity": ("vx_m_s", "vy_m_s", "vz_m_s"),
    "angular_velocity": ("wx_rad_s", "wy_rad_s", "wz_rad_s"),
}
_PEOPLE = {"source": "source", "destination": "destination", "node": "robot"}
"""Columns of node indices, and how the columns of names are called."""
_NANOSECONDS = (
    "created", "arrived", "stamp",
    *(f"{hop}_{name}" for hop in HOPS for name in ("queued", "occasion", "alone", "first", "retransmitted", "decoded")),
)  # fmt: skip


def table_names(recording: Rows) -> tuple[str, ...]:
    """Return the tables there are: state, command_GROUP, joints, links, packets, events, logs."""
    commands = [f"command_{group}" for group in recording.header.layout.commands]
    joints = ["joints"] if int(recording.header.layout.joint_offset[-1]) else []
    return ("state", *commands, *joints, "links", "packets", "events", "logs")


def write_folder(
    recording: Rows, folder: Path | str, suffix: str, write: Callable[[Iterator[Block], Path], None]
) -> list[Path]:
    """Write one file for each table into a new folder and return them.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True)
        files = {table: folder / f"{table}{suffix}" for table in table_names(recording)}
        for table, path in files.items():
            write(blocks(recording, table), path)
    except FileExistsError:
        raise RecordingError(f"{folder}: exists already; name a folder that does not") from None
    except OSError as error:
        raise RecordingError(f"{folder}: can't be written: {error.strerror or error}") from error
    return list(files.values())


def blocks(recording: Rows, table: str, start: int | None = None, stop: int | None = None) -> Iterator[Block]:
    """Yield a table with start <= time < stop [ns] block by block, at least one, which may be empty.

    Raises:
        KeyError: there is no such table.
    """
    if table not in table_names(recording):
        raise KeyError(f"no table {table!r}; there are: {', '.join(table_names(recording))}")
    if table in ("packets", "events", "logs"):
        yield from _rows(recording, table, start, stop)
        return
    if table == "links":
        pairs = len(recording.header.layout.pairs)
        times = recording["links/time"]
        first = 0 if start is None else int(np.searchsorted(times[:], start))
        last = len(times) if stop is None else int(np.searchsorted(times[:], stop))
        yield from _frames(first, last, pairs, lambda rows: _links(recording, rows))
        return
    first, last = recording.between(start, stop)
    robots = [(i, robot) for i, robot in enumerate(recording.robots) if robot.body >= 0]
    if table == "state":
        yield from _frames(first, last, len(robots), lambda rows: _state(recording, rows, robots))
    elif table == "joints":
        joints = int(recording.header.layout.joint_offset[-1])
        yield from _frames(first, last, joints, lambda rows: _joints(recording, rows, robots))
    else:
        group = table.removeprefix("command_")
        count, _ = recording.header.layout.commands[group]
        yield from _frames(first, last, count, lambda rows: _commands(recording, rows, group))


def _frames(first: int, last: int, things: int, read: Callable[[slice], Block]) -> Iterator[Block]:
    """Yield the blocks of rows `first` to `last - 1`, each row for so many things."""
    step = max(1, _ROWS // max(things, 1))
    for at in range(first, max(last, first + 1), step):
        yield read(slice(at, min(at + step, last)))


def _state(recording: Rows, rows: slice, robots: list[tuple[int, Node]]) -> Block:
    nodes, bodies = [i for i, _ in robots], [robot.body for _, robot in robots]
    block = _times(recording, "state", rows, np.array([robot.name for _, robot in robots], np.str_))
    block["mode"] = recording.strings.decode(recording["state/mode"][rows][:, nodes]).reshape(-1)
    for column, names in _BODY.items():
        values = recording[f"state/{column}"][rows][:, bodies].reshape(-1, len(names))
        block |= {name: values[:, i] for i, name in enumerate(names)}
    return block


def _commands(recording: Rows, rows: slice, group: str) -> Block:
    names = [robot.name for robot in recording.robots if robot.group == group]
    _, width = recording.header.layout.commands[group]
    fields = [name for name, _ in recording.header.command_fields.get(group, ())] or [str(i) for i in range(width)]
    values = recording[f"state/command/{group}"][rows].reshape(-1, width)
    return _times(recording, "state", rows, np.array(names, np.str_)) | {
        name: values[:, i] for i, name in enumerate(fields)
    }


def _joints(recording: Rows, rows: slice, robots: list[tuple[int, Node]]) -> Block:
    counts = np.diff(recording.header.layout.joint_offset)
    name_of = {robot.body: robot.name for _, robot in robots}
    names = [name_of[body] for body, count in enumerate(counts) for _ in range(count)]
    block = _times(recording, "state", rows, np.array(names, np.str_))
    frames = len(block["time"]) // len(names)
    block["joint"] = np.tile(np.concatenate([np.arange(count) for count in counts]), frames)
    for column in ("joint_position", "joint_velocity", "joint_effort"):
        if f"state/{column}" in recording.columns:
            block[column] = recording[f"state/{column}"][rows].reshape(-1)
    return block


def _links(recording: Rows, rows: slice) -> Block:
    pairs, names = recording.header.layout.pairs, radio_names(recording)
    carrier = np.array([radio.carrier for radio in recording.header.radios])
    times = recording["links/time"][rows]
    block = _instants(np.repeat(times, len(pairs)))
    block |= {side: np.tile(names[pairs[:, i]], len(times)) for i, side in enumerate("ab")}
    block["carrier_hz"] = np.tile(carrier[pairs[:, 0]] if len(pairs) else np.zeros(0), len(times))
    for name in ("path_gain_db", "los", "path_count"):
        there = f"links/{name}" in recording.columns
        block[name] = recording[f"links/{name}"][rows].reshape(-1) if there else np.zeros(0)
    block["los"] = block["los"].astype(bool)
    return block


def radio_names(recording: Rows) -> NDArray[np.str_]:
    """Return the name of each radio: its robot's, with a number where that has several (`mast.0`, `mast.1`)."""
    owners = [radio.owner for radio in recording.header.radios]
    names = [recording.robots[owner].name for owner in owners]
    several = [owners.count(owner) > 1 for owner in owners]
    return np.array([
        f"{name}.{owners[:i].count(owner)}" if many else name
        for i, (name, owner, many) in enumerate(zip(names, owners, several, strict=True))
    ], np.str_)  # fmt: skip


def _times(recording: Rows, table: str, rows: slice, names: NDArray[np.str_]) -> Block:
    times = recording[f"{table}/time"][rows]
    return _instants(np.repeat(times, len(names))) | {"robot": np.tile(names, len(times))}


def _instants(time: NDArray[np.int64], name: str = "time") -> Block:
    """Return times [ns] as two columns: in seconds, nan for never, and as they are."""
    return {name: np.where(time == NEVER, np.nan, time / NS), f"{name}_ns": time}


def _joined(times: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the times of each row that there are as one text, with spaces between them."""
    return np.array([" ".join(str(time) for time in row if time != NEVER) for row in times.tolist()], np.str_)


def _rows(recording: Rows, table: str, start: int | None, stop: int | None) -> Iterator[Block]:
    """Yield a table that has one row per thing already."""
    robots = np.array([robot.name for robot in recording.robots], np.str_)
    names = [column.name for column in recording.table(table).columns]
    for at in range(0, max(1, recording.rows[table]), _ROWS):
        block = {name: recording[f"{table}/{name}"][at : at + _ROWS] for name in names}
        time = block["created" if table == "packets" else "time"]
        chosen = (time >= (0 if start is None else start)) & (time < (np.inf if stop is None else stop))
        found = _instants(time[chosen])
        for name, values in block.items():
            values = values[chosen]
            if recording[f"{table}/{name}"].is_text:
                values = recording.strings.decode(values)
            if name in _PEOPLE:
                found[_PEOPLE[name]] = robots[values]
            elif name not in _NANOSECONDS:
                found.setdefault(name, values)
            elif values.ndim == 1:
                found |= _instants(values, name)
            else:
                found[f"{name}_ns"] = _joined(values)
        if table == "packets":
            there, took = found["arrived_ns"] != NEVER, found["arrived_ns"] - found["created_ns"]
            found["latency"] = np.where(there, took / NS, np.nan)
        yield found
