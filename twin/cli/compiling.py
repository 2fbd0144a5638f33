"""Tells which kernels a first run compiles, as it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

from twin.cli.console import say


class _Names(event.Listener):
    """Says the name of each kernel whose compilation starts, not of those that it calls."""

    def __init__(self) -> None:
        self._depth = 0

    def on_start(self, event: Any) -> None:
        if self._depth == 0:
            kernel = event.data["dispatcher"].py_func
            say(f"  {kernel.__module__}.{kernel.__name__.lstrip('_')}", "dim")
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1


@contextmanager
def told(wanted: bool) -> Iterator[None]:
    """Say what is compiled meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    with event.install_listener("numba:compile", _Names()):
        yield
