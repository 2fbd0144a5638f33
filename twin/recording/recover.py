"""Turns what a killed run left behind into a clean file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError
from twin.recording.checks import Committed, block_crc, unpacked
from twin.recording.files import Claim, is_being_written, open_file
from twin.recording.header import linked
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
        rows, duration, block_rows = dict(recording.rows), recording.duration, recording.block_rows
    in_place = target.exists() and target.samefile(source)
    claim = Claim(target, force=force or in_place)
    try:
        rows["result"] = _copy(source, claim, rows, block_rows)
        claim.publish()
    except BaseException as error:
        claim.abandon()
        if isinstance(error, (OSError, RuntimeError)):
            raise RecordingError(f"{source}: can't be recovered to {target}: {error}") from error
        raise
    claim.release()
    return Recovered(target, rows, duration)


def _copy(source: Path, claim: Claim, rows: dict[str, int], block_rows: Mapping[str, int]) -> int:
    """Copy everything, cut the tables to their committed rows, add the ending; return its length."""
    ending = json.dumps({"complete": False, "reason": REASON, "summary": {}}).encode()
    with open_file(source) as old, claim.create(2 * source.stat().st_size) as new:
        for name, value in old.attrs.items():
            new.attrs.create(name, value, dtype=old.attrs.get_id(name).dtype)
        for name in old:
            if linked(old, name):
                old.copy(name, new)
        for name, count in rows.items():
            new[name].visititems(lambda _, item, count=count: _cut(item, count))
            if linked(new, f"checks/{name}/crc"):
                _cut(new[f"checks/{name}/crc"], count // block_rows[name])
        new["result/utf8"].resize(len(ending), axis=0)
        new["result/utf8"][:] = np.frombuffer(ending, np.uint8)
        new["committed"][...] = _committed(old["committed"][:], list(rows), ending)
    return len(ending)


def _committed(values: NDArray[np.int64], tables: Sequence[str], ending: bytes) -> NDArray[np.int64]:
    """Return what is committed with the ending in the place of the empty table `result`."""
    place = tables.index("result")
    if len(values) == len(tables):  # the first version of the format has counts only
        values[place] = len(ending)
        return values
    counts = unpacked(values, len(tables))
    assert counts is not None, "the recording was opened"
    rows, crcs = list(counts.rows), list(counts.open_crc)
    rows[place], crcs[place] = len(ending), block_crc([np.frombuffer(ending, np.uint8)])
    return Committed(tuple(rows), tuple(crcs)).packed()


def _cut(item: h5py.HLObject, rows: int) -> None:
    if isinstance(item, h5py.Dataset):
        item.resize(rows, axis=0)
