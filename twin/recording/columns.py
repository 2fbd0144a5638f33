"""One column of a recording, read when it is sliced; what no recording of ours has is refused before it is read."""

from __future__ import annotations

import os
from math import prod
from operator import index
from typing import Any

import h5py
import numpy as np

from twin.errors import RecordingError
from twin.recording.header import dataset, read_text
from twin.recording.schema import CODE, ColumnSpec

_LARGEST_ROW = 1 << 28  # bytes; a file that claims more is hostile
_LARGEST_CHUNK = 1 << 24  # bytes, or one row
_LARGEST_READ = max(1 << 30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4)  # bytes at once


class Column:
    """One dataset of a recording as an array: as many rows as were committed, read when sliced."""

    def __init__(self, name: str, data: h5py.Dataset, below: int | None = None) -> None:
        self.name, self._below = name, below
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
        size = self.dtype.itemsize * prod(self._data.shape[1:]) * (_span(first) if isinstance(first, slice) else 1)
        if size > _LARGEST_READ:
            raise RecordingError(f"{self._file}: {size >> 20} MiB of {self.name} are asked for at once; at most "
                                 f"{_LARGEST_READ >> 20} MiB fit: read it in parts")  # fmt: skip
        try:
            found = self._data[(first, *rest)]
        except (OSError, RuntimeError, MemoryError) as error:
            raise RecordingError(f"{self._file}: {self.name} is damaged: {error}") from error
        if self._below is not None and np.any((found < 0) | (found >= self._below)):
            raise RecordingError(f"{self._file}: {self.name} names a robot that isn't there: it is damaged")
        return found

    @property
    def block_rows(self) -> int:
        """Rows in a chunk."""
        return int(self._data.chunks[0])

    def grow(self, rows: int) -> None:
        """Trust `rows` rows from now on: they must be there, each chunk of them."""
        if self._rows != rows and (self._rows or len(self._data) < rows):
            self._data.refresh()  # chunks that weren't full lie elsewhere now
        found = len(self._data)
        if not 0 <= rows <= found or self._data.id.get_num_chunks() < -(-rows // self.block_rows):
            raise RecordingError(f"{self._file}: {self.name} has fewer rows than the {rows} committed: it is damaged")
        self._rows = rows

    @property
    def _file(self) -> str:
        return str(self._data.file.filename)


def open_column(file: h5py.File, spec: ColumnSpec, table: str, robots: int = 0) -> Column:
    """Return a column of a table, of a run with so many robots.

    Raises:
        RecordingError: it isn't as a recording has it: it might fill the memory or take for ever.
        KeyError: there is none.
    """
    name = f"{table}/{spec.name}"
    data = dataset(file, name)
    if data.dtype != spec.dtype or data.shape[1:] != spec.shape or spec.row_bytes > _LARGEST_ROW:
        raise RecordingError(f"{file.filename}: {name} has {data.dtype} {data.shape}, which can't be")
    rows, *rest = data.chunks or (0,)
    largest = max(_LARGEST_CHUNK, spec.row_bytes)
    if tuple(rest) != spec.shape or rows * spec.row_bytes > largest or data.compression != "gzip":
        raise RecordingError(f"{file.filename}: {name} is stored as no recording is")
    return Column(name, data, robots if spec.is_robot else None)


def _span(rows: slice) -> int:
    return len(range(rows.start, rows.stop, rows.step))
