"""Parquet: one file per table, as in CSV but typed and compressed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow
from pyarrow.parquet import ParquetWriter

from twin.recording.named_tables import Block, write_folder
from twin.recording.reader import Recording


def to_parquet(recording: Recording, folder: Path | str) -> list[Path]:
    """Write one file for each table into a new folder and return them.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    return write_folder(recording, folder, ".parquet", _write)


def _write(parts: Iterator[Block], path: Path) -> None:
    tables = (pyarrow.table(dict(block)) for block in parts)
    first = next(tables)
    with ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
