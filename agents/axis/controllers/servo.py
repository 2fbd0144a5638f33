"""A servo loop over the network: the axis follows a sine, as the axes of a machine that move together do."""

from math import cos, pi, sin

import numpy as np
from pydantic import BaseModel

from twin.controller import NS, Action, Observation, RobotSpec

INERTIA = 0.01
"""kg m2, of the disc"""


class Sine(BaseModel):
    """What it follows, and how stiffly."""

    amplitude: float = 0.5  # rad
    frequency: float = 1.0  # Hz
    bandwidth: float = 10.0  # Hz, of the closed loop
    damping: float = 0.7


class ServoController:
    """Torque = inertia (feed-forward + kp error + kd change of error)."""

    Parameters = Sine
    service_time = "20 us"

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Take the parameters."""
        self.p: Sine = spec.parameters

    def act(self, observation: Observation) -> Action:
        """Correct what the encoder said at its time."""
        assert observation.sensed is not None
        p, w = self.p, 2 * pi * self.p.frequency
        phase, natural = w * observation.sensed.time / NS, 2 * pi * self.p.bandwidth
        error = p.amplitude * sin(phase) - observation.sensed["joint_position"][0]
        change = p.amplitude * w * cos(phase) - observation.sensed["joint_velocity"][0]
        acceleration = -p.amplitude * w**2 * sin(phase) + natural**2 * error + 2 * p.damping * natural * change
        return Action(np.array([INERTIA * acceleration]), log={"error": float(error)})
