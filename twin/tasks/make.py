"""Specs -> tasks, and how well a task is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.protocols import Course, Task
from twin.specs import TaskSpec
from twin.state import F64
from twin.tasks.hover import Hover
from twin.tasks.route import Route

TASKS: Mapping[str, Callable[[Any, int], Task]] = {
    "hover": Hover,
    "route": Route,
}


def make_task(spec: TaskSpec, count: int) -> Task:
    """Return the task of a group of `count` robots.

    Raises:
        ScenarioError: the task can't be done by so many robots, or not at all.
    """
    return TASKS[spec.kind](spec, count)


def tracking_error(task: Course, row: int, time: float, position: F64) -> float:
    """Return the distance [m] of `position` (3,) from where robot `row` should be at `time` [s]."""
    gap = position - task.reference(row, time).position
    return float(np.sqrt(gap @ gap))
