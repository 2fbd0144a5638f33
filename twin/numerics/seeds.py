"""Seeds that change while a run goes on, so that one past can have several futures.

Draws that are still to be made take the new seed, counters go on: no draw of the past is asked for again. What was
drawn when the twin was built (wind, sea, phases of control, offsets of sending) stays. A run under `reseed` is
therefore the same as one that was forked at that time and given the same seed, and a list of (time, seed) is a
complete address.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from twin.numerics.draws import generator


@runtime_checkable
class Reseeds(Protocol):
    """Something that draws at random by a seed, and can go on with another one."""

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""


class Seeds:
    """All that draws at random in one twin, and when [ns] it gets which seed."""

    def __init__(self, seed: int, changes: Sequence[tuple[int, int]] = ()) -> None:
        self.seed = seed  # of the scenario
        self._changes = deque(changes)
        self._generators: list[tuple[tuple[str, ...], np.random.Generator]] = []
        self._others: list[Callable[[int], None]] = []

    def generator(self, *names: str) -> np.random.Generator:
        """Return the generator of one subsystem or robot, spawned from the scenario's seed by name."""
        made = generator(self.seed, *names)
        self._generators.append((names, made))
        return made

    def follow(self, drawing: object) -> None:
        """Let `drawing` take new seeds, if it draws."""
        if isinstance(drawing, Reseeds):
            self.tell(drawing.reseed)

    def tell(self, reseed: Callable[[int], None]) -> None:
        """Let `reseed` be called with each new seed."""
        self._others.append(reseed)

    def begin(self, time: int) -> None:
        """Begin the tick at `time` [ns], with the seed that is due."""
        while self._changes and self._changes[0][0] <= time:
            self.reseed(self._changes.popleft()[1])

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on; generators stay the objects that they are, and begin anew."""
        for names, made in self._generators:
            made.bit_generator.state = generator(seed, *names).bit_generator.state
        for reseed in self._others:
            reseed(seed)
