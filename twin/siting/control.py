"""Prefix control time: for how long each robot stays under control, with some of all sites.

A robot whose link is gone for longer than it lasts without a command stops where the gap is, and mostly stays there:
being lost is absorbing. So it is in control until the first time at which no site has served it for that long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from twin.state import I64, Bool

Mask = int
"""A set of columns, one a bit."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What keeps one robot in control: from each of some steps on, one of a set of columns must be there.

    A set of which an earlier one is a part asks for nothing more and is left out.
    """

    robot: int
    steps: tuple[int, ...]  # at which the sets begin to count, rising
    sets: tuple[Mask, ...]
    end: int  # steps of the mission

    @property
    def weights(self) -> tuple[int, ...]:
        """For how many steps the robot stays in control by each set, where all before hold as well."""
        return tuple(b - a for a, b in pairwise((*self.steps, self.end)))

    @property
    def given(self) -> int:
        """Steps for which it is in control whatever there is."""
        return self.steps[0] if self.steps else self.end


def chains(serves: Bool, window: I64) -> list[Chain]:
    """Return the chain of each robot from who serves it when, (C, T, N); `window` (N,) steps that it lasts without."""
    return [_chain(robot, serves[:, :, robot], int(window[robot])) for robot in range(serves.shape[2])]


def _chain(robot: int, serves: Bool, window: int) -> Chain:
    end = serves.shape[1]
    lately = serves.copy()
    for back in range(1, min(window, end - 1) + 1):
        lately[:, back:] |= serves[:, :-back]
    steps, sets = [], list[Mask]()
    before: Mask | None = None
    for step, mask in zip(range(window, end), masks(lately[:, window:].T), strict=True):
        if mask != before and not any(known & ~mask == 0 for known in sets):
            steps.append(step)
            sets.append(mask)
        before = mask
    return Chain(robot, tuple(steps), tuple(sets), end)


def masks(rows: Bool) -> list[Mask]:
    """Return each row (n, C) as a set."""
    packed = np.packbits(rows, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def mask_of(columns: Sequence[int]) -> Mask:
    """Return some columns as a set."""
    return sum(1 << column for column in set(columns))


def members(mask: Mask) -> list[int]:
    """Return the columns of a set, rising."""
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some columns give."""

    lost: tuple[int | None, ...]  # (N,) step at which each robot is lost
    end: int  # steps of the mission

    @property
    def held(self) -> int:
        """Steps of control, summed over robots."""
        return sum(self.end if step is None else step for step in self.lost)

    @property
    def missed(self) -> int:
        """Steps without, summed over robots."""
        return self.end * len(self.lost) - self.held

    @property
    def first(self) -> int | None:
        """The robot that is lost first."""
        known = [(step, robot) for robot, step in enumerate(self.lost) if step is not None]
        return min(known)[1] if known else None


def outcome(of: Sequence[Chain], chosen: Mask, groups: Sequence[Mask] = (), redundancy: int = 1) -> Outcome:
    """Return when each robot is lost with the columns of `chosen`.

    With a `redundancy` above 1, so many of `groups`, the columns of one site each, must serve at once.
    """
    return Outcome(tuple(_lost(chain, chosen, groups, redundancy) for chain in of), max((c.end for c in of), default=0))


def _lost(chain: Chain, chosen: Mask, groups: Sequence[Mask], redundancy: int) -> int | None:
    for step, mask in zip(chain.steps, chain.sets, strict=True):
        there = mask & chosen
        if redundancy == 1:
            if not there:
                return step
        elif sum(bool(there & group) for group in groups) < redundancy:
            return step
    return None


def unserved(serves: Bool, columns: Sequence[int]) -> int:
    """Return at how many steps, summed over robots, none of `columns` serves; `serves` (C, T, N)."""
    return int((~serves[list(columns)].any(axis=0)).sum())


def needs(serves: Bool) -> dict[Mask, int]:
    """Return of each set of columns that serve some robot at some step how often it does; `serves` (C, T, N)."""
    return dict(Counter(masks(serves.reshape(len(serves), -1).T)))
