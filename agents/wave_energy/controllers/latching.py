"""Latching control: hold the buoy where it turns, and let go so that it moves with the wave's force."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import NEVER, NS, Action, Kilograms, Observation, RobotSpec, Seconds, Spec, unit

from .reactive import Harvest


class Latching:
    """Brakes at each turn of the heave for half of the difference between the waves' period and the buoy's own.

    Budal and Falnes, 1980; every instant counts here: a late command holds the buoy too long.
    """

    class Parameters(Spec):
        """The buoy as the controller knows it."""

        mass: Kilograms = Field(default=21_735.0, gt=0)  # with the water that moves along
        stiffness: Annotated[float, unit("N/m")] = Field(default=71_077.0, gt=0)  # of its waterplane
        damping: Annotated[float, unit("N s/m")] = Field(default=15_000.0, ge=0)  # while it moves
        period: Seconds = Field(default=6.0, gt=0)  # until waves have been measured
        brake: Annotated[float, unit("N s/m")] = Field(default=1e6, gt=0)  # as in robot.toml

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the waves."""
        self.parameters = p = spec.parameters or self.Parameters()
        self.harvest = Harvest(p.period)
        self.own_period = 2 * np.pi * np.sqrt(p.mass / p.stiffness)
        self.until, self.before = NEVER, 0.0

    def act(self, observation: Observation) -> Action:
        """Return the brake or the damping."""
        sensed, p = observation.sensed, self.parameters
        if sensed is None:
            return Action()
        _, speed = self.harvest.take(sensed, p.brake)
        held = sensed.time < self.until
        if not held and self.before * speed < 0.0:
            hold = max(0.0, (self.harvest.period - self.own_period) / 2)
            self.until = sensed.time + int(hold * NS)
            held, speed = True, 0.0
        self.before = 0.0 if held else speed
        return self.harvest.answer(p.brake if held else p.damping, 0.0)
