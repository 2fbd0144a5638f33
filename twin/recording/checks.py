"""Checksums of what was committed: each block of rows, the header, and the counts themselves.

A block is a chunk of rows, the same ones in all columns of a table. What a block's rows are is known when it is
full, and its checksum goes into `checks/TABLE/crc`; those of the last, unfinished blocks lie beside the row counts
in `committed`, and are written in the same stroke. CRC-32 as of zlib.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import h5py
import numpy as np
from numpy.typing import NDArray

from twin.recording.header import linked, static

_HEADER = (
    "scenario", "pairs", "joint_offset", "commands/group", "commands/shape", "radios/owner", "radios/carrier",
    *(f"robots/{name}" for name in ("name", "group", "kind", "body", "phase", "send_offset", "row")),
    *(f"{table}/{name}" for table in ("packages", "plugins", "inputs") for name in ("name", "value")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Committed:
    """Rows of each table, and the checksum of the rows in its unfinished block."""

    rows: tuple[int, ...]
    open_crc: tuple[int, ...]

    def packed(self) -> NDArray[np.int64]:
        """Return it as it lies in the file: rows, checksums, and the checksum of both."""
        values = np.array([*self.rows, *self.open_crc], "<i8")
        return np.append(values, np.int64(crc32(values.data)))


def unpacked(values: NDArray[np.int64], tables: int) -> Committed | None:
    """Return what lies in a file as so many tables' counts; None if its checksum is wrong."""
    if values.shape != (2 * tables + 1,) or crc32(values[:-1].astype("<i8").data) != values[-1]:
        return None
    plain = values.tolist()
    return Committed(tuple(plain[:tables]), tuple(plain[tables:-1]))


def block_crc(columns: Iterable[NDArray[Any]]) -> int:
    """Return the checksum of some rows: column after column, in the order of the file."""
    crc = 0
    for values in columns:
        crc = crc32(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data, crc)
    return crc


def header_crc(file: h5py.File) -> int:
    """Return the checksum of the datasets of the header, in a fixed order."""
    crc = 0
    for name in _HEADER:
        if linked(file, name):
            crc = crc32(np.ascontiguousarray(static(file, name)).tobytes(), crc)
    return crc
