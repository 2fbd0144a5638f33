"""Recordings: bits, bytes and HDF5 objects changed; refused, recovered, or whole all the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import h5py
import numpy as np

from fuzzing.harness import ROOT, Target, Wrong
from fuzzing.mutations import bytes_changed
from twin.analysis.tracks import tracks
from twin.recording.integrity import check
from twin.recording.reader import Recording
from twin.recording.recover import recover

GOLDEN = ROOT / "recordings/golden"
_HUGE = (1 << 20, 10**9, 1 << 40)


def _read(path: Path) -> list[str]:
    """Read all that there is, as commands do; return what an integrity check finds."""
    with Recording(path) as run:
        damage = list(check(run).damage)
        sum(1 for _ in run.frames())
        run.packets(), run.logs(), run.events()
        tracks(run)
        finished = run.finished
    if not finished:
        recover(path, path.with_name("clean.h5"))
    return damage


def _contents(path: Path) -> dict[str, bytes]:
    with Recording(path) as run:
        return {name: run[name][:].tobytes() for name in run.columns} | {"": str(run.header).encode()}


def _bytes(name: str) -> Target:
    good = GOLDEN / f"{name}.h5"

    def change(chance: Random, folder: Path) -> str:
        data, done = bytes_changed(good.read_bytes(), chance)
        (folder / "run.h5").write_bytes(data)
        return done

    def attempt(folder: Path) -> None:
        damage = _read(folder / "run.h5")
        if not damage and _contents(folder / "run.h5") != _contents(good):
            raise Wrong("other values than were written, and the check finds nothing")

    return Target(f"recording-{name}", change, attempt, 100, lambda folder: void(_read(_copy(good, folder))))


def _copy(good: Path, folder: Path) -> Path:
    return Path(shutil.copy(good, folder / "run.h5"))


def void(value: object) -> None:
    """Drop a value."""


def _objects_changed(chance: Random, folder: Path) -> str:
    path = _copy(GOLDEN / "format-1.h5", folder)  # without checksums, which a stranger would have made right
    os.mkfifo(folder / "pipe")
    with h5py.File(path, "r+", locking=False) as file:
        names: list[str] = []
        done: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for _ in range(chance.choice([1, 1, 2])):
            try:
                done.append(_object(file, chance.choice(names), chance, folder))
            except (KeyError, TypeError, ValueError, OSError) as error:  # what the first change left isn't as it was
                done.append(f"no second change: {type(error).__name__}")
    return ", ".join(done)


def _object(file: h5py.File, name: str, chance: Random, folder: Path) -> str:
    """Change one dataset, its attributes, or what its name leads to."""
    if name not in file or not isinstance(file[name], h5py.Dataset):
        return f"{name} is gone"
    found = file[name]
    match chance.randrange(9):
        case 0:
            del file[name]
            return f"{name} removed"
        case 1:
            del file[name]
            file[name] = h5py.ExternalLink(chance.choice([str(folder / "pipe"), "/etc/passwd", "run.h5"]), "/x")
            return f"{name} an external link"
        case 2:
            del file[name]
            file[name] = h5py.SoftLink(chance.choice(["/state", name, "/strings/end"]))
            return f"{name} a soft link"
        case 3:
            rows = chance.choice(_HUGE)
            kind, rest = found.dtype, found.shape[1:]
            del file[name]
            file.create_dataset(name, (rows, *rest), kind, chunks=(64, *(max(n, 1) for n in rest)), compression="gzip")
            return f"{name} of {rows} rows"
        case 4:
            del file[name]
            kind = chance.choice(["u1", "<f8", "S9", h5py.string_dtype(), ">i8"])
            file.create_dataset(name, data=np.zeros(chance.choice([0, 1, 45]), "u1").astype("S1" if kind == "S9" else "u1"),
                                dtype=None if kind == "S9" else None)  # fmt: skip
            return f"{name} of another kind"
        case 5 if found.size and found.dtype.kind in "iuf":
            at = chance.randrange(found.size)
            value = chance.choice([-1, 0, 1, 2**31 - 1, np.iinfo(found.dtype).max if found.dtype.kind in "iu" else np.nan])
            values = found[()]
            np.ravel(values)[at] = np.array(value).astype(values.dtype)
            found[...] = values
            return f"{name}[{at}] = {value}"
        case 6 if found.maxshape and found.maxshape[0] is None:
            rows = chance.choice([0, 1, *_HUGE])
            found.resize(rows, axis=0)
            counts, table = file["committed"], name.split("/")[0]
            place = counts.attrs["tables"].astype(str).tolist().index(table) if "tables" in counts.attrs else 0
            counts[place] = rows
            return f"{name} and its count of {rows} rows"
        case 7:
            attributes = [*file.attrs]
            key = chance.choice(attributes)
            file.attrs[key] = chance.choice([-1, 0, 2**62, "", "x" * 1000, np.zeros(5), "\x1b[31m"])
            return f"attribute {key} changed"
        case _:
            text = chance.choice([b"", b"[" * 100_000, b"{" * 100_000, b"\xff" * 50, b"a = 1\n" * 1000, b"{}", b"[]"])
            column = file["result/utf8"]
            column.resize(len(text), axis=0)
            column[...] = np.frombuffer(text, "u1")
            tables = file["committed"].attrs["tables"].astype(str).tolist() if "tables" in file["committed"].attrs else []
            if "result" in tables:
                file["committed"][tables.index("result")] = len(text)
            return f"a result of {text[:10]!r}"


def targets() -> list[Target]:
    """Return the targets of recordings."""
    return [
        _bytes("format-2"),
        _bytes("format-2-killed"),
        Target("recording-objects", _objects_changed, lambda folder: void(_read(folder / "run.h5")), 150,
               lambda folder: void(_read(_copy(GOLDEN / "format-1.h5", folder)))),
    ]  # fmt: skip
