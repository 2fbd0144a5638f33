"""Tells which kernels are compiled, as it happens: nothing where all of them come from the cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

from twin.cli.console import say

COMPILING = "compiling kernels that no earlier run needed; for all of them, some minutes"


class _Names(event.Listener):
    """Says the name of each kernel whose compilation starts, not of those that it calls."""

    def __init__(self) -> None:
        self._depth, self._said = 0, False

    def on_start(self, event: Any) -> None:
        if not self._said:
            say(COMPILING, "dim")
            self._said = True
        if self._depth == 0:
            kernel = event.data["dispatcher"].py_func
            say(f"  {kernel.__module__}.{kernel.__name__.lstrip('_')}", "dim")
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1


@contextmanager
def told(wanted: bool = True) -> Iterator[None]:
    """Say what is compiled meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    with event.install_listener("numba:compile", _Names()):
        yield
