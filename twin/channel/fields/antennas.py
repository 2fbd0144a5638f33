"""Antennas: patterns of elements, their polarisation, and beams of planar arrays."""

from __future__ import annotations

from collections.abc import Sequence
from math import acos, atan2, cos, degrees, pi, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twin.channel.fields.msi import read_msi
from twin.link import dirichlet
from twin.numerics.kernels import kernel, uncounted
from twin.numerics.sorting import ascending
from twin.specs import AntennaSpec
from twin.state import C128, F64, I32
from twin.world.bvh import Triple

ISOTROPIC, DIPOLE, TR38901, TABLE = range(4)
BROADSIDE, DFT, MRC = range(3)
_PATTERNS = {"isotropic": ISOTROPIC, "dipole": DIPOLE, "tr38901": TR38901}
_BEAMS = {"broadside": BROADSIDE, "dft": DFT, "mrc": MRC}
_DIPOLE_GAIN = 1.6409223769
"""Directivity of a half-wave dipole, 4 / Cin(2 pi)."""
_MRC_ROUNDS, _MRC_PATHS = 16, 128


class Antennas(NamedTuple):
    """The antennas of R radios as arrays."""

    kind: I32  # (R,)
    slant: F64  # (R, 2) cosine and sine of the polarisation's slant
    mount: F64  # (R, 3, 3) antenna axes to body axes
    rows: I32  # (R,)
    columns: I32  # (R,)
    spacing: F64  # (R, 2) wavelengths, between rows and between columns
    beam: I32  # (R,)
    table: I32  # (R,) row of `cuts`, -1 without a measured pattern
    cuts: F64  # (tables, 2, 360) dB, horizontal and vertical cut relative to the maximum
    gain: F64  # (R,) amplitude of the pattern's maximum for a measured pattern, else 1


def antenna_arrays(specs: Sequence[AntennaSpec]) -> Antennas:
    """Return the arrays of `specs`.

    Raises:
        ScenarioError: a pattern file can't be read.
    """
    files = sorted({spec.pattern for spec in specs if isinstance(spec.pattern, Path)})
    patterns = [read_msi(file) for file in files]
    angles = [(spec.azimuth, spec.downtilt, spec.roll) for spec in specs]
    turns = {turn: rotation(*turn) for turn in set(angles)}
    tables = [files.index(spec.pattern) if isinstance(spec.pattern, Path) else -1 for spec in specs]
    return Antennas(
        kind=np.array([_PATTERNS.get(str(spec.pattern), TABLE) for spec in specs], dtype=np.int32),
        slant=np.array([[np.cos(spec.slant), np.sin(spec.slant)] for spec in specs]).reshape(-1, 2),
        mount=np.array([turns[turn] for turn in angles]).reshape(-1, 3, 3),
        rows=np.array([spec.rows for spec in specs], dtype=np.int32),
        columns=np.array([spec.columns for spec in specs], dtype=np.int32),
        spacing=np.array([spec.spacing for spec in specs], dtype=float).reshape(-1, 2),
        beam=np.array([_BEAMS[spec.beam] for spec in specs], dtype=np.int32),
        table=np.array(tables, dtype=np.int32),
        cuts=np.array([pattern.cuts_db for pattern in patterns]).reshape(-1, 2, 360),
        gain=np.array([1.0 if t < 0 else 10.0 ** (patterns[t].gain_dbi / 20.0) for t in tables]),
    )


def rotation(azimuth: float, downtilt: float, roll: float) -> F64:
    """Return the rotation (3, 3) from antenna axes to mount axes: Rz(azimuth) Ry(downtilt) Rx(roll)."""
    (ca, cd, cr), (sa, sd, sr) = np.cos([azimuth, downtilt, roll]), np.sin([azimuth, downtilt, roll])
    about_z = np.array([[ca, -sa, 0.0], [sa, ca, 0.0], [0.0, 0.0, 1.0]])
    about_y = np.array([[cd, 0.0, sd], [0.0, 1.0, 0.0], [-sd, 0.0, cd]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    turn: F64 = about_z @ about_y @ about_x
    return turn


@uncounted
def element_gain(antennas: Antennas, i: int, x: float, y: float, z: float) -> float:
    """Return the amplitude gain of one element of radio `i` towards the unit direction (x, y, z), antenna axes."""
    kind = antennas.kind[i]
    if kind == ISOTROPIC:
        return 1.0
    if kind == DIPOLE:
        across = sqrt(x * x + y * y)
        if across < 1e-9:
            return 0.0
        return sqrt(_DIPOLE_GAIN) * cos(0.5 * pi * z) / across
    if kind == TR38901:
        return _sector(x, y, z)
    cuts = antennas.cuts[antennas.table[i]]
    azimuth = degrees(atan2(y, x)) % 360.0
    below = degrees(atan2(-z, sqrt(x * x + y * y))) % 360.0
    loss = _cut(cuts[0], azimuth) + _cut(cuts[1], below)
    return float(antennas.gain[i] * 10.0 ** (loss / 20.0))


@uncounted
def _sector(x: float, y: float, z: float) -> float:
    """Return the element of 3GPP TR 38.901, table 7.3-1: 65 degrees in each plane, 8 dBi, 30 dB to the back."""
    theta = degrees(acos(min(1.0, max(-1.0, z))))
    phi = degrees(atan2(y, x))
    vertical = min(12.0 * ((theta - 90.0) / 65.0) ** 2, 30.0)
    horizontal = min(12.0 * (phi / 65.0) ** 2, 30.0)
    return float(10.0 ** ((8.0 - min(vertical + horizontal, 30.0)) / 20.0))


@uncounted
def _cut(cut: F64, angle: float) -> float:
    k = int(angle)
    part = angle - k
    return float((1.0 - part) * cut[k % 360] + part * cut[(k + 1) % 360])


@uncounted
def polarised(antennas: Antennas, i: int, axes: F64, ux: float, uy: float, uz: float) -> Triple:
    """Return the field pattern towards the world direction u: a vector (3 floats), across u, of gain amplitude.

    `axes` (3, 3) turns antenna axes to world axes. The slant is that of TR 38.901, 7.3.2, model 2.
    """
    x = axes[0, 0] * ux + axes[1, 0] * uy + axes[2, 0] * uz
    y = axes[0, 1] * ux + axes[1, 1] * uy + axes[2, 1] * uz
    z = axes[0, 2] * ux + axes[1, 2] * uy + axes[2, 2] * uz
    gain = element_gain(antennas, i, x, y, z)
    across = sqrt(x * x + y * y)
    if across < 1e-12:
        tx, ty, tz, px, py = z, 0.0, 0.0, 0.0, 1.0
    else:
        tx, ty, tz, px, py = x * z / across, y * z / across, -across, -y / across, x / across
    c, s = gain * antennas.slant[i, 0], gain * antennas.slant[i, 1]
    fx, fy, fz = c * tx + s * px, c * ty + s * py, c * tz
    return (
        axes[0, 0] * fx + axes[0, 1] * fy + axes[0, 2] * fz,
        axes[1, 0] * fx + axes[1, 1] * fy + axes[1, 2] * fz,
        axes[2, 0] * fx + axes[2, 1] * fy + axes[2, 2] * fz,
    )


@uncounted
def array_phases(antennas: Antennas, i: int, axes: F64, ux: float, uy: float, uz: float) -> tuple[float, float]:
    """Return the phase [rad] between rows and between columns of a wave in the world direction u."""
    y = axes[0, 1] * ux + axes[1, 1] * uy + axes[2, 1] * uz
    z = axes[0, 2] * ux + axes[1, 2] * uy + axes[2, 2] * uz
    return 2.0 * np.pi * antennas.spacing[i, 0] * z, 2.0 * np.pi * antennas.spacing[i, 1] * y


@uncounted
def nearest_beam(count: int, phase: float) -> int:
    """Return the beam of a DFT codebook of `count` beams, 2 pi k / count apart, that is nearest to `phase`."""
    return int(np.round(phase * count / (2.0 * np.pi))) % count


@uncounted
def correlation(rows: int, columns: int, v: float, h: float) -> float:
    """Return how alike two waves are on an array whose phases differ by v a row and h a column: 1 the same."""
    return dirichlet(rows, v) * dirichlet(columns, h)


@uncounted
def choose_beams(antennas: Antennas, a: int, b: int, amplitude: C128, phases: F64, gains: C128, beams: I32) -> None:
    """Write for the ends a and b of one link the gain of its beam on each path, `gains` (2, P).

    `amplitude` (P,) is that of single elements, `phases` (2, P, 2) those of `array_phases`; `beams` (2,) gets the
    index row-beam * columns + column-beam of a DFT beam, -1 for the others. A DFT beam is the one nearest to the
    strongest path.
    """
    best, most = 0, -1.0
    for p in range(amplitude.size):
        power = amplitude[p].real ** 2 + amplitude[p].imag ** 2
        if power > most * (1.0 + 2e-9):
            best, most = p, power
    matched = False
    for end in range(2):
        i = a if end == 0 else b
        rows, columns = antennas.rows[i], antennas.columns[i]
        v, h = 0.0, 0.0
        beams[end] = -1
        if antennas.beam[i] == DFT:
            row, column = (
                nearest_beam(rows, phases[end, best, 0]),
                nearest_beam(columns, phases[end, best, 1]),
            )
            v, h = 2.0 * np.pi * row / rows, 2.0 * np.pi * column / columns
            beams[end] = row * columns + column
        elif antennas.beam[i] == MRC:
            v, h = phases[end, best, 0], phases[end, best, 1]
            matched = matched or rows * columns > 1
        if rows * columns == 1:
            for p in range(amplitude.size):
                gains[end, p] = 1.0
            continue
        scale = np.sqrt(rows * columns)
        for p in range(amplitude.size):
            gains[end, p] = scale * correlation(rows, columns, phases[end, p, 0] - v, phases[end, p, 1] - h)
    if matched:
        _match(antennas, a, b, amplitude, phases, gains)


@kernel
def _match(antennas: Antennas, a: int, b: int, amplitude: C128, phases: F64, gains: C128) -> None:
    """Turn the weights of maximum-ratio ends to the dominant singular vectors of the channel, by power iteration.

    Weights stay in the span of the strongest paths' steering vectors, whose products are `correlation`s: no element
    is ever touched. Both ends are updated from the same round, so that neither comes first.
    """
    everything, weighs = np.empty(amplitude.size, np.int64), np.zeros(amplitude.size)
    for p in ascending(-np.abs(amplitude))[:_MRC_PATHS]:
        weighs[p] = 1.0
    strong = np.empty(min(amplitude.size, _MRC_PATHS), np.int64)
    count = 0
    for p in range(amplitude.size):
        everything[p] = p
        if weighs[p] > 0.0:
            strong[count] = p
            count += 1
    fresh = gains.copy()
    for turn in range(_MRC_ROUNDS):
        for end in range(2):
            i = a if end == 0 else b
            if antennas.beam[i] != MRC:
                continue
            size = antennas.rows[i] * antennas.columns[i]
            norm = 0.0
            for p in strong if turn < _MRC_ROUNDS - 1 else everything:
                total = 0.0j
                for q in strong:
                    like = correlation(
                        antennas.rows[i],
                        antennas.columns[i],
                        phases[end, p, 0] - phases[end, q, 0],
                        phases[end, p, 1] - phases[end, q, 1],
                    )
                    total += np.conj(amplitude[q] * gains[1 - end, q]) * like * size
                fresh[end, p] = total
                norm += weighs[p] * (amplitude[p] * gains[1 - end, p] * total).real
            scale = np.sqrt(max(norm, 1e-300))
            for p in everything:
                fresh[end, p] = fresh[end, p] / scale
        for end in range(2):
            for p in everything:
                gains[end, p] = fresh[end, p]
