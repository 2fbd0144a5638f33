"""Follow the task's reference, and keep apart from the other robots of the entry by ORCA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import (
    Action,
    Airspace,
    Controller,
    Metres,
    Observation,
    Reference,
    RobotSpec,
    Seconds,
    Speed,
    unit,
)

from .trajectory import Trajectory


class Avoid(Trajectory):
    """What `trajectory` does, unless the velocity that it is after leads too near to another robot.

    Then it is the nearest velocity that optimal reciprocal collision avoidance permits; `dodge` [m/s] in the log is how
    far that one is from what it was after, `missed` by how much none was permitted. The edge knows the others by their
    newest telemetry: see `Airspace` for what its age adds to the distance that is kept.
    """

    airspace: Airspace  # of all robots of the entry

    class Parameters(Trajectory.Parameters):
        """How far from others, and how soon."""

        kd: Annotated[float, unit("1/s")] = Field(default=3.5, gt=0)
        radius: Metres = Field(default=0.35, gt=0)  # of a sphere round the rotors
        margin: Metres = Field(default=0.6, ge=0)  # kept by two besides, for noise, lag and downwash
        horizon: Seconds = Field(default=4.0, gt=0)  # of motion that has to be clear
        parting: Seconds = Field(default=0.5, gt=0)  # within which two that are too near get apart
        speed: Speed = Field(default=12.0, gt=0)  # at most

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is."""
        super().reset(spec, rng)
        self.rules = spec.parameters or self.Parameters()

    @staticmethod
    def meet(controllers: Sequence[Controller]) -> None:
        """Share what is known of all robots of an entry."""
        fleet = [controller for controller in controllers if isinstance(controller, Avoid)]
        airspace = Airspace(len(fleet))
        for controller in fleet:
            controller.airspace = airspace

    def reference(self, observation: Observation) -> Reference:
        """Return where the task wants the robot; or, from where it is, the velocity that is permitted."""
        sensed, rules, goal = observation.sensed, self.rules, super().reference(observation)
        assert sensed is not None
        self.airspace.tell(self.spec.row, sensed)
        self.log = {"dodge": 0.0, "missed": 0.0}
        if goal.parked:
            return goal
        pull = rules.kp * (goal.position - sensed["position"]) + rules.ki * self.integral
        preferred = goal.velocity + pull / rules.kd
        velocity, missed = self.airspace.permitted(
            self.spec.row,
            observation.time,
            preferred,
            distance=2.0 * rules.radius + rules.margin,
            acceleration=rules.max_acceleration,
            speed=rules.speed,
            horizon=rules.horizon,
            parting=rules.parting,
        )
        self.log = {"dodge": float(np.linalg.norm(velocity - preferred)), "missed": missed}
        if velocity is preferred:
            return goal
        return Reference(sensed["position"], velocity, np.zeros(3), goal.yaw)

    def act(self, observation: Observation) -> Action:
        """Return the command for one robot; none before its first sample is there."""
        action = super().act(observation)
        return action if action.command is None else Action(action.command, log={**action.log, **self.log})
