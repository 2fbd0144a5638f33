"""What `twin plan` said of the scenario that was run, beside what the run says.

A plan speaks of a run if the run's scenario is the one that it wrote, but for the seed and what is asked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from twin.analysis.held import without
from twin.project.project import Project
from twin.recording.reader import Recording

FORMAT, VERSION = "twin-plans", 1
_PLACES = ("plans.json", "plans/*/plans.json")
_MOST, _LARGEST = 1000, 10_000_000
_log = logging.getLogger(__name__)


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
        for name, kept in _files(folders) for plan in kept.plans if plan.scenario_digest == own
    ]  # fmt: skip


def _files(folders: Sequence[Path]) -> Iterator[tuple[str, _Kept]]:
    """Yield the plans that are kept below some folders."""
    seen = set[Path]()
    for folder in folders:
        found = (file for pattern in _PLACES for file in sorted(folder.glob(pattern)))
        for file in islice(found, _MOST):
            if file.resolve() in seen or file.stat().st_size > _LARGEST:
                continue
            seen.add(file.resolve())
            kept = _read(file)
            if kept is not None:
                yield file.relative_to(folder).as_posix(), kept


def _read(file: Path) -> _Kept | None:
    """Return what plans were kept; None for a file of another kind or version, and, which is said, a damaged one."""
    try:
        found: Any = json.loads(file.read_text())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or (found.get("format"), found.get("version")) != (FORMAT, VERSION):
        return None
    try:
        return _Kept.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        _log.warning("%s: no plans: %s: %s", file, ".".join(map(str, first["loc"])), first["msg"])
        return None
