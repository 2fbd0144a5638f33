"""How commands talk: data on stdout, everything else on stderr, through rich."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.text import Text

from twin.errors import TwinError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


def report(error: Exception) -> int:
    """Print an error that a user can mend and return its exit code; any other goes on as it is."""
    if not isinstance(error, TwinError):
        raise error
    say(f"error: {error}", "red")
    return error.exit_code


def say(text: str, style: str = "") -> None:
    """Print a line on stderr, as it is: brackets are no markup."""
    err.print(Text(text, style=style), soft_wrap=True)


def print_json(data: Any) -> None:
    """Print data as JSON on stdout."""
    out.print(Text(json.dumps(data, indent=2, allow_nan=False)), soft_wrap=True)
