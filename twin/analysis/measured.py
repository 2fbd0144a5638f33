"""What a run says about one figure: a value, what bounds it, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.clock import NS
from twin.numerics.statistics import Estimate, Interval
from twin.state import I64
from twin.units import time_text


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of a run; what is exact is a fact about this run and has no interval."""

    value: float | None  # SI
    estimate: Estimate | None = None
    unit: str = ""  # what is counted: packets, frames, windows, ...
    count: int = 0
    note: str = ""  # what else it rests on
    reason: str = ""  # why there is no value

    @property
    def interval(self) -> Interval | None:
        """Bounds of the value; None of a fact, and where there are none."""
        return None if self.estimate is None or self.estimate.doubt else self.estimate.interval

    @property
    def doubt(self) -> str:
        """Why a value has no interval although it is no fact."""
        return "" if self.estimate is None else self.estimate.doubt

    @property
    def ground(self) -> str:
        """What the value rests on, in words."""
        words = []
        if self.estimate is None:
            words.append(f"{self.count:,} {self.unit}, in this run" if self.count else "in this run")
        else:
            found = self.estimate
            words.append(f"{found.count:,} {self.unit}")
            if not found.doubt and found.interval.lower == found.interval.upper:
                words.append("all alike")
            elif not found.doubt and found.effective < 0.95 * found.count:
                words.append(f"worth {found.effective:,.0f} independent ones")
        return ", ".join([*words, *filter(None, [self.note])])


def fact(value: float | None, unit: str = "", count: int = 0, *, reason: str = "", note: str = "") -> Measured:
    """Return what is exact, or that it isn't there."""
    return Measured(value, None, unit, count, note, reason if value is None else "")


def estimated(estimate: Estimate, unit: str, note: str = "") -> Measured:
    """Return what has an interval."""
    return Measured(estimate.value, estimate, unit, estimate.count, note)


def over_windows(
    start: int, stop: int, window: int, measure: Callable[[int, int], Measured], higher_is_worse: bool
) -> Measured:
    """Return the worst of all windows of `window` ns from `start` to `stop`, which move on by a tenth of it."""
    step = max(window // 10, 1)
    begins: I64 = np.arange(start, stop - window + 1, step)
    found = [(int(begin), measure(int(begin), int(begin) + window)) for begin in begins]
    there = [(one.value, begin, one) for begin, one in found if one.value is not None]
    if not there:
        return fact(None, reason=found[0][1].reason if found else "the part of the run is shorter than the window")
    value, begin, one = (max if higher_is_worse else min)(there, key=lambda each: each[0])
    empty = f", {len(found) - len(there):,} more with nothing in them" if len(there) < len(found) else ""
    note = f"of {time_text(window)} each{empty}; the worst begins at {time_text(begin) if begin else '0 s'}"
    return fact(value, "windows", len(there), note=note)


def worst_of(names: Sequence[str], found: Sequence[Measured], higher_is_worse: bool) -> Measured:
    """Return the worst of several, named; one of which nothing is known counts before all others."""
    for name, one in zip(names, found, strict=True):
        if one.value is None:
            return replace(one, reason=f"{name}: {one.reason}")
    sign = 1.0 if higher_is_worse else -1.0

    def badness(place: int) -> tuple[float, float]:
        one = found[place]
        bounds = one.interval
        value = sign * (one.value or 0.0)
        if bounds is None:
            return (np.inf if one.doubt else value, value)
        return (sign * (bounds.upper if higher_is_worse else bounds.lower), value)

    place = max(range(len(found)), key=badness)
    one = found[place]
    return replace(one, note="; ".join(filter(None, [one.note, f"the worst of {len(found)}: {names[place]}"])))


def seconds(time: int) -> float:
    """Return ns in s."""
    return time / NS
