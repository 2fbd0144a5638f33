"""Parquet: one file a table, as in CSV but typed and compressed."""

from __future__ import annotations

from pathlib import Path

import pyarrow
from pyarrow.parquet import ParquetWriter

from twin.errors import RecordingError
from twin.recording.export.tables import blocks, table_names
from twin.recording.reader import Recording


def to_parquet(recording: Recording, folder: Path | str) -> list[Path]:
    """Write one file for each table into a new folder and return them.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True)
        return [_write(recording, table, folder / f"{table}.parquet") for table in table_names(recording)]
    except FileExistsError:
        raise RecordingError(f"{folder}: exists already; name a folder that does not") from None
    except OSError as error:
        raise RecordingError(f"{folder}: can't be written: {error.strerror or error}") from error


def _write(recording: Recording, table: str, path: Path) -> Path:
    parts = (pyarrow.table(dict(block)) for block in blocks(recording, table))
    first = next(parts)
    with ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part)
    return path
