"""The simplest dynamics: the command is the force itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.specs import Spec
from twin.state import F64, BodyState


class PointForce:
    """A force in world axes at the centre of mass, command (3,) N, without lag or limit."""

    midway = True

    class Parameters(Spec):
        """None."""

    def __init__(self, parameters: Mapping[str, Any], n: int) -> None:
        self.Parameters.model_validate(parameters)

    def reset(self) -> None:
        """Do nothing: there is no internal state."""

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): the commanded force [N] and no torque."""
        out = np.zeros((len(command), 6))
        out[:, :3] = command
        return out
