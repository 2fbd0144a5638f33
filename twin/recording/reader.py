"""Reads a recording: rows, frames, and tables with names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twin.recording import labelled
from twin.recording.frames import frames
from twin.recording.rows import Rows
from twin.state import Frame

if TYPE_CHECKING:
    import pandas
    import xarray


class Recording(Rows):
    """A run in a file: header, columns (`recording["state/position"][10:20]`), frames, tables, result.

    Raises:
        RecordingError: the file is missing, not a recording, damaged, or of a later format version.
    """

    def frames(self, start: int | None = None, stop: int | None = None) -> Iterator[Frame]:
        """Yield the recorded frames with start <= time < stop [ns], each with all since the one before.

        Payloads of packets are not recorded; paths only where the header says so.
        """
        return frames(self, *self.between(start, stop))

    def to_pandas(self, table: str = "state", start: int | None = None, stop: int | None = None) -> pandas.DataFrame:
        """Return a table as `twin export` writes it, with start <= time < stop [ns]; needs pandas.

        Raises:
            KeyError: there is no such table.
        """
        return labelled.to_pandas(self, table, start, stop)

    def to_xarray(self, start: int | None = None, stop: int | None = None) -> xarray.Dataset:
        """Return bodies, commands, modes and links with start <= time < stop [ns]; needs xarray."""
        return labelled.to_xarray(self, start, stop)
