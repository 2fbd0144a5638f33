"""Files for people to look at: there whole or not at all, and never in place of another one unasked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from twin.errors import TwinError
from twin.world.geometry import atomic


@contextmanager
def written(path: Path, mode: str = "w", *, force: bool = False) -> Iterator[IO[Any]]:
    """Open what takes the place of `path` at the end.

    Raises:
        TwinError: the file exists and `force` is off, or can't be written.
    """
    if path.exists() and not force:
        raise TwinError(f"{path}: exists already; --force replaces it")
    try:
        with atomic(path, mode) as file:
            yield file
    except OSError as error:
        raise TwinError(f"{path}: can't be written: {error.strerror or error}") from error
