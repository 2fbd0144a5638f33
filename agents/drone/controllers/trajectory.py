"""Follow the task's reference by acceleration setpoints."""

from __future__ import annotations

from math import pi
from typing import Annotated

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.errors import ScenarioError
from twin.protocols import Course
from twin.specs import RobotSpec, Spec
from twin.state import F64, NEVER, Action, Observation, Reference
from twin.units import Radians, unit


class Trajectory:
    """Reference acceleration and expected drag, plus feedback of position, its integral, and velocity.

    The reference is taken at the present time, the state as the newest sample has it: nothing is predicted
    over the age of the sample, so a robot flown over a slow network lags and swings as it would.
    """

    needs_task = True

    class Parameters(Spec):
        """Gains and limits."""

        kp: Annotated[float, unit("1/s2")] = Field(default=4.0, ge=0)
        kd: Annotated[float, unit("1/s")] = Field(default=3.5, ge=0)
        ki: Annotated[float, unit("1/s3")] = Field(default=1.0, ge=0)  # takes up wind; rests while a limit holds
        max_integral: Annotated[float, unit("m s")] = Field(default=3.0, ge=0)  # per axis
        drag: Annotated[float, unit("1/s")] = Field(default=0.2, ge=0)  # expected deceleration by the air per speed
        max_acceleration: Annotated[float, unit("m/s2")] = Field(default=9.0, gt=0)  # of all axes together
        max_tilt: Radians = Field(default=pi / 4, gt=0, lt=pi / 2)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Take over the robot's task and parameters."""
        self.course = spec.task if isinstance(spec.task, Course) else None
        if self.needs_task and self.course is None:
            found = "another task" if spec.task else "no `task`"
            raise ScenarioError(f"{spec.name}: this controller follows a route or hovers, but its entry has {found}")
        self.spec = spec
        self.gains = spec.parameters or self.Parameters()
        self.integral = np.zeros(3)  # m s
        self.sensed_at = NEVER

    def reference(self, observation: Observation) -> Reference:
        """Return where the task wants the robot now."""
        assert self.course is not None
        return self.course.reference(self.spec.row, observation.time / NS)

    def act(self, observation: Observation) -> Action:
        """Return the command for one robot; none before its first sample is there."""
        sensed = observation.sensed
        if sensed is None:
            return Action()
        goal, gains = self.reference(observation), self.gains
        error = goal.position - sensed["position"]
        wanted = goal.acceleration + gains.drag * goal.velocity
        wanted += (
            gains.kp * error + gains.kd * (goal.velocity - sensed["velocity"]) + gains.ki * self.integral
        )
        acceleration = limited(wanted, gains.max_acceleration, gains.max_tilt)
        if acceleration is wanted and self.sensed_at != NEVER:
            summed = self.integral + error * ((sensed.time - self.sensed_at) / NS)
            self.integral = np.clip(summed, -gains.max_integral, gains.max_integral)
        self.sensed_at = sensed.time
        log = {"error": float(np.sqrt(error @ error)), "limited": float(acceleration is not wanted)}
        return Action(np.append(acceleration, goal.yaw), log=log)


def limited(acceleration: F64, most: float, max_tilt: float) -> F64:
    """Return the acceleration (3,) within `most` [m/s2], sideways within what `max_tilt` gives in hover."""
    size = float(np.sqrt(acceleration @ acceleration))
    within = acceleration if size <= most else acceleration * (most / size)
    sideways, allowed = float(np.hypot(within[0], within[1])), 9.81 * float(np.tan(max_tilt))
    if sideways <= allowed:
        return within
    scaled: F64 = within * np.array([allowed / sideways, allowed / sideways, 1.0])
    return scaled
