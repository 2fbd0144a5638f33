"""Libraries that come as extras: how to install them, in the words that are right for this installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.errors import TwinError

DISTRIBUTION = "twin-6g"
"""Name that package installers know; `twin` in the public registry is somebody else's."""


def install(extra: str) -> str:
    """Return the command that installs an extra: into a clone, or beside the wheel."""
    clone = Path(__file__).resolve().parents[1]
    if (clone / "pyproject.toml").is_file():
        return f"pip install -e '{clone}[{extra}]'"
    return f"pip install '{DISTRIBUTION}[{extra}]'"


@contextmanager
def needed(extra: str, package: str) -> Iterator[None]:
    """Say which extra brings `package` where it isn't installed.

    Raises:
        TwinError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise TwinError(missing(extra, package)) from error


def missing(extra: str, package: str) -> str:
    """Return the message for a package that isn't installed."""
    return f"{package} is not installed; it comes with: {install(extra)}"
