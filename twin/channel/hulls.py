"""Moving things: convex hulls on bodies that block paths and reflect them, found anew at every trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from twin.kernels import kernel, uncounted  # isort: skip  before numba
from math import sqrt

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from twin.channel.images import MOVING
from twin.channel.paths import Paths
from twin.channel.planes import Scene
from twin.channel.radios import check_rows
from twin.errors import WorldError
from twin.state import F64, I32, BodyState
from twin.world.bvh import Point, Triple, closest_hit

_CLEAR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """The convex hull of points that are rigid on a body."""

    body: int  # row of BodyState
    points: F64  # (n, 3) m, body axes from the centre of mass
    material: str = "metal"


def box(body: int, size: Sequence[float], centre: Sequence[float] = (0.0, 0.0, 0.0), material: str = "metal") -> Hull:
    """Return the hull of a box of edge lengths `size` [m] about `centre`, in body axes."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    return Hull(body, corners * np.asarray(size) + np.asarray(centre), material)


class Hulls(NamedTuple):
    """H hulls with F faces in body axes, and the same in world axes at the last trace."""

    body: I32  # (H,)
    first: I32  # (H + 1,) hull h has faces first[h]:first[h + 1]
    own_normal: F64  # (F, 3)
    own_offset: F64  # (F,) m
    own_centre: F64  # (H, 3) m
    radius: F64  # (H,) m, of a sphere about the centre
    surface: I32  # (F,) index of the material
    owner: I32  # (F,) body of each face
    normal: F64  # (F, 3)
    offset: F64  # (F,) m
    centre: F64  # (H, 3) m


def hull_arrays(hulls: Sequence[Hull], materials: Sequence[str]) -> Hulls:
    """Return the arrays of `hulls`, materials as indices into `materials`.

    Raises:
        WorldError: points don't span a volume.
    """
    first, normals, offsets, surface, owner, centres, radii = [0], [], [], [], [], [], []
    for number, hull in enumerate(hulls):
        try:
            faces = np.unique(np.round(ConvexHull(hull.points).equations, 9), axis=0)
        except (QhullError, ValueError) as error:
            raise WorldError(f"hull {number} on body {hull.body} spans no volume: {error}") from error
        normals.append(faces[:, :3] / np.linalg.norm(faces[:, :3], axis=1, keepdims=True))
        offsets.append(-faces[:, 3])
        first.append(first[-1] + len(faces))
        surface += [list(materials).index(hull.material)] * len(faces)
        owner += [hull.body] * len(faces)
        centres.append(0.5 * (hull.points.min(axis=0) + hull.points.max(axis=0)))
        radii.append(np.linalg.norm(hull.points - centres[-1], axis=1).max())
    normal = np.concatenate(normals) if normals else np.zeros((0, 3))
    centre = np.array(centres, dtype=float).reshape(-1, 3)
    return Hulls(
        np.array([hull.body for hull in hulls], dtype=np.int32),
        np.array(first, dtype=np.int32),
        normal,
        np.concatenate(offsets) if offsets else np.zeros(0),
        centre,
        np.array(radii, dtype=float),
        np.array(surface, dtype=np.int32),
        np.array(owner, dtype=np.int32),
        normal.copy(),
        np.zeros(len(normal)),
        centre.copy(),
    )


def place(hulls: Hulls, bodies: BodyState) -> None:
    """Move the hulls to where their bodies are.

    Raises:
        RunError: a hull's body isn't there.
    """
    check_rows("hull", hulls.body, bodies)
    _place(hulls, bodies.position, bodies.orientation)


@uncounted
def rotate(q: F64, x: float, y: float, z: float) -> Triple:
    """Turn a vector by the quaternion q (4,), xyzw."""
    tx, ty, tz = 2.0 * (q[1] * z - q[2] * y), 2.0 * (q[2] * x - q[0] * z), 2.0 * (q[0] * y - q[1] * x)
    return (
        x + q[3] * tx + q[1] * tz - q[2] * ty,
        y + q[3] * ty + q[2] * tx - q[0] * tz,
        z + q[3] * tz + q[0] * ty - q[1] * tx,
    )


@uncounted
def _place(hulls: Hulls, position: F64, orientation: F64) -> None:
    for h in range(len(hulls.body)):
        p, q = position[hulls.body[h]], orientation[hulls.body[h]]
        c = hulls.own_centre[h]
        x, y, z = rotate(q, c[0], c[1], c[2])
        hulls.centre[h, 0], hulls.centre[h, 1], hulls.centre[h, 2] = x + p[0], y + p[1], z + p[2]
        for f in range(hulls.first[h], hulls.first[h + 1]):
            n = hulls.own_normal[f]
            x, y, z = rotate(q, n[0], n[1], n[2])
            hulls.normal[f, 0], hulls.normal[f, 1], hulls.normal[f, 2] = x, y, z
            hulls.offset[f] = hulls.own_offset[f] + x * p[0] + y * p[1] + z * p[2]


@uncounted
def hull_between(hulls: Hulls, a: Point, b: Point, body_a: int, body_b: int, but: int) -> bool:
    """Tell whether a hull lies between points a and b; those of the ends' own bodies and hull `but` don't count.

    A segment meets a convex hull where it is inside all its half-spaces at once (Cyrus and Beck, 1978).
    """
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    square = dx * dx + dy * dy + dz * dz
    for h in range(len(hulls.body)):
        if h == but or hulls.body[h] == body_a or hulls.body[h] == body_b:
            continue
        x, y, z = hulls.centre[h, 0] - a[0], hulls.centre[h, 1] - a[1], hulls.centre[h, 2] - a[2]
        t = 0.0
        if square > 0.0:
            t = min(1.0, max(0.0, (x * dx + y * dy + z * dz) / square))
        x, y, z = x - t * dx, y - t * dy, z - t * dz
        if x * x + y * y + z * z > hulls.radius[h] * hulls.radius[h]:
            continue
        enter, leave = 0.0, 1.0
        for f in range(hulls.first[h], hulls.first[h + 1]):
            n = hulls.normal[f]
            slope = dx * n[0] + dy * n[1] + dz * n[2]
            room = hulls.offset[f] - (a[0] * n[0] + a[1] * n[1] + a[2] * n[2])
            if slope > 0.0:
                leave = min(leave, room / slope)
            elif slope < 0.0:
                enter = max(enter, room / slope)
            elif room < 0.0:
                leave = -1.0
        if enter < leave:
            return True
    return False


@kernel
def block(hulls: Hulls, position: F64, place_body: I32, first: I32, second: I32, paths: Paths) -> None:
    """Take from `paths` those that a hull crosses; `first` and `second` (G,) are the places of each pair."""
    for g in range(len(first)):
        a, b = first[g], second[g]
        kept = 0
        for m in range(min(paths.found[g], paths.length.shape[1])):
            crossed = False
            here = position[a]
            for k in range(paths.length[g, m] + 1):
                there = position[b] if k == paths.length[g, m] else paths.vertex[g, m, k]
                crossed = crossed or hull_between(hulls, here, there, place_body[a], place_body[b], -1)
                here = there
            if crossed:
                continue
            if kept != m:
                paths.length[g, kept] = paths.length[g, m]
                paths.kind[g, kept] = paths.kind[g, m]
                paths.what[g, kept] = paths.what[g, m]
                paths.vertex[g, kept] = paths.vertex[g, m]
            kept += 1
        if paths.found[g] <= paths.length.shape[1]:
            paths.found[g] = kept


@kernel
def reflect(scene: Scene, hulls: Hulls, position: F64, place_body: I32, first: I32, second: I32, paths: Paths) -> None:
    """Append to `paths` the paths with one reflection, on a face of a hull; nothing else may lie in their way."""
    vertex = np.zeros(3)
    for g in range(len(first)):
        a, b = position[first[g]], position[second[g]]
        body_a, body_b = place_body[first[g]], place_body[second[g]]
        for h in range(len(hulls.body)):
            if hulls.body[h] == body_a or hulls.body[h] == body_b:
                continue
            for f in range(hulls.first[h], hulls.first[h + 1]):
                if not _bounce(hulls, h, f, a, b, vertex):
                    continue
                n = hulls.normal[f]
                point = (vertex[0] + _CLEAR * n[0], vertex[1] + _CLEAR * n[1], vertex[2] + _CLEAR * n[2])
                if (
                    _met(scene, point, a)
                    or _met(scene, point, b)
                    or hull_between(hulls, vertex, a, body_a, body_b, h)
                    or hull_between(hulls, vertex, b, body_a, body_b, h)
                ):
                    continue
                m = paths.found[g]
                paths.found[g] = m + 1
                if m < paths.length.shape[1]:
                    paths.length[g, m] = 1
                    paths.kind[g, m, 0], paths.what[g, m, 0] = MOVING, f
                    paths.vertex[g, m, 0] = vertex


@uncounted
def _bounce(hulls: Hulls, h: int, f: int, a: Point, b: Point, vertex: F64) -> bool:
    """Write the point of reflection on face f of hull h; tell whether it is on the face, seen from outside."""
    n, d = hulls.normal[f], hulls.offset[f]
    side_a = a[0] * n[0] + a[1] * n[1] + a[2] * n[2] - d
    side_b = b[0] * n[0] + b[1] * n[1] + b[2] * n[2] - d
    if side_a <= 0.0 or side_b <= 0.0:
        return False
    t = side_a / (side_a + side_b)
    for k in range(3):
        # a + t (b - a) less its height above the plane: both are linear along the unfolded line
        vertex[k] = a[k] - side_a * n[k] + t * (b[k] - side_b * n[k] - a[k] + side_a * n[k])
    for other in range(hulls.first[h], hulls.first[h + 1]):
        m = hulls.normal[other]
        if other != f and vertex[0] * m[0] + vertex[1] * m[1] + vertex[2] * m[2] > hulls.offset[other]:
            return False
    return True


@uncounted
def _met(scene: Scene, point: Point, end: Point) -> bool:
    dx, dy, dz = end[0] - point[0], end[1] - point[1], end[2] - point[2]
    length = sqrt(dx * dx + dy * dy + dz * dz)
    if length == 0.0:
        return False
    return closest_hit(scene.bvh, point, (dx, dy, dz), 0.0, 1.0)[0] >= 0
