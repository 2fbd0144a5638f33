"""PD control of height with gravity taken out: the delay margin of this loop is known exactly."""

import numpy as np
from pydantic import BaseModel

from twin.protocols import RobotSpec
from twin.state import Action, Observation


class Height(BaseModel):
    """Parameters of the loop."""

    target: float = 2.0
    kp: float = 25.0
    kd: float = 8.0


class HeightController:
    """F = m (g + kp (target - z) - kd v)."""

    Parameters = Height

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Take the parameters."""
        self.p: Height = spec.parameters

    def act(self, observation: Observation) -> Action:
        """Push towards the target height."""
        assert observation.sensed is not None
        z, v = observation.sensed["position"][2], observation.sensed["velocity"][2]
        force = 9.81 + self.p.kp * (self.p.target - z) - self.p.kd * v
        return Action(np.array([0.0, 0.0, force]), log={"height": z})
