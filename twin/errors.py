"""Errors a user can mend; each says what was found where, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

EXIT_ERROR, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_DIFFERS, EXIT_REQUIREMENT = 1, 2, 3, 4, 5


class TwinError(Exception):
    """Base of all errors that end a command with a message instead of a traceback."""

    exit_code = EXIT_ERROR


class ScenarioError(TwinError):
    """A scenario, robot.toml or world.toml says something that can't be."""

    exit_code = EXIT_USAGE

    def __init__(self, message: str, *, file: Path | str | None = None, key: str | None = None) -> None:
        place = ": ".join(str(part) for part in (file, key) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.message, self.file, self.key = message, file, key


class PluginError(TwinError):
    """Code named by a path or entry point could not be loaded or doesn't meet its contract."""

    exit_code = EXIT_USAGE


class WorldError(TwinError):
    """A world or a file it is imported from can't be used."""


class RecordingError(TwinError):
    """A recording can't be written or read."""


class RunError(TwinError):
    """A run had to stop before its end; what was recorded up to there is good."""

    exit_code = EXIT_INCOMPLETE


@contextmanager
def located(*, file: Path | str | None = None, key: str | None = None) -> Iterator[None]:
    """Tell where in a scenario the cause of an error stands, if the error itself names no file."""
    try:
        yield
    except ScenarioError as error:
        if error.file:
            raise
        raise ScenarioError(error.message, file=file, key=error.key or key) from error
    except PluginError as error:
        raise PluginError(": ".join(str(part) for part in (file, key, error) if part)) from error


def nearest(found: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest allowed name, or nothing."""
    close = get_close_matches(found, list(allowed), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
