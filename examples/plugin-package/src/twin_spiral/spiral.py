"""Climb on a spiral around the place where the robot is first seen."""

import numpy as np
from pydantic import BaseModel, Field

from twin.controller import NS, Action, Metres, Observation, RobotSpec, Seconds, Speed


class Spiral:
    """A circle of `radius` [m] every `period` [s], and `climb` [m/s] upwards."""

    class Parameters(BaseModel, extra="forbid"):
        """What a scenario may set."""

        radius: Metres = Field(default=3.0, ge=0)
        period: Seconds = Field(default=10.0, gt=0)
        climb: Speed = 0.5

    runs_on = "edge"
    service_time = "1 ms"

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the centre."""
        self.parameters = spec.parameters or self.Parameters()
        self.centre: np.ndarray | None = None

    def act(self, observation: Observation) -> Action:
        """Return acceleration (3,) and yaw towards the point on the spiral where the robot should be."""
        if observation.sensed is None:
            return Action()
        position, velocity = observation.sensed["position"], observation.sensed["velocity"]
        if self.centre is None:
            self.centre, self.since = position.copy(), observation.time
        p, elapsed = self.parameters, (observation.time - self.since) / NS
        angle = 2 * np.pi * elapsed / p.period
        goal = self.centre + [p.radius * (np.cos(angle) - 1.0), p.radius * np.sin(angle), p.climb * elapsed]
        return Action(np.append(3.0 * (goal - position) - 3.0 * velocity, 0.0))
