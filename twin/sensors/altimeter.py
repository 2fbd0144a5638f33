"""A lidar that looks down: how far it is to the world or another robot along the body's -z axis."""

from __future__ import annotations

from collections.abc import Mapping

from twin.kernels import kernel  # isort: skip  before numba
import numpy as np
from scipy.spatial.transform import Rotation

from twin.sensors.errors import Delay, Noise
from twin.sensors.field import Field, Setting
from twin.sensors.lidar import shadow
from twin.specs import AltimeterSpec, RobotKind
from twin.state import F64, I64, BodyState, Sample
from twin.world.bvh import MISS, Bvh, closest_hit


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

    def read(self, time: int, bodies: BodyState, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        table = np.empty((len(index), 1))
        turn = np.ascontiguousarray(Rotation.from_quat(bodies.orientation).as_matrix())
        mount = np.array(self._spec.mount)
        _look(self._bvh, bodies.position, turn, self._boxes, index, mount, self._spec.range, table)
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        np.clip(table, 0.0, self._spec.range, out=table)
        return [Sample(stamp, {"range_below": line}) for stamp, line in zip(stamps, table, strict=True)]


@kernel
def _look(bvh: Bvh, position: F64, turn: F64, boxes: F64, index: I64, mount: F64, far: float, out: F64) -> None:
    ray = np.empty((1, 3))
    for i in range(index.size):
        me = index[i]
        at = position[me] + turn[me] @ mount
        ray[0] = -turn[me, :, 2]
        face, distance = closest_hit(bvh, (at[0], at[1], at[2]), (ray[0, 0], ray[0, 1], ray[0, 2]), 0.0, far)
        out[i, 0] = far if face == MISS else distance
        for other in range(boxes.shape[0]):
            if other != me and boxes[other, 0] < boxes[other, 3]:
                shadow(at - position[other], ray, turn[other].T, boxes[other], far, out[i])
