"""Errors a user can mend; each says what was found where, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

EXIT_ERROR, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_DIFFERS, EXIT_REQUIREMENT, EXIT_INCONCLUSIVE = 1, 2, 3, 4, 5, 6


LONGEST_NAME = 100
_LONGEST_MESSAGE = 10_000
_LONG_LIST = 60
_LONGEST = 100
"""Letters of names that are compared: the time goes with their square."""


class TwinError(Exception):
    """Base of all errors that end a command with a message instead of a traceback."""

    exit_code = EXIT_ERROR

    def __str__(self) -> str:
        """Return the message; of one as long as a file only its beginning, and how long it is."""
        message = super().__str__()
        cut = f"... ({len(message)} letters)"
        return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - len(cut)] + cut


class ScenarioError(TwinError):
    """A scenario, robot.toml or world.toml is invalid."""

    exit_code = EXIT_USAGE

    def __init__(
        self, message: str, *, file: Path | str | None = None, key: str | None = None, parts: Sequence[TwinError] = ()
    ) -> None:
        place = ": ".join(str(part) for part in (file, key) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.message, self.file, self.key = message, file, key
        self.parts = parts  # the mistakes that it lists, each by itself


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


class SeveralErrors(TwinError):
    """Mistakes that don't depend on one another, found together."""

    def __init__(self, errors: Sequence[TwinError]) -> None:
        listing = "".join("\n  " + str(error).replace("\n", "\n  ") for error in errors)
        super().__init__(f"{len(errors)} mistakes{listing}")
        self.errors, self.exit_code = errors, errors[0].exit_code


class Findings:
    """Lets steps that don't need one another all be tried, before the first mistake stops everything."""

    def __init__(self) -> None:
        self._errors: list[TwinError] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep the error of a step for `settle`."""
        try:
            yield
        except SeveralErrors as error:
            self._errors += error.errors
        except ScenarioError as error:
            self._errors += error.parts or [error]
        except TwinError as error:
            self._errors.append(error)

    def settle(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            TwinError: the one error that was found.
            SeveralErrors: there was more than one.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise SeveralErrors(self._errors)


@contextmanager
def located(*, file: Path | str | None = None, key: str | None = None) -> Iterator[None]:
    """Tell where in a scenario the cause of an error stands, if the error itself names no file."""
    try:
        yield
    except TwinError as error:
        placed = _placed(error, file, key)
        if placed is error:
            raise
        raise placed from error


def _placed(error: TwinError, file: Path | str | None, key: str | None) -> TwinError:
    match error:
        case SeveralErrors(errors=errors):
            return SeveralErrors([_placed(one, file, key) for one in errors])
        case ScenarioError() if not error.file:
            return ScenarioError(error.message, file=file, key=error.key or key)
        case PluginError():
            return PluginError(": ".join(str(part) for part in (file, key, error) if part))
    return error


def brief(value: object, longest: int = 60) -> str:
    """Return how a value is written, cut off where it is long; whole numbers may be too long to be written at all."""
    try:
        written = repr(value)
    except ValueError:  # more digits than Python converts
        return f"a number of {value.bit_length()} bits" if isinstance(value, int) else type(value).__name__
    return written if len(written) <= longest else f"{written[: longest - 3]}..."


def is_name(text: str) -> bool:
    """Tell whether a text may name a world or a robot: printable, no path, not longer than names are."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and not {*"/\\"} & {*text} and text.strip(". ") != ""


def choice(found: str, allowed: Iterable[str], listing: str = "") -> str:
    """Return `; allowed: ...` with what was meant: before a long list, after a short one; `listing` is all of them."""
    names = list(allowed)
    listing, hint = listing or ", ".join(names), nearest(found, names)
    return f"{hint} Allowed: {listing}" if hint and len(listing) > _LONG_LIST else f"; allowed: {listing}{hint}"


def nearest(found: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest allowed name, or nothing; names of foreign files may be None."""
    close = get_close_matches(found[:_LONGEST], [name for name in allowed if name and len(name) < _LONGEST], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
