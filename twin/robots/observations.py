"""What robots of a group know at one instant: as columns for who decides for all, one by one for who does for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from twin.state import F64, Observation, Packet, Readings, Sample


class Observations(Sequence[Observation]):
    """The observations of k robots; one's own is made when it is asked for."""

    def __init__(
        self,
        time: int,  # ns
        robots: Sequence[str],  # (k,) names
        readings: Sequence[Sample] | None,  # (k,) newest samples; None before the first
        inboxes: Sequence[tuple[Packet, ...]],  # (k,)
        heard: Sequence[int],  # (k,) ns, as those of `Observation`
        answers: Sequence[int],  # (k,) ns
    ) -> None:
        self.time, self.robots, self.readings = time, robots, readings
        self.inboxes, self.heard, self.answers = inboxes, heard, answers
        self._made: dict[int, Observation] = {}

    def __len__(self) -> int:
        return len(self.robots)

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Observation]: ...
    def __getitem__(self, index: int | slice) -> Observation | Sequence[Observation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index not in self._made:
            sensed = None if self.readings is None else self.readings[index]
            self._made[index] = Observation(
                self.time, self.robots[index], sensed, self.inboxes[index], self.heard[index], self.answers[index]
            )
        return self._made[index]

    def take(self, which: Sequence[int]) -> Sequence[Observation]:
        """Return those of some robots."""
        return self if len(which) == len(self) else [self[i] for i in which]


def stamps_of(observations: Sequence[Observation]) -> Sequence[int] | None:
    """Return when [ns] each robot's newest sample is of; None if one has none."""
    if isinstance(observations, Observations) and isinstance(observations.readings, Readings):
        return observations.readings.stamps
    samples = [observation.sensed for observation in observations]
    found = [sample.time for sample in samples if sample is not None]
    return found if len(found) == len(samples) else None


def column(observations: Sequence[Observation], name: str) -> F64:
    """Return a field (k, width) of all samples, which there must be.

    Raises:
        KeyError: no sensor reads it.
    """
    if isinstance(observations, Observations) and isinstance(observations.readings, Readings):
        return observations.readings.columns[name]
    samples = [observation.sensed for observation in observations]
    return np.array([sample[name] for sample in samples if sample is not None])
