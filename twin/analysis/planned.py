"""What `twin plan` said of the scenario that was run, beside what the run says.

A plan speaks of a run if the run's scenario is the one that it wrote, but for the seed and what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from twin.analysis.held import without
from twin.analysis.kept import Kind
from twin.project.project import Project
from twin.recording.reader import Recording

FORMAT, VERSION = "twin-plans", 1


class _Site(BaseModel):
    name: str
    kind: str
    place: tuple[float, float, float]  # m
    without_it_s: float
    without_it_lost: list[str]


class _Plan(BaseModel):
    name: str
    scenario_digest: str
    cost: float
    in_control: float
    lost_s: dict[str, float]
    sites: list[_Site]


class _Kept(BaseModel):
    """A plans.json, as far as it is read here."""

    currency: str
    years: float
    plans: list[_Plan]


_FILES = Kind(FORMAT, VERSION, ("plans.json", "plans/*/plans.json"), 10_000_000, _Kept, "no plans")


@dataclass(frozen=True, slots=True)
class Planned:
    """One plan that wrote the scenario of a run."""

    file: str
    plan: _Plan
    currency: str
    years: float

    @property
    def text(self) -> str:
        """What it costs and foretells, in words."""
        cost = f"{self.plan.cost:,.0f}".replace(",", " ")
        share, gone = 100 * self.plan.in_control, max(self.plan.lost_s.values())
        foretold = f"{share:.2f} % of the time under control, {gone:.1f} s without"
        return f"{cost} {self.currency} over {self.years:g} years; foretold: {foretold}"


def scenario_digest(text: str) -> str:
    """Return a digest of a resolved scenario but for its seed and what is asked of it."""
    return without(text, "seed")


def planned_by(recording: Recording) -> list[Planned]:
    """Return the plans kept here, beside a recording or in its project that wrote the scenario of its run."""
    folders = [Path.cwd(), recording.path.parent, Project.of(recording.path).folder]
    own = scenario_digest(recording.scenario_text)
    return [
        Planned(name, plan, kept.currency, kept.years)
        for name, _, kept in _FILES.below(folders) for plan in kept.plans if plan.scenario_digest == own
    ]  # fmt: skip
