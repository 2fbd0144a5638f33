"""The rows of a recording, also of one that is still being written or whose writer was killed."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError
from twin.recording.checks import block_crc
from twin.recording.columns import Column, open_column
from twin.recording.commits import Commits
from twin.recording.files import is_being_written, open_file
from twin.recording.header import read_header
from twin.recording.schema import Header, TableSpec, tables
from twin.recording.strings import Strings
from twin.state import Event, Node

_LARGEST_RESULT = 1 << 26  # bytes
_BLOCK = 1 << 16  # rows searched at once


class Rows:
    """A run in a file: header, columns (`rows["state/position"][10:20]`), result.

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
            self._commits = Commits(self._file, tuple(self._specs.values()), tuple(self._columns.values()))
            self.strings = Strings(self.path, self["strings/end"], self["text/utf8"])
            self.rows: Mapping[str, int] = {}
            self.refresh()
        except (LookupError, ValueError, TypeError, AttributeError, OSError, RuntimeError, ArithmeticError) as error:
            self._file.close()
            raise RecordingError(f"{path}: is damaged or not a recording: {error}") from error
        except RecordingError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
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
        counts = self._commits.read()
        grown = counts != self.rows
        self.rows = counts
        if counts["result"] > _LARGEST_RESULT:
            found = f"its result has {counts['result']} bytes"
            raise RecordingError(f"{self.path}: {found}, over the {_LARGEST_RESULT} allowed")
        try:
            self._ending = _object(self["result/utf8"][:].tobytes())
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"{self.path}: its result is damaged: {error}") from error
        return grown

    @property
    def checksums(self) -> bool:
        """Whether what was committed has checksums; the first version of the format had none."""
        return self._commits.checksums

    def check_block(self, table: str, start: int, stop: int) -> None:
        """Read a block of rows, the last one maybe unfinished, and hold it against its checksum, if it has one.

        Raises:
            RecordingError: it is damaged.
        """
        columns = [column for column in self._columns.values() if column.name.startswith(f"{table}/")]
        self._commits.check(table, block_crc(column[start:stop] for column in columns), start, stop)

    @property
    def block_rows(self) -> Mapping[str, int]:
        """How many rows a full block of each table has."""
        return self._commits.block_rows

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
            yield open_column(self._file, column, spec.name, len(self.header.robots))


def _open(path: Path) -> h5py.File:
    try:
        return open_file(path)
    except OSError as error:
        raise RecordingError(f"{path}: can't be read: {error.strerror or error}") from error


def _object(text: bytes) -> dict[str, Any]:
    """Return a JSON object, {} of nothing."""
    found = json.loads(text) if text else {}
    if not isinstance(found, dict) or not isinstance(found.get("summary", {}), dict):
        raise ValueError("it is no JSON object with a summary")
    return found
