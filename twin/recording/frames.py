"""Frames from the tables of a recording, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError
from twin.recording.schema import BODY_COLUMNS, ends
from twin.recording.sensed import cpis_of
from twin.scan import Cpi
from twin.state import NEVER, BodyState, Event, Frame, Hop, LinkState, Packet, RoutedLinks

if TYPE_CHECKING:
    from twin.recording.rows import Rows

_BLOCK_BYTES = 1 << 23
_FIRST_ROWS = 4
_LARGEST_BLOCK = 1 << 28  # bytes that one frame may need; a file that claims more is hostile

Columns = dict[str, NDArray[Any]]


def frames(recording: Rows, first: int, last: int) -> Iterator[Frame]:
    """Yield the frames of rows `first` to `last - 1` of the table `state`; memory holds one block of them."""
    row_bytes = sum(
        column.row_bytes for table in ("state", "links") for column in recording.table(table).columns
    )
    most, rows = max(1, _BLOCK_BYTES // row_bytes), _FIRST_ROWS
    while first < last:
        rows = min(most, 2 * rows, last - first)  # a seek for one frame shouldn't read many
        yield from _Block(recording, first, first + rows).frames()
        first += rows


class _Block:
    """Some consecutive rows of `state`, and the rows of the other tables that belong to them."""

    def __init__(self, recording: Rows, start: int, stop: int) -> None:
        self._recording = recording
        self._state = _read(recording, "state", start, stop)
        self._rows = stop - start
        self._groups = tuple(recording.header.layout.commands)
        self._ends = {name: self._bounds(name, start) for name in ends(recording.header)}
        self._packets = self._table("packets")
        self._events = self._table("events")
        self._logs = self._table("logs")
        self._cpis = self._sensed() if recording.header.sensing else []
        self._first_link = int(self._ends["links"][1]) - 1
        self._links = _read(recording, "links", self._first_link, int(self._ends["links"][-1]))
        self._link: tuple[int, LinkState] | None = None
        self._modes: tuple[bytes, tuple[str, ...]] = (b"", ())

    def frames(self) -> Iterator[Frame]:
        """Yield them."""
        for i in range(self._rows):
            since = {name: slice(*(ends[i : i + 2] - ends[0])) for name, ends in self._ends.items()}
            yield Frame(
                time=int(self._state["time"][i]),
                bodies=self._bodies(i),
                links=self._link_state(int(self._ends["links"][i + 1]) - 1),
                commands={group: self._state[f"command/{group}"][i] for group in self._groups},
                modes=self._mode(i),
                packets=[_packet(row) for row in self._packets[since["packets"]]],
                events=[Event(*row) for row in self._events[since["events"]]],
                logs=self._logs[since["logs"]],
                cpis=self._cpis[since["cpis"]] if self._cpis else (),
            )

    def _bounds(self, table: str, start: int) -> NDArray[np.int64]:
        """Return (rows + 1,) rows of `table` before the block and up to each of its frames."""
        ends = self._recording[f"state/end/{table}"]
        before = int(ends[start - 1]) if start else 0
        bounds = np.concatenate([[before], self._state[f"end/{table}"]])
        if np.any(np.diff(bounds) < 0) or bounds[-1] > self._recording.rows[table]:
            raise RecordingError(f"{self._recording.path}: state/end/{table} is damaged")
        return bounds

    def _table(self, name: str) -> list[tuple[Any, ...]]:
        """Return rows as tuples, in the order of the table's columns."""
        ends = self._ends[name]
        lists = []
        for column, values in _read(self._recording, name, int(ends[0]), int(ends[-1])).items():
            text = self._recording[f"{name}/{column}"].is_text
            lists.append(self._recording.strings.texts(values) if text else values.tolist())
        return list(zip(*lists, strict=True))

    def _sensed(self) -> list[Cpi]:
        """Return the CPIs of the block."""
        first, last = (int(self._ends["cpis"][k]) for k in (0, -1))
        cpis = _read(self._recording, "cpis", max(first - 1, 0), last)
        before = int(cpis["detection_end"][0]) if first else 0
        cpis = {name: values[1 if first else 0 :] for name, values in cpis.items()}
        after = int(cpis["detection_end"][-1]) if len(cpis["time"]) else before
        return cpis_of(cpis, _read(self._recording, "detections", before, after))

    def _bodies(self, i: int) -> BodyState:
        layout = self._recording.header.layout
        values = {name: self._state[name][i] for name in BODY_COLUMNS}
        return BodyState(**values, joint_offset=layout.joint_offset)

    def _mode(self, i: int) -> tuple[str, ...]:
        codes = self._state["mode"][i]
        if self._modes[0] != codes.tobytes() or not self._modes[1]:
            self._modes = codes.tobytes(), tuple(self._recording.strings.texts(codes))
        return self._modes[1]

    def _link_state(self, trace: int) -> LinkState:
        if self._link is None or self._link[0] != trace:
            self._link = trace, self._trace(trace)
        return self._link[1]

    def _trace(self, trace: int) -> LinkState:
        row = {name: values[trace - self._first_link] for name, values in self._links.items()}
        count = row["path_count"] if self._recording.header.paths else np.zeros_like(row["path_count"])
        end = int(row["path_end"])
        paths = {}
        if self._recording.header.paths:
            paths = _read(self._recording, "paths", end - int(count.sum()), end)
        amplitude = paths.get("amplitude", np.zeros((0, 2)))
        pairs = self._recording.header.layout.pairs
        values: dict[str, Any] = {
            "time": int(row["time"]),
            "a": pairs[:, 0],
            "b": pairs[:, 1],
            "path_gain_db": row["path_gain_db"],
            "los": row["los"].astype(bool),
            "path_offset": np.concatenate([[0], np.cumsum(count, dtype=np.int64)]),
            "path_amplitude": amplitude[:, 0] + 1j * amplitude[:, 1],
            "path_delay": paths.get("delay", np.zeros(0)),
            "path_doppler": paths.get("doppler", np.zeros(0)),
            "path_departure": paths.get("departure", np.zeros((0, 3))),
            "path_arrival": paths.get("arrival", np.zeros((0, 3))),
        }
        if "vertex" not in paths:
            return LinkState(**values)
        return RoutedLinks(**values, path_length=paths["length"], path_vertex=paths["vertex"])


def _packet(row: tuple[Any, ...]) -> Packet:
    created, arrived, stamp, source, destination, kind, sequence, size, fate, *hops = row
    packet = Packet(source, destination, kind, sequence, size, created, stamp, None, arrived, fate)
    if hops:
        width = len(Hop._fields)
        packet.uplink, packet.downlink = _hop(*hops[:width]), _hop(*hops[width:])
    return packet


def _hop(*columns: Any) -> Hop | None:
    hop = Hop(*columns)
    if hop.queued == NEVER:
        return None
    return hop._replace(retransmitted=tuple(time for time in hop.retransmitted if time != NEVER))


def _read(recording: Rows, table: str, start: int, stop: int) -> Columns:
    """Return rows of all columns of a table; those left out of the file are empty."""
    columns = {}
    for spec in recording.table(table).columns:
        if not 0 <= start <= stop or (stop - start) * spec.row_bytes > _LARGEST_BLOCK:
            raise RecordingError(f"{recording.path}: asks for rows {start} to {stop} of {table}: damaged")
        if spec.row_bytes:
            columns[spec.name] = recording[f"{table}/{spec.name}"][start:stop]
        else:
            columns[spec.name] = np.zeros((stop - start, *spec.shape), spec.dtype)
    return columns
