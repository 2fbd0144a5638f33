"""The switch of a suction cup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from twin.errors import ScenarioError
from twin.protocols import Field
from twin.sensors.errors import Delay
from twin.sensors.setting import Setting
from twin.specs import RobotKind, VacuumSensorSpec
from twin.state import F64, I64, Bool, Sample, Truth


class Cups(Protocol):
    """The suction cups of a dynamics."""

    holds: Bool  # (n,)


class Vacuum:
    """Reads vacuum (1,) of a group's suction cups: 1 while a cup holds something.

    Raises:
        ScenarioError: the robot has no suction cup.
    """

    def __init__(self, spec: VacuumSensorSpec, setting: Setting) -> None:
        grip = getattr(setting.dynamics, "grip", None)
        if grip is None:
            raise ScenarioError("this robot has no suction cup: body.parameters.vacuum", key="sensors")
        self._grip: Cups = grip
        self._delay = Delay(spec.delay, len(setting.names), lambda before, after, elapsed, period: before)

    @staticmethod
    def fields(spec: VacuumSensorSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {"vacuum": Field(1, "1", "1 while the suction cup holds something", 0.0, "1")}

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time = truth.time
        table: F64 = self._grip.holds[rows, None].astype(np.float64)
        stamps = self._delay.apply(time, rows, table)
        return [Sample(stamp, {"vacuum": line}) for stamp, line in zip(stamps, table, strict=True)]
