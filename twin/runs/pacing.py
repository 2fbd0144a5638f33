"""Keep simulated time to the wall clock, and count where that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from twin.clock import NS
from twin.state import Frame

SAY_AT = 0.2
"""s; how late a run must be before it says that it can't keep up."""


class RealTime:
    """Hands out each frame when its time has come on the wall clock, `speed` times as fast.

    A deadline is missed where a tick isn't computed by its time. The clock starts with the frame after the
    first, when kernels are compiled; a run that fell behind catches up as fast as it can.
    """

    def __init__(self, speed: float = 1.0, say: Callable[[str], None] = lambda text: None) -> None:
        self.speed, self.say = speed, say
        self.ticks = self.misses = 0
        self.latest = 0.0  # s, the most that a tick was late
        self._said = False

    def paced(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Yield `frames`, waiting where they are early."""
        anchor: tuple[int, float] | None = None
        for number, frame in enumerate(frames):
            if number == 1:
                anchor = (frame.time, time.monotonic())
            elif anchor is not None:
                self._wait(anchor[1] + (frame.time - anchor[0]) / NS / self.speed, frame)
            yield frame

    def figures(self) -> dict[str, float]:
        """Return how well it went: ticks, deadlines missed, the worst lateness [s]."""
        return {"ticks_paced": self.ticks, "deadline_misses": self.misses, "lateness_max": self.latest}

    def _wait(self, due: float, frame: Frame) -> None:
        late = time.monotonic() - due
        self.ticks += 1
        if late <= 0.0:
            time.sleep(-late)
            return
        self.misses += 1
        self.latest = max(self.latest, late)
        if late > SAY_AT and not self._said:
            self._said = True
            self.say(f"can't keep up: at {frame.time / NS:.3f} s the run is {late:.2f} s late at speed {self.speed:g}")
