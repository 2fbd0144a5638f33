"""Turns what a killed run left behind into a clean file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from twin.errors import RecordingError
from twin.recording.files import Claim, is_being_written
from twin.recording.reader import Recording

REASON = "recovered after the run was killed"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found: the committed rows of each table, and the time of the last frame in ns."""

    path: Path
    rows: dict[str, int]
    duration: int


def recover(path: Path | str, to: Path | str | None = None, *, force: bool = False) -> Recovered:
    """Write all committed rows of a killed run into a clean file `to`; without `to`, in the place of `path`.

    The killed file is only read; where it is to be replaced, that happens when the clean one is whole.

    Raises:
        RecordingError: it can't be read, is being written, was finished, or `to` exists (and not `force`).
    """
    source = Path(path)
    target = source if to is None else Path(to)
    if source.is_file() and is_being_written(source):
        raise RecordingError(f"{source}: is being written by another process; it needs no recovery")
    with Recording(source) as recording:
        if recording.finished:
            raise RecordingError(f"{source}: was closed properly; it needs no recovery")
        rows, duration = dict(recording.rows), recording.duration
    in_place = target.exists() and target.samefile(source)
    claim = Claim(target, force=force or in_place)
    try:
        rows["result"] = _copy(source, claim, rows)
        claim.publish()
    except BaseException as error:
        claim.abandon()
        if isinstance(error, (OSError, RuntimeError)):
            raise RecordingError(f"{source}: can't be recovered to {target}: {error}") from error
        raise
    claim.release()
    return Recovered(target, rows, duration)


def _copy(source: Path, claim: Claim, rows: dict[str, int]) -> int:
    """Copy everything, cut the tables to their committed rows, add the ending; return its length."""
    ending = json.dumps({"complete": False, "reason": REASON, "summary": {}}).encode()
    with (
        h5py.File(source, "r", swmr=True, locking=False) as old,
        claim.create(2 * source.stat().st_size) as new,
    ):
        for name, value in old.attrs.items():
            new.attrs.create(name, value, dtype=old.attrs.get_id(name).dtype)
        for name in old:
            old.copy(name, new)
        for name, count in rows.items():
            new[name].visititems(lambda _, item, count=count: _cut(item, count))
        new["result/utf8"].resize(len(ending), axis=0)
        new["result/utf8"][:] = np.frombuffer(ending, np.uint8)
        counts = [len(ending) if name == "result" else count for name, count in rows.items()]
        new["committed"][...] = counts
    return len(ending)


def _cut(item: h5py.HLObject, rows: int) -> None:
    if isinstance(item, h5py.Dataset):
        item.resize(rows, axis=0)
