"""What each figure of a sweep over ranges hangs on, by the indices that its design allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.specs.requirement import Requirement
from twin.specs.scenario import Scenario
from twin.studies.plan import Plan
from twin.studies.sensitivity import Influence, Sampled, influences, rank_correlation, rbd_fast, sobol_shares


@dataclass(frozen=True, slots=True)
class Found:
    """What a figure hangs on, parameter by parameter."""

    figure: str
    correlation: list[Influence]
    own: list[Influence]  # share of the variance
    total: list[Influence] | None  # with all that it acts together with; of Sobol' indices only


def found_of(points: Sampled, name: str, plan: Plan, absent: float | None = None) -> Found:
    """Return what a figure hangs on; a run that doesn't have it counts as `absent`.

    Raises:
        ScenarioError: runs have no such figure, and nothing was said of how they count.
    """
    y = points.figure(name, absent)
    correlation = influences(rank_correlation, points.x, y)
    if np.ptp(y) == 0.0:
        return Found(name, correlation, correlation, None)
    if plan.design.startswith("saltelli"):
        shares = sobol_shares(y, len(points.names))
        return Found(name, correlation, shares.first, shares.total)
    return Found(name, correlation, influences(rbd_fast, points.x, y), None)


def figures_asked(scenario: Scenario) -> list[str]:
    """Return the figures of a whole run that a scenario's requirements ask for."""
    asked = [one for one in scenario.requirements if isinstance(one, Requirement)]
    return list(dict.fromkeys(one.figure for one in asked if not one.scope.family))


def by_size(found: Sequence[Influence]) -> list[int]:
    """Return the places of parameters, the strongest first."""
    return sorted(range(len(found)), key=lambda k: -abs(found[k].value))


def shown(one: Influence) -> str:
    """Return an index and its interval, as people read them."""
    return f"{one.value:+.2f} ({one.interval.lower:+.2f} to {one.interval.upper:+.2f})"
