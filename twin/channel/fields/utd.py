"""Diffraction coefficients of a wedge by the uniform theory (UTD), for finite conductivity.

R. G. Kouyoumjian and P. H. Pathak, Proc. IEEE 62(11), 1974, for the four terms; P. D. Holm, IEEE Trans. AP 48(8), 2000,
for what multiplies them. Of the two ends let a be the one nearer to the first face (0) and b the one nearer to the
second (n). a lights the edge directly (1) and by its image in the first face (R0), b sees it directly (1) and by its
image in the second (Rn), which makes 1, R0, Rn and R0 Rn:

     a                         b           term whose pole is at         times
      `.                     .`
        `.                 .`              phi - phi' = pi               1: the edge's own shadow
          `.             .`                phi + phi' = pi               R0: what the first face reflects
    ________`.         .`_________         phi + phi' = (2n - 1) pi      Rn: what the second face reflects
    first face          second face        phi - phi' = -pi              R0 Rn: never reached

R0 is taken at the angle of a to the first face, Rn at that of b to the second, both at most 90 degrees (D. N. Schettino
et al., IEEE Trans. Magnetics 43(4), 2007): true on each boundary, so that the field is continuous; the same for both
directions, so that it is reciprocal; and zero where an end grazes a face, since R tends to -1 there. Compared with the
exact far field of an impedance wedge (G. D. Maliuzhinets, 1958) in `tests/laws/test_wedges.py`.
"""

from __future__ import annotations

from math import cos, floor, pi, sin, sqrt, tan
from typing import NamedTuple

from twin.numerics.kernels import uncounted

_SERIES_UP_TO = 4.0
_EDGE_OF_BOUNDARY = 1e-9


@uncounted
def transition(x: float) -> complex:
    """Return F(x) = 2j sqrt(x) e^{jx} int_{sqrt(x)}^inf e^{-j t^2} dt, which tends to 1 for large x.

    With z = sqrt(j x): F = sqrt(pi) z e^{z^2} erfc(z), by the Taylor series of erf or the continued fraction of erfc,
    whose 6 + 260 / x terms leave less than 1e-13.
    """
    root = sqrt(0.5 * x)
    z = complex(root, root)
    if x < _SERIES_UP_TO:
        square = complex(0.0, x)
        term = z
        total = z
        for n in range(1, 40):
            term *= -square / n
            total += term / (2 * n + 1)
        return complex(sqrt(pi) * z * complex(cos(x), sin(x)) * (1.0 - 2.0 / sqrt(pi) * total))
    fraction = z
    for k in range(6 + int(260.0 / x), 0, -1):
        size = fraction.real * fraction.real + fraction.imag * fraction.imag
        part = 0.5 * k / size
        fraction = complex(root + part * fraction.real, root - part * fraction.imag)
    return complex(z / fraction)


@uncounted
def _term(angle: float, sign: float, n: float, k_length: float) -> complex:
    """Return cot((pi + sign angle) / 2n) F(k L a(angle)) for sign 1 or -1."""
    turns = floor((angle + sign * pi) / (2.0 * pi * n) + 0.5)
    half = 0.5 * (2.0 * pi * n * turns - angle)
    a = 2.0 * cos(half) ** 2
    argument = (pi + sign * angle) / (2.0 * n)
    # cot has period pi: its distance from the pole next to it
    off = argument - pi * floor(argument / pi + 0.5)
    if abs(off) < _EDGE_OF_BOUNDARY:
        off = _EDGE_OF_BOUNDARY if off >= 0.0 else -_EDGE_OF_BOUNDARY
        a = 2.0 * (n * off) ** 2
    return transition(k_length * a) / tan(off)


class Wedge(NamedTuple):
    """One diffraction: angles about the edge, and what a wave is at it."""

    phi_in: float  # rad, from the first face
    phi_out: float
    open_angle: float  # rad of air between the faces, n pi
    sin_beta: float  # of the angle with the edge
    k_length: float  # k L with L = s s' sin(beta)^2 / (s + s')
    wavenumber: float  # rad/m


@uncounted
def wedge_coefficients(
    wedge: Wedge, first: tuple[complex, complex], second: tuple[complex, complex]
) -> tuple[complex, complex]:
    """Return (D_soft, D_hard) [sqrt(m)] of a wedge whose faces have the coefficients `first` and `second` (TE, TM).

    They are those at `grazing_sines`; -1 and 1 for a perfect conductor.
    """
    n, k_length = wedge.open_angle / pi, wedge.k_length
    difference, total = wedge.phi_out - wedge.phi_in, wedge.phi_out + wedge.phi_in
    ahead, behind = _term(abs(difference), -1.0, n, k_length), _term(abs(difference), 1.0, n, k_length)
    far, near = _term(total, 1.0, n, k_length), _term(total, -1.0, n, k_length)
    scale = -complex(cos(pi / 4.0), -sin(pi / 4.0))
    scale /= 2.0 * n * sqrt(2.0 * pi * wedge.wavenumber) * wedge.sin_beta
    soft = scale * (ahead + first[0] * near + second[0] * far + first[0] * second[0] * behind)
    hard = scale * (ahead + first[1] * near + second[1] * far + first[1] * second[1] * behind)
    return soft, hard


@uncounted
def grazing_sines(phi_in: float, phi_out: float, open_angle: float) -> tuple[float, float]:
    """Return the sines of the angles at which the first and the second face reflect, in the plane across the edge."""
    near, far = min(phi_in, phi_out), open_angle - max(phi_in, phi_out)
    return sin(min(max(near, 0.0), 0.5 * pi)), sin(min(max(far, 0.0), 0.5 * pi))
