"""Own sensor: a balloon rises behind a building until it receives the mast well; `received` comes from a package.

First: pip install examples/plugin-package (its `signal.py` is the sensor).
"""

from pathlib import Path

import numpy as np

import twin
from twin.controller import Action, Observation, RobotSpec

ENOUGH = -45.0  # dBm


class Climb:
    """Push upwards until the signal is good, then only carry the weight."""

    runs_on = "onboard"

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Need nothing."""

    def act(self, observation: Observation) -> Action:
        """Decide by the sensor, and write down what it reads."""
        if observation.sensed is None:
            return Action()
        received = float(observation.sensed["received"][0])
        return Action(np.array([10.0 if received < ENOUGH else -1.0]), log={"received": received})


changes = {"robots.balloon.spec.sensors": [{"kind": "signal"}], "robots.balloon.positions": [[115, 0, 8]]}
with twin.run(Path(__file__).parent / "balloon.toml", changes, controllers={"balloon": Climb}) as run:
    signal, height = run.logs[run.logs.name == "received"].value, run.states("balloon").z_m
print(f"{signal.iloc[0]:.1f} dBm at {height.iloc[0]:.0f} m, {signal.iloc[-1]:.1f} dBm at {height.iloc[-1]:.0f} m")
