"""From paths to links: antennas, beams, Doppler, the strongest paths in order of delay, and spreads."""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.fields.antennas import Antennas, array_phases, choose_beams, polarised
from twin.channel.fields.fields import spherical_basis, spread
from twin.channel.fields.sea import over_sea
from twin.channel.fields.transfer import Matter, Motion, Wave, Way, lengthening, path_transfer
from twin.channel.search.paths import Paths
from twin.link import SPEED_OF_LIGHT
from twin.numerics.kernels import kernel, uncounted
from twin.numerics.sorting import ascending
from twin.state import C128, F64, I32, I64, Bool
from twin.world.bvh import Triple


class Output(NamedTuple):
    """Arrays of TracedLinks; P has room for all paths."""

    gain: F64  # (L,) power gain
    los: Bool  # (L,)
    k_factor: F64  # (L,)
    delay_spread: F64  # (L,)
    doppler_spread: F64  # (L,)
    angular_spread: F64  # (L, 2)
    dropped: F64  # (L,) power gain
    beam: I32  # (L, 2)
    offset: I64  # (L + 1,)
    amplitude: C128  # (P,)
    element: C128  # (P,)
    phases: F64  # (2, P, 2)
    delay: F64  # (P,)
    doppler: F64  # (P,)
    departure: F64  # (P, 3)
    arrival: F64  # (P, 3)
    transfer: C128  # (P, 2, 2)
    slot: I32  # (P,) place of the path among those of its pair
    beam_gain: C128  # (2, P) of the beams chosen, on each path


def make_output(links: int, paths: int) -> Output:
    """Return arrays for `assemble` to fill."""
    return Output(
        np.zeros(links),
        np.zeros(links, dtype=np.bool_),
        np.zeros(links),
        np.zeros(links),
        np.zeros(links),
        np.zeros((links, 2)),
        np.zeros(links),
        np.full((links, 2), -1, dtype=np.int32),
        np.zeros(links + 1, dtype=np.int64),
        np.empty(paths, dtype=np.complex128),
        np.empty(paths, dtype=np.complex128),
        np.zeros((2, paths, 2)),
        np.empty(paths),
        np.empty(paths),
        np.empty((paths, 3)),
        np.empty((paths, 3)),
        np.empty((paths, 2, 2), dtype=np.complex128),
        np.empty(paths, dtype=np.int32),
        np.ones((2, paths), dtype=np.complex128),
    )


class Ends(NamedTuple):
    """The radios of the links at one instant: R radios."""

    place: I32  # (R,) place of each radio
    position: F64  # (places, 3)
    velocity: F64  # (places, 3)
    axes: F64  # (R, 3, 3) antenna axes to world axes
    carrier: F64  # (R,) Hz
    band: I32  # (R,) index of the carrier
    gain: F64  # (R,) amplitude
    body_position: F64  # (N, 3)
    body_velocity: F64  # (N, 3)
    body_turning: F64  # (N, 3)


class Scratch(NamedTuple):
    """Room for one path."""

    field: C128  # (2, 3) two waves
    transfer: C128  # (2, 2)
    angles: F64  # (2, 3) directions at both ends


class Pairing(NamedTuple):
    """L links between radios a and b, and the pair of places of each."""

    a: I32  # (L,)
    b: I32  # (L,)
    pair: I32  # (L,)


def scratch() -> Scratch:
    """Return scratch for `assemble`."""
    return Scratch(
        np.zeros((2, 3), dtype=np.complex128), np.zeros((2, 2), dtype=np.complex128), np.zeros((2, 3))
    )


@uncounted
def assemble(
    matter: Matter, antennas: Antennas, ends: Ends, links: Pairing, paths: Paths, limit: int, room: Scratch, out: Output
) -> None:
    """Write all links to `out`, at most `limit` paths each, the weakest dropped."""
    first = 0
    for i in range(len(links.a)):
        a, b, g = links.a[i], links.b[i], links.pair[i]
        last, clear = first + paths.found[g], True
        plain = antennas.rows[a] * antennas.columns[a] * antennas.rows[b] * antennas.columns[b] == 1
        for p in range(first, last):
            m = paths.rank[g, p - first]
            left = _travel(matter, antennas, ends, (a, b), (paths, g, m), room, out, p)
            clear = clear and (left == 1.0 or paths.length[g, m] > 0)
            if not plain:
                _phases(antennas, ends.axes, a, b, room.angles, p, out.phases)
        if not plain and last > first:
            _beams(antennas, a, b, out, i, first, last)
        out.dropped[i] = 0.0
        if last - first > limit:
            last = _drop(out, i, first, last, limit)
        out.offset[i + 1] = last
        _describe(paths.length, g, out, i, first, last)
        out.los[i] = out.los[i] and clear
        first = last


@uncounted
def _point(position: F64, place: int) -> Triple:
    return position[place, 0], position[place, 1], position[place, 2]


@uncounted
def _travel(
    matter: Matter, antennas: Antennas, ends: Ends, radios: tuple[int, int], path: tuple[Paths, int, int],
    room: Scratch, out: Output, p: int,
) -> float:  # fmt: skip
    """Write a path (of paths, pair g, path m) between two radios to row p of `out`; return the sea's share of it."""
    (a, b), (paths, g, m) = radios, path
    start, end = _point(ends.position, ends.place[a]), _point(ends.position, ends.place[b])
    way = Way(paths=paths, g=g, m=m, start=start, end=end)
    wave, length = Wave(band=ends.band[a], length=SPEED_OF_LIGHT / ends.carrier[a]), paths.metres[g, m]
    path_transfer(matter, wave, way, room.field, room.transfer, room.angles)
    motion = Motion(
        position=ends.body_position, velocity=ends.body_velocity, turning=ends.body_turning,
        start=ends.velocity[ends.place[a]], end=ends.velocity[ends.place[b]],
    )  # fmt: skip
    rate = lengthening(matter.hulls, motion, way, room.angles)
    out.delay[p], out.doppler[p], out.slot[p] = length / SPEED_OF_LIGHT, (0.0 - rate) / wave.length, m
    for k in range(3):
        out.departure[p, k], out.arrival[p, k] = room.angles[0, k], room.angles[1, k]
    for k in range(2):
        out.transfer[p, k, 0], out.transfer[p, k, 1] = room.transfer[k, 0], room.transfer[k, 1]
    element = _radiate(antennas, ends.axes, a, b, room.angles, room.transfer)
    left = over_sea(matter.sea, matter.mirrors.surface, wave.band, wave.length, paths, g, m, (start, end))
    element *= spread(length, wave.length) * (ends.gain[a] * ends.gain[b] * left)
    out.element[p], out.amplitude[p] = element, element
    return left


@uncounted
def _phases(antennas: Antennas, axes: F64, a: int, b: int, angles: F64, p: int, phases: F64) -> None:
    for end in range(2):
        r = a if end == 0 else b
        v, h = array_phases(antennas, r, axes[r], angles[end, 0], angles[end, 1], angles[end, 2])
        phases[end, p, 0], phases[end, p, 1] = v, h


@uncounted
def _radiate(antennas: Antennas, axes: F64, a: int, b: int, angles: F64, transfer: C128) -> complex:
    """Return the amplitude between single elements of radios a and b, but for the spread."""
    ax, ay, az = polarised(antennas, a, axes[a], angles[0, 0], angles[0, 1], angles[0, 2])
    bx, by, bz = polarised(antennas, b, axes[b], angles[1, 0], angles[1, 1], angles[1, 2])
    tx, ty, tz, px, py = spherical_basis(angles[0, 0], angles[0, 1], angles[0, 2])
    a_theta, a_phi = ax * tx + ay * ty + az * tz, ax * px + ay * py
    tx, ty, tz, px, py = spherical_basis(angles[1, 0], angles[1, 1], angles[1, 2])
    b_theta, b_phi = bx * tx + by * ty + bz * tz, bx * px + by * py
    arrives_theta = transfer[0, 0] * a_theta + transfer[0, 1] * a_phi
    arrives_phi = transfer[1, 0] * a_theta + transfer[1, 1] * a_phi
    return complex(b_theta * arrives_theta + b_phi * arrives_phi)


@uncounted
def _beams(antennas: Antennas, a: int, b: int, out: Output, i: int, first: int, last: int) -> None:
    """Write the amplitudes with the beams of both ends."""
    gains = out.beam_gain[:, first:last]
    choose_beams(antennas, a, b, out.element[first:last], out.phases[:, first:last], gains, out.beam[i])
    for p in range(first, last):
        out.amplitude[p] = out.element[p] * gains[0, p - first] * gains[1, p - first]


@kernel
def _drop(out: Output, i: int, first: int, last: int, limit: int) -> int:
    """Drop the weakest paths beyond `limit`, keeping the order of the others; return where they end."""
    power = np.empty(last - first)
    for p in range(first, last):
        power[p - first] = _power(out.amplitude[p])
    kept = np.ones(last - first, np.bool_)
    for p in ascending(power)[: last - first - limit]:
        kept[p] = False
        out.dropped[i] += power[p]
    place = first
    for p in range(first, last):
        if kept[p - first]:
            _move(out, p, place)
            place += 1
    return place


@uncounted
def _move(out: Output, source: int, target: int) -> None:
    out.amplitude[target], out.element[target] = out.amplitude[source], out.element[source]
    out.delay[target], out.doppler[target] = out.delay[source], out.doppler[source]
    out.slot[target] = out.slot[source]
    for k in range(3):
        out.departure[target, k], out.arrival[target, k] = out.departure[source, k], out.arrival[source, k]
    for r in range(2):
        for c in range(2):
            out.phases[r, target, c] = out.phases[r, source, c]
            out.transfer[target, r, c] = out.transfer[source, r, c]


@uncounted
def _describe(lengths: I32, pair: int, out: Output, i: int, first: int, last: int) -> None:
    """Write gain, K factor and spreads of link i, all weighted by power."""
    total, direct, delay, doppler = 0.0, 0.0, 0.0, 0.0
    ax, ay, bx, by = 0.0, 0.0, 0.0, 0.0
    out.los[i] = False
    for p in range(first, last):
        power = _power(out.amplitude[p])
        total += power
        delay += power * out.delay[p]
        doppler += power * out.doppler[p]
        if lengths[pair, out.slot[p]] == 0:
            direct += power
            out.los[i] = True
        x, y = _azimuth(out.departure, p)
        ax, ay = ax + power * x, ay + power * y
        x, y = _azimuth(out.arrival, p)
        bx, by = bx + power * x, by + power * y
    out.gain[i] = total
    out.k_factor[i] = direct / (total - direct) if total > direct else np.inf
    out.delay_spread[i], out.doppler_spread[i] = 0.0, 0.0
    out.angular_spread[i] = 0.0
    if total <= 0.0:
        out.k_factor[i] = 0.0
        return
    for p in range(first, last):
        power = _power(out.amplitude[p]) / total
        out.delay_spread[i] += power * (out.delay[p] - delay / total) ** 2
        out.doppler_spread[i] += power * (out.doppler[p] - doppler / total) ** 2
    out.delay_spread[i] = sqrt(out.delay_spread[i])
    out.doppler_spread[i] = sqrt(out.doppler_spread[i])
    out.angular_spread[i, 0] = _circular(ax, ay, total)
    out.angular_spread[i, 1] = _circular(bx, by, total)


@uncounted
def _azimuth(directions: F64, p: int) -> tuple[float, float]:
    """Return the unit vector of direction p in the horizontal plane; 0 for a vertical one."""
    x, y = directions[p, 0], directions[p, 1]
    flat = sqrt(x * x + y * y)
    return (x / flat, y / flat) if flat > 0.0 else (0.0, 0.0)


@uncounted
def _circular(x: float, y: float, total: float) -> float:
    """Return the circular spread [rad] of azimuths that add up to (x, y) (TR 38.901, annex A.1, eq. A-1)."""
    return sqrt(-2.0 * log(max(min(1.0, sqrt(x * x + y * y) / total), 1e-12)))


@uncounted
def _power(amplitude: complex) -> float:
    return amplitude.real**2 + amplitude.imag**2
