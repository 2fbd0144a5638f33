"""What a path does to the field that travels it: every surface it meets, and its length."""

from __future__ import annotations

from math import atan2, cos, pi, sin, sqrt
from typing import NamedTuple

from twin.channel.fields.atmosphere import rain_db_km, roughness_factor
from twin.channel.fields.fields import (
    act_on,
    end_transfer,
    perpendicular,
    slab_reflection,
    slab_transmission,
    start_field,
)
from twin.channel.fields.media import Media
from twin.channel.fields.scattering import scatter_field
from twin.channel.fields.utd import wedge_coefficients
from twin.channel.search.edges import Edges
from twin.channel.search.hulls import Hulls
from twin.channel.search.images import DIFFRACTION, MOVING, SCATTERING, TRANSMISSION
from twin.channel.search.paths import Paths
from twin.channel.search.tiles import Tiles, solid_angle
from twin.numerics.kernels import uncounted
from twin.state import C128, F64, I32
from twin.world.bvh import Point, Triple


class Mirrors(NamedTuple):
    """What of a scene turns a field: P planes, T triangles."""

    normal: F64  # (P, 3)
    plane: I32  # (T,)
    surface: I32  # (T,)
    tiles: Tiles


@uncounted
def path_transfer(
    mirrors: Mirrors, edges: Edges, hulls: Hulls, media: Media, carrier: int, wavelength: float, paths: Paths,
    pair: int, m: int, start: Point, end: Point, field: C128, transfer: C128, ends: F64,
) -> float:  # fmt: skip
    """Write the `transfer` (2, 2) of one path without its spread, and its directions to `ends` (2, 3).

    Rows and columns of the transfer are theta and phi about z at arrival and at departure. Returns the length [m].
    """
    n = paths.length[pair, m]
    length, rain_h, rain_v = 0.0, 0.0, 0.0
    here = start
    there = end if n == 0 else paths.vertex[pair, m, 0]
    dx, dy, dz, leg = _towards(here, there)
    start_field(field, dx, dy, dz)
    ends[0, 0], ends[0, 1], ends[0, 2] = dx, dy, dz
    for k in range(n + 1):
        length += leg
        if media.rain_rate > 0.0:
            kh, ah, kv, av = media.rain[carrier]
            rain_h += 1e-3 * leg * rain_db_km(media.rain_rate, kh, ah, kv, av, dz, 1.0)
            rain_v += 1e-3 * leg * rain_db_km(media.rain_rate, kh, ah, kv, av, dz, -1.0)
        if k == n:
            break
        here = there
        there = end if k == n - 1 else paths.vertex[pair, m, k + 1]
        ox, oy, oz, leg = _towards(here, there)
        kind, index = paths.kind[pair, m, k], paths.what[pair, m, k]
        if kind == DIFFRACTION:
            rest = leg + _length_from(paths, pair, m, k + 1, end)
            _bend(edges, index, media, carrier, wavelength, length, rest, field, dx, dy, dz, ox, oy, oz)
        elif kind == SCATTERING:  # on its own: both legs end at radios
            a, b = (-dx, -dy, -dz), (ox, oy, oz)
            _scatter(mirrors, index, media, carrier, wavelength, field, start, end, a, b, length + leg)
        elif kind == MOVING:
            normal, surface = hulls.normal[index], hulls.surface[index]
            _meet(media, carrier, wavelength, False, surface, normal, field, dx, dy, dz, ox, oy, oz)
        else:
            normal, surface = mirrors.normal[mirrors.plane[index]], mirrors.surface[index]
            _meet(media, carrier, wavelength, kind == TRANSMISSION, surface, normal, field, dx, dy, dz, ox, oy, oz)
        dx, dy, dz = ox, oy, oz
    ends[1, 0], ends[1, 1], ends[1, 2] = -dx, -dy, -dz
    end_transfer(field, -dx, -dy, -dz, transfer)
    _absorb(media.gas[carrier] * length, rain_h, rain_v, transfer)
    return length


@uncounted
def _absorb(gas: float, rain_h: float, rain_v: float, transfer: C128) -> None:
    """Take from a transfer what gas and rain (horizontal and vertical) lose [dB]."""
    along = 10.0 ** (-(gas + rain_v) / 20.0)
    across = along if rain_h == rain_v else 10.0 ** (-(gas + rain_h) / 20.0)
    for r in range(2):
        transfer[r, 0] *= along
        transfer[r, 1] *= across


@uncounted
def _scatter(
    mirrors: Mirrors, t: int, media: Media, carrier: int, wavelength: float, field: C128, start: Point, end: Point,
    a: Triple, b: Triple, length: float,
) -> None:  # fmt: skip
    """Let tile t scatter a wave from `start`, in direction a seen from it, to `end`, in direction b.

    Solid angles in place of area times cosine over distance squared hold as well for an end near the tile. The
    spread of the path's whole `length` [m] is taken back.
    """
    tiles = mirrors.tiles
    n, s = mirrors.normal[mirrors.plane[tiles.triangle[t]]], mirrors.surface[tiles.triangle[t]]
    scatter_field(
        field, a, b, n, media.permittivity[carrier, s], media.thickness[s], wavelength, media.balance[carrier, s],
        media.alpha_r[s], media.k_x[s], tiles.turn[t],
    )  # fmt: skip
    seen = solid_angle(tiles, t, n, start) * solid_angle(tiles, t, n, end) / tiles.area[t]
    scale, phase = media.scattering[s] * length * sqrt(seen), tiles.phase[t]
    turn = complex(scale * cos(phase), scale * sin(phase))
    for w in range(2):
        for axis in range(3):
            field[w, axis] *= turn


@uncounted
def _length_from(paths: Paths, pair: int, m: int, k: int, end: Point) -> float:
    """Return the length [m] of a path from its vertex k to its end."""
    n = paths.length[pair, m]
    total = 0.0
    for j in range(k, n):
        there = end if j == n - 1 else paths.vertex[pair, m, j + 1]
        total += _towards(paths.vertex[pair, m, j], there)[3]
    return total


@uncounted
def _bend(
    edges: Edges,
    e: int,
    media: Media,
    carrier: int,
    wavelength: float,
    before: float,
    after: float,
    field: C128,
    dx: float,
    dy: float,
    dz: float,
    ox: float,
    oy: float,
    oz: float,
) -> None:
    """Let a wave that comes along d, `before` metres from its origin, go on along o for `after` metres."""
    ex, ey, ez = edges.along[e, 0], edges.along[e, 1], edges.along[e, 2]
    phi_in, phi_out = _angle(edges, e, -dx, -dy, -dz), _angle(edges, e, ox, oy, oz)
    cos_beta = dx * ex + dy * ey + dz * ez
    sin_beta = sqrt(max(1e-12, 1.0 - cos_beta * cos_beta))
    incidence = abs(sin_beta * cos(0.5 * (phi_out - phi_in)))
    first, second = edges.surface[e, 0], edges.surface[e, 1]
    r0_te, r0_tm = _reflection(media, carrier, first, incidence, wavelength)
    rn_te, rn_tm = _reflection(media, carrier, second, incidence, wavelength)
    k = 2.0 * pi / wavelength
    k_length = k * before * after / (before + after) * sin_beta * sin_beta
    soft, hard = wedge_coefficients(
        phi_in, phi_out, edges.open_angle[e], sin_beta, k_length, k, r0_te, r0_tm, rn_te, rn_tm
    )
    scale = sqrt((before + after) / (before * after))
    # Edge-fixed bases: phi' = -(e x d), phi = e x o, beta = phi x direction; both components change sign.
    ax, ay, az = _cross_unit(dx, dy, dz, ex, ey, ez)
    bx, by, bz = _cross_unit(ex, ey, ez, ox, oy, oz)
    px, py, pz = ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx
    qx, qy, qz = by * oz - bz * oy, bz * ox - bx * oz, bx * oy - by * ox
    for w in range(2):
        beta = -scale * soft * (field[w, 0] * px + field[w, 1] * py + field[w, 2] * pz)
        phi = -scale * hard * (field[w, 0] * ax + field[w, 1] * ay + field[w, 2] * az)
        field[w, 0] = beta * qx + phi * bx
        field[w, 1] = beta * qy + phi * by
        field[w, 2] = beta * qz + phi * bz


@uncounted
def _angle(edges: Edges, e: int, x: float, y: float, z: float) -> float:
    """Return the angle about edge e at which a direction lies, from 0 on its first face."""
    n, t = edges.normal[e], edges.into[e]
    angle = atan2(x * n[0] + y * n[1] + z * n[2], x * t[0] + y * t[1] + z * t[2])
    return angle if angle >= 0.0 else angle + 2.0 * pi


@uncounted
def _cross_unit(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Triple:
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    length = sqrt(x * x + y * y + z * z)
    if length < 1e-12:
        return 0.0, 0.0, 0.0
    return x / length, y / length, z / length


@uncounted
def _towards(a: Point, b: Point) -> tuple[float, float, float, float]:
    """Return the unit vector from a to b and their distance; x where they are the same point."""
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = sqrt(dx * dx + dy * dy + dz * dz)
    if length == 0.0:
        return 1.0, 0.0, 0.0, 0.0
    return dx / length, dy / length, dz / length, length


@uncounted
def _meet(
    media: Media,
    carrier: int,
    wavelength: float,
    passes: bool,
    surface: int,
    normal: F64,
    field: C128,
    dx: float,
    dy: float,
    dz: float,
    ox: float,
    oy: float,
    oz: float,
) -> None:
    """Let a wave that travels along d meet a surface, and leave along o."""
    nx, ny, nz = normal[0], normal[1], normal[2]
    cosine = min(1.0, abs(dx * nx + dy * ny + dz * nz))
    if passes:
        te, tm = slab_transmission(cosine, media.permittivity[carrier, surface], media.thickness[surface], wavelength)
    else:
        te, tm = _reflection(media, carrier, surface, cosine, wavelength)
    sx, sy, sz = perpendicular(dx, dy, dz, nx, ny, nz)
    act_on(field, dx, dy, dz, ox, oy, oz, sx, sy, sz, te, tm)


@uncounted
def _reflection(media: Media, carrier: int, surface: int, cosine: float, wavelength: float) -> tuple[complex, complex]:
    """Return the reflection coefficients (TE, TM) that roughness and scattering leave."""
    te, tm = slab_reflection(cosine, media.permittivity[carrier, surface], media.thickness[surface], wavelength)
    if media.roughness[surface] > 0.0 or media.scattering[surface] > 0.0:
        left = sqrt(1.0 - media.scattering[surface] ** 2)
        if media.roughness[surface] > 0.0:
            left *= roughness_factor(media.roughness[surface], cosine, wavelength)
        te, tm = te * left, tm * left
    return te, tm


@uncounted
def lengthening(
    hulls: Hulls,
    body_velocity: F64,
    turning: F64,
    body_position: F64,
    paths: Paths,
    pair: int,
    m: int,
    start: Point,
    end: Point,
    va: F64,
    vb: F64,
    ends: F64,
) -> float:
    """Return the rate [m/s] at which a path's length grows: by its ends, and by the moving mirrors on it."""
    rate = 0.0
    for k in range(3):
        rate -= va[k] * ends[0, k] + vb[k] * ends[1, k]
    n = paths.length[pair, m]
    for k in range(n):
        if paths.kind[pair, m, k] != MOVING:
            continue
        body = hulls.owner[paths.what[pair, m, k]]
        p = paths.vertex[pair, m, k]
        before = start if k == 0 else paths.vertex[pair, m, k - 1]
        after = end if k == n - 1 else paths.vertex[pair, m, k + 1]
        ix, iy, iz, _ = _towards(before, p)
        ox, oy, oz, _ = _towards(p, after)
        c, v, w = body_position[body], body_velocity[body], turning[body]
        rx, ry, rz = p[0] - c[0], p[1] - c[1], p[2] - c[2]
        rate += (v[0] + w[1] * rz - w[2] * ry) * (ix - ox)
        rate += (v[1] + w[2] * rx - w[0] * rz) * (iy - oy)
        rate += (v[2] + w[0] * ry - w[1] * rx) * (iz - oz)
    return rate
