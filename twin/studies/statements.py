"""What many runs show of each requirement: that it holds, that it does not, or that more runs are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite
from typing import Any, Literal

from twin.errors import ScenarioError
from twin.numerics.statistics import (
    CONFIDENCE,
    Bounds,
    Interval,
    SequentialTest,
    clopper_pearson,
    confidence_sequence,
    quantile_ends,
    trials_to_decide,
)
from twin.specs.requirement import parse_requirement

Answer = Literal["passed", "failed", "inconclusive"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """What a requirement's figure is at worst in the share of runs that must meet it, SI; None: the runs don't say."""

    share: float  # of runs
    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Statement:
    """Whether a requirement is violated in less than a share `probability` of all runs at one point of a sweep."""

    point: Mapping[str, Any]
    requirement: str
    answer: Answer
    runs: int
    violated: int  # runs that were shown to violate it
    unshown: int  # runs that neither met nor violated it: cut short, died, or too short to tell
    interval: Interval  # of the probability of a violation, both kinds of runs allowed for
    probability: float
    confidence: float  # of this statement by itself
    level: Level | None = None
    needed: int | None = None  # more runs that would decide if they came out like these, where that can be said
    alike: int = 0  # runs that came out the same whatever their seed, and count as one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown, and how surely."""

    probability: float = 0.05
    confidence: float = CONFIDENCE
    together: bool = True  # all statements hold together (Bonferroni), not each by itself
    sequential: bool = False  # runs were looked at before all were there, or may be: a confidence sequence
    good: float | None = None  # Wald's test of at most this against at least `probability`; between them, no promise

    def __post_init__(self) -> None:
        """See that the shares of Wald's test are the right way round.

        Raises:
            ScenarioError: they aren't.
        """
        if self.good is not None and self.good >= self.probability:
            raise ScenarioError(f"found {self.good:g}; allowed: less than --probability", file="--good")

    @property
    def bounds(self) -> Bounds:
        """What bounds a probability."""
        return confidence_sequence if self.sequential or self.good is not None else clopper_pearson


USUAL = Wanted()


def statements(rows: Iterable[Row], wanted: Wanted = USUAL) -> list[Statement]:
    """Return what the rows of a sweep show, point by point; all statements together hold with `wanted.confidence`.

    Each gets its share of the error (Bonferroni). A run that was cut short or died has not met its requirements:
    leaving it out would flatter. Runs that are all the same, figure by figure, draw nothing: they count as one.
    """
    points: dict[str, list[Row]] = {}
    for row in rows:
        points.setdefault(repr(sorted(row["point"].items())), []).append(row)
    asked = {text: None for runs in points.values() for row in runs for text in row["requirements"]}
    several = len(points) * len(asked) if wanted.together else 1
    each = 1.0 - (1.0 - wanted.confidence) / max(several, 1)
    return [_statement(runs, text, wanted, each) for runs in points.values() for text in asked]


def _statement(runs: Sequence[Row], text: str, wanted: Wanted, confidence: float) -> Statement:
    alike = len(runs) if _are_alike(runs) else 0
    runs = runs[:1] if alike else runs
    answers = Counter(_answer(row, text) for row in runs)
    n, violated, probability = len(runs), answers["failed"], wanted.probability
    unmet = n - answers["passed"]
    interval = Interval(
        wanted.bounds(violated, n, confidence).lower, wanted.bounds(unmet, n, confidence).upper
    )
    answer = _decided(violated, unmet, n, wanted, confidence) if wanted.good else _outside(interval, probability)
    needed = None
    if answer == "inconclusive" and not alike and wanted.good is None:
        needed = _needed(violated, unmet, n, wanted, confidence)
    level = None if wanted.bounds is confidence_sequence else _level(runs, text, probability, confidence)
    return Statement(
        runs[0]["point"], text, answer, n, violated, unmet - violated, interval, probability, confidence, level,
        needed, alike,
    )  # fmt: skip


def _outside(interval: Interval, probability: float) -> Answer:
    """Tell on which side of a probability an interval lies."""
    if interval.upper < probability:
        return "passed"
    return "failed" if interval.lower > probability else "inconclusive"


def _decided(violated: int, unmet: int, n: int, wanted: Wanted, confidence: float) -> Answer:
    """Decide by Wald's test, which is wrong in one of 1 / (1 - confidence) at either side."""
    assert wanted.good is not None
    test = SequentialTest(wanted.good, wanted.probability, 1 - confidence, 1 - confidence)
    if test.decided(unmet, n) is True:
        return "passed"
    return "failed" if test.decided(violated, n) is False else "inconclusive"


def _are_alike(runs: Sequence[Row]) -> bool:
    """Tell whether seeds change nothing: several runs with the same figures."""
    first = runs[0]["figures"]
    return len(runs) > 1 and bool(first) and all(row["figures"] == first for row in runs)


def _answer(row: Row, text: str) -> str:
    """Return what a run says of a requirement: one that didn't come to its end has met none."""
    answer = row["requirements"].get(text, "inconclusive")
    return "inconclusive" if answer == "passed" and row["status"] != "complete" else str(answer)


def _needed(violated: int, unmet: int, n: int, wanted: Wanted, confidence: float) -> int | None:
    """Return how many more runs decide if they come out like these; None where these don't say which way."""
    p = wanted.probability
    hits = unmet if unmet < p * n else violated if violated > p * n else None
    if hits is None:
        return None
    trials = trials_to_decide(hits, n, p, confidence, wanted.bounds)
    return None if trials is None else max(trials - n, 1)


def _level(runs: Sequence[Row], text: str, probability: float, confidence: float) -> Level | None:
    """Return the quantile over runs that a requirement is about; a run without a value is worse than any with one."""
    requirement = parse_requirement(text)
    if requirement.operator == "=":
        return None
    sign = 1.0 if requirement.operator in ("<", "<=") else -1.0
    limit = requirement.limit
    excess = sorted(-_margin(row, text) * (abs(limit) or 1.0) for row in runs)  # beyond the limit, worst last
    n, q = len(excess), 1.0 - probability
    low, high = quantile_ends(n, q, confidence)
    ranks = (ceil(q * n - 1e-9), low, high)
    found = [None if rank is None or not isfinite(excess[rank - 1]) else limit + sign * excess[rank - 1]
             for rank in ranks]  # fmt: skip
    value, *ends = found if sign > 0 else (found[0], found[2], found[1])
    return Level(q, value, *ends)


def _margin(row: Row, text: str) -> float:
    margin = row.get("margins", {}).get(text)
    return -inf if margin is None or row["status"] != "complete" else float(margin)


def overall(found: Iterable[Statement]) -> Answer | None:
    """Return the answer to all statements together; None without one."""
    answers = {statement.answer for statement in found}
    if not answers:
        return None
    return "failed" if "failed" in answers else "inconclusive" if "inconclusive" in answers else "passed"
