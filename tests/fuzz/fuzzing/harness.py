"""Tries one changed input at a time in a forked process: so much time, so much memory, nothing outside of its folder.

A case is (target, seed, number) and is made of these alone: the same three give the same input again.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from twin.errors import TwinError

SECONDS = 10.0
"""s of processor time that a case may take; ten times that by the clock on a busy machine."""
MEMORY = 1 << 30
"""Bytes that a case may take beyond what the process began with."""
LONGEST_MESSAGE = 20_000
GOOD = ("refused", "ran")
ROOT = Path(__file__).resolve().parents[3]
_READABLE = tuple({ROOT, *(Path(place).resolve() for place in (*sys.path, sys.prefix, sys.base_prefix) if place),
                   *map(Path, ("/usr", "/lib", "/etc/ssl", "/proc", "/sys", "/dev"))})  # fmt: skip
_WRITING = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree")


class Wrong(Exception):
    """An input was taken, and what came of it is not what it says."""


@dataclass(frozen=True)
class Target:
    """Something that reads files from strangers."""

    name: str
    make: Callable[[Random, Path], str]
    """Write a changed input into an empty folder; return what was changed, in words."""
    attempt: Callable[[Path], None]
    """Read it. TwinError: refused in words. Wrong: taken, and not what it says."""
    cases: int
    """How many are tried where nobody says how many."""
    warm: Callable[[Path], None] | None = None
    """Do once, before the first case, what all of them need: imports, compiled code."""


@dataclass(frozen=True)
class Outcome:
    """What became of a case: one of GOOD, or what went wrong."""

    target: str
    number: int
    kind: str
    detail: str
    seconds: float
    megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.target}:{self.number}: {self.kind}, {self.seconds:.1f} s, {self.megabytes:.0f} MB: {self.detail}"
        )


@dataclass
class Tally:
    """Outcomes counted, and those that are not good."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[Outcome] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.counts[outcome.target, outcome.kind] += 1
        self.slowest, self.largest = max(self.slowest, outcome.seconds), max(self.largest, outcome.megabytes)
        if outcome.kind not in GOOD:
            self.bad.append(outcome)


def today() -> int:
    """Return the seed of the day, or TWIN_FUZZ_SEED."""
    return int(os.environ.get("TWIN_FUZZ_SEED") or datetime.now(UTC).strftime("%Y%m%d"))


def run(target: Target, seed: int, numbers: Iterable[int]) -> Iterator[Outcome]:
    """Try the cases of a target, one after another."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        base = Path(name).resolve()
        (base / "secret.stl").write_text("solid secret\nendsolid secret\n")
        if target.warm is not None:
            (base / "warm").mkdir()
            target.warm(base / "warm")
        for number in numbers:
            folder = base / "case"
            folder.mkdir()
            yield _tried(target, seed, number, folder)
            shutil.rmtree(folder, ignore_errors=True)


def _tried(target: Target, seed: int, number: int, folder: Path) -> Outcome:
    reader, writer = os.pipe()
    started = time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(target, seed, number, folder, writer)
    os.close(writer)
    said = _said(reader, started + 10 * SECONDS)
    if said is None:
        os.kill(child, signal.SIGKILL)
    os.close(reader)
    _, status, used = os.wait4(child, 0)
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    if said:
        result = json.loads(said)
        kind, detail = result["kind"], result["detail"]
        megabytes -= result["before"]
    else:
        code = os.waitstatus_to_exitcode(status)
        slow = said is None or code == -signal.SIGXCPU
        kind, detail = ("slow", f"stopped after {seconds:.0f} s") if slow else ("crash", f"ended with {code}")
    if kind in GOOD and seconds > SECONDS:
        kind = "slow"
    if kind in GOOD and megabytes > MEMORY / 1e6:
        kind = "large"
    return Outcome(target.name, number, kind, detail, seconds, megabytes)


def _said(reader: int, deadline: float) -> str | None:
    """Return all that a child wrote; None if it has not ended by the deadline."""
    parts = []
    while (left := deadline - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        part = os.read(reader, 65536)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)
    return None


def _child(target: Target, seed: int, number: int, folder: Path, writer: int) -> None:
    """Try a case, write what became of it, and end the process."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    virtual = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (virtual + MEMORY, virtual + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kind, detail = _outcome(target, seed, number, folder)
    os.write(writer, json.dumps({"kind": kind, "detail": detail, "before": before}).encode())
    os._exit(0)


def _outcome(target: Target, seed: int, number: int, folder: Path) -> tuple[str, str]:
    strayed: list[str] = []
    _watch(folder, strayed)
    done = ""
    try:
        done = target.make(case_random(target, seed, number), folder)
        target.attempt(folder)
        kind, detail = "ran", ""
    except TwinError as error:
        kind, detail = ("refused", "") if _clear(str(error)) else ("unclear", str(error)[:500])
    except Wrong as error:
        kind, detail = "wrong", str(error)
    except MemoryError:
        kind, detail = "large", "".join(traceback.format_exc()[-600:])
    except BaseException:  # whatever else: that is what is looked for
        kind, detail = "traceback", traceback.format_exc()[-1500:]
    if strayed:
        kind, detail = "outside", "; ".join(strayed[:3])
    return kind, f"{done}: {detail}" if kind not in GOOD else ""


def case_random(target: Target, seed: int, number: int) -> Random:
    """Return what a case draws from."""
    return Random(f"{seed}/{target.name}/{number}")


def _clear(message: str) -> bool:
    """Tell whether a message is one for people, and for a terminal."""
    controls = any(ord(letter) < 32 and letter not in "\n\t" for letter in message)
    return 10 < len(message) < LONGEST_MESSAGE and "Traceback" not in message and not controls


def _watch(folder: Path, strayed: list[str]) -> None:
    """Note each file outside of the folder that is written, moved or read; libraries' own are no strangers."""
    scratch = Path(tempfile.gettempdir()).resolve()
    cache = Path(os.environ.get("TWIN_CACHE", Path.home() / ".cache")).resolve()
    own = [folder, cache, Path("/dev")]

    def allowed(name: Any, writes: bool) -> bool:
        if not isinstance(name, str | bytes | os.PathLike):
            return True
        path = Path(os.path.abspath(os.fsdecode(name)))
        if any(path.is_relative_to(place) for place in own):
            return True
        if (
            path.is_relative_to(scratch)
            and path.relative_to(scratch).parts[:1]
            and (path.relative_to(scratch).parts[0].startswith("tmp"))
        ):
            return True  # temporary files and folders of Python's own
        if path == scratch:  # a file without a name
            return True
        return not writes and (any(path.is_relative_to(place) for place in _READABLE) or not path.is_file())

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            name, mode, flags = arguments
            writes = (
                any(letter in (mode or "r") for letter in "wax+") if mode else bool(flags & (os.O_WRONLY | os.O_RDWR))
            )
            if not allowed(name, writes):
                strayed.append(f"{'wrote' if writes else 'read'} {name}")
        elif event in _WRITING:
            names = [name for name in arguments[:2] if isinstance(name, str) and os.path.isabs(name)]
            strayed.extend(f"{event} {name}" for name in names if not allowed(name, True))

    sys.addaudithook(look)
