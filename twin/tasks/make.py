"""Specs -> tasks, and how well a task is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import ScenarioError
from twin.protocols import Course, Task
from twin.specs import BodySpec, MissionSpec, TaskSpec
from twin.state import F64
from twin.tasks.formation import Formation
from twin.tasks.hand_over import HandOver
from twin.tasks.hover import Hover
from twin.tasks.landing import Landing
from twin.tasks.mission import Mission
from twin.tasks.picking import Picking
from twin.tasks.rounds import Rounds
from twin.tasks.route import Route
from twin.tasks.teleoperation import Teleoperation
from twin.tasks.tool_path import ToolPath
from twin.world.world import World


@dataclass(frozen=True, slots=True)
class Site:
    """Where tasks are done: the world, and where files that a scenario names are."""

    world: World
    find: Callable[[Path], Path]


TASKS: Mapping[str, Callable[[Any, int, BodySpec | None], Task]] = {
    "formation": lambda spec, count, body: Formation(spec, count),
    "hand_over": lambda spec, count, body: HandOver(spec, count),
    "hover": lambda spec, count, body: Hover(spec, count),
    "landing": lambda spec, count, body: Landing(spec, count),
    "picking": lambda spec, count, body: Picking(spec, count),
    "route": lambda spec, count, body: Route(spec, count),
    "rounds": lambda spec, count, body: Rounds(spec, count),
    "teleoperation": Teleoperation,
    "tool_path": ToolPath,
}


def make_task(spec: TaskSpec, count: int, body: BodySpec | None = None, site: Site | None = None) -> Task:
    """Return the task of a group of `count` robots with such a body; without one it judges nothing of their tools.

    Raises:
        ScenarioError: the task can't be done by so many robots, or not there, or not at all.
    """
    if isinstance(spec, MissionSpec):
        if site is None:
            raise ScenarioError("a mission needs the world that it is flown in", key="kind")
        return Mission(spec, count, site.world, site.find)
    return TASKS[spec.kind](spec, count, body)


def tracking_error(task: Course, row: int, time: float, position: F64) -> float:
    """Return the distance [m] of `position` (3,) from where robot `row` should be at `time` [s]."""
    gap = position - task.reference(row, time).position
    return float(np.sqrt(gap @ gap))
