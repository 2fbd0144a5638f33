"""A compass: which way the body's x axis points over ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import CompassSpec, RobotKind
from twin.state import I64, Readings, Truth


class Compass:
    """Reads heading (1,): of the body's x axis, counter-clockwise from east, with a bias of the robot's own."""

    def __init__(self, spec: CompassSpec, setting: Setting) -> None:
        self._delay = Delay(spec.delay, len(setting.names))
        white, start = np.array([spec.noise]), np.array([spec.bias])
        self._noise = Noise("compass", setting.names, setting.seed, white, None, start)

    @staticmethod
    def fields(spec: CompassSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {"heading": Field(1, "rad", "of body x, counter-clockwise from east", spec.noise, "rad")}

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        x, y, z, w = bodies.orientation[index].T
        ahead = np.stack([1 - 2 * (y * y + z * z), 2 * (w * z + x * y)], axis=1)
        stamps = self._delay.apply(time, rows, ahead)
        table = np.arctan2(ahead[:, 1:], ahead[:, :1])
        self._noise.add(time, rows, table)
        return Readings(stamps, {"heading": table})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)
