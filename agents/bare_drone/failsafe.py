"""What motors do on their own when setpoints no longer come."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.controller import NOMINAL, NS, Action, DurationNs, Observation, RobotSpec, Spec, validate

OFF = "motors off"


class MotorsOff:
    """Motor drives stop without a setpoint for `command_timeout`, and turn again with the next one."""

    class Parameters(Spec):
        """How long the last setpoint holds."""

        command_timeout: DurationNs = Field(default=NS // 10, gt=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode; the clock runs from time 0."""
        assert spec.kind.body is not None
        table = spec.kind.failsafe_parameters
        self.timeout = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters").command_timeout
        self.motors = spec.kind.body.width

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        return OFF if observation.time - max(observation.heard, 0) > self.timeout else NOMINAL

    def act(self, observation: Observation) -> Action:
        """Stop the motors."""
        return Action(np.zeros(self.motors))
