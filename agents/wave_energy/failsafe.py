"""What a wave-energy buoy does on its own when no command comes."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import NOMINAL, NS, Action, DurationNs, Observation, RobotSpec, Spec, unit, validate

DAMPED = "damped"


class Damp:
    """nominal -> damped while no command came for `command_timeout`: the brake opens, a plain damper works."""

    class Parameters(Spec):
        """When to take over, and the damping then."""

        command_timeout: DurationNs = Field(default=NS, gt=0)
        damping: Annotated[float, unit("N s/m")] = Field(default=10_000.0, ge=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode."""
        table = spec.kind.failsafe_parameters
        self.parameters = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters")

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        silent = observation.time - max(observation.heard, 0) > self.parameters.command_timeout
        return DAMPED if silent else NOMINAL

    def act(self, observation: Observation) -> Action:
        """Damp."""
        return Action(np.array([self.parameters.damping, 0.0]))
