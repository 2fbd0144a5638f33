"""CSV: one file a table."""

from __future__ import annotations

import csv
from pathlib import Path

from twin.errors import RecordingError
from twin.recording.export.tables import blocks, table_names
from twin.recording.reader import Recording


def to_csv(recording: Recording, folder: Path | str) -> list[Path]:
    """Write one file for each table into a new folder and return them.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True)
        return [_write(recording, table, folder / f"{table}.csv") for table in table_names(recording)]
    except FileExistsError:
        raise RecordingError(f"{folder}: exists already; name a folder that does not") from None
    except OSError as error:
        raise RecordingError(f"{folder}: can't be written: {error.strerror or error}") from error


def _write(recording: Recording, table: str, path: Path) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for i, block in enumerate(blocks(recording, table)):
            if i == 0:
                writer.writerow(block)
            writer.writerows(zip(*(values.tolist() for values in block.values()), strict=True))
    return path
