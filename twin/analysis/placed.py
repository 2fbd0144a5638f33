"""Where a scenario puts what: base stations, robots, and the ways of those that follow a course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.clock import NS
from twin.protocols import Course
from twin.specs.scenario import RobotEntry, Scenario
from twin.state import F64
from twin.tasks.make import make_task, needs_world

STEPS, LONGEST = 400, 300.0
"""Points of a way, and seconds of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A site or a robot: where it is, or the way that it is to go."""

    name: str
    site: bool  # a radio that stands
    way: F64  # (n, 3) m, one point or more


def placed(scenario: Scenario) -> list[Placed]:
    """Return all that a scenario places by itself; tasks that need the world to say where are left out."""
    found = []
    for name, entry in scenario.robots.items():
        for row in range(entry.count):
            if (way := _way(entry, row, scenario.duration / NS)) is not None:
                called = name if entry.count == 1 else f"{name}-{row}"
                found.append(Placed(called, entry.kind == "base_station", way))
    return found


def _way(entry: RobotEntry, row: int, duration: float) -> F64 | None:
    if entry.task is not None and not needs_world(entry.task):
        task = make_task(entry.task, entry.count)
        if isinstance(task, Course):
            times = np.linspace(0.0, min(duration, LONGEST), STEPS)
            return np.array([task.reference(row, time).position for time in times.tolist()])
    return np.array([entry.positions[row]]) if entry.positions else None
