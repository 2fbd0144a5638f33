"""One table of a recording on its way to disk: rows gather in memory and leave as compressed chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from twin.errors import RecordingError
from twin.recording.checks import block_crc
from twin.recording.header import write_text
from twin.recording.schema import ColumnSpec, TableSpec

_BATCH = 512
KNOWN_TEXTS = 1 << 16
_OVERHEAD = 1 << 16  # bytes of chunk index and deflate headers for one chunk of all columns, generously


class TableWriter:
    """Appends rows to the columns of one table; `reserve(bytes)` is asked for space before each write.

    The checksum of each full block of rows goes into the table `checks`, if there is one.
    """

    def __init__(
        self, file: h5py.File, spec: TableSpec, reserve: Callable[[int], None], checks: TableWriter | None = None
    ) -> None:
        self.spec, self._checks = spec, checks
        self._chunk_rows = spec.chunk_rows
        self._reserve = reserve
        self._columns = [column for column in spec.columns if column.row_bytes]
        group = file.create_group(spec.name)
        write_text(group, "description", spec.description)
        self._ids = {column.name: _create(group, column, self._chunk_rows).id for column in self._columns}
        self._buffers = {
            column.name: np.zeros((self._chunk_rows, *column.shape), column.dtype) for column in self._columns
        }
        self._places = [(name, buffer, buffer.shape[1:]) for name, buffer in self._buffers.items()]
        self._chunk_bytes = sum(buffer.nbytes for buffer in self._buffers.values()) + _OVERHEAD
        self._base = 0  # rows in full chunks
        self._fill = 0  # rows in the buffers
        self._pending: list[tuple[Any, ...]] = []  # rows after those in the buffers
        self._changed = False

    @property
    def rows(self) -> int:
        """Rows so far, written or not."""
        return self._base + self._fill + len(self._pending)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows as tuples in the order of the columns; they become arrays many at a time."""
        self._pending.extend(rows)
        if len(self._pending) >= _BATCH:
            self._settle()

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row: column name -> value.

        Raises:
            RecordingError: a value's shape is not that of its column.
        """
        at = self._fill
        for name, buffer, shape in self._places:
            value = row[name]
            found = getattr(value, "shape", ())
            if found != shape:
                raise RecordingError(f"{self.spec.name}/{name} has shape {shape} in this recording, found {found}")
            buffer[at] = value
        self._added(1)

    def extend(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
        """Add many rows: column name -> their values, all equally many."""
        count, done = len(columns[self._columns[0].name]), 0
        while done < count:
            take = min(self._chunk_rows - self._fill, count - done)
            for name, buffer in self._buffers.items():
                buffer[self._fill : self._fill + take] = columns[name][done : done + take]
            self._added(take)
            done += take

    def flush(self) -> None:
        """Write the rows that are only in memory; their chunk is written again when it is full."""
        self._settle()
        if self._changed:
            self._write()
        if self._checks is not None:
            self._checks.flush()

    def open_crc(self) -> int:
        """Return the checksum of the rows that are flushed and not in a full block."""
        return block_crc(buffer[: self._fill] for buffer in self._buffers.values())

    def _settle(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, []
            columns = zip(*pending, strict=True)
            self.extend({
                name: np.fromiter(values, buffer.dtype, len(pending)) if buffer.ndim == 1 else values
                for (name, buffer), values in zip(self._buffers.items(), columns, strict=True)
            })  # fmt: skip

    def _added(self, rows: int) -> None:
        self._changed = True
        self._fill += rows
        if self._fill == self._chunk_rows:
            self._write()
            if self._checks is not None:
                self._checks.append({"crc": self.open_crc()})
            self._base, self._fill = self._base + self._fill, 0

    def _write(self) -> None:
        self._reserve(self._chunk_bytes)
        for name, dataset in self._ids.items():
            buffer = self._buffers[name]
            if self._fill < self._chunk_rows:
                buffer[self._fill :] = 0
            dataset.set_extent((self._base + self._fill, *buffer.shape[1:]))
            dataset.write_direct_chunk((self._base, *(0,) * (buffer.ndim - 1)), _deflate(buffer))
        self._changed = False


class Codes(dict[str, int]):
    """Numbers of texts: looking one up stores it if it is new."""

    def __init__(self, strings: TableWriter, text: TableWriter) -> None:
        super().__init__()
        self._strings, self._text = strings, text

    def __missing__(self, text: str) -> int:
        """Store a text and return its number; after many, new ones are no longer remembered."""
        code = self._strings.rows
        self._text.extend({"utf8": np.frombuffer(text.encode(), np.uint8)})
        self._strings.append({"end": self._text.rows})
        if len(self) < KNOWN_TEXTS:
            self[text] = code
        return code


def _create(group: h5py.Group, column: ColumnSpec, chunk_rows: int) -> h5py.Dataset:
    dataset = group.create_dataset(
        column.name,
        shape=(0, *column.shape),
        maxshape=(None, *column.shape),
        chunks=(chunk_rows, *column.shape),
        dtype=column.dtype,
        shuffle=True,
        compression="gzip",
        compression_opts=1,
    )
    for name in ("unit", "description", "frame"):
        if text := getattr(column, name):
            write_text(dataset, name, text)
    if column.components:
        names, units = zip(*column.components, strict=True)
        dataset.attrs["components"] = np.array([name.encode() for name in names])
        dataset.attrs["component_units"] = np.array([unit.encode() for unit in units])
    return dataset


def _deflate(rows: NDArray[Any]) -> bytes:
    """Apply HDF5's shuffle and gzip filters; isal is six times cheaper than the library's own deflate."""
    bytes_of_rows = rows.reshape(-1).view(np.uint8).reshape(-1, rows.itemsize)
    shuffled = bytes_of_rows if rows.itemsize == 1 else np.ascontiguousarray(bytes_of_rows.T)
    return bytes(isal_zlib.compress(shuffled, 1))
