"""How commands talk: data on stdout, everything else on stderr, through rich."""

from __future__ import annotations

import json
import traceback
from typing import Any

from rich.console import Console
from rich.text import Text

from twin.errors import RunError, TwinError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


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
    err.print(Text(text, style=style), soft_wrap=True)


def print_json(data: Any) -> None:
    """Print data as JSON on stdout."""
    out.print(Text(json.dumps(data, indent=2, allow_nan=False)), soft_wrap=True)
