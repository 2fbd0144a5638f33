"""The drive of a servo axis: torque as commanded, friction as it turns."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.controller import F64, BodyState

FRICTION = 0.002
"""N m s/rad"""


class Drive:
    """One joint per body; the commanded torque acts at once."""

    def __init__(self, parameters: Any, n: int) -> None:
        self.n = n

    def reset(self) -> None:
        """There is no state in it."""

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return no force on the body: (n, 6)."""
        return np.zeros((self.n, 6))

    def joint_effort(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return the torque [N m] of each joint, (n, 1)."""
        torque: F64 = command - FRICTION * state.joint_velocity.reshape(self.n, 1)
        return torque
