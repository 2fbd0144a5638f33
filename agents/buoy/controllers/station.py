"""Hold a place on the water against current, wind and the mean push of waves."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import F64, NEVER, NS, Action, Course, Observation, RobotSpec, Spec, unit


class Station:
    """Thrust by the distance from the task's point (else from the first sample's), its integral and the velocity."""

    class Parameters(Spec):
        """Gains and the limit of the thrusters together."""

        kp: Annotated[float, unit("N/m")] = Field(default=25.0, ge=0)
        kd: Annotated[float, unit("N s/m")] = Field(default=150.0, ge=0)
        ki: Annotated[float, unit("N/(m s)")] = Field(default=0.5, ge=0)  # takes up the current; rests at the limit
        most: Annotated[float, unit("N")] = Field(default=110.0, gt=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the place."""
        self.spec, self.parameters = spec, spec.parameters or self.Parameters()
        self.place: F64 | None = None
        self.integral, self.sensed_at = np.zeros(2), NEVER

    def act(self, observation: Observation) -> Action:
        """Return the thrust; none before the first sample is there."""
        sensed = observation.sensed
        if sensed is None:
            return Action()
        if isinstance(self.spec.task, Course):
            self.place = self.spec.task.reference(self.spec.row, observation.time / NS).position[:2]
        elif self.place is None:
            self.place = sensed["position"][:2].copy()
        assert self.place is not None
        p, error = self.parameters, self.place - sensed["position"][:2]
        wanted = p.kp * error + p.ki * self.integral - p.kd * sensed["velocity"][:2]
        size = float(np.hypot(wanted[0], wanted[1]))
        if size <= p.most and self.sensed_at != NEVER:
            self.integral = self.integral + error * ((sensed.time - self.sensed_at) / NS)
        self.sensed_at = sensed.time
        return Action(wanted * min(1.0, p.most / max(size, 1e-9)), log={"error": float(np.hypot(error[0], error[1]))})
