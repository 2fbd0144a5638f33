"""The value at which a run breaks a requirement with a given probability: a logistic curve, by Bayes on a grid.

P(broken at x) = 1 / (1 + exp(-(x - middle) / scale)). Middle and scale are found together, from runs that each have a
seed of their own and are made where they tell most of the border (compare Waeber, Frazier and Henderson 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.special import log_expit, logit

from twin.errors import ScenarioError
from twin.numerics.statistics import CONFIDENCE, Interval
from twin.state import F64
from twin.studies.margin import SCAN
from twin.studies.plan import rounded

REPEATS = 4
"""Runs at each value of the first look, and at each look after it: the same however many run side by side."""
_MIDDLES, _SCALES = 301, 40
"""Size of the grid: middles to a quarter of the range beyond it, scales from 1/300 of the range to half of it."""
Broken = Callable[[Sequence[float]], Sequence[bool]]
"""Whether a run broke at each of these values; each run has the next seed."""


@dataclass(frozen=True, slots=True)
class Likely:
    """The value at which a run breaks with some probability."""

    value: float  # median of the posterior
    interval: Interval
    confidence: float
    even: float  # the value at which half of all runs break
    scale: float  # how wide the change is: from 27 % to 73 % broken within twice as much
    rises: bool  # larger values break more runs
    runs: tuple[tuple[float, bool], ...]  # value and whether it broke


class Posterior:
    """What is known of middle and scale of a logistic curve that rises from `low` to `high`, or falls."""

    def __init__(self, low: float, high: float, *, rises: bool = True) -> None:
        reach = high - low
        self._sign, self._step = 1.0 if rises else -1.0, 1.5 * reach / (_MIDDLES - 1)
        self._middle = np.linspace(low - reach / 4, high + reach / 4, _MIDDLES)[:, None]
        self._scale = np.geomspace(reach / 300, reach / 2, _SCALES)[None, :]
        self._log = np.zeros((_MIDDLES, _SCALES))

    def take(self, x: float, *, broken: bool) -> None:
        """Learn of a run."""
        z = self._sign * (x - self._middle) / self._scale
        self._log += log_expit(z if broken else -z)

    @property
    def _weight(self) -> F64:
        weight = np.exp(self._log - self._log.max())
        found: F64 = weight / weight.sum()
        return found

    def border(self, probability: float) -> F64:
        """Return the value, (middles, scales), at which a run breaks with `probability`."""
        found: F64 = self._middle + self._sign * self._scale * logit(probability)
        return found

    @property
    def scale(self) -> float:
        """The mean of the scale, of its logarithm."""
        return exp(float((self._weight * np.log(self._scale)).sum()))

    def mean(self, probability: float) -> float:
        """Return the mean of the border."""
        return float((self._weight * self.border(probability)).sum())

    def quantile(self, probability: float, share: float) -> float:
        """Return the value below which the border lies with a probability of `share`."""
        border = self.border(probability).ravel()
        order = np.argsort(border)
        place = int(np.searchsorted(np.cumsum(self._weight.ravel()[order]), share))
        return float(border[order[min(place, len(order) - 1)]])

    def interval(self, probability: float, confidence: float) -> Interval:
        """Return the central interval of the border, half a step of the grid wider at each end."""
        ends = [self.quantile(probability, share) for share in ((1 - confidence) / 2, (1 + confidence) / 2)]
        return Interval(ends[0] - self._step / 2, ends[1] + self._step / 2)


def find_likely(
    broken: Broken, low: float, high: float, probability: float, runs: int, confidence: float = CONFIDENCE
) -> Likely:
    """Return the value between `low` and `high` at which a run breaks with `probability`, by so many runs.

    After a first look at five values, runs are made at the border as it is known then, a scale before and up to two
    scales beyond it.

    Raises:
        ScenarioError: as many runs break at one end as at the other, or all at one value and none further on.
    """
    largest = max(abs(low), abs(high))
    places = [rounded(low + (high - low) * i / (SCAN - 1), largest) for i in range(SCAN)]
    first = [place for place in places for _ in range(REPEATS)]
    seen = list(zip(first, broken(first), strict=True))
    rises = _direction(places, [sum(bad for x, bad in seen if x == place) for place in places])
    known = Posterior(min(low, high), max(low, high), rises=rises == (high > low))
    for x, bad in seen:
        known.take(x, broken=bad)
    while len(seen) < runs:
        border, scale = known.mean(probability), known.scale if rises == (high > low) else -known.scale
        asked = [border - scale, border, border + scale, border + 2 * scale][: runs - len(seen)]
        values = [rounded(min(max(x, min(low, high)), max(low, high)), largest) for x in asked]
        for x, bad in zip(values, broken(values), strict=True):
            known.take(x, broken=bad)
            seen.append((x, bad))
    return Likely(
        known.quantile(probability, 0.5), known.interval(probability, confidence), confidence,
        known.quantile(0.5, 0.5), known.scale, rises == (high > low), tuple(seen),
    )  # fmt: skip


def _direction(places: Sequence[float], counts: Sequence[int]) -> bool:
    """Tell whether more runs break towards the last of the places."""
    said = ", ".join(f"{n} of {REPEATS} break at {place:g}" for place, n in zip(places, counts, strict=True))
    if counts[0] == counts[-1]:
        raise ScenarioError(f"no border between {places[0]:g} and {places[-1]:g}: {said}", key="--between")
    rises = counts[-1] > counts[0]
    order = counts if rises else counts[::-1]
    if any(n == REPEATS and 0 in order[i:] for i, n in enumerate(order)):
        raise ScenarioError(f"more than one border: {said}; give ends with one between them", key="--between")
    return rises
