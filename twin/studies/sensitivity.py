"""Which parameter a figure hangs on, and which one turns a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from twin.errors import ScenarioError
from twin.numerics.statistics import CONFIDENCE, Interval, clopper_pearson
from twin.state import F64, Bool
from twin.studies.plan import Plan, parted

HARMONICS = 10
"""Of RBD-FAST; that many times two and a few more runs at least."""
_DRAWS = 500
"""Samples of a bootstrap."""
Index = Callable[[F64, F64], F64]
"""From parameters (n, d) and a figure (n,) to a number for each parameter (d,)."""


@dataclass(frozen=True, slots=True)
class Influence:
    """One number of one parameter, with its interval by bootstrap."""

    value: float
    interval: Interval


def rank_correlation(x: F64, y: F64) -> F64:
    """Return how monotonously a figure (n,) goes with each parameter (n, d): Spearman's coefficients, (d,)."""
    ranks, of_y = stats.rankdata(x, axis=0), stats.rankdata(y)
    ranks, of_y = ranks - ranks.mean(axis=0), of_y - of_y.mean()
    scale = np.sqrt((ranks**2).sum(axis=0) * (of_y**2).sum())
    found: F64 = np.divide(of_y @ ranks, scale, out=np.zeros(x.shape[1]), where=scale > 0)
    return found


def rbd_fast(x: F64, y: F64) -> F64:
    """Return the share of the variance of a figure (n,) that each parameter (n, d) has by itself, (d,).

    Runs in the order of a parameter, up its odd ranks and down its even ones, make the figure a period of it; what
    varies with its first harmonics is the parameter's (Tarantola, Gatelli and Mara 2006), less what chance puts there
    (Tissot and Prieur 2012).
    """
    n, shares = len(y), np.empty(x.shape[1])
    chance = 2 * HARMONICS / n
    for k in range(x.shape[1]):
        order = np.argsort(x[:, k], kind="stable")
        spectrum = np.abs(np.fft.rfft(y[np.concatenate([order[::2], order[1::2][::-1]])])[1:]) ** 2
        whole = spectrum.sum() - (spectrum[-1] / 2 if n % 2 == 0 else 0.0)
        share = spectrum[:HARMONICS].sum() / whole if whole > 0 else 0.0
        shares[k] = share - chance / (1 - chance) * (1 - share)
    return shares


def influences(index: Index, x: F64, y: F64, confidence: float = CONFIDENCE) -> list[Influence]:
    """Return an index of each parameter with percentiles of a bootstrap over runs; the same each time.

    The interval is moved to where the whole sample's value is: runs that are drawn twice lift the index of a bootstrap.
    """
    rng, found = np.random.default_rng(1), index(x, y)
    drawn = np.array([index(x[rows], y[rows]) for rows in rng.integers(0, len(y), (_DRAWS, len(y)))])
    tail = 50 * (1 - confidence)
    low, high = np.percentile(drawn - drawn.mean(axis=0), [tail, 100 - tail], axis=0) + found
    return [Influence(float(v), Interval(float(a), float(b))) for v, a, b in zip(found, low, high, strict=True)]


@dataclass(frozen=True, slots=True)
class Shares:
    """Sobol' indices of each parameter: by itself, and with all that it acts together with."""

    first: list[Influence]
    total: list[Influence]


def sobol_shares(y: F64, parameters: int, confidence: float = CONFIDENCE) -> Shares:
    """Return Sobol' indices from the figures of a `saltelli` design, in its order (Saltelli et al. 2010)."""
    n = len(y) // (parameters + 2)
    a, b, mixed = y[:n], y[n : 2 * n], y[2 * n :].reshape(parameters, 1, n)
    found = stats.sobol_indices(func={"f_A": a[None], "f_B": b[None], "f_AB": mixed}, n=n)
    bounds = found.bootstrap(confidence_level=confidence, n_resamples=_DRAWS)
    return Shares(
        *(
            [Influence(float(value), Interval(float(low), float(high))) for value, low, high in
             zip(np.ravel(values), np.ravel(one.confidence_interval.low), np.ravel(one.confidence_interval.high),
                 strict=True)]
            for values, one in ((found.first_order, bounds.first_order), (found.total_order, bounds.total_order))
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flips:
    """How often a verdict is not that of the scenario as it is."""

    nominal: str
    flipped: int
    points: int
    interval: Interval
    by: list[Influence]  # of each parameter on the verdict: its share of whether it flips


def flips(x: F64, answers: Sequence[str], nominal: str, confidence: float = CONFIDENCE) -> Flips:
    """Return how often the verdicts of points differ from that of the scenario as it is, and by which parameter."""
    flipped: Bool = np.array([answer != nominal for answer in answers])
    k, n = int(flipped.sum()), len(answers)
    by = influences(rbd_fast, x, flipped.astype(float), confidence) if 0 < k < n else []
    return Flips(nominal, k, n, clopper_pearson(k, n, confidence), by)


@dataclass(frozen=True, slots=True)
class Sampled:
    """The points of a sweep: parameters (n, d) in the units of the plan, and what the rows of each show."""

    names: list[str]
    units: list[str]
    x: F64
    rows: list[list[Mapping[str, Any]]]

    def figure(self, name: str, absent: float | None) -> F64:
        """Return a figure (n,) of each point, the mean of its seeds; a run that doesn't have it counts as `absent`.

        Raises:
            ScenarioError: runs have no such figure, and nothing was said of how they count.
        """
        values = [[row["figures"].get(name, absent) for row in rows] for rows in self.rows]
        missing = sum(value is None for point in values for value in point)
        if missing:
            message = f"{missing} runs have no {name}; say by --absent which value they count as"
            raise ScenarioError(message, key="--figure")
        means: F64 = np.array(values, dtype=float).mean(axis=1)
        return means

    def answers(self) -> list[str]:
        """Return the verdict of each point: failed if one of its runs failed, passed if all did."""
        return [answer_of(rows) for rows in self.rows]


def answer_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the verdict of several runs together; one that didn't come to its end has not passed."""
    answers = [row["answer"] if row["status"] == "complete" or row["answer"] == "failed" else None for row in rows]
    if "failed" in answers:
        return "failed"
    return "passed" if set(answers) == {"passed"} else "inconclusive"


def check(plan: Plan) -> None:
    """See that a sweep can tell what figures hang on.

    Raises:
        ScenarioError: it has no ranges, or a grid besides, or too few points.
    """
    if not plan.range or plan.grid:
        raise ScenarioError("a sensitivity takes ranges, and no grid", key="range")
    if plan.samples < 2 * HARMONICS + 5:
        raise ScenarioError(f"found {plan.samples} points; allowed: {2 * HARMONICS + 5} at least", key="design")


def sampled(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> Sampled:
    """Return the points of a sweep over ranges.

    Raises:
        ScenarioError: not all runs are done, or as of `check`.
    """
    check(plan)
    if len(rows) != plan.size:
        raise ScenarioError(f"{plan.size - len(rows)} of {plan.size} runs are missing: run the sweep to its end")
    names, seeds = list(plan.range), plan.size // plan.samples
    points = [list(rows[i : i + seeds]) for i in range(0, len(rows), seeds)]
    x = np.array([[parted(point[0]["point"][name])[0] for name in names] for point in points], dtype=float)
    return Sampled(names, [parted(plan.range[name][0])[1] for name in names], x, points)
