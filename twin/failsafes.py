"""Failsafes that robots of several kinds share; a robot's folder names them in a failsafe.py of its own."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.specs import RobotSpec, Spec
from twin.state import NOMINAL, Action, Observation
from twin.toml_text import validate
from twin.units import DurationNs

HOLD = "hold"


class BrakeAndHold:
    """nominal -> hold -> nominal: without fresh commands the brake, last in the command, stops and holds the robot.

    It takes over when no command came for `command_timeout`, or when the newest one answers a state older than
    `state_age`; until the first command both clocks run from time 0.
    """

    class Parameters(Spec):
        """When to take over."""

        command_timeout: DurationNs = Field(default=NS // 10, gt=0)
        state_age: DurationNs = Field(default=NS, gt=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode."""
        table = spec.kind.failsafe_parameters
        self.parameters = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters")
        assert spec.kind.body is not None
        self.command = spec.kind.body.vector("initial")
        self.command[-1] = 1.0

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        now, p = observation.time, self.parameters
        heard, answers = max(observation.heard, 0), max(observation.answers, 0)
        return HOLD if now - heard > p.command_timeout or now - answers > p.state_age else NOMINAL

    def act(self, observation: Observation) -> Action:
        """Brake."""
        return Action(self.command)
