"""Reads a recording, also one that is still being written or whose writer was killed."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import index
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError
from twin.recording.files import is_being_written, stored_size
from twin.recording.frames import frames
from twin.recording.header import dataset, read_header, read_text, static
from twin.recording.schema import CODE, Header, TableSpec, tables
from twin.recording.strings import Strings
from twin.state import Event, Frame, Node

if TYPE_CHECKING:
    import pandas
    import xarray

_LARGEST_ROW = 1 << 28  # bytes; a file that claims more is hostile
_BLOCK = 1 << 16  # rows searched at once


class Column:
    """One dataset of a recording as an array: as many rows as were committed, read when sliced."""

    def __init__(self, name: str, data: h5py.Dataset) -> None:
        self.name = name
        self.dtype = data.dtype
        self.is_text = data.dtype == CODE
        self.unit, self.description, self.frame = (
            read_text(data, key) if key in data.attrs else "" for key in ("unit", "description", "frame")
        )
        self._data = data
        self._rows = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, rows first."""
        return (self._rows, *self._data.shape[1:])

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, key: Any) -> Any:
        """Read rows: an integer or a slice, and further slices for the other axes."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(first, slice):
            first = slice(*first.indices(self._rows))
        else:
            row = index(first)
            if not -self._rows <= row < self._rows:
                raise IndexError(f"{self.name} has {self._rows} rows, not {row}")
            first = row % self._rows
        try:
            return self._data[(first, *rest)]
        except (OSError, RuntimeError) as error:
            raise RecordingError(f"{self._data.file.filename}: {self.name} is damaged: {error}") from error

    def grow(self, rows: int) -> None:
        """Trust `rows` rows from now on."""
        if len(self._data) < rows:
            self._data.refresh()
        if not 0 <= rows <= len(self._data):
            file, found = self._data.file.filename, len(self._data)
            raise RecordingError(f"{file}: {self.name} has {found} rows instead of {rows}: it is damaged")
        self._rows = rows


class Recording:
    """A run in a file: header, columns (`recording["state/position"][10:20]`), frames, tables, result.

    Raises:
        RecordingError: the file is missing, not a recording, damaged, or of a later format version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            self.header: Header = read_header(self._file)
            self._specs = {spec.name: spec for spec in tables(self.header)}
            self._columns = {
                column.name: column for spec in self._specs.values() for column in self._read_columns(spec)
            }
            self.strings = Strings(self.path, self["strings/end"], self["text/utf8"])
            self.rows: Mapping[str, int] = {}
            self.refresh()
        except (KeyError, ValueError, TypeError, AttributeError, OSError, RuntimeError) as error:
            self._file.close()
            raise RecordingError(f"{path}: is damaged or not a recording: {error}") from error
        except RecordingError:
            self._file.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; columns can't be read any more."""
        self._file.close()

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            known = ", ".join(self._columns)
            raise KeyError(f"{self.path} has no column {name!r}; it has {known}") from None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, as `table/column`."""
        return tuple(self._columns)

    @property
    def robots(self) -> tuple[Node, ...]:
        """All nodes, in the order of node indices."""
        return tuple(self.header.robots)

    @property
    def scenario_text(self) -> str:
        """The scenario as it was resolved, TOML."""
        return self.header.scenario_text

    @property
    def duration(self) -> int:
        """Time of the last recorded frame, ns."""
        times = self["state/time"]
        return int(times[-1]) if len(times) else 0

    @property
    def finished(self) -> bool:
        """Whether the writer came to its end, well or not; after that the file doesn't change."""
        return bool(self._ending)

    @property
    def complete(self) -> bool:
        """Whether the run came to its planned end."""
        return bool(self._ending.get("complete", False))

    @property
    def reason(self) -> str:
        """Why the run is not complete."""
        if self.finished:
            return str(self._ending.get("reason", ""))
        return "still being written" if is_being_written(self.path) else "the run was killed"

    @property
    def summary(self) -> dict[str, Any]:
        """What the run said of itself at its end."""
        return dict(self._ending.get("summary", {}))

    def refresh(self) -> bool:
        """Look for rows that were committed since the last look; tell whether there are any."""
        counts = self._committed()
        grown = counts != self.rows
        for name, rows in counts.items():
            for column in self._columns.values():
                if column.name.startswith(f"{name}/"):
                    column.grow(rows)
        self.rows = counts
        ending = self["result/utf8"][:].tobytes()
        self._ending: dict[str, Any] = json.loads(ending) if ending else {}
        return grown

    def frames(self, start: int | None = None, stop: int | None = None) -> Iterator[Frame]:
        """Yield the recorded frames with start <= time < stop [ns], each with all since the one before.

        Payloads of packets are not recorded; paths only where the header says so.
        """
        return frames(self, *self.between(start, stop))

    def between(self, start: int | None = None, stop: int | None = None) -> tuple[int, int]:
        """Return first and last + 1 row of the table `state` with start <= time < stop [ns]."""
        times = self["state/time"]
        first = 0 if start is None else bisect_left(times, start)
        return first, len(times) if stop is None else max(first, bisect_left(times, stop))

    def packets(self, start: int | None = None, stop: int | None = None) -> NDArray[Any]:
        """Return packets created at start <= t < stop [ns]: a structured array with the table's columns."""
        return self._select("packets", "created", start, stop)

    def logs(self, start: int | None = None, stop: int | None = None) -> NDArray[Any]:
        """Return values logged at start <= t < stop [ns]: a structured array with the table's columns."""
        return self._select("logs", "time", start, stop)

    def events(self, start: int | None = None, stop: int | None = None) -> list[Event]:
        """Return events with start <= time < stop [ns]."""
        rows = self._select("events", "time", start, stop)
        names = ("time", "kind", "robot", "detail", "value")
        return [Event(*values) for values in zip(*(rows[name].tolist() for name in names), strict=True)]

    def table(self, name: str) -> TableSpec:
        """Return the columns of a table, those without elements included."""
        return self._specs[name]

    def to_pandas(self, table: str = "state", start: int | None = None, stop: int | None = None) -> pandas.DataFrame:
        """Return a table as `twin export` writes it, with start <= time < stop [ns]; needs pandas.

        Raises:
            KeyError: there is no such table.
        """
        from twin.recording.export.labelled import to_pandas

        return to_pandas(self, table, start, stop)

    def to_xarray(self, start: int | None = None, stop: int | None = None) -> xarray.Dataset:
        """Return bodies, commands, modes and links with start <= time < stop [ns]; needs xarray."""
        from twin.recording.export.labelled import to_xarray

        return to_xarray(self, start, stop)

    def _select(self, table: str, time: str, start: int | None, stop: int | None) -> NDArray[Any]:
        """Search a table blockwise; nothing in it is older than the frame after which it was written."""
        columns = {column.name: self[f"{table}/{column.name}"] for column in self._specs[table].columns}
        first = self.between(start)[0]
        row = int(self[f"state/end/{table}"][first - 1]) if first else 0
        found: dict[str, list[NDArray[Any]]] = {name: [] for name in columns}
        for at in range(row, max(row + 1, self.rows[table]), _BLOCK):
            times = columns[time][at : at + _BLOCK]
            chosen = np.ones(len(times), bool)
            if start is not None:
                chosen &= times >= start
            if stop is not None:
                chosen &= times < stop
            for name, column in columns.items():
                values = column[at : at + _BLOCK][chosen]
                found[name].append(self.strings.decode(values) if column.is_text else values)
        whole = {name: np.concatenate(parts) for name, parts in found.items()}
        kinds = [(name, values.dtype, values.shape[1:]) for name, values in whole.items()]
        table_of = np.zeros(len(whole[time]), kinds)
        for name, values in whole.items():
            table_of[name] = values
        return table_of

    def _read_columns(self, spec: TableSpec) -> Iterator[Column]:
        for column in spec.columns:
            if not column.row_bytes:
                continue
            name = f"{spec.name}/{column.name}"
            data = dataset(self._file, name)
            fits = data.dtype == column.dtype and data.shape[1:] == column.shape
            if not fits or column.row_bytes > _LARGEST_ROW:
                raise RecordingError(f"{self.path}: {name} has {data.dtype} {data.shape}, which can't be")
            yield Column(name, data)

    def _committed(self) -> dict[str, int]:
        """Read the row counts; while they are being written, two readings differ."""
        counts = dataset(self._file, "committed")
        names = [name.decode() for name in counts.attrs["tables"]]
        if names != list(self._specs):
            raise RecordingError(f"{self.path}: has the tables {names}, not {list(self._specs)}")
        before: list[int] = []
        while (now := static(self._file, "committed").tolist()) != before:
            before = now
            counts.refresh()
        return dict(zip(names, before, strict=True))


def _open(path: Path) -> h5py.File:
    try:
        size, stated = path.stat().st_size, stored_size(path)
        if size < stated:
            raise RecordingError(f"{path}: is cut off: it has {size} of {stated} bytes")
        return h5py.File(path, "r", swmr=True, locking=False)
    except OSError as error:
        if path.is_file() and is_being_written(path):
            raise RecordingError(f"{path}: is being begun by its run; look again in a moment") from error
        raise RecordingError(f"{path}: can't be read: {error.strerror or error}") from error
