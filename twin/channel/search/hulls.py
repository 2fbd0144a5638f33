"""Moving things: convex hulls on bodies, where they are now, and which of them are large enough to matter where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twin.channel.radios import check_rows
from twin.errors import WorldError
from twin.numerics.kernels import uncounted
from twin.state import F64, I32, BodyState, Bool
from twin.world.bvh import Triple

ZONE = 0.5
"""Radius, as a part of that of the first Fresnel zone, below which a hull neither blocks nor reflects a path."""


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


def _faces(number: int, hull: Hull) -> F64:
    """Return outward normals and offsets (F, 4) of the planes of a hull."""
    from scipy.spatial import ConvexHull, QhullError  # a fifth of a second, for those with hulls only

    try:
        faces: F64 = np.unique(np.round(ConvexHull(hull.points).equations, 9), axis=0)
    except (QhullError, ValueError) as error:
        raise WorldError(f"hull {number} on body {hull.body} spans no volume: {error}") from error
    return faces


def hull_arrays(hulls: Sequence[Hull], materials: Sequence[str]) -> Hulls:
    """Return the arrays of `hulls`, materials as indices into `materials`.

    Raises:
        WorldError: points don't span a volume.
    """
    first, normals, offsets, surface, owner, centres, radii = [0], [], [], [], [], [], []
    for number, hull in enumerate(hulls):
        faces = _faces(number, hull)
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


class Nearby(NamedTuple):
    """Which of H hulls can matter to paths that begin or end at each of P places."""

    size: I32  # (P,)
    hull: I32  # (P, H) the first `size` are used
    listed: Bool  # (P, H)
    gap: F64  # (P, H) m, between a place and the ball about a hull; 0 inside
    both: I32  # (H,) scratch: those that can matter to one pair of places
    ball: F64  # (4, H) scratch: centres of `both`, and the squares of their radii, a little larger


def make_nearby(places: int, hulls: int) -> Nearby:
    """Return empty lists."""
    shape = (places, hulls)
    return Nearby(np.zeros(places, dtype=np.int32), np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.bool_),
                  np.zeros(shape), np.zeros(hulls, dtype=np.int32), np.zeros((4, hulls)))  # fmt: skip


@uncounted
def list_nearby(hulls: Hulls, wavelength: float, position: F64, nearby: Nearby) -> None:
    """Fill the lists for `position` (P, 3).

    The first Fresnel zone of a path has the radius sqrt(wavelength d1 d2 / (d1 + d2)) at distances d1 and d2 from
    its ends (Recommendation ITU-R P.526, 2.3), which is more than that of wavelength min(d1, d2) / 2.
    """
    for p in range(len(position)):
        count = 0
        for h in range(len(hulls.body)):
            x, y, z = (
                hulls.centre[h, 0] - position[p, 0],
                hulls.centre[h, 1] - position[p, 1],
                hulls.centre[h, 2] - position[p, 2],
            )
            reach = 2.0 * hulls.radius[h] ** 2 / (ZONE * ZONE * wavelength) + hulls.radius[h]
            square = x * x + y * y + z * z
            nearby.gap[p, h] = max(0.0, np.sqrt(square) - hulls.radius[h])
            nearby.listed[p, h] = square <= reach * reach
            if nearby.listed[p, h]:
                nearby.hull[p, count] = h
                count += 1
        nearby.size[p] = count


@uncounted
def is_small(hulls: Hulls, h: int, wavelength: float, before: float, after: float) -> bool:
    """Tell whether hull h is small beside the Fresnel zone of a path, so far [m] from its two ends."""
    radius = hulls.radius[h]
    return bool(radius * radius * (before + after) < ZONE * ZONE * wavelength * before * after)
