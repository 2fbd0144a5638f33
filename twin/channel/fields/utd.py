"""Diffraction coefficients of a wedge by the uniform theory (UTD), for finite conductivity.

R. G. Kouyoumjian and P. H. Pathak, Proc. IEEE 62(11), 1974; R. J. Luebbers, IEEE Trans. AP 32(1), 1984. Luebbers
multiplies two of the four terms by reflection coefficients of the faces. They are taken here at the angle whose
incidence cosine is sin(beta) cos((phi - phi') / 2): on both reflection boundaries it is the true one, so that the
field is continuous, and it doesn't change when the two ends are exchanged, so that the field is reciprocal.
"""

from __future__ import annotations

from math import cos, floor, pi, sin, sqrt, tan

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


@uncounted
def wedge_coefficients(
    phi_in: float,
    phi_out: float,
    open_angle: float,
    sin_beta: float,
    k_length: float,
    wavenumber: float,
    r0_te: complex,
    r0_tm: complex,
    rn_te: complex,
    rn_tm: complex,
) -> tuple[complex, complex]:
    """Return (D_soft, D_hard) [sqrt(m)] between the angles phi' and phi.

    `open_angle` is n pi; `k_length` is k L with L = s s' sin(beta)^2 / (s + s'). Reflection coefficients of the
    first (0) and the second (n) face: -1 (TE) and 1 (TM) for a perfect conductor.
    """
    n = open_angle / pi
    difference, total = phi_out - phi_in, phi_out + phi_in
    direct = _term(difference, 1.0, n, k_length) + _term(difference, -1.0, n, k_length)
    far, near = _term(total, 1.0, n, k_length), _term(total, -1.0, n, k_length)
    scale = -complex(cos(pi / 4.0), -sin(pi / 4.0)) / (2.0 * n * sqrt(2.0 * pi * wavenumber) * sin_beta)
    soft = scale * (direct + r0_te * near + rn_te * far)
    hard = scale * (direct + r0_tm * near + rn_tm * far)
    return soft, hard
