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
    spherical_basis,
    start_field,
)
from twin.channel.fields.media import Media
from twin.channel.fields.scattering import Rough, scatter_field
from twin.channel.fields.sea import OverSea
from twin.channel.fields.utd import Wedge, grazing_sines, wedge_coefficients
from twin.channel.search.edges import Edges
from twin.channel.search.hulls import Hulls
from twin.channel.search.images import DIFFRACTION, MOVING, SCATTERING, TRANSMISSION
from twin.channel.search.paths import Paths
from twin.channel.search.tiles import Tiles, solid_angle
from twin.numerics.kernels import uncounted
from twin.state import C128, F64, I32
from twin.world.bvh import Triple


class Mirrors(NamedTuple):
    """What of a scene turns a field: P planes, T triangles."""

    normal: F64  # (P, 3)
    plane: I32  # (T,)
    surface: I32  # (T,)
    tiles: Tiles


class Matter(NamedTuple):
    """What the paths of a trace may meet."""

    mirrors: Mirrors
    edges: Edges
    hulls: Hulls
    sea: OverSea
    media: Media


class Wave(NamedTuple):
    """A wave of one carrier."""

    band: int  # index of the carrier
    length: float  # m


class Way(NamedTuple):
    """Path m of pair g, from `start` to `end`."""

    paths: Paths
    g: int
    m: int
    start: Triple
    end: Triple


@uncounted
def place_of(way: Way, k: int) -> Triple:
    """Return the point k of a way: -1 its start, then its interactions, then its end."""
    if k < 0:
        return way.start
    if k >= way.paths.length[way.g, way.m]:
        return way.end
    p = way.paths.vertex[way.g, way.m, k]
    return p[0], p[1], p[2]


@uncounted
def path_transfer(matter: Matter, wave: Wave, way: Way, field: C128, transfer: C128, ends: F64) -> float:
    """Write the `transfer` (2, 2) of one path without its spread, and its directions to `ends` (2, 3).

    Rows and columns of the transfer are theta and phi about z at arrival and at departure. Returns the length [m].
    """
    media, n, length = matter.media, way.paths.length[way.g, way.m], 0.0
    d, leg = _direction(way, -1), _towards(way.start, place_of(way, 0))[1]
    start_field(field, d[0], d[1], d[2])
    ends[0, 0], ends[0, 1], ends[0, 2] = d
    for k in range(n + 1):
        length += leg
        if media.rain_rate > 0.0:
            _rain(media, wave.band, d, leg, field)
        if k == n:
            break
        leg = _towards(place_of(way, k), place_of(way, k + 1))[1]
        o = d if way.paths.kind[way.g, way.m, k] == TRANSMISSION else _direction(way, k)
        _interact(matter, wave, way, k, field, d, o)
        d = o
    ends[1, 0], ends[1, 1], ends[1, 2] = -d[0], -d[1], -d[2]
    end_transfer(field, -d[0], -d[1], -d[2], transfer)
    left = 10.0 ** (-media.gas[wave.band] * length / 20.0)
    for r in range(2):
        transfer[r, 0] *= left
        transfer[r, 1] *= left
    return length


@uncounted
def _direction(way: Way, k: int) -> Triple:
    """Return the direction from point k to the next where the path turns: a wall that it passes may be very near."""
    j = k + 1
    while j < way.paths.length[way.g, way.m] and way.paths.kind[way.g, way.m, j] == TRANSMISSION:
        j += 1
    return _towards(place_of(way, k), place_of(way, j))[0]


@uncounted
def _interact(matter: Matter, wave: Wave, way: Way, k: int, field: C128, d: Triple, o: Triple) -> None:
    """Let a wave that comes along d go on along o from the interaction k of its way."""
    kind, index = way.paths.kind[way.g, way.m, k], way.paths.what[way.g, way.m, k]
    mirrors, media = matter.mirrors, matter.media
    if kind == DIFFRACTION:
        _bend(matter.edges, index, media, wave, _legs(way, k), field, d, o)
    elif kind == SCATTERING:  # on its own: both legs end at radios
        _scatter(matter, index, wave, way, field, d, o)
    elif kind == MOVING:
        _meet(media, wave, False, matter.hulls.surface[index], matter.hulls.normal[index], field, d, o)
    else:
        normal, surface = mirrors.normal[mirrors.plane[index]], mirrors.surface[index]
        _meet(media, wave, kind == TRANSMISSION, surface, normal, field, d, o)


@uncounted
def _rain(media: Media, band: int, d: Triple, leg: float, field: C128) -> None:
    """Take from a wave along d what rain takes on `leg` metres, of its vertical part less than of its horizontal.

    Each leg by the polarisation that it has there: the same whichever end sends.
    """
    kh, ah, kv, av = media.rain[band]
    across = 10.0 ** (-1e-3 * leg * rain_db_km(media.rain_rate, kh, ah, kv, av, d[2], 1.0) / 20.0)
    along = 10.0 ** (-1e-3 * leg * rain_db_km(media.rain_rate, kh, ah, kv, av, d[2], -1.0) / 20.0)
    tx, ty, tz, _, _ = spherical_basis(d[0], d[1], d[2])
    for w in range(2):
        more = (along - across) * (field[w, 0] * tx + field[w, 1] * ty + field[w, 2] * tz)
        field[w, 0] = across * field[w, 0] + more * tx
        field[w, 1] = across * field[w, 1] + more * ty
        field[w, 2] = across * field[w, 2] + more * tz


@uncounted
def _scatter(matter: Matter, t: int, wave: Wave, way: Way, field: C128, d: Triple, o: Triple) -> None:
    """Let tile t scatter a wave that comes along d to o.

    Solid angles in place of area times cosine over distance squared hold as well for an end near the tile. The
    spread of the path's whole length is taken back.
    """
    tiles, media, mirrors = matter.mirrors.tiles, matter.media, matter.mirrors
    n, s = mirrors.normal[mirrors.plane[tiles.triangle[t]]], mirrors.surface[tiles.triangle[t]]
    face = Rough(
        media.permittivity[wave.band, s], media.thickness[s], wave.length,
        media.balance[wave.band, s], media.alpha_r[s], media.k_x[s], tiles.turn[t],
    )  # fmt: skip
    scatter_field(field, (-d[0], -d[1], -d[2]), o, n, face)
    seen = solid_angle(tiles, t, n, way.start) * solid_angle(tiles, t, n, way.end) / tiles.area[t]
    length = _towards(way.start, place_of(way, 0))[1] + _towards(place_of(way, 0), way.end)[1]
    scale, phase = media.scattering[s] * length * sqrt(seen), tiles.phase[t]
    turn = complex(scale * cos(phase), scale * sin(phase))
    for w in range(2):
        for axis in range(3):
            field[w, axis] *= turn


@uncounted
def _legs(way: Way, k: int) -> tuple[float, float, float, float]:
    """Return what lies beside the edge k of a way [m]: its start and its end, and the nearest edges, if nearer."""
    n, paths = way.paths.length[way.g, way.m], way.paths
    before, near, met = 0.0, 0.0, False
    for j in range(k - 1, -2, -1):
        before += _towards(place_of(way, j), place_of(way, j + 1))[1]
        if not met:
            near, met = before, j >= 0 and paths.kind[way.g, way.m, j] == DIFFRACTION
    after, far, met = 0.0, 0.0, False
    for j in range(k + 1, n + 1):
        after += _towards(place_of(way, j - 1), place_of(way, j))[1]
        if not met:
            far, met = after, j < n and paths.kind[way.g, way.m, j] == DIFFRACTION
    return before, after, near, far


@uncounted
def _bend(
    edges: Edges, e: int, media: Media, wave: Wave, legs: tuple[float, float, float, float], field: C128, d: Triple,
    o: Triple,
) -> None:  # fmt: skip
    """Let a wave that comes along d go on along o from edge e.

    Of several edges in a row each has the spread of a wave from its source, and the distances to its neighbours in its
    transition function.
    """
    along = edges.along[e]
    before, _, near, far = legs
    phi_in, phi_out = _angle(edges, e, (-d[0], -d[1], -d[2])), _angle(edges, e, o)
    cos_beta = d[0] * along[0] + d[1] * along[1] + d[2] * along[2]
    sin_beta = sqrt(max(1e-12, 1.0 - cos_beta * cos_beta))
    sines = grazing_sines(phi_in, phi_out, edges.open_angle[e])
    k = 2.0 * pi / wave.length
    wedge = Wedge(
        phi_in=phi_in, phi_out=phi_out, open_angle=edges.open_angle[e], sin_beta=sin_beta,
        k_length=k * near * far / (near + far) * sin_beta * sin_beta, wavenumber=k,
    )  # fmt: skip
    soft, hard = wedge_coefficients(
        wedge,
        _reflection(media, wave, edges.surface[e, 0], sin_beta * sines[0]),
        _reflection(media, wave, edges.surface[e, 1], sin_beta * sines[1]),
    )
    scale = sqrt((before + far) / (before * far))
    # Edge-fixed bases: phi' = -(e x d), phi = e x o, beta = phi x direction; both components change sign.
    a, b = _cross_unit(d, (along[0], along[1], along[2])), _cross_unit((along[0], along[1], along[2]), o)
    p, q = _cross(a, d), _cross(b, o)
    for w in range(2):
        beta = -scale * soft * (field[w, 0] * p[0] + field[w, 1] * p[1] + field[w, 2] * p[2])
        phi = -scale * hard * (field[w, 0] * a[0] + field[w, 1] * a[1] + field[w, 2] * a[2])
        field[w, 0] = beta * q[0] + phi * b[0]
        field[w, 1] = beta * q[1] + phi * b[1]
        field[w, 2] = beta * q[2] + phi * b[2]


@uncounted
def _angle(edges: Edges, e: int, d: Triple) -> float:
    """Return the angle about edge e at which a direction lies, from 0 on its first face."""
    n, t = edges.normal[e], edges.into[e]
    angle = atan2(d[0] * n[0] + d[1] * n[1] + d[2] * n[2], d[0] * t[0] + d[1] * t[1] + d[2] * t[2])
    return angle if angle >= 0.0 else angle + 2.0 * pi


@uncounted
def _cross(a: Triple, b: Triple) -> Triple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@uncounted
def _cross_unit(a: Triple, b: Triple) -> Triple:
    x, y, z = _cross(a, b)
    length = sqrt(x * x + y * y + z * z)
    if length < 1e-12:
        return 0.0, 0.0, 0.0
    return x / length, y / length, z / length


@uncounted
def _towards(a: Triple, b: Triple) -> tuple[Triple, float]:
    """Return the unit vector from a to b and their distance [m]; x where they are the same point."""
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = sqrt(dx * dx + dy * dy + dz * dz)
    if length == 0.0:
        return (1.0, 0.0, 0.0), 0.0
    return (dx / length, dy / length, dz / length), length


@uncounted
def _meet(media: Media, wave: Wave, passes: bool, surface: int, normal: F64, field: C128, d: Triple, o: Triple) -> None:
    """Let a wave that travels along d meet a surface, and leave along o."""
    n = (normal[0], normal[1], normal[2])
    cosine = min(1.0, abs(d[0] * n[0] + d[1] * n[1] + d[2] * n[2]))
    if passes:
        material = media.permittivity[wave.band, surface]
        te, tm = slab_transmission(cosine, material, media.thickness[surface], wave.length)
    else:
        te, tm = _reflection(media, wave, surface, cosine)
    act_on(field, d, o, perpendicular(d[0], d[1], d[2], n[0], n[1], n[2]), te, tm)


@uncounted
def _reflection(media: Media, wave: Wave, surface: int, cosine: float) -> tuple[complex, complex]:
    """Return the reflection coefficients (TE, TM) that roughness and scattering leave."""
    te, tm = slab_reflection(cosine, media.permittivity[wave.band, surface], media.thickness[surface], wave.length)
    if media.roughness[surface] > 0.0 or media.scattering[surface] > 0.0:
        left = sqrt(1.0 - media.scattering[surface] ** 2)
        if media.roughness[surface] > 0.0:
            left *= roughness_factor(media.roughness[surface], cosine, wave.length)
        te, tm = te * left, tm * left
    return te, tm


class Motion(NamedTuple):
    """How things move: N bodies, and a path's two ends."""

    position: F64  # (N, 3) m
    velocity: F64  # (N, 3) m/s
    turning: F64  # (N, 3) rad/s
    start: F64  # (3,) m/s
    end: F64  # (3,) m/s


@uncounted
def lengthening(hulls: Hulls, motion: Motion, way: Way, ends: F64) -> float:
    """Return the rate [m/s] at which a path's length grows: by its ends, and by the moving mirrors on it."""
    rate = 0.0
    for k in range(3):
        rate -= motion.start[k] * ends[0, k] + motion.end[k] * ends[1, k]
    for k in range(way.paths.length[way.g, way.m]):
        if way.paths.kind[way.g, way.m, k] != MOVING:
            continue
        body = hulls.owner[way.paths.what[way.g, way.m, k]]
        p = place_of(way, k)
        i, _ = _towards(place_of(way, k - 1), p)
        o, _ = _towards(p, place_of(way, k + 1))
        c, v, w = motion.position[body], motion.velocity[body], motion.turning[body]
        rx, ry, rz = p[0] - c[0], p[1] - c[1], p[2] - c[2]
        rate += (v[0] + w[1] * rz - w[2] * ry) * (i[0] - o[0])
        rate += (v[1] + w[2] * rx - w[0] * rz) * (i[1] - o[1])
        rate += (v[2] + w[0] * ry - w[1] * rx) * (i[2] - o[2])
    return rate
