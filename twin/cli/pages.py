"""Pages that are served until Ctrl-C: where, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

HOST = click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
                    help="Address to serve at; 0.0.0.0 is everyone.")  # fmt: skip
PORT = click.option("--port", metavar="N", type=int, default=8080, show_default=True, help="Port to serve at.")


class Page(Protocol):
    """What serves a page."""

    def close(self) -> None:
        """Stop serving."""


@contextmanager
def until_stopped(page: Page) -> Iterator[None]:
    """Close a page at the end, which may be Ctrl-C."""
    from twin.cli.console import say

    try:
        yield
    except KeyboardInterrupt:
        say("ended")
    finally:
        page.close()
