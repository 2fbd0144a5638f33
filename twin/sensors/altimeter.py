"""A lidar that looks down: how far it is to the world or another robot along the body's -z axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, quaternion_of, rotate
from twin.numerics.vectors import plus, row_of
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.lidar import Crowd, shadows
from twin.sensors.setting import Setting
from twin.specs import AltimeterSpec, RobotKind
from twin.state import F64, I64, Readings, Truth
from twin.world.bvh import Bvh, closest_hit


class Altimeter:
    """Reads range_below (1,): along the ray, so that a tilted robot reads more than its height."""

    def __init__(self, spec: AltimeterSpec, setting: Setting) -> None:
        self._spec, self._bvh, self._boxes = spec, setting.world.bvh, setting.outlines
        self._delay = Delay(spec.delay, len(setting.names))
        self._noise = Noise("altimeter", setting.names, setting.seed, np.array([spec.noise]))

    @staticmethod
    def fields(spec: AltimeterSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {"range_below": Field(1, "m", f"along body -z; {spec.range:g} is nothing", spec.noise, "m")}

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        far, table = self._spec.range, np.empty((len(index), 1))
        others = Crowd(position=bodies.position, orientation=bodies.orientation, boxes=self._boxes)
        _look(self._bvh, others, index, self._spec.mount, far, table)
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        table = np.minimum(np.maximum(table, 0.0), far)
        return Readings(stamps, {"range_below": table})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)


@kernel
def _look(bvh: Bvh, crowd: Crowd, index: I64, mount: Vector, far: float, out: F64) -> None:
    ray = np.empty((1, 3))
    for i in range(index.size):
        me = index[i]
        turn = quaternion_of(crowd.orientation, me)
        at = plus(row_of(crowd.position, me), rotate(turn, mount))
        ray[0, 0], ray[0, 1], ray[0, 2] = rotate(turn, (0.0, 0.0, -1.0))
        out[i] = far
        shadows(crowd, me, at, ray, out[i])
        _, out[i, 0] = closest_hit(bvh, at, row_of(ray, 0), 0.0, out[i, 0])
