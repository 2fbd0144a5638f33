"""How near a run is to an event: the scores that splitting sets its levels on.

Levels on the figure itself gain nothing where the event comes of one long outage: until it is there, nothing shows.
What is about to happen if no further command arrives does show it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

import numpy as np

from twin.assembly.built import Built
from twin.clock import NS
from twin.errors import RunError, ScenarioError
from twin.project import plugins
from twin.protocols import Course, Starts
from twin.specs.requirement import Requirement
from twin.state import COMMAND, F64, NEVER, Frame

Score = Callable[[Frame], float]
KINDS = ("predicted", "error", "age")
APART = ("separation_min", "collisions")
"""Figures that are about robots coming near each other; all others are taken to be about following a course."""
_LOOKS = 8
"""Instants within the horizon at which it is looked how near two robots come."""


def make_score(kind: str, event: Requirement, built: Built, horizon: float) -> Score:
    """Return the score of a run's frames: higher is nearer to the event.

    `predicted`: the distance from where they should be, or, less than 0, between two robots, `horizon` [s] ahead if
    every robot goes on accelerating as now. `error`: the same as it is now. `age`: of the newest command [s]. Else
    `file.py:function`, which is called with each recorded frame and the built twin.

    Raises:
        ScenarioError: nobody follows a course, or there are no two robots that could come near each other.
        PluginError: the function can't be loaded.
    """
    if kind == "age":
        return Age(built)
    if kind not in KINDS:
        function = plugins.load_object(kind, built.project.folder).value
        return lambda frame: _checked(function(frame, built), kind)
    ahead = horizon if kind == "predicted" else 0.0
    return Approach(built, ahead) if event.figure in APART else Deviation(built, ahead)


def _checked(score: object, name: str) -> float:
    if not isinstance(score, (int, float, np.number)) or not isfinite(score):
        raise RunError(f"{name} returned {score!r}; allowed: a finite number")
    return float(score)


class Motion:
    """Where bodies will be if each goes on accelerating as it did between the last two frames."""

    def __init__(self, bodies: Sequence[int]) -> None:
        self.bodies = np.array(bodies, dtype=np.int64)
        self._time, self._velocity = NEVER, np.zeros((len(bodies), 3))

    def take(self, frame: Frame) -> tuple[F64, F64, F64]:
        """Return positions, velocities and accelerations, (n, 3) each, SI."""
        velocity, acceleration = frame.bodies.velocity[self.bodies], np.zeros_like(self._velocity)
        if 0 <= self._time < frame.time:
            acceleration = (velocity - self._velocity) * (NS / (frame.time - self._time))
        self._time, self._velocity = frame.time, velocity
        return frame.bodies.position[self.bodies], velocity, acceleration


class Deviation:
    """The largest distance [m] of a robot from where it should be, now or `horizon` [s] ahead."""

    def __init__(self, built: Built, horizon: float) -> None:
        self._horizon = horizon
        self._courses = [
            (task, node.row, node.body)
            for node in built.nodes
            if node.body >= 0 and isinstance(task := built.tasks.get(node.group), Course)
        ]
        if not self._courses:
            raise ScenarioError("no robot follows a course; allowed: age, or file.py:function", key="--importance")
        self._motion = Motion([body for _, _, body in self._courses])

    def __call__(self, frame: Frame) -> float:
        """Return the score of a frame."""
        position, velocity, acceleration = self._motion.take(frame)
        worst = self._error(position, frame.time / NS)
        if self._horizon:
            t = self._horizon
            worst = max(worst, self._error(position + t * velocity + 0.5 * t * t * acceleration, frame.time / NS + t))
        return worst

    def _error(self, position: F64, time: float) -> float:
        goals = [task.reference(row, time).position for task, row, _ in self._courses]
        return float(np.linalg.norm(position - np.array(goals), axis=1).max())


class Approach:
    """The least distance [m] between two moving robots, now or within `horizon` [s]; less than 0: nearer is higher."""

    def __init__(self, built: Built, horizon: float) -> None:
        moving = {group for group, task in built.tasks.items() if isinstance(task, Course | Starts)}
        bodies = [node.body for node in built.nodes if node.body >= 0 and node.group in moving]
        if len(bodies) < 2:
            found = "no two robots with a task could come near each other"
            raise ScenarioError(f"{found}; allowed: age, or file.py:function", key="--importance")
        self._motion, self._times = Motion(bodies), np.linspace(0.0, horizon, _LOOKS + 1 if horizon else 1)
        self._pairs = np.triu_indices(len(bodies), 1)

    def __call__(self, frame: Frame) -> float:
        """Return the score of a frame."""
        first, second = self._pairs
        apart, closing, turning = (x[first] - x[second] for x in self._motion.take(frame))
        t = self._times[:, None, None]
        return -float(np.linalg.norm(apart + t * closing + 0.5 * t * t * turning, axis=2).min())


class Age:
    """The age [s] of the sample that the newest command of a robot answers; the oldest of all robots counts."""

    def __init__(self, built: Built) -> None:
        self._newest = {i: 0 for i, node in enumerate(built.nodes) if node.body >= 0 and node.group in built.tasks}
        if not self._newest:
            raise ScenarioError("no robot has a task; allowed: file.py:function", key="--importance")

    def __call__(self, frame: Frame) -> float:
        """Return the score of a frame."""
        for packet in frame.packets:
            if packet.kind == COMMAND and packet.fate == "delivered" and packet.destination in self._newest:
                self._newest[packet.destination] = max(self._newest[packet.destination], packet.stamp)
        return (frame.time - min(self._newest.values())) / NS
