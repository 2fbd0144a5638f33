"""What is left in the battery."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.errors import ScenarioError
from twin.media import Charged
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import BatterySensorSpec, RobotKind
from twin.state import I64, Sample, Truth


class Battery:
    """Reads state_of_charge, energy_used and charging of a group's robots."""

    def __init__(self, spec: BatterySensorSpec, setting: Setting) -> None:
        if not isinstance(setting.dynamics, Charged) or not np.isfinite(setting.dynamics.capacity):
            raise ScenarioError("this robot has no battery", key="sensors")
        self._battery, n = setting.dynamics, len(setting.names)
        self._delay = Delay(spec.delay, n)
        self._noise = Noise("battery", setting.names, setting.seed, np.array([spec.noise, 0.0, 0.0]))

    @staticmethod
    def fields(spec: BatterySensorSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {
            "state_of_charge": Field(1, "1", "energy left over that of a full battery", spec.noise, "1"),
            "energy_used": Field(1, "J", "taken out since the start", 0.0, "J"),
            "charging": Field(1, "1", "1 at a charging station", 0.0, "1"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time = truth.time
        b = self._battery
        table = np.empty((len(rows), 3))
        table[:, 0], table[:, 1], table[:, 2] = b.charge[rows] / b.capacity, b.used[rows], b.charging[rows]
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        return [
            Sample(stamp, {"state_of_charge": charge, "energy_used": used, "charging": charging})
            for stamp, charge, used, charging in zip(stamps, table[:, :1], table[:, 1:2], table[:, 2:], strict=True)
        ]
