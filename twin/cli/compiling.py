"""Tells what is compiled, as it happens: nothing where all of it comes from the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

from numba.core import event

from twin.cli.console import say
from twin.numerics.parts import READY
from twin.numerics.shared import WAITING

COMPILING = "compiling kernels that no earlier run needed; they are kept"
EVERY = 4.0
"""Seconds between two lines."""
PARTS = {
    "twin.channel.search": "ray tracer",
    "twin.channel": "fields of radio paths",
    "twin.network.nr": "5G slots",
    "twin.network": "network",
    "twin.physics": "physics",
    "twin.world": "the world's faces",
    "twin.sensing": "radar",
    "twin.sensors": "sensors",
    "twin.robots": "robots",
    "twin.tasks": "tasks",
    "twin.analysis": "figures",
    "twin.numerics": "random draws",
}
"""What the kernels of a package are for, the inner ones first."""


def part_of(function: Callable[..., object]) -> str:
    """Return what a kernel is for; of one that isn't twin's, its name."""
    module = function.__module__
    named = (words for package, words in PARTS.items() if f"{module}.".startswith(f"{package}."))
    return next(named, f"{module}.{function.__qualname__}")


class Compiling(event.Listener):
    """Which kernel that Python calls is compiled now, by this process or another, and how many are ready."""

    def __init__(self, total: int | None = None) -> None:
        self._total, self._ready, self._depth = total, 0, 0
        self._part, self._since = "", 0.0
        self.changed: Callable[[], None] = lambda: None  # called when `text` begins or ends

    @property
    def text(self) -> str:
        """What is compiled now, in words; empty if nothing is."""
        if self._depth == 0:
            return ""
        number = self._ready + 1
        of = "" if self._total is None else f" of about {max(number, self._total)}"
        return f"compiling {number}{of}: {self._part}, {monotonic() - self._since:.0f} s"

    def on_start(self, event: Any) -> None:
        """Take the start of a compilation; those of what a kernel calls are a part of it."""
        if event.kind == READY:
            return
        self._depth += 1
        if self._depth == 1:
            self._since = self._since or monotonic()
            self._part = part_of(event.data["dispatcher"].py_func)
            self.changed()

    def on_end(self, event: Any) -> None:
        """Take the end of a compilation, or that a kernel is ready."""
        if event.kind == READY:
            self._ready += 1
            return
        self._depth -= 1
        if self._depth == 0:
            self.changed()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of compilations meanwhile."""
        with ExitStack() as stack:
            for kind in ("numba:compile", WAITING, READY):
                stack.enter_context(event.install_listener(kind, self))
            yield


class Lines:
    """Says a text every few seconds, as long as there is one, from a thread of its own."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text, self._over = text, threading.Event()
        self._thread = threading.Thread(target=self._say, daemon=True)

    def _say(self) -> None:
        while not self._over.wait(EVERY):
            if text := self._text():
                say(text, "dim")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def said_once(text: str) -> Callable[[], None]:
    """Return what says a text the first time that it is called."""
    pending = [text]

    def said() -> None:
        if pending:
            say(pending.pop(), "dim")

    return said


@contextmanager
def told(wanted: bool = True) -> Iterator[None]:
    """Say every few seconds what is compiled meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    compiling = Compiling()
    compiling.changed = said_once(COMPILING)
    with compiling.listening(), Lines(lambda: compiling.text):
        yield
