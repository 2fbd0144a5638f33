"""What air and rain take from a wave, and what a rough sea takes from a reflection."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from twin.channel.fields.p676_lines import OXYGEN, WATER_VAPOUR
from twin.numerics.kernels import uncounted
from twin.specs import AtmosphereSpec
from twin.state import F64

# Recommendation ITU-R P.838-3, tables 1-4: a, b, c of each bell, then slope m and constant.
_KH = ([-5.33980, -0.35351, -0.23789, -0.94158], [-0.10008, 1.26970, 0.86036, 0.64552],
       [1.13098, 0.45400, 0.15354, 0.16817], -0.18961, 0.71147)  # fmt: skip
_KV = ([-3.80595, -3.44965, -0.39902, 0.50167], [0.56934, -0.22911, 0.73042, 1.07319],
       [0.81061, 0.51059, 0.11899, 0.27195], -0.16398, 0.63297)  # fmt: skip
_AH = ([-0.14318, 0.29591, 0.32177, -5.37610, 16.1721], [1.82442, 0.77564, 0.63773, -0.96230, -3.29980],
       [-0.55187, 0.19822, 0.13164, 1.47828, 3.43990], 0.67849, -1.95537)  # fmt: skip
_AV = ([-0.07771, 0.56727, -0.20238, -48.2991, 48.5833], [2.33840, 0.95545, 1.14520, 0.791669, 0.791459],
       [-0.76284, 0.54039, 0.26809, 0.116226, 0.116479], -0.053739, 0.83433)  # fmt: skip


def gas_db_km(air: AtmosphereSpec, frequency_hz: float) -> float:
    """Return the specific attenuation by oxygen and water vapour [dB/km].

    The line-by-line method of Recommendation ITU-R P.676-13, Annex 1, equations (1) to (9).
    """
    f, theta = frequency_hz / 1e9, 300.0 / air.temperature
    vapour = air.vapour * air.temperature / 216.7
    dry = air.pressure / 100.0 - vapour
    return 0.1820 * f * (_oxygen(f, theta, dry, vapour) + _water(f, theta, dry, vapour))


def _oxygen(f: float, theta: float, dry: float, vapour: float) -> float:
    """Return N'' of oxygen lines and of the dry continuum at f [GHz]; pressures [hPa]."""
    f0, a1, a2, a3, a4, a5, a6 = OXYGEN.T
    strength = a1 * 1e-7 * dry * theta**3 * np.exp(a2 * (1.0 - theta))
    width = np.hypot(a3 * 1e-4 * (dry * theta ** (0.8 - a4) + 1.1 * vapour * theta), 1.5e-3)
    mixing = (a5 + a6 * theta) * 1e-4 * (dry + vapour) * theta**0.8
    debye = 5.6e-4 * (dry + vapour) * theta**0.8
    relaxation = 6.14e-5 / (debye * (1.0 + (f / debye) ** 2))
    nitrogen = 1.4e-12 * dry * theta**1.5 / (1.0 + 1.9e-5 * f**1.5)
    continuum = f * dry * theta**2 * (relaxation + nitrogen)
    return float(np.sum(strength * _shape(f, f0, width, mixing)) + continuum)


def _water(f: float, theta: float, dry: float, vapour: float) -> float:
    """Return N'' of water vapour lines at f [GHz]; pressures [hPa]."""
    f0, b1, b2, b3, b4, b5, b6 = WATER_VAPOUR.T
    strength = b1 * 0.1 * vapour * theta**3.5 * np.exp(b2 * (1.0 - theta))
    width = b3 * 1e-4 * (dry * theta**b4 + b5 * vapour * theta**b6)
    width = 0.535 * width + np.sqrt(0.217 * width**2 + 2.1316e-12 * f0**2 / theta)
    return float(np.sum(strength * _shape(f, f0, width, np.zeros_like(f0))))


def _shape(f: float, f0: F64, width: F64, mixing: F64) -> F64:
    """Return the Van Vleck-Weisskopf shape of each line with its interference term."""
    below = (width - mixing * (f0 - f)) / ((f0 - f) ** 2 + width**2)
    above = (width - mixing * (f0 + f)) / ((f0 + f) ** 2 + width**2)
    shape: F64 = f / f0 * (below + above)
    return shape


def _bells(log_f: float, table: tuple[list[float], list[float], list[float], float, float]) -> float:
    a, b, c = (np.array(column) for column in table[:3])
    return float(np.sum(a * np.exp(-(((log_f - b) / c) ** 2))) + table[3] * log_f + table[4])


def rain_coefficients(frequency_hz: float) -> tuple[float, float, float, float]:
    """Return kH, alpha_H, kV, alpha_V of Recommendation ITU-R P.838-3, equations (2) and (3), 1 to 1000 GHz.

    Below 1 GHz the values at 1 GHz are returned: rain takes less than 1e-3 dB/km there.
    """
    log_f = np.log10(max(frequency_hz / 1e9, 1.0))
    return 10.0 ** _bells(log_f, _KH), _bells(log_f, _AH), 10.0 ** _bells(log_f, _KV), _bells(log_f, _AV)


@uncounted
def rain_db_km(
    rate: float, kh: float, ah: float, kv: float, av: float, sin_elevation: float, cos_2tilt: float
) -> float:
    """Return the specific attenuation [dB/km] at `rate` mm/h (P.838-3, equations (1), (4), (5)).

    `cos_2tilt` is the cosine of twice the tilt of the polarisation: 1 horizontal, -1 vertical, 0 circular.
    """
    if rate <= 0.0:
        return 0.0
    c = (1.0 - sin_elevation * sin_elevation) * cos_2tilt
    k = 0.5 * (kh + kv + (kh - kv) * c)
    alpha = 0.5 * (kh * ah + kv * av + (kh * ah - kv * av) * c) / k
    result: float = k * rate**alpha
    return result


@uncounted
def roughness_factor(deviation: float, sin_grazing: float, wavelength: float) -> float:
    """Return what Gaussian roughness of height `deviation` [m] leaves of a specular reflection.

    exp(-x) I0(x) with x = g^2 / 2, g = 4 pi deviation sin(grazing) / wavelength (A. R. Miller, R. M. Brown,
    E. Vegh, IEE Proc. H 131(2), 1984). I0 by the polynomials of Abramowitz and Stegun, 9.8.1 and 9.8.2: the
    error is below 2e-7.
    """
    g = 4.0 * np.pi * deviation * sin_grazing / wavelength
    x = 0.5 * g * g
    if x < 3.75:
        t = (x / 3.75) ** 2
        series = 1.0 + t * (
            3.5156229 + t * (3.0899424 + t * (1.2067492 + t * (0.2659732 + t * (0.0360768 + t * 0.0045813))))
        )
        return exp(-x) * series
    t = 3.75 / x
    series = 0.00916281 + t * (-0.02057706 + t * (0.02635537 + t * (-0.01647633 + t * 0.00392377)))
    series = 0.39894228 + t * (0.01328592 + t * (0.00225319 + t * (-0.00157565 + t * series)))
    return series / sqrt(x)
