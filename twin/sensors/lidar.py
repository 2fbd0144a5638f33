"""A lidar that scans one plane: the world by its rays, other robots as boxes."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi

from twin.kernels import kernel  # isort: skip  before numba
import numpy as np
from scipy.spatial.transform import Rotation

from twin.mechanism.urdf import collision_points
from twin.sensors.errors import Delay, Noise
from twin.sensors.field import Field, Setting
from twin.specs import LidarSpec, RobotKind
from twin.state import F64, I64, BodyState, Sample
from twin.world.bvh import MISS, Bvh, closest_hit


def outline(kind: RobotKind) -> F64:
    """Return the lowest and highest corner (6,) m of the box round a robot's root link, from its centre of mass."""
    points = np.empty((0, 3)) if kind.body is None else collision_points(kind.body.urdf)
    if not len(points):
        return np.repeat([np.inf, -np.inf], 3)  # holds nothing
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


class Lidar:
    """Reads ranges (B,): beam i looks i / B of the field of view counter-clockwise from its right end.

    Beams end at the first face of the world, at the box round another robot's root link, or at the range.
    """

    def __init__(self, spec: LidarSpec, setting: Setting) -> None:
        self._spec, self._bvh, self._boxes = spec, setting.world.bvh, setting.outlines
        self._angles = beam_angles(spec)
        self._mount = np.array(spec.mount)
        self._delay = Delay(spec.delay, len(setting.names))
        self._noise = Noise("lidar", setting.names, setting.seed, np.full(spec.beams, spec.noise))

    @staticmethod
    def fields(spec: LidarSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        what = f"counter-clockwise from {np.degrees(beam_angles(spec)[0]):.4g} deg; {spec.range:g} is nothing"
        return {"ranges": Field(spec.beams, "m", what, spec.noise, "m")}

    def read(self, time: int, bodies: BodyState, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        table = np.empty((len(index), len(self._angles)))
        turn = np.ascontiguousarray(Rotation.from_quat(bodies.orientation).as_matrix())
        _scan(self._bvh, bodies.position, turn, self._boxes, index, self._mount, self._angles, self._spec.range, table)
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        np.clip(table, 0.0, self._spec.range, out=table)
        return [Sample(stamp, {"ranges": line}) for stamp, line in zip(stamps, table, strict=True)]


def beam_angles(spec: LidarSpec) -> F64:
    """Return the angle (B,) [rad] of each beam, from the robot's x axis: the whole turn once, or both ends."""
    whole = spec.view >= 2 * pi
    return np.linspace(-spec.view / 2, spec.view / 2, spec.beams, endpoint=not whole)


@kernel
def _scan(
    bvh: Bvh, position: F64, turn: F64, boxes: F64, index: I64, mount: F64, angles: F64, far: float, out: F64
) -> None:
    rays = np.empty((angles.size, 3))
    for i in range(index.size):
        me = index[i]
        at = position[me] + turn[me] @ mount
        for b in range(angles.size):
            rays[b] = np.cos(angles[b]) * turn[me, :, 0] + np.sin(angles[b]) * turn[me, :, 1]
            face, distance = closest_hit(
                bvh, (at[0], at[1], at[2]), (rays[b, 0], rays[b, 1], rays[b, 2]), 0.0, far
            )
            out[i, b] = far if face == MISS else distance
        for other in range(boxes.shape[0]):
            if other != me and boxes[other, 0] < boxes[other, 3]:
                shadow(at - position[other], rays, turn[other].T, boxes[other], far, out[i])


@kernel
def shadow(gap: F64, rays: F64, turn: F64, box: F64, far: float, out: F64) -> None:
    """Shorten the beams (B,) that meet a box, which lies `gap` from their start; `turn` leads into its axes."""
    reach = np.sqrt(np.sum(np.maximum(np.abs(box[:3]), np.abs(box[3:])) ** 2))
    if np.sum(gap * gap) > (far + reach) ** 2:
        return
    start = turn @ gap
    for b in range(out.size):
        near, end = 0.0, out[b]
        for k in range(3):
            ray = turn[k, 0] * rays[b, 0] + turn[k, 1] * rays[b, 1] + turn[k, 2] * rays[b, 2]
            if abs(ray) < 1e-12:
                if start[k] < box[k] or start[k] > box[3 + k]:
                    end = -1.0
                continue
            low, high = (box[k] - start[k]) / ray, (box[3 + k] - start[k]) / ray
            near, end = max(near, min(low, high)), min(end, max(low, high))
        if near <= end:
            out[b] = near
