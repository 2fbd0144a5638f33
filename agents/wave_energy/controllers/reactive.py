"""Complex-conjugate control, tuned to the waves: damping and a stiffness that makes the buoy resonate with them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import F64, NEVER, NS, Action, Kilograms, Observation, RobotSpec, Sample, Seconds, Spec, unit

_MEMORY = 4
"""Upward crossings over whose time the period is a mean."""


class Harvest:
    """Follows heave in telemetry: mean level, mean period, and the energy that commands should have brought."""

    def __init__(self, period: float) -> None:
        self.period = period  # s
        self.level, self.energy = 0.0, 0.0  # m, J
        self._since, self._rise, self._crossings = NEVER, 0.0, [NEVER]
        self._command: F64 = np.zeros(2)

    def take(self, sensed: Sample, brake: float) -> tuple[float, float]:
        """Take one sample; return rise over the mean level [m] and speed [m/s]."""
        height, speed = float(sensed["position"][2]), float(sensed["velocity"][2])
        if self._since == NEVER:
            self.level = height
        elif sensed.time > self._since:
            step = (sensed.time - self._since) / NS
            self.level += (height - self.level) * min(1.0, step / (10.0 * self.period))
            damping = 0.0 if self._command[0] >= brake else self._command[0]
            self.energy += damping * speed * speed * step
        rise = height - self.level
        if self._rise < 0.0 <= rise:
            self._cross(sensed.time)
        self._since, self._rise = sensed.time, rise
        return rise, speed

    def answer(self, damping: float, stiffness: float) -> Action:
        """Return the command, and log what was earned."""
        self._command = np.array([damping, stiffness])
        return Action(self._command, log={"energy": self.energy, "period": self.period})

    def _cross(self, time: int) -> None:
        self._crossings = [*self._crossings, time][-_MEMORY:]
        first = self._crossings[0]
        if first != NEVER:
            self.period = (time - first) / NS / (len(self._crossings) - 1)


class Reactive:
    """Stiffness `share` of w^2 (m + a) - c at the mean wave frequency w; 0 is a plain damper.

    Falnes, Ocean Waves and Oscillating Systems, 2002, section 6.2. The whole of it would need strokes that no buoy
    has.
    """

    class Parameters(Spec):
        """The buoy as the controller knows it, and how bold it is."""

        mass: Kilograms = Field(default=21_735.0, gt=0)  # with the water that moves along
        stiffness: Annotated[float, unit("N/m")] = Field(default=71_077.0, gt=0)  # of its waterplane
        damping: Annotated[float, unit("N s/m")] = Field(default=15_000.0, ge=0)
        share: float = Field(default=0.7, ge=0, le=1)
        period: Seconds = Field(default=6.0, gt=0)  # until waves have been measured
        brake: Annotated[float, unit("N s/m")] = Field(default=1e6, gt=0)  # as in robot.toml

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the waves."""
        self.parameters = spec.parameters or self.Parameters()
        self.harvest = Harvest(self.parameters.period)

    def act(self, observation: Observation) -> Action:
        """Return damping and stiffness for the waves of late."""
        p = self.parameters
        if observation.sensed is None:
            return Action()
        self.harvest.take(observation.sensed, p.brake)
        w = 2 * np.pi / self.harvest.period
        return self.harvest.answer(p.damping, p.share * (w * w * p.mass - p.stiffness))
