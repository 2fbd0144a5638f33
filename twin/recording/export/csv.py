"""CSV: one file per table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from twin.recording.named_tables import Block, write_folder
from twin.recording.reader import Recording


def to_csv(recording: Recording, folder: Path | str) -> list[Path]:
    """Write one file for each table into a new folder and return them.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    return write_folder(recording, folder, ".csv", _write)


def _write(parts: Iterator[Block], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for i, block in enumerate(parts):
            if i == 0:
                writer.writerow(block)
            writer.writerows(zip(*(values.tolist() for values in block.values()), strict=True))
