"""What is left in the battery."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.errors import ScenarioError
from twin.media import Charged, Electrical
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import BatterySensorSpec, RobotKind
from twin.state import I64, Readings, Truth


class Battery:
    """Reads state_of_charge, energy_used and charging of a group's robots; voltage and current where told to."""

    def __init__(self, spec: BatterySensorSpec, setting: Setting) -> None:
        if not isinstance(setting.dynamics, Charged) or not np.isfinite(setting.dynamics.capacity):
            raise ScenarioError("this robot has no battery", key="sensors")
        if spec.electrical and not isinstance(setting.dynamics, Electrical):
            message = "electrical: this robot's battery has an energy, but no voltage; allowed: false"
            raise ScenarioError(message, key="sensors")
        self._battery, n = setting.dynamics, len(setting.names)
        self._electrical = setting.dynamics if isinstance(setting.dynamics, Electrical) and spec.electrical else None
        self._delay, self._names = Delay(spec.delay, n), list(self.fields(spec, setting.kind))
        noise = [spec.noise, 0.0, 0.0, spec.voltage_noise, spec.current_noise][: len(self._names)]
        self._noise = Noise("battery", setting.names, setting.seed, np.array(noise))

    @staticmethod
    def fields(spec: BatterySensorSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        found = {
            "state_of_charge": Field(1, "1", "energy left over that of a full battery", spec.noise, "1"),
            "energy_used": Field(1, "J", "taken out since the start", 0.0, "J"),
            "charging": Field(1, "1", "1 at a charging station", 0.0, "1"),
        }
        if spec.electrical:
            found["voltage"] = Field(1, "V", "at the battery's terminals", spec.voltage_noise, "V")
            found["current"] = Field(1, "A", "out of the battery", spec.current_noise, "A")
        return found

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time = truth.time
        b = self._battery
        table = np.empty((len(rows), len(self._names)))
        table[:, 0], table[:, 1], table[:, 2] = b.charge[rows] / b.capacity, b.used[rows], b.charging[rows]
        if self._electrical is not None:
            table[:, 3], table[:, 4] = self._electrical.voltage[rows], self._electrical.current[rows]
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        return Readings(stamps, {name: table[:, i : i + 1] for i, name in enumerate(self._names)})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)
