"""Which code a command may run: what lies in trusted folders, and what its user agreed to.

A program that imports twin is its author's own, and runs what it names. The command line sets a guard, as people
hand it files of strangers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from twin.errors import EXIT_USAGE, TwinError


class TrustError(TwinError):
    """Code would run that is not this project's, and nobody agreed to it."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True)
class Runnable:
    """Something that would run: what it is, in words, and a digest of it; another content is another digest."""

    what: str
    digest: str
    files: frozenset[tuple[Path, str]] = frozenset()  # resolved, with the sha256 of each


@dataclass(slots=True)
class Guard:
    """Lets code run from below `roots`, of the project `own`, and what was agreed to.

    Another project that lies in a folder of `own` is none of its own. `ask` is shown all that is new at once, and
    returns normally if the user agrees.
    """

    roots: Sequence[Path]
    own: Path | None
    ask: Callable[[Sequence[Runnable]], None]
    _agreed: set[str] = field(default_factory=set)
    _files: set[tuple[Path, str]] = field(default_factory=set)
    _everything: bool = False

    def require(self, wanted: Sequence[Runnable]) -> None:
        """Ask for what isn't trusted yet.

        Raises:
            TrustError: the user doesn't agree, or can't be asked.
        """
        new = [item for item in wanted if item.digest not in self._agreed]
        if new and not self._everything:
            self.ask(new)
        self.agree(wanted)

    def agree(self, items: Sequence[Runnable]) -> None:
        """Let these run from now on."""
        for item in items:
            self._agreed.add(item.digest)
            self._files |= item.files

    def trust_all(self) -> None:
        """Let everything run from now on."""
        self._everything = True

    def trusts(self, path: Path) -> bool:
        """Tell whether a resolved path is of what is trusted."""
        if self._everything or any(path.is_relative_to(root) for root in self.roots):
            return True
        return self.own is not None and home(path) == self.own

    def check_file(self, path: Path) -> None:
        """Ask for a Python file that nobody has asked for yet."""
        if not self.trusts(path) and (path, sha256(path)) not in self._files:
            self.require([code(f"the Python file {path}", [path])])


def home(path: Path) -> Path | None:
    """Return the folder of the project that a resolved path lies in, None if it lies in none."""
    return next((folder for folder in (path, *path.parents) if is_project(folder)), None)


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a world or a robot."""
    return any(folder.glob("worlds/*/world.toml")) or any(folder.glob("agents/*/robot.toml"))


def code(what: str, files: Sequence[Path], words: str = "") -> Runnable:
    """Return what runs as files of code and `words`; their places don't count, only names and contents."""
    found = [(path.resolve(), sha256(path)) for path in files]
    parts = [words, *(f"{path.name} {digest}" for path, digest in sorted(found))]
    return Runnable(what, hashlib.sha256("\n".join(parts).encode()).hexdigest(), frozenset(found))


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_GUARD: ContextVar[Callable[[], Guard] | None] = ContextVar("guard", default=None)


def guard() -> Guard | None:
    """Return the guard, None in a program of one's own."""
    make = _GUARD.get()
    return None if make is None else make()


@contextmanager
def guarded(make: Callable[[], Guard]) -> Iterator[None]:
    """Let a guard watch what runs, made when the first asks for it."""
    token = _GUARD.set(cache(make))
    try:
        yield
    finally:
        _GUARD.reset(token)
