"""Specs -> tasks, and how well a task is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.protocols import Course, Task
from twin.specs import BodySpec, TaskSpec
from twin.state import F64
from twin.tasks.formation import Formation
from twin.tasks.hand_over import HandOver
from twin.tasks.hover import Hover
from twin.tasks.landing import Landing
from twin.tasks.picking import Picking
from twin.tasks.rounds import Rounds
from twin.tasks.route import Route
from twin.tasks.teleoperation import Teleoperation
from twin.tasks.tool_path import ToolPath

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


def make_task(spec: TaskSpec, count: int, body: BodySpec | None = None) -> Task:
    """Return the task of a group of `count` robots with such a body; without one it judges nothing of their tools.

    Raises:
        ScenarioError: the task can't be done by so many robots, or not at all.
    """
    return TASKS[spec.kind](spec, count, body)


def tracking_error(task: Course, row: int, time: float, position: F64) -> float:
    """Return the distance [m] of `position` (3,) from where robot `row` should be at `time` [s]."""
    gap = position - task.reference(row, time).position
    return float(np.sqrt(gap @ gap))
