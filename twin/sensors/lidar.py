"""A lidar that scans one plane: the world by its rays, other robots as boxes."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import NamedTuple

import numpy as np

from twin.mechanism.urdf import collision_points
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, dot, quaternion_of, rotate, unrotate
from twin.numerics.vectors import minus, plus, row_of
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import LidarSpec, RobotKind
from twin.state import F64, I64, Sample, Truth
from twin.world.bvh import Bvh, closest_hit

_WIDER = 1.0 + 1e-6
"""By how much more a beam is tried than the ball round a box says: rounding may lose none."""


def outline(kind: RobotKind) -> F64:
    """Return the lowest and highest corner (6,) m of the box round a robot's root link, from its centre of mass."""
    points = np.empty((0, 3)) if kind.body is None else collision_points(kind.body.urdf)
    if not len(points):
        return np.repeat([np.inf, -np.inf], 3)  # holds nothing
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


class Crowd(NamedTuple):
    """All bodies of the twin as boxes."""

    position: F64  # (N, 3) m
    orientation: F64  # (N, 4) xyzw
    boxes: F64  # (N, 6) m, low and high corner in body axes from the centre of mass


class Lidar:
    """Reads ranges (B,): beam i looks i / B of the field of view counter-clockwise from its right end.

    Beams end at the first face of the world, at the box round another robot's root link, or at the range.
    """

    def __init__(self, spec: LidarSpec, setting: Setting) -> None:
        self._spec, self._bvh, self._boxes = spec, setting.world.bvh, setting.outlines
        angles = beam_angles(spec)
        self._beams = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self._delay = Delay(spec.delay, len(setting.names))
        self._noise = Noise("lidar", setting.names, setting.seed, np.full(spec.beams, spec.noise))

    @staticmethod
    def fields(spec: LidarSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        what = f"counter-clockwise from {np.degrees(beam_angles(spec)[0]):.4g} deg; {spec.range:g} is nothing"
        return {"ranges": Field(spec.beams, "m", what, spec.noise, "m")}

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        far, table = self._spec.range, np.empty((len(index), len(self._beams)))
        others = Crowd(position=bodies.position, orientation=bodies.orientation, boxes=self._boxes)
        _scan(self._bvh, others, index, self._spec.mount, self._beams, far, table)
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        table = np.minimum(np.maximum(table, 0.0), far)
        return [Sample(stamp, {"ranges": line}) for stamp, line in zip(stamps, table, strict=True)]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)


def beam_angles(spec: LidarSpec) -> F64:
    """Return the angle (B,) [rad] of each beam, from the robot's x axis: the whole turn once, or both ends."""
    whole = spec.view >= 2 * pi
    return np.linspace(-spec.view / 2, spec.view / 2, spec.beams, endpoint=not whole)


@kernel
def _scan(bvh: Bvh, crowd: Crowd, index: I64, mount: Vector, beams: F64, far: float, out: F64) -> None:
    rays = np.empty((len(beams), 3))
    for i in range(index.size):
        me = index[i]
        turn = quaternion_of(crowd.orientation, me)
        at = plus(row_of(crowd.position, me), rotate(turn, mount))
        ahead, left = rotate(turn, (1.0, 0.0, 0.0)), rotate(turn, (0.0, 1.0, 0.0))
        for b in range(len(beams)):
            for k in range(3):
                rays[b, k] = beams[b, 0] * ahead[k] + beams[b, 1] * left[k]
        out[i] = far
        shadows(crowd, me, at, rays, out[i])
        for b in range(len(beams)):  # only as far as the nearest box: the world behind it isn't seen
            _, out[i, b] = closest_hit(bvh, at, row_of(rays, b), 0.0, out[i, b])


@kernel
def shadows(crowd: Crowd, me: int, at: Vector, rays: F64, out: F64) -> None:
    """Shorten the beams (B,) from `at` along unit vectors `rays` (B, 3) that meet the box of a body but `me`."""
    far, boxes = out.max(), crowd.boxes
    for other in range(len(boxes)):
        low = (boxes[other, 0], boxes[other, 1], boxes[other, 2])
        high = (boxes[other, 3], boxes[other, 4], boxes[other, 5])
        if other == me or low[0] >= high[0]:
            continue
        gap = minus(at, row_of(crowd.position, other))
        corner = (max(abs(low[0]), abs(high[0])), max(abs(low[1]), abs(high[1])), max(abs(low[2]), abs(high[2])))
        square, reach = dot(gap, gap), dot(corner, corner)  # m2; the box is within a ball of radius sqrt(reach)
        if square > (far + np.sqrt(reach)) ** 2:
            continue
        turn = quaternion_of(crowd.orientation, other)
        start = unrotate(turn, gap)
        for b in range(out.size):
            ray = row_of(rays, b)
            ahead = -dot(ray, gap)
            if square <= reach or (ahead > 0.0 and square - ahead * ahead <= reach * _WIDER):
                out[b] = _reach(start, unrotate(turn, ray), low, high, out[b])


@kernel
def _reach(start: Vector, ray: Vector, low: Vector, high: Vector, far: float) -> float:
    """Return how far a beam goes until it meets a box; `far` if it misses."""
    near, end = 0.0, far
    for k in range(3):
        if abs(ray[k]) < 1e-12:
            if start[k] < low[k] or start[k] > high[k]:
                return far
            continue
        a, b = (low[k] - start[k]) / ray[k], (high[k] - start[k]) / ray[k]
        near, end = max(near, min(a, b)), min(end, max(a, b))
    return near if near <= end else far
