"""Whether a run meets its requirements: passed, failed, or not shown either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil, isfinite, log
from typing import Any, Literal

from twin.analysis.measure import Measures
from twin.analysis.measured import Measured
from twin.numerics.statistics import CONFIDENCE, clopper_pearson, trials_needed
from twin.specs.figures import percentile_of
from twin.specs.requirement import OPERATORS, Requirement

Answer = Literal["passed", "failed", "inconclusive"]
PASSED, FAILED, INCONCLUSIVE = "passed", "failed", "inconclusive"
ENDED_EARLY = "the run ended early"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run made of a requirement."""

    requirement: Requirement
    measured: Measured
    answer: Answer
    reason: str  # why there is no value, or why it decides nothing
    needed: float | None = None  # simulated time [s] that would decide, where that can be said

    @property
    def value(self) -> float | None:
        """The figure, in SI."""
        return self.measured.value

    @property
    def passed(self) -> bool | None:
        """Whether it passed; None: that isn't shown."""
        return {PASSED: True, FAILED: False}.get(self.answer)

    @property
    def margin(self) -> float | None:
        """How far the value is on the good side of its limit, in SI; negative beyond it."""
        if self.value is None:
            return None
        apart = self.value - self.requirement.limit
        return {"<": -apart, "<=": -apart, "=": -abs(apart)}.get(self.requirement.operator, apart)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; value, limit, interval and margin in SI, None where nothing bounds."""
        requirement, measured = self.requirement, self.measured
        bounds = measured.interval
        return {
            "requirement": requirement.text,
            "metric": requirement.metric,
            "operator": requirement.operator,
            "limit": requirement.limit,
            "unit": requirement.unit,
            "value": self.value,
            "answer": self.answer,
            "passed": self.passed,
            "interval": None if bounds is None else [_finite(bounds.lower), _finite(bounds.upper)],
            "confidence": None if bounds is None else requirement.scope.confidence or CONFIDENCE,
            "ground": measured.ground if self.value is not None else "",
            "margin": self.margin,
            "reason": self.reason,
            "needed": self.needed,
            "origin": None if requirement.origin is None else asdict(requirement.origin),
        }


def judge(
    requirements: Sequence[Requirement], measures: Measures, *, complete: bool = True, duration: float = 0.0
) -> list[Verdict]:
    """Compare what a run of `duration` [s] measured with each requirement."""
    return [_judge(requirement, measures.of(requirement), complete, duration) for requirement in requirements]


def judged(requirements: Sequence[Requirement], measures: Measures, *, complete: bool) -> dict[str, Any]:
    """Return what a summary says of its requirements: each, and what comes of all (None: none to meet).

    A run that was cut short has not passed, however well it went until then.
    """
    verdicts = judge(requirements, measures, complete=complete, duration=measures.summary.get("duration", 0.0))
    answer = overall([verdict.answer for verdict in verdicts], complete=complete)
    passed = {PASSED: True, FAILED: False}.get(answer or "")
    return {"requirements": [verdict.as_dict() for verdict in verdicts], "answer": answer, "passed": passed}


def overall(answers: Sequence[Answer], *, complete: bool = True) -> Answer | None:
    """Return the answer to several requirements together; None without one."""
    if not answers:
        return None
    if FAILED in answers:
        return "failed"
    return "inconclusive" if INCONCLUSIVE in answers or not complete else "passed"


def _judge(requirement: Requirement, measured: Measured, complete: bool, duration: float) -> Verdict:
    if measured.value is None:
        reason = measured.reason if complete else f"{measured.reason}; {ENDED_EARLY}"
        return Verdict(requirement, measured, "inconclusive", f"nothing measured: {reason}")
    if measured.estimate is None:
        return _judge_fact(requirement, measured, complete)
    if measured.doubt:
        return _doubted(requirement, measured, duration)
    answer = _against(requirement, measured)
    if answer == PASSED and not complete:
        return Verdict(requirement, measured, "inconclusive", ENDED_EARLY)
    if answer == INCONCLUSIVE:
        needed = _needed(requirement, measured, duration)
        return Verdict(requirement, measured, answer, _undecided(requirement, measured, needed), needed)
    return Verdict(requirement, measured, answer, "")


def _doubted(requirement: Requirement, measured: Measured, duration: float) -> Verdict:
    """Return that a value without an interval decides nothing, and which run might have one."""
    needed = _needed(requirement, measured, duration) if measured.estimate and measured.estimate.wanted else None
    reason = measured.doubt if needed is None else f"{measured.doubt}; a run of about {_spell(needed)} might have them"
    return Verdict(requirement, measured, "inconclusive", reason, needed)


def _judge_fact(requirement: Requirement, measured: Measured, complete: bool) -> Verdict:
    value, limit = measured.value or 0.0, requirement.limit
    if OPERATORS[requirement.operator](value, limit):
        return Verdict(requirement, measured, "passed" if complete else "inconclusive", "" if complete else ENDED_EARLY)
    trend = requirement.kind.trend
    for_good = (trend == "up" and value >= limit) or (trend == "down" and value <= limit)
    upwards = requirement.operator in (">", ">=")
    if complete or (for_good and upwards == (trend == "down")) or (for_good and requirement.operator == "="):
        return Verdict(requirement, measured, "failed", "")
    return Verdict(requirement, measured, "inconclusive", ENDED_EARLY)


def _against(requirement: Requirement, measured: Measured) -> Answer:
    """Compare both bounds with the limit."""
    assert measured.interval is not None
    low, high = measured.interval.lower, measured.interval.upper
    met = OPERATORS[requirement.operator]
    if requirement.operator == "=":
        outside = not low <= requirement.limit <= high
        return "failed" if outside else "passed" if low == high else "inconclusive"
    best, worst = (low, high) if requirement.operator in ("<", "<=") else (high, low)
    if met(worst, requirement.limit):
        return "passed"
    return "inconclusive" if met(best, requirement.limit) else "failed"


def _undecided(requirement: Requirement, measured: Measured, needed: float | None) -> str:
    assert measured.interval is not None
    bounds = (measured.interval.lower, measured.interval.upper)
    between = " to ".join(requirement.shown(bound) for bound in bounds if isfinite(bound))
    if measured.estimate is not None and (wanted := measured.estimate.wanted):
        found = f"{measured.estimate.effective:,.0f}"
        words = f"both bounds of a {requirement.figure} need {wanted:,.0f} independent values, found {found}"
        return words if needed is None else f"{words}: a run of about {_spell(needed)}"
    words = f"{between} at {100 * (requirement.scope.confidence or CONFIDENCE):.4g} %"
    if needed is not None:
        words += f"; a run of about {_spell(needed)} would decide"
    return words


def _needed(requirement: Requirement, measured: Measured, duration: float) -> float | None:
    """Return how long [s] a run would decide if it went on like this; for no failure at all by the rule of three."""
    estimate = measured.estimate
    if estimate is None or not duration or estimate.effective <= 0:
        return None
    confidence, limit = requirement.scope.confidence or CONFIDENCE, requirement.limit
    if requirement.kind.dimension == "share" and 0.0 < limit < 1.0:
        return _needed_for_share(estimate.value, limit, estimate.effective, duration, confidence)
    if requirement.figure == "mtbf":
        unfailed = not isfinite(estimate.interval.upper)
        return -log((1 - confidence) / 2) * limit * duration / estimate.value if unfailed else None
    if estimate.wanted:
        return duration * estimate.wanted / estimate.effective
    if percentile_of(requirement.figure) is not None or estimate.value == limit:
        return None
    reach = (estimate.interval.upper - estimate.interval.lower) / 2
    return duration * (reach / abs(estimate.value - limit)) ** 2


def _needed_for_share(value: float, limit: float, effective: float, duration: float, confidence: float) -> float | None:
    if value in (0.0, 1.0):
        return duration * trials_needed(abs(value - limit), confidence) / effective
    n = effective
    while n < 1e15:
        bounds = clopper_pearson(value * n, n, confidence)
        if bounds.lower > limit or bounds.upper < limit:
            return duration * n / effective
        n *= 1.1
    return None


def _spell(time: float) -> str:
    for size, word in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if time >= 2 * size:
            return f"{ceil(time / size):,} {word}"
    return f"{ceil(time)} s"


def _finite(bound: float) -> float | None:
    return bound if isfinite(bound) else None
