"""A plot of one signal of the selected robot, in step with the time of the viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from viser import ViserServer, uplot

from twin.analysis.signals import Signal, signal, signal_names
from twin.recording.reader import Recording
from twin.state import F64

WINDOW = 10.0
"""Seconds of a signal before now that the plot shows."""
_NOTHING = "nothing"
_WORDS = {"latency": "latency: round trip"}
_POINTS = 400


class SignalPlot:
    """A choice of signals and a plot of the chosen one; `touched` is called when another one is chosen."""

    def __init__(
        self, server: ViserServer, recording: Recording, robot: str, label: str, colour: str, first: str | None,
        touched: Callable[[], None],
    ) -> None:  # fmt: skip
        self._recording, self._robot, self._colour, self._touched = recording, robot, colour, touched
        names = self._names()
        chosen = _NOTHING if first is None else first if first in names else names[min(1, len(names) - 1)]
        self._name: Any = server.gui.add_dropdown(label, names, initial_value=chosen)
        self.load()
        self._plot = server.gui.add_uplot(
            self._window(0.0), self._series(), scales={"x": uplot.Scale(time=False)}, aspect=1.8,
            visible=first is not None,
        )  # fmt: skip
        self._name.on_update(lambda _: self._reload())

    def select(self, robot: str) -> None:
        """Offer the signals of a robot; keep the chosen one if it has it."""
        self._robot = robot
        names = self._names()
        chosen = self._name.value if self._name.value in names else names[min(1, len(names) - 1)]
        self._name.options = names
        self._name.value = chosen
        self._reload()

    def show(self, now: float) -> None:
        """Show the last seconds before `now` [s]."""
        if self._signal is not None:
            self._plot.data = self._window(now)

    def load(self) -> None:
        """Read the chosen signal, as far as it is recorded."""
        self._signal: Signal | None = None
        if self._name.value != _NOTHING:
            found = signal(self._recording, self._robot, self._name.value)
            known = np.isfinite(found.value)  # one value that is none blanks the whole plot
            scale, unit = (1e3, "ms") if found.unit == "s" else (1.0, found.unit)
            self._signal = Signal(found.name, found.robot, unit, found.time[known], scale * found.value[known])

    def _names(self) -> tuple[str, ...]:
        return (_NOTHING, *signal_names(self._recording, self._robot))

    def _reload(self) -> None:
        self.load()
        self._plot.visible = self._signal is not None
        self._plot.series = self._series()
        self._touched()

    def _series(self) -> tuple[uplot.Series, uplot.Series]:
        drawn, unit = self._signal, self._signal.unit if self._signal else ""
        title = "" if drawn is None else f"{_WORDS.get(drawn.name, drawn.name)}{f' ({unit})' if unit else ''}"
        return uplot.Series(label="t (s)"), uplot.Series(label=title, stroke=self._colour, width=2)

    def _window(self, now: float) -> tuple[F64, F64]:
        """Return times and values of the signal up to now; at least two, since a plot needs them."""
        time, value = (np.zeros(0), np.zeros(0)) if self._signal is None else (self._signal.time, self._signal.value)
        first, last = np.searchsorted(time, [now - WINDOW, now], side="right")
        chosen = slice(first, last, max(1, (last - first) // _POINTS))
        x, y = time[chosen], value[chosen]
        if len(x) < 2:
            y = np.full(2, value[max(last - 1, 0)] if len(value) else 0.0)
            x = np.array([now - 1.0, now])
        return x, y
