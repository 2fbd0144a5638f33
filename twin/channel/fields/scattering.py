"""Diffuse scattering by rough faces: a directive lobe that is reciprocal and keeps the energy, and its polarisation.

A face with the scattering coefficient S reflects sqrt(1 - S^2) of the field that Fresnel gives and sends S^2 of the
power into all directions (V. Degli-Esposti et al., IEEE Trans. Antennas Propag. 55(1), 2007). The lobe is theirs,
((1 + cos psi) / 2)^alpha about the direction of reflection. Their normalisation, by the angle of incidence, is not
reciprocal (E. M. Vitucci et al., IEEE Trans. Antennas Propag., 2023). Here an area A scatters from a to b

    S^2 g_p(a) g_q(b) |W_pq(a, b)|^2 lobe(a, b) A

of the power density of polarisation p, TE or TM, as intensity of polarisation q: symmetric in a and b. g is what
makes its integral over the hemisphere S^2 |R_p(a)|^2 cos(a) A at every angle of incidence: the symmetric scaling of a
matrix to given row sums (R. Sinkhorn, 1967). For alpha = 0 and a conductor g^2 is cos / pi: Lambert's law.

W turns polarisation as a mirror halfway between a and b does, and crosses it about an axis drawn for each tile.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, sin, sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.fields.fields import perpendicular, slab_reflection
from twin.numerics.kernels import uncounted
from twin.state import C128, F64
from twin.world.bvh import Triple

_NODES, TABLE = 96, 257
_LEAST = 1e-300
_ROUNDS = 60
"""Each at least halves what is left of the error."""


def balance(permittivity: complex, thickness: float, wavelength: float, alpha: int, crossed: float) -> F64:
    """Return D (2, 257) for TE and TM at cosines of incidence from 0 to 1: g = |R|^2 cosine / D.

    `crossed` is the part K_x of the scattered power in the other polarisation. By Gauss quadrature and, between its
    entries, linear: the energy of a lobe is kept to 1e-4 for alpha up to 20.
    """
    nodes, weights = _quadrature()
    slabs = [slab_reflection(c, permittivity, thickness, wavelength) for c in nodes.tolist()]
    power = np.array([[abs(te) ** 2, abs(tm) ** 2] for te, tm in slabs]).T * nodes
    to_nodes, to_table = _lobes(alpha, crossed)
    g = np.sqrt(power)
    for _ in range(_ROUNDS):
        g = np.sqrt(g * power / np.maximum(_LEAST, np.einsum("pqij,qj->pi", to_nodes, weights * g)))
    table: F64 = np.maximum(_LEAST, np.einsum("pqij,qj->pi", to_table, weights * g))
    return table


@lru_cache
def _quadrature() -> tuple[F64, F64]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return 0.5 * (nodes + 1.0), 0.5 * weights


@lru_cache
def _lobes(alpha: int, crossed: float) -> tuple[F64, F64]:
    """Return |W_pq|^2 times the lobe, integrated over azimuth, (2, 2, n, 96): for nodes and for the table."""
    nodes, _ = _quadrature()
    found = []
    for cosine in (nodes, np.linspace(0.0, 1.0, TABLE)):
        phi = np.pi * (np.arange(_NODES) + 0.5) / _NODES
        a, b, c = cosine[:, None, None], nodes[:, None], np.cos(phi)
        across = np.sqrt(1.0 - a * a) * np.sqrt(1.0 - b * b)
        lobe = (0.5 * (1.0 + a * b - across * c)) ** alpha
        kept = (c + across * (1.0 - c * c) / (1.0 + a * b + across * c)) ** 2  # TE to TE, TM to TM
        same = 2.0 * np.pi * (lobe * ((1.0 - 2.0 * crossed) * kept + crossed)).mean(axis=2)
        both = 2.0 * np.pi * lobe.mean(axis=2)
        found.append(np.array([[same, both - same], [both - same, same]]))
    return found[0], found[1]


class Rough(NamedTuple):
    """A face that scatters, for one wavelength."""

    permittivity: complex
    thickness: float  # m
    wavelength: float  # m
    table: F64  # (2, TABLE) of `balance`
    alpha: float  # exponent of the lobe
    crossed: float  # part of the power in the other polarisation
    turn: float  # rad, of what is crossed


@uncounted
def _weights(face: Rough, cosine: float) -> tuple[float, float]:
    """Return sqrt(g / cosine) for TE and TM at the `cosine` of an angle of incidence."""
    te, tm = slab_reflection(cosine, face.permittivity, face.thickness, face.wavelength)
    table = face.table
    place = cosine * (table.shape[1] - 1)
    k = min(int(place), table.shape[1] - 2)
    part = place - k
    d_te = (1.0 - part) * table[0, k] + part * table[0, k + 1]
    d_tm = (1.0 - part) * table[1, k] + part * table[1, k + 1]
    return abs(te) / sqrt(d_te), abs(tm) / sqrt(d_tm)


@uncounted
def _axis(n: F64, hx: float, hy: float, hz: float, x: float, y: float, z: float) -> Triple:
    """Return the unit vector across direction (x, y, z) that a half turn about h takes to that of the other end.

    It is what is left of a fixed tangent of the face across h, and then across the direction.
    """
    if abs(n[2]) < 0.9:
        wx, wy, wz = -n[1], n[0], 0.0
    else:
        wx, wy, wz = 0.0, n[2], -n[1]
    along = (wx * hx + wy * hy + wz * hz) / (hx * hx + hy * hy + hz * hz)
    wx, wy, wz = wx - along * hx, wy - along * hy, wz - along * hz
    along = wx * x + wy * y + wz * z
    wx, wy, wz = wx - along * x, wy - along * y, wz - along * z
    length = sqrt(wx * wx + wy * wy + wz * wz)
    if length < 1e-9:  # both ends in the face's plane
        return perpendicular(x, y, z, n[0], n[1], n[2])
    return wx / length, wy / length, wz / length


@uncounted
def scatter_field(field: C128, a: Triple, b: Triple, n: F64, face: Rough) -> None:
    """Let `field` (2, 3), two waves from the direction a, be scattered to b by a face with the normal n.

    a and b are unit vectors off the face. What remains to be multiplied is S, the tile's phase, and the square root
    of the solid angles that it fills at both ends over its area.
    """
    ca, cb = abs(a[0] * n[0] + a[1] * n[1] + a[2] * n[2]), abs(b[0] * n[0] + b[1] * n[1] + b[2] * n[2])
    a_te, a_tm = _weights(face, min(1.0, ca))
    b_te, b_tm = _weights(face, min(1.0, cb))
    crossed, turn = face.crossed, face.turn
    together = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    scale = sqrt(max(0.0, 0.5 * (1.0 + 2.0 * ca * cb - together)) ** face.alpha)
    hx, hy, hz = a[0] + b[0], a[1] + b[1], a[2] + b[2]
    sx, sy, sz = perpendicular(a[0], a[1], a[2], n[0], n[1], n[2])
    tx, ty, tz = perpendicular(b[0], b[1], b[2], n[0], n[1], n[2])
    dx, dy, dz = _axis(n, hx, hy, hz, a[0], a[1], a[2])
    qx, qy, qz = a[1] * dz - a[2] * dy, a[2] * dx - a[0] * dz, a[0] * dy - a[1] * dx
    ex, ey, ez = _axis(n, hx, hy, hz, b[0], b[1], b[2])
    fx, fy, fz = b[1] * ez - b[2] * ey, b[2] * ex - b[0] * ez, b[0] * ey - b[1] * ex
    straight, cross = sqrt(1.0 - 2.0 * crossed), sqrt(2.0 * crossed)
    first, mixed = complex(straight, cross * cos(turn)), complex(0.0, cross * sin(turn))
    second = complex(straight, -cross * cos(turn))
    for w in range(2):
        x, y, z = a_tm * field[w, 0], a_tm * field[w, 1], a_tm * field[w, 2]
        te = (a_te - a_tm) * (field[w, 0] * sx + field[w, 1] * sy + field[w, 2] * sz)
        x, y, z = x + te * sx, y + te * sy, z + te * sz
        d, q = x * dx + y * dy + z * dz, x * qx + y * qy + z * qz
        d, q = scale * (first * d + mixed * q), scale * (mixed * d + second * q)
        x, y, z = d * ex + q * fx, d * ey + q * fy, d * ez + q * fz
        te = (b_te - b_tm) * (x * tx + y * ty + z * tz)
        field[w, 0], field[w, 1], field[w, 2] = b_tm * x + te * tx, b_tm * y + te * ty, b_tm * z + te * tz
