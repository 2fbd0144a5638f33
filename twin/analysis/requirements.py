"""Whether a run meets its requirements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from twin.specs.figures import FIGURES
from twin.specs.requirement import OPERATORS, Requirement


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run made of a requirement."""

    requirement: Requirement
    value: float | None  # SI
    passed: bool
    reason: str  # why there is no value

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; value and limit in SI."""
        requirement = asdict(self.requirement)
        text = requirement.pop("text")
        return {"requirement": text, **requirement,
                "value": self.value, "passed": self.passed, "reason": self.reason}  # fmt: skip


def judge(requirements: Sequence[Requirement], summary: Mapping[str, Any]) -> list[Verdict]:
    """Compare a run's summary with each requirement; a figure that the run doesn't have meets none."""
    return [_judge(requirement, summary.get(requirement.metric)) for requirement in requirements]


def judged(
    requirements: Sequence[Requirement], summary: Mapping[str, Any], *, complete: bool
) -> dict[str, Any]:
    """Return what a summary says of its requirements: each, and whether the run passed (None: none to meet).

    A run that was cut short has not passed, however well it went until then.
    """
    verdicts = judge(requirements, summary)
    passed = complete and all(verdict.passed for verdict in verdicts) if verdicts else None
    return {"requirements": [verdict.as_dict() for verdict in verdicts], "passed": passed}


def _judge(requirement: Requirement, value: float | None) -> Verdict:
    if value is None:
        return Verdict(requirement, None, False, FIGURES[requirement.metric].absent)
    met = OPERATORS[requirement.operator](value, requirement.limit)
    return Verdict(requirement, value, bool(met), "")
