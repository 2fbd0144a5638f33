"""What was committed of a recording: how many rows of each table, and what their checksums are."""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np

from twin.errors import RecordingError
from twin.recording.checks import header_crc, unpacked
from twin.recording.columns import Column, open_column
from twin.recording.header import dataset, static
from twin.recording.schema import CHECKED, TableSpec, checks


class Commits:
    """The row counts of an open file, and the checksums of its blocks of rows, if its format has them.

    Raises:
        RecordingError: the header is damaged or blocks differ within a table.
    """

    def __init__(self, file: h5py.File, specs: Sequence[TableSpec], columns: Sequence[Column]) -> None:
        self._file, self._names = file, [spec.name for spec in specs]
        self._columns = {name: [c for c in columns if c.name.startswith(f"{name}/")] for name in self._names}
        self.block_rows = {name: self._block_rows(name) for name in self._names}
        self.checksums = int(file.attrs["version"]) >= CHECKED
        self._checks: dict[str, Column] = {}
        self._open_crc: dict[str, int] = {}
        if self.checksums:
            said, found = int(file.attrs["header_crc"]), header_crc(file)
            if said != found:
                raise RecordingError(f"{file.filename}: its header is damaged: {_differ(found, said)}")
            self._checks = {s.name: open_column(file, checks(s).columns[0], checks(s).name) for s in specs}

    def read(self) -> dict[str, int]:
        """Read the row counts, and let the columns trust them; while they are being written, two readings differ.

        Raises:
            RecordingError: they are damaged, or there are fewer rows than that.
        """
        committed = dataset(self._file, "committed")
        if (names := [name.decode() for name in committed.attrs["tables"]]) != self._names:
            raise RecordingError(f"{self._file.filename}: has the tables {names}, not {self._names}")
        before: list[int] = []
        while (now := static(self._file, "committed").tolist()) != before:
            before = now
            committed.refresh()
        rows = before
        if self.checksums:
            found = unpacked(np.array(before, "<i8"), len(names))
            if found is None:
                raise RecordingError(f"{self._file.filename}: its row counts are damaged")
            rows, self._open_crc = list(found.rows), dict(zip(names, found.open_crc, strict=True))
        counts = dict(zip(names, rows, strict=True))
        for name, count in counts.items():
            for column in self._columns[name]:
                column.grow(count)
            if self.checksums:
                self._checks[name].grow(count // self.block_rows[name])
        return counts

    def check(self, table: str, crc: int, start: int, stop: int) -> None:
        """Hold the checksum of rows `start` to `stop - 1`, a block, against the one that was committed.

        Raises:
            RecordingError: it is another one.
        """
        if not self.checksums:
            return
        size = self.block_rows[table]
        said = self._open_crc[table] if stop - start < size else int(self._checks[table][start // size])
        if crc != said:
            raise RecordingError(f"{self._file.filename}: {table} is damaged: {_differ(crc, said)}")

    def _block_rows(self, table: str) -> int:
        sizes = {column.block_rows for column in self._columns[table]}
        if len(sizes) != 1:
            raise RecordingError(f"{self._file.filename}: {table} is stored as no recording is")
        return sizes.pop()


def _differ(found: int, said: int) -> str:
    return f"its checksum is {found:08x} instead of {said:08x}"
