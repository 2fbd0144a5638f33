"""The forces on a balloon: lift by Archimedes, drag of a sphere, the fan as commanded."""

from math import pi

import numpy as np

from twin.controller import F64, BodyState, Metres, Spec

AIR, GRAVITY = 1.225, 9.81  # kg/m3, m/s2
DRAG = 0.47  # of a sphere


class Buoyant:
    """One dynamics for all balloons of an entry."""

    class Parameters(Spec):
        """What `[body.parameters]` may say."""

        diameter: Metres = 2.0

    def __init__(self, parameters: Parameters, n: int) -> None:
        self.lift = AIR * GRAVITY * pi / 6 * parameters.diameter**3  # N
        self.area = pi / 4 * parameters.diameter**2
        self.air = np.zeros((n, 3))  # m/s: twin says here, before each step, how the air moves

    def reset(self) -> None:
        """There is no state in it."""

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return force [N] and torque [N m] for the next `dt` s: (n, 6), world axes."""
        wind = self.air - state.velocity
        out = np.zeros((len(wind), 6))
        out[:, :3] = 0.5 * AIR * DRAG * self.area * np.linalg.norm(wind, axis=1, keepdims=True) * wind
        out[:, 2] += self.lift + command[:, 0]
        return out
