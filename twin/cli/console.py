"""How commands talk: data on stdout, everything else on stderr, through rich."""

from __future__ import annotations

import json
import os
import re
import traceback
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from twin.errors import RunError, TwinError

_STYLES: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"  # rich would keep dim and bold


class Output(Console):
    """A console whose lines end where their text ends: tables are filled up with blanks."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does."""
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write(re.sub(r" +\n", "\n", captured.get()))
        self.file.flush()


out = Output(highlight=False, color_system=_STYLES)
err = Console(stderr=True, highlight=False, color_system=_STYLES)
out.soft_wrap, err.soft_wrap = not out.is_terminal, not err.is_terminal  # in a file, a line stays a line


def report(error: Exception) -> int:
    """Print an error that a user can mend and return its exit code; any other goes on as it is.

    What a controller raised is shown with its traceback.
    """
    if not isinstance(error, TwinError):
        raise error
    if isinstance(error, RunError) and error.__cause__ is not None:
        say("".join(traceback.format_exception(error.__cause__)).rstrip(), "dim")
    say(f"{'the run stopped early' if isinstance(error, RunError) else 'error'}: {error}", "red")
    return error.exit_code


def say(text: str, style: str = "") -> None:
    """Print a line on stderr, as it is: brackets are no markup."""
    err.print(Text(text, style=style))


def print_json(data: Any) -> None:
    """Print data as JSON on stdout."""
    out.print(Text(json.dumps(data, indent=2, allow_nan=False)), soft_wrap=True)
