"""How commands talk: data on stdout, everything else on stderr, through rich."""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Iterable
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from twin.errors import RunError, TwinError

_STYLES: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"  # rich would keep dim and bold


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class Plain(Console):
    """A console on which foreign text is text: neither markup nor what steers a terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, color_system=_STYLES, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, with control characters spelled out."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(_CONTROLS))


class Output(Plain):
    """A console whose lines end where their text ends: tables are filled up with blanks."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does."""
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write(re.sub(r" +\n", "\n", captured.get()))
        self.file.flush()


out = Output()
err = Plain(stderr=True)
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
