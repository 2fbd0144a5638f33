"""Diffraction over a knife edge and round a smooth Earth, as Recommendation ITU-R P.526-15 has them."""

from __future__ import annotations

from math import log10, pi, sqrt

from twin.numerics.kernels import uncounted


@uncounted
def knife_edge_db(v: float) -> float:
    """Return the loss [dB] behind a knife edge by its parameter v > -0.78 (P.526-15, equation 31)."""
    return 6.9 + 20.0 * log10(sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)


@uncounted
def smooth_earth_db(
    distance: float, low: float, high: float, wavelength: float, radius: float, permittivity: complex
) -> float:
    """Return the loss [dB] against free space beyond the horizon of a smooth Earth (P.526-15, 3.1.1.2).

    Heights `low` and `high` above the sea, `distance`, `wavelength` and effective `radius` are in m. For vertical
    polarisation over the sea from 300 MHz on, where beta is 1; the first term of the residue series.
    """
    x = distance * (pi / (wavelength * radius * radius)) ** (1.0 / 3.0)
    scale = 2.0 * (pi * pi / (wavelength * wavelength * radius)) ** (1.0 / 3.0)
    admittance = (2.0 * pi * radius / wavelength) ** (-1.0 / 3.0) * abs(permittivity) / sqrt(abs(permittivity - 1.0))
    if x >= 1.6:
        gain = 11.0 + 10.0 * log10(x) - 17.6 * x
    else:
        gain = -20.0 * log10(x) - 5.6488 * x**1.425
    return float(-gain - _height_gain_db(scale * low, admittance) - _height_gain_db(scale * high, admittance))


@uncounted
def _height_gain_db(y: float, admittance: float) -> float:
    """Return G(Y) [dB] (P.526-15, equation 18), at least 2 + 20 log K."""
    least = 2.0 + 20.0 * log10(admittance)
    if y <= 0.0:
        return least
    if y > 2.0:
        return max(17.6 * sqrt(y - 1.1) - 5.0 * log10(y - 1.1) - 8.0, least)
    return max(20.0 * log10(y + 0.1 * y**3), least)
