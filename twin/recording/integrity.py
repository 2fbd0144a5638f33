"""`twin check` of a recording: everything that was committed is read and held against its checksums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording


@dataclass(frozen=True, slots=True)
class Checked:
    """What an integrity check has read, and what it found damaged, in words."""

    blocks: int
    rows: Mapping[str, int]
    checksums: bool  # false for files of a version that has none
    damage: Sequence[str]


def check(recording: Recording, progress: Callable[[int, int], None] = lambda done, all: None) -> Checked:
    """Read all that was committed and hold it against its checksums; `progress` is told blocks done, and of all."""
    sizes = recording.block_rows
    blocks = [
        (name, start)
        for name, rows in recording.rows.items()
        for start in range(0, rows, sizes[name])
    ]  # fmt: skip
    damage: list[str] = []
    for number, (name, start) in enumerate(blocks):
        progress(number, len(blocks))
        stop = min(start + sizes[name], recording.rows[name])
        try:
            recording.check_block(name, start, stop)
        except RecordingError as error:
            damage.append(f"{error} ({_when(recording, name, start, stop)})")
    progress(len(blocks), len(blocks))
    try:
        _texts(recording)
    except RecordingError as error:
        damage.append(str(error))
    return Checked(len(blocks), dict(recording.rows), recording.checksums, damage)


def _texts(recording: Recording) -> None:
    """Look at each text once."""
    for code in range(0, len(recording["strings/end"])):
        recording.strings[code]


def _when(recording: Recording, table: str, start: int, stop: int) -> str:
    """Return rows, and times where rows have one."""
    rows = f"rows {start} to {stop - 1}"
    if f"{table}/time" not in recording.columns:
        return rows
    try:
        times = recording[f"{table}/time"][start:stop] / NS
    except RecordingError:
        return rows
    return f"{rows}, {times[0]:g} s to {times[-1]:g} s"
