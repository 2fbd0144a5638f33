"""What many runs show of each requirement: that it holds, that it does not, or that more runs are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from twin.numerics.statistics import Interval, clopper_pearson, trials_needed

Answer = Literal["passed", "failed", "inconclusive"]


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
    needed: int = 0  # more runs without a violation that would decide, where that can be said
    alike: int = 0  # runs that came out the same whatever their seed, and count as one


def statements(
    rows: Iterable[Mapping[str, Any]], *, probability: float = 0.05, confidence: float = 0.95
) -> list[Statement]:
    """Return what the rows of a sweep show, point by point; all statements together hold with `confidence`.

    Each gets its share of the error (Bonferroni). A run that was cut short or died has not met its requirements:
    leaving it out would flatter. Runs that are all the same, figure by figure, draw nothing: they count as one.
    """
    points: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        points.setdefault(repr(sorted(row["point"].items())), []).append(row)
    asked = {text: None for runs in points.values() for row in runs for text in row["requirements"]}
    each = 1.0 - (1.0 - confidence) / max(len(points) * len(asked), 1)
    return [_statement(runs, text, probability, each) for runs in points.values() for text in asked]


def _statement(runs: list[Mapping[str, Any]], text: str, probability: float, confidence: float) -> Statement:
    alike = len(runs) if len(runs) > 1 and all(row["figures"] == runs[0]["figures"] for row in runs) else 0
    runs = runs[:1] if alike else runs
    answers = Counter(_answer(row, text) for row in runs)
    n, violated = len(runs), answers["failed"]
    unshown = n - violated - answers["passed"]
    lower = clopper_pearson(violated, n, confidence).lower
    upper = clopper_pearson(violated + unshown, n, confidence).upper
    answer: Answer = "passed" if upper < probability else "failed" if lower > probability else "inconclusive"
    needed = 0
    if answer == "inconclusive" and violated + unshown == 0 and not alike:
        needed = trials_needed(probability, confidence) - n
    interval = Interval(lower, upper)
    return Statement(
        runs[0]["point"], text, answer, n, violated, unshown, interval, probability, confidence, needed, alike
    )


def _answer(row: Mapping[str, Any], text: str) -> str:
    """Return what a run says of a requirement: one that didn't come to its end has met none."""
    answer = row["requirements"].get(text, "inconclusive")
    return "inconclusive" if answer == "passed" and row["status"] != "complete" else str(answer)


def overall(found: Iterable[Statement]) -> Answer | None:
    """Return the answer to all statements together; None without one."""
    answers = {statement.answer for statement in found}
    if not answers:
        return None
    return "failed" if "failed" in answers else "inconclusive" if "inconclusive" in answers else "passed"
