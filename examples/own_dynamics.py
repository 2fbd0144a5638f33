"""Own dynamics: a balloon (agents/balloon), held against what physics says of its terminal speed."""

from math import pi, sqrt
from pathlib import Path

import numpy as np

import twin
from twin.controller import Action, Observation, RobotSpec

PUSH = 10.0  # N


class Push:
    """Push upwards, always the same."""

    runs_on = "onboard"

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Need nothing."""

    def act(self, observation: Observation) -> Action:
        """Command the fan."""
        return Action(np.array([PUSH]))


scenario = Path(__file__).parent / "balloon.toml"
*_, end = twin.build(scenario, controllers={"balloon": Push}).frames()
free = 9.81 * (1.225 * pi / 6 * 2.0**3 - 5.0) + PUSH  # N: lift, weight, fan
terminal = sqrt(free / (0.5 * 1.225 * 0.47 * pi))  # m/s, where drag equals it
print(f"rises at {end.bodies.velocity[0, 2]:.3f} m/s; expected {terminal:.3f} m/s")
