"""Verdicts as people read them, from the plain data of a summary; those of older recordings as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.specs.requirement import Requirement, parse_requirement

MARKS = {"passed": "✓", "failed": "✗", "inconclusive": "?"}
CHECKED = {
    "text": "checked against the text",
    "secondary": "not verified: the value is from secondary sources",
    "own": "the project's own",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement with what a run made of it, in words."""

    requirement: Requirement
    value: str
    bound: str
    answer: str
    reason: str
    interval: str
    ground: str
    margin: str
    held: tuple[str, ...]  # how far a value may go, where a margin was looked for
    origin: str  # document and clause
    checked: str  # whether that was

    @property
    def metric(self) -> str:
        """What was measured."""
        return self.requirement.metric

    @property
    def support(self) -> str:
        """What the answer rests on: interval, then what was counted."""
        return "; ".join(filter(None, [self.interval, self.ground]))


def lines(summary: Mapping[str, Any]) -> list[Line]:
    """Return what a summary says of its requirements."""
    return [line(verdict) for verdict in summary.get("requirements", ())]


def line(verdict: Mapping[str, Any]) -> Line:
    """Return one verdict in words."""
    requirement, value = parse_requirement(verdict["requirement"]), verdict["value"]
    origin = verdict.get("origin")
    return Line(
        requirement=requirement,
        value="-" if value is None else requirement.shown(value),
        bound=requirement.bound,
        answer=answer_of(verdict),
        reason=verdict["reason"],
        interval=_interval(requirement, verdict),
        ground=verdict.get("ground", ""),
        margin=_margin(requirement, verdict.get("margin")),
        held=tuple(one["text"] for one in verdict.get("held", ())),
        origin="" if origin is None else f"{origin['document']}, {origin['clause']}",
        checked="" if origin is None else CHECKED[origin["verified"]],
    )


def answer_of(verdict: Mapping[str, Any]) -> str:
    """Return passed, failed or inconclusive."""
    return str(verdict.get("answer") or ("passed" if verdict["passed"] else "failed"))


def overall_of(summary: Mapping[str, Any]) -> str | None:
    """Return the answer to all requirements of a run; None without one."""
    if summary.get("answer"):
        return None if summary["answer"] is None else str(summary["answer"])
    return {True: "passed", False: "failed"}.get(summary.get("passed"))  # type: ignore[arg-type]


def count_text(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return how many requirements got which answer, in words."""
    answers = [answer_of(verdict) for verdict in verdicts]
    if set(answers) == {"passed"}:
        return "all requirements met"
    parts = [(answers.count("failed"), "failed"), (answers.count("inconclusive"), "inconclusive")]
    return ", ".join(f"{n} of {len(answers)} requirements {word}" for n, word in parts if n)


def _interval(requirement: Requirement, verdict: Mapping[str, Any]) -> str:
    bounds = verdict.get("interval")
    if bounds is None:
        return ""
    low, high = bounds
    if low == high:
        return ""
    between = " to ".join(requirement.shown(bound) for bound in (low, high) if bound is not None)
    if low is None or high is None:
        between = f"{'at least' if high is None else 'at most'} {between}"
    return f"{between} at {100 * verdict['confidence']:.4g} %"


def _margin(requirement: Requirement, margin: float | None) -> str:
    if margin is None or requirement.operator == "=":
        return ""
    apart = float(f"{abs(margin):.3g}")
    return f"{requirement.shown(apart)} {'to spare' if margin >= 0 else 'beyond the limit'}"
