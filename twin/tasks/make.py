"""Specs -> tasks, and how well a task is met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.errors import ScenarioError
from twin.protocols import Course, Task
from twin.registry import TASKS
from twin.specs import BodySpec, TaskSpec
from twin.state import F64
from twin.tasks.site import NOWHERE, TaskContext


def make_task(spec: TaskSpec, count: int, body: BodySpec | None = None, site: TaskContext | None = None) -> Task:
    """Return the task of a group of `count` robots with such a body; without one it judges nothing of their tools.

    Raises:
        ScenarioError: the task can't be done by so many robots, or not there, or not at all.
        PluginError: a package brings it, and it can't be imported.
    """
    site = replace(site or NOWHERE, body=body)
    if site.world is None and needs_world(spec):
        raise ScenarioError(f"a {spec.kind} needs the world that it is done in", key="kind")
    task: Task = TASKS[spec.kind](spec, count, site)
    return task


def needs_world(spec: TaskSpec) -> bool:
    """Tell whether a task of this kind can't be made without its world."""
    return getattr(TASKS[spec.kind], "needs_world", False)


def tracking_error(task: Course, row: int, time: float, position: F64) -> float:
    """Return the distance [m] of `position` (3,) from where robot `row` should be at `time` [s]."""
    gap = position - task.reference(row, time).position
    return float(np.sqrt(gap @ gap))
