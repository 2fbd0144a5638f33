"""Compares two recordings, bit for bit or within a tolerance: what differs, since when, where, how far."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.recording.reader import Recording
from twin.recording.schema import BODY_COLUMNS, CODE, ColumnSpec

_BLOCK_BYTES = 1 << 23
_TEXT_BYTES = 128  # about what a text takes while it is decoded
_TIME = {"state": "time", "links": "time", "packets": "created", "events": "time", "logs": "time"}
_NOT_COMPARED = ("text", "strings", "result")  # texts are compared where they are used


@dataclass(frozen=True, slots=True)
class Difference:
    """How one stream differs."""

    stream: str
    rows_a: int
    rows_b: int
    differing: int  # rows, among those that both have
    time: int | None  # ns, of the first row that differs; None where the shapes do: then a and b are these
    where: str  # whose value it is in that row
    a: Any  # that value in A; None where A has no such row
    b: Any
    largest: float | None  # absolute difference over all rows; None for texts
    unit: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between recordings A and B."""

    streams: tuple[Difference, ...]  # those that differ, the earliest first
    compared: int  # streams
    header: dict[str, tuple[Any, Any]]  # field -> what A and B say
    summary: dict[str, tuple[Any, Any]]  # metric -> what A and B say

    @property
    def same(self) -> bool:
        """Whether all streams are the same; header and summary are not asked."""
        return not self.streams

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "same": self.same,
            "compared": self.compared,
            "streams": [asdict(difference) for difference in self.streams],
            "header": {name: list(values) for name, values in self.header.items()},
            "summary": {name: list(values) for name, values in self.summary.items()},
        }


def compare(a: Recording, b: Recording, tolerance: float = 0.0, until: int | None = None) -> Comparison:
    """Compare all streams of two recordings, and what they say of themselves; streams up to `until` [ns], if given.

    Without a tolerance every bit counts, also in -0.0 and NaN. With one, floating-point values may differ by
    it, in the unit of their stream, and everything else must be the same.
    """
    columns = {**_columns(a), **_columns(b)}
    ends = tuple(dict(run.rows) if until is None else _rows_until(run, until) for run in (a, b))
    found = [
        difference
        for (table, _), column in columns.items()
        if (difference := _compare_column(a, b, table, column, tolerance, (ends[0][table], ends[1][table]))) is not None
    ]
    found.sort(key=lambda difference: (difference.time is not None, difference.time or 0))
    return Comparison(
        streams=tuple(found),
        compared=len(columns),
        header=_changes(_header(a), _header(b)),
        summary=_changes(dict(_leaves(a.summary)), dict(_leaves(b.summary))),
    )


def _columns(recording: Recording) -> dict[tuple[str, str], ColumnSpec]:
    return {
        (table, column.name): column
        for table in recording.rows
        if table not in _NOT_COMPARED
        for column in recording.table(table).columns
        if column.row_bytes
    }


def _rows_until(recording: Recording, until: int) -> dict[str, int]:
    """Return how many rows of each table belong to the frames up to a time [ns]."""
    frames = int(np.searchsorted(recording["state/time"][:], until, side="right"))
    rows = {**recording.rows, "state": frames}
    for name in ("links", "packets", "events", "logs"):
        rows[name] = int(recording[f"state/end/{name}"][frames - 1]) if frames else 0
    if recording.rows.get("paths"):
        rows["paths"] = int(recording["links/path_end"][rows["links"] - 1]) if rows["links"] else 0
    return rows


def _compare_column(
    a: Recording, b: Recording, table: str, column: ColumnSpec, tolerance: float, ends: tuple[int, int]
) -> Difference | None:
    name = f"{table}/{column.name}"
    shape_a, shape_b = (list(run[name].shape) if name in run.columns else [0] for run in (a, b))
    rows_a, rows_b = min(shape_a[0], ends[0]), min(shape_b[0], ends[1])
    if shape_a[1:] != shape_b[1:] or not (name in a.columns and name in b.columns):
        return Difference(name, rows_a, rows_b, 0, None, "", shape_a, shape_b, None, column.unit)
    differing, first, largest = 0, -1, 0.0
    for start, x, y in _blocks(a, b, name, min(rows_a, rows_b)):
        unequal = _unequal(x, y, tolerance)
        rows = np.flatnonzero(unequal.reshape(len(unequal), -1).any(axis=1))
        if len(rows):
            first = start + int(rows[0]) if first < 0 else first
            differing += len(rows)
            largest = max(largest, _largest(x[unequal], y[unequal]))
    if first < 0 and rows_a == rows_b:
        return None
    if first < 0:  # one is longer: it differs from where the other ends
        first = min(rows_a, rows_b)
    longer = a if rows_a > first else b
    both = first < min(rows_a, rows_b)
    place, (value_a, value_b) = _place(a, b, name, first, tolerance) if both else ((), (None, None))
    return Difference(
        stream=name,
        rows_a=rows_a,
        rows_b=rows_b,
        differing=differing,
        time=_time(longer, table, first),
        where=_where(longer, table, column, first, place),
        a=value_a,
        b=value_b,
        largest=None if column.dtype == CODE else largest,
        unit=column.unit,
    )


def _blocks(
    a: Recording, b: Recording, name: str, rows: int
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Yield first row and values of both recordings' first `rows`; texts as texts."""
    size = _TEXT_BYTES if a[name].is_text else a[name].dtype.itemsize
    step = max(1, _BLOCK_BYTES // (size * prod(a[name].shape[1:])))
    for start in range(0, rows, step):
        stop = min(rows, start + step)
        yield start, _values(a, name, start, stop), _values(b, name, start, stop)


def _values(recording: Recording, name: str, start: int, stop: int) -> NDArray[Any]:
    column = recording[name]
    values: NDArray[Any] = column[start:stop]
    return recording.strings.decode(values) if column.is_text else values


def _unequal(x: NDArray[Any], y: NDArray[Any], tolerance: float) -> NDArray[np.bool_]:
    if x.dtype != np.float64:
        return np.asarray(x != y)
    if tolerance == 0.0:
        return np.asarray(x.view(np.uint64) != y.view(np.uint64))
    with np.errstate(invalid="ignore"):
        near = (np.abs(x - y) <= tolerance) | (x == y) | (np.isnan(x) & np.isnan(y))
    return np.asarray(~near)


def _largest(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the largest absolute difference; infinite where only one is a number."""
    if x.dtype.kind == "U":
        return 0.0
    with np.errstate(invalid="ignore"):
        apart = np.abs(x.astype(np.float64) - y.astype(np.float64))
    apart[np.isnan(x) & np.isnan(y)] = 0.0
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max())


def _place(
    a: Recording, b: Recording, name: str, row: int, tolerance: float
) -> tuple[tuple[int, ...], tuple[Any, Any]]:
    """Return the first element of a row that differs, and its values."""
    x, y = _values(a, name, row, row + 1), _values(b, name, row, row + 1)
    place = tuple(int(i) for i in np.argwhere(_unequal(x, y, tolerance)[0])[0])
    return place, (x[(0, *place)].item(), y[(0, *place)].item())


def _time(recording: Recording, table: str, row: int) -> int:
    if table == "paths":
        row = int(np.searchsorted(recording["links/path_end"][:], row, side="right"))
        table = "links"
    return int(recording[f"{table}/{_TIME[table]}"][row])


def _where(recording: Recording, table: str, column: ColumnSpec, row: int, place: tuple[int, ...]) -> str:
    """Name the robot, link or packet that an element of a row belongs to."""
    robots = [robot.name for robot in recording.robots]
    if table == "packets":
        ends = [robots[int(recording[f"packets/{name}"][row])] for name in ("source", "destination")]
        kind = _values(recording, "packets/kind", row, row + 1)[0]
        return f"{ends[0]} -> {ends[1]}, {kind} {recording['packets/sequence'][row]}"
    if table == "events":
        return str(_values(recording, "events/robot", row, row + 1)[0])
    if table == "logs":
        return robots[int(recording["logs/node"][row])]
    if not place:
        return ""
    if table == "links":
        radios, pair = recording.header.radios, recording.header.layout.pairs[place[0]]
        return " - ".join(robots[radios[i].owner] if i < len(radios) else f"radio {i}" for i in pair)
    if table == "state":
        return _robot(recording, column.name, place[0])
    return ""


def _robot(recording: Recording, column: str, i: int) -> str:
    """Return whose the element `i` of a row of `state` is."""
    robots = recording.robots
    if column == "mode":
        return robots[i].name
    if column.startswith("command/"):
        return [robot.name for robot in robots if robot.group == column.removeprefix("command/")][i]
    if column.startswith("joint_"):
        i = int(np.searchsorted(recording.header.layout.joint_offset, i, side="right")) - 1
    elif column not in BODY_COLUMNS:
        return ""
    return next((robot.name for robot in robots if robot.body == i), f"body {i}")


def _header(recording: Recording) -> dict[str, Any]:
    header = recording.header
    left_out = ("layout", "scenario_text")
    said = {field.name: getattr(header, field.name) for field in fields(header) if field.name not in left_out}
    return {**said, "robots": [robot.name for robot in header.robots], **_scenario(recording)}


def _scenario(recording: Recording) -> dict[str, Any]:
    """Return the values of the scenario by their keys, or its text if it is no TOML."""
    try:
        return {f"scenario.{key}": value for key, value in _leaves(tomllib.loads(recording.scenario_text))}
    except tomllib.TOMLDecodeError:
        return {"scenario": recording.scenario_text}


def _changes(a: dict[str, Any], b: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (a.get(name), b.get(name)) for name in {**a, **b} if a.get(name) != b.get(name)}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested tables and lists by their path, such as `flows.a.p99`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{name}.{i}")
    else:
        yield name, value
