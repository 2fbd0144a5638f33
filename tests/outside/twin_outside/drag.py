"""A dynamics that feels the air and knows the ground, since it has `air` and `ground`."""

import numpy as np
from pydantic import Field

from twin.specs import Spec


class Drag:
    """A thing lighter than it looks: its weight is borne, the air drags it along, a command (3,) N pushes it."""

    class Parameters(Spec):
        """Mass and drag."""

        mass: float = Field(gt=0)  # kg
        drag: float = Field(gt=0)  # N s/m

    def __init__(self, parameters, n):
        self._mass, self._drag = parameters.mass, parameters.drag
        self.air, self.ground = np.zeros((n, 3)), np.zeros(n)

    def reset(self):
        """Forget nothing: there is no inner state."""

    def wrench(self, state, command, dt):
        """Return (n, 6): force [N] and no torque."""
        out = np.zeros((len(command), 6))
        out[:, :3] = self._drag * (self.air - state.velocity) + command
        out[:, 2] += self._mass * 9.81
        return out

    def gauges(self):
        """Return what it was told of the ground."""
        return {"ground": self.ground}
