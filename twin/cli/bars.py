"""Bars of what is done of many runs, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from twin.cli.console import err


@contextmanager
def bar(what: str, total: int | None, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show how many of `total` are done, and when the rest will be; without a total, how many and for how long."""
    left = (TimeRemainingColumn() if total is not None else TimeElapsedColumn(),)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), *left)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda: progress.advance(task)
