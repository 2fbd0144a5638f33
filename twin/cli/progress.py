"""How far a run is: what it compiles before its first frame, then a bar; without a terminal, a line now and then."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from twin.cli.compiling import COMPILING, Compiling, Lines, said_once
from twin.cli.console import err
from twin.clock import NS
from twin.state import Frame


class RunProgress:
    """Shows on stderr how far a run is, from its building to its end; `quiet`, nothing."""

    def __init__(self, duration: int, kernels: int, *, quiet: bool) -> None:
        self._total = duration / NS
        self._quiet, self._terminal = quiet, err.is_terminal and not quiet
        self._time: float | None = None  # of the latest frame [s]
        self._compiling = Compiling(kernels)
        columns = (TextColumn("simulating"), BarColumn(), TextColumn("{task.completed:5.1f}"),
                   TextColumn(f"of {self._total:g} s"), TimeRemainingColumn())  # fmt: skip
        self._bar = Progress(*columns, console=err, auto_refresh=False)
        self._task = self._bar.add_task("", total=self._total, start=False)
        self._live = Live(console=err, transient=True, get_renderable=self._drawn)
        self._open = ExitStack()

    def __enter__(self) -> RunProgress:
        if not self._quiet:
            self._compiling.changed = self._follow if self._terminal else said_once(COMPILING)
            self._open.enter_context(self._compiling.listening())
            if not self._terminal:
                self._open.enter_context(Lines(self.line))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Show nothing any more."""
        self._live.stop()
        self._open.close()

    def show(self, frame: Frame) -> None:
        """Take a frame that is done."""
        if self._time is None and self._terminal:
            self._bar.start_task(self._task)
            self._live.start()
        self._time = frame.time / NS
        if self._terminal:
            self._bar.update(self._task, completed=self._time)

    def line(self) -> str:
        """Return in words what goes on; before the first frame, nothing unless something is compiled."""
        if self._time is None:
            return self._compiling.text
        return self._compiling.text or f"simulated {self._time:.1f} of {self._total:g} s"

    def _follow(self) -> None:
        """Show what is compiled before the first frame; between two kernels the terminal is free for other words."""
        if self._time is not None:
            return
        if self._compiling.text:
            self._live.start()
        else:
            self._live.stop()

    def _drawn(self) -> RenderableType:
        text = Text(self._compiling.text, "dim", no_wrap=True, overflow="ellipsis")
        if self._time is None:
            return text
        return Group(self._bar.get_renderable(), text) if text else self._bar.get_renderable()
