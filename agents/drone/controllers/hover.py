"""Stay where the first sample found the robot."""

from __future__ import annotations

import numpy as np

from twin.controller import Observation, Reference, RobotSpec

from .trajectory import Trajectory


class Hover(Trajectory):
    """Hold the first sensed position, heading as the first sample has it."""

    needs_task = False

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the place."""
        super().reset(spec, rng)
        self.place: Reference | None = None

    def reference(self, observation: Observation) -> Reference:
        """Return the place to hold."""
        if self.place is None:
            assert observation.sensed is not None
            x, y, z, w = observation.sensed["orientation"]
            yaw = float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
            self.place = Reference(observation.sensed["position"], np.zeros(3), np.zeros(3), yaw)
        return self.place
