"""Follow the task's reference by acceleration setpoints."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NEVER,
    NS,
    Action,
    Actions,
    Course,
    Observation,
    Radians,
    Reference,
    RobotSpec,
    ScenarioError,
    Spec,
    column,
    setpoint,
    setpoints,
    stamps_of,
    unit,
)

STOP_ROTORS = -15.0
"""m/s2 upwards: below free fall, where the rotors stop."""


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
        p = spec.parameters or self.Parameters()
        self.gains = np.array([p.kp, p.kd, p.ki, p.max_integral, p.drag, p.max_acceleration, p.max_tilt])
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
        goal, command = self.reference(observation), np.empty(4)
        if goal.parked:
            self.integral[:], self.sensed_at = 0.0, NEVER
            return Action(np.array([0.0, 0.0, STOP_ROTORS, goal.yaw]))
        elapsed = 0.0 if self.sensed_at == NEVER else (sensed.time - self.sensed_at) / NS
        self.sensed_at = sensed.time
        error, limited = setpoint(
            (sensed["position"], sensed["velocity"]), (goal.position, goal.velocity, goal.acceleration),
            self.gains, self.integral, elapsed, command,
        )  # fmt: skip
        command[3] = goal.yaw
        return Action(command, log={"error": error, "limited": float(limited)})

    @staticmethod
    def act_batch(controllers: Sequence[Trajectory], observations: Sequence[Observation]) -> list[Action] | Actions:
        """Return the commands for all robots due at once: the same numbers by a single call of the kernel."""
        stamps = stamps_of(observations) if _is_plain(controllers) else None
        goals = _goals(controllers, observations) if stamps is not None else []
        if stamps is None or any(goal.parked for goal in goals):
            return [controller.act(seen) for controller, seen in zip(controllers, observations, strict=True)]
        elapsed = np.array([0.0 if c.sensed_at == NEVER else (stamp - c.sensed_at) / NS
                            for c, stamp in zip(controllers, stamps, strict=True)])  # fmt: skip
        integral, command = _table([c.integral for c in controllers]), np.empty((len(controllers), 4))
        here = column(observations, "position"), column(observations, "velocity")
        there = (_table([g.position for g in goals]), _table([g.velocity for g in goals]),
                 _table([g.acceleration for g in goals]))  # fmt: skip
        error, limited = setpoints(here, there, _table([c.gains for c in controllers]), integral, elapsed, command)
        command[:, 3] = [goal.yaw for goal in goals]
        for controller, stamp, row in zip(controllers, stamps, integral, strict=True):
            controller.integral, controller.sensed_at = row, stamp
        return Actions(command, {"error": error, "limited": limited})


def _table(rows: Sequence[F64]) -> F64:
    """Return rows (k, n) of which there is at least one: faster than `np.array`, which looks at each number."""
    return np.concatenate(rows).reshape(len(rows), -1)


def _is_plain(controllers: Sequence[Trajectory]) -> bool:
    """Tell whether these decide as this class does: others derive from it, and have an `act` of their own."""
    return type(controllers[0]).act is Trajectory.act


def _goals(controllers: Sequence[Trajectory], observations: Sequence[Observation]) -> list[Reference]:
    """Return where the task wants each robot now."""
    if type(controllers[0]).reference is not Trajectory.reference or any(c.course is None for c in controllers):
        return [c.reference(seen) for c, seen in zip(controllers, observations, strict=True)]
    now = observations[0].time / NS
    return [c.course.reference(c.spec.row, now) for c in controllers if c.course is not None]
