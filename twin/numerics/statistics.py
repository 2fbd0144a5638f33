"""Intervals that a verdict can rest on: shares, quantiles, averages and rates, of independent or of correlated values.

Clopper and Pearson 1934 (shares); David and Nagaraja, Order Statistics, 7.1 (quantiles); Garwood 1936 (rates); Law,
Simulation Modeling, ch. 9 (batch means); Korn and Graubard 1998 (shares of correlated values); Woodruff 1952
(quantiles of correlated values); Robbins 1970 (looking after each trial); Wald 1945 (sequential test).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf, log, log1p

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, betaln, gammaincinv, ndtri, stdtrit

from twin.state import F64, I64, Bool

CONFIDENCE = 0.95
BATCHES = (20, 10, 5)
"""Numbers of batches that a series is cut into."""
_DEPENDENT = 0.4
"""Correlation of neighbouring means of the longest batches beyond which they count as dependent."""
_LEAST = 10.0
"""Independent values below which an average's interval can't be trusted."""
_FEW = 5
"""Batches with a failure below which failures alone don't say how they cluster."""
_MOST_TRIALS = 10**15
"""Trials beyond which nobody waits for an answer."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a value, infinite where nothing bounds it."""

    lower: float
    upper: float


NOTHING = Interval(-inf, inf)
"""What is known of a value that the data don't bound."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, what bounds it, and how many values it rests on."""

    value: float
    interval: Interval
    count: int
    effective: float  # independent values that say as much
    doubt: str = ""  # why there is no interval
    wanted: float = 0.0  # independent values that an interval needs, where there are too few


def clopper_pearson(k: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact interval of a probability after `k` hits in `n` independent trials; both may be fractions."""
    tail = (1.0 - confidence) / 2
    lower = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    upper = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return Interval(lower, upper)


Bounds = Callable[[float, float, float], Interval]
"""What bounds a probability after k hits in n trials, at a confidence."""


def trials_needed(p: float, confidence: float = CONFIDENCE, *, sides: int = 2) -> int:
    """Return how many independent trials without a hit show that its probability is below `p`.

    About 3/p (the rule of three) for one side at 95 %, 3.7/p for an interval with two.
    """
    ratio = log((1.0 - confidence) / sides) / log1p(-p)
    return ceil(ratio - 1e-9)


def quantile_ranks(n: int, q: float, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """Return ranks l < u, from 1, with P(X_(l) <= quantile q < X_(u)) >= confidence; None for too few values."""
    lower, upper = quantile_ends(n, q, confidence)
    return None if lower is None or upper is None else (lower, upper)


def quantile_ends(n: int, q: float, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Return those ranks of `quantile_ranks` that there are."""
    tail = (1.0 - confidence) / 2
    reach = 10.0 + 8.0 * (n * q * (1.0 - q)) ** 0.5  # beyond it both tails are certain
    ranks = np.arange(max(1, int(n * q - reach)), min(n, int(n * q + reach)) + 1)
    below, above = ranks[bdtr(ranks - 1, n, q) <= tail], ranks[bdtrc(ranks - 1, n, q) <= tail]
    return int(below[-1]) if len(below) else None, int(above[0]) if len(above) else None


def event_rate(k: int, time: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of the rate of a Poisson process after `k` events in `time` (Garwood 1936)."""
    tail = (1.0 - confidence) / 2
    lower = float(gammaincinv(k, tail)) / time if k else 0.0
    return Interval(lower, float(gammaincinv(k + 1, 1 - tail)) / time)


def confidence_sequence(k: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return an interval of a probability that holds at all looks together, after `k` hits in `n` trials.

    All p with B(k + 1/2, n - k + 1/2) / B(1/2, 1/2) / (p^k (1 - p)^(n - k)) < 1 / a (Robbins 1970, Ville 1939).
    """
    limit = betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5) + log(1.0 - confidence)
    guess = k / n if n else 0.5

    def outside(p: float) -> bool:
        hits = k * log(p) if k else 0.0
        return bool(hits + ((n - k) * log1p(-p) if n > k else 0.0) <= limit)

    lower = _border(outside, 0.0, guess) if k else 0.0
    upper = _border(outside, 1.0, guess) if k < n else 1.0
    return Interval(lower, upper)


def _border(outside: Callable[[float], bool], out: float, inside: float) -> float:
    """Return where `outside` changes between a point outside and one inside, by bisection."""
    for _ in range(60):
        middle = (out + inside) / 2
        if outside(middle):
            out = middle
        else:
            inside = middle
    return (out + inside) / 2


def trials_to_decide(
    k: float, n: float, p: float, confidence: float = CONFIDENCE, bounds: Bounds = clopper_pearson
) -> int | None:
    """Return after how many trials in all the interval leaves `p` out if hits go on as `k` in `n`; None: never."""
    if n <= 0 or k / n == p:
        return None
    share = k / n

    def is_decided(trials: int) -> bool:
        found = bounds(share * trials, trials, confidence)
        return found.upper < p if share < p else found.lower > p

    low, high = 0, 1
    while not is_decided(high):
        low, high = high, 2 * high
        if high > _MOST_TRIALS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_decided(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Wald's test of a probability: at most `good`, or at least `bad`; between the two it promises nothing."""

    good: float
    bad: float
    alpha: float = 0.05  # of calling good bad
    beta: float = 0.05  # of calling bad good

    def score(self, k: int, n: int) -> float:
        """Return the log likelihood ratio of bad to good after `k` hits in `n` trials."""
        return k * log(self.bad / self.good) + (n - k) * (log1p(-self.bad) - log1p(-self.good))

    def decided(self, k: int, n: int) -> bool | None:
        """Tell whether the probability is good; None: go on."""
        score = self.score(k, n)
        if score <= log(self.beta / (1 - self.alpha)):
            return True
        return False if score >= log((1 - self.beta) / self.alpha) else None


@dataclass(frozen=True, slots=True)
class _Batched:
    """The mean of a series that was cut into batches of equal time."""

    variance: float  # of the mean
    batches: int

    @property
    def widening(self) -> float:
        """How much less a variance from so few batches says than a known one (Korn and Graubard 1998)."""
        return float(stdtrit(self.batches - 1, 0.975) / ndtri(0.975)) ** 2


def _batched(time: I64, value: F64) -> _Batched:
    """Cut a series into batches; `time` (n,) ns, `value` (n,), in any order.

    Of several numbers of batches that which says least counts. Where even the longest batches depend on each other,
    they count as one: each tells what all do.
    """
    start, stop = int(time.min()), int(time.max()) + 1
    mean, found = value.mean(), []
    for count in BATCHES:
        place = (time - start) * count // (stop - start)
        weight = np.bincount(place, minlength=count)
        excess = np.bincount(place, value - mean, minlength=count)  # a ratio's residuals: batches may differ in size
        variance = float(count / (count - 1) * np.sum(excess**2) / len(value) ** 2)
        neighbours = np.sum(excess[1:] * excess[:-1]) / max(np.sum(excess**2), 1e-300)
        found.append(_Batched(variance, count))
    if neighbours > _DEPENDENT or (weight == 0).any():
        return _Batched(variance * count, count)
    return max(found, key=lambda one: one.variance * one.widening)


def effective_number(time: I64, value: F64) -> float | None:
    """Return how many independent values say as much of the mean of a series; None: it is too short to tell."""
    if len(value) < 2 * BATCHES[-1] or time.max() == time.min():
        return None
    spread, batched = float(value.var()), _batched(time, value)
    if batched.variance * batched.widening * len(value) <= spread:
        return float(len(value))
    return max(1.0, spread / batched.variance / batched.widening)


_SHORT = "the run is too short against how slowly the values change"
_UNSEEN = "no failure was seen, so nothing says how failures come in bursts"


def share(
    time: I64, hit: F64, companion: F64 | None = None, *, independent: bool = False, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the share of a series of 0 and 1 (or parts) with the interval of Clopper and Pearson.

    Of correlated values only the effective number counts. Where hardly any of them differ, `companion` (n,), a
    value that goes with them such as the latency of a packet, says how the series is correlated; without one,
    there is no interval.
    """
    count, mean = len(hit), float(hit.mean())
    if independent:
        return Estimate(mean, clopper_pearson(float(hit.sum()), count, confidence), count, count)
    numbers = []
    rare = min(_spread_over(time, hit > 0), _spread_over(time, hit < 1))
    if hit.min() < hit.max():
        numbers.append(effective_number(time, hit))
    if rare < _FEW and companion is not None and companion.min() < companion.max():
        numbers.append(effective_number(time, companion))
    if not numbers or None in numbers:
        return Estimate(mean, Interval(0.0, 1.0), count, 1.0, _SHORT if numbers else _UNSEEN)
    effective = min(number for number in numbers if number is not None)
    return Estimate(mean, clopper_pearson(mean * effective, effective, confidence), count, effective)


def _spread_over(time: I64, hit: Bool) -> int:
    """Return in how many of the most batches there is a hit."""
    start, stop = int(time.min()), int(time.max()) + 1
    return len(np.unique((time[hit] - start) * BATCHES[0] // (stop - start)))


def quantile(
    time: I64, value: F64, q: float, *, independent: bool = False, confidence: float = CONFIDENCE
) -> Estimate:
    """Return a quantile with the interval of order statistics, of the effective number where values are correlated.

    The share of values up to the quantile has an interval; its ends are looked up among the values (Woodruff 1952).
    """
    ordered, count = np.sort(value), len(value)
    found = float(np.quantile(ordered, q))
    if independent:
        effective: float | None = count
    elif ordered[0] == ordered[-1]:
        return Estimate(found, Interval(found, found), count, 1.0)
    else:
        above = (value > found).astype(float)
        numbers = [effective_number(time, above)] if 0 < above.sum() < count else []
        if _spread_over(time, above > 0) < _FEW:
            numbers.append(effective_number(time, value))
        effective = None if None in numbers else min(number for number in numbers if number is not None)
    if effective is None:
        return Estimate(found, NOTHING, count, 1.0, _SHORT)
    trials = max(int(effective), 1)
    bounds = [
        missing if rank is None else float(ordered[min(max(ceil(rank / trials * count), 1), count) - 1])
        for rank, missing in zip(quantile_ends(trials, q, confidence), (-inf, inf), strict=True)
    ]
    wanted = ceil(log((1 - confidence) / 2) / log(max(q, 1 - q)) - 1e-9)
    return Estimate(found, Interval(*bounds), count, effective, "", wanted if inf in np.abs(bounds) else 0.0)


def mean(time: I64, value: F64, *, confidence: float = CONFIDENCE) -> Estimate:
    """Return an average with the interval of batch means."""
    count, found = len(value), float(value.mean())
    if count and value.min() == value.max():
        return Estimate(found, Interval(found, found), count, 1.0)
    if count < 2 * BATCHES[-1] or time.max() == time.min():
        return Estimate(found, NOTHING, count, 1.0, f"{count} values are too few")
    batched = _batched(time, value)
    effective = min(float(count), float(value.var()) / batched.variance) if batched.variance else float(count)
    if effective < _LEAST:
        worth = f"{_SHORT}: they are worth {effective:.2g} independent ones, and an average needs {_LEAST:g}"
        return Estimate(found, NOTHING, count, effective, worth, _LEAST)
    reach = float(stdtrit(batched.batches - 1, (1 + confidence) / 2)) * batched.variance**0.5
    return Estimate(found, Interval(found - reach, found + reach), count, effective)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the probability that pairs which differ do so as unevenly by chance: two-sided, exact."""
    n, k = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * float(bdtr(k, n, 0.5))) if n else 1.0
