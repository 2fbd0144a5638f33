"""What surfaces are made of: relative permittivity by ITU-R P.2040-3 (Table 3), water by ITU-R P.527-6."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, pi

from twin.errors import WorldError, nearest

log = logging.getLogger(__name__)

VACUUM_PERMITTIVITY = 8.8541878128e-12
"""F/m"""
WATER_TEMPERATURE = 293.15
"""K"""
SEA_SALINITY = 35.0
"""g/kg"""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """eps' = a f^b and conductivity c f^d [S/m], f in GHz, within a range of frequencies."""

    a: float
    b: float
    c: float
    d: float
    lowest: float  # GHz
    highest: float  # GHz


MATERIALS: dict[str, tuple[Dispersion, ...]] = {
    "concrete": (Dispersion(5.24, 0, 0.0462, 0.7822, 1, 100),),
    "brick": (Dispersion(3.91, 0, 0.0238, 0.16, 1, 40),),
    "plasterboard": (Dispersion(2.73, 0, 0.0085, 0.9395, 1, 100),),
    "wood": (Dispersion(1.99, 0, 0.0047, 1.0718, 0.001, 100),),
    "glass": (Dispersion(6.31, 0, 0.0036, 1.3394, 0.1, 100), Dispersion(5.79, 0, 0.0004, 1.658, 220, 450)),
    "ceiling_board": (Dispersion(1.48, 0, 0.0011, 1.0750, 1, 100), Dispersion(1.52, 0, 0.0029, 1.029, 220, 450)),
    "chipboard": (Dispersion(2.58, 0, 0.0217, 0.78, 1, 100),),
    "plywood": (Dispersion(2.71, 0, 0.33, 0, 1, 40),),
    "marble": (Dispersion(7.074, 0, 0.0055, 0.9262, 1, 60),),
    "floorboard": (Dispersion(3.66, 0, 0.0044, 1.3515, 50, 100),),
    "metal": (Dispersion(1, 0, 1e7, 0, 1, 100),),
    "very_dry_ground": (Dispersion(3, 0, 0.00015, 2.52, 1, 10),),
    "medium_dry_ground": (Dispersion(15, -0.1, 0.035, 1.63, 1, 10),),
    "wet_ground": (Dispersion(30, -0.4, 0.15, 1.30, 1, 10),),
}
THICKNESS = {"glass": 0.012}
"""Metres of the slab of a material where nothing else is said; others fill all that lies behind a face."""
WATERS = {"sea_water": SEA_SALINITY, "fresh_water": 0.0}
NAMES = (*MATERIALS, *WATERS)


def permittivity(material: str, frequency: float) -> complex:
    """Return the relative permittivity eps' - j eps'' at `frequency` [Hz]; water is at 20 degrees Celsius.

    Outside of the range that the recommendation gives for a material its formula is used all the same, and that
    is logged as a warning, once.

    Raises:
        WorldError: no such material, or the frequency isn't positive.
    """
    check_material(material)
    if not 0 < frequency < inf:
        raise WorldError(f"{material}: found a frequency of {frequency} Hz; allowed: more than 0")
    if material in WATERS:
        return water_permittivity(frequency, WATER_TEMPERATURE, WATERS[material])
    f = frequency / 1e9
    row = _row(material, f)
    return complex(row.a * f**row.b, -row.c * f**row.d / (2 * pi * frequency * VACUUM_PERMITTIVITY))


def default_thickness(material: str) -> float:
    """Return the thickness [m] of a material where nothing else is said; inf: a half-space."""
    return THICKNESS.get(material, inf)


def check_material(name: str, place: str = "material") -> str:
    """Return the name if it is one of a material.

    Raises:
        WorldError: it isn't.
    """
    if name not in NAMES:
        raise WorldError(f"{place}: found {name!r}; allowed: {', '.join(NAMES)}{nearest(name, NAMES)}")
    return name


def water_permittivity(frequency: float, temperature: float, salinity: float) -> complex:
    """Return the relative permittivity of water (P.527-6, 5.1: double Debye) at frequency [Hz], K, g/kg."""
    f, t, s = frequency / 1e9, temperature - 273.15, salinity
    theta = 300.0 / temperature - 1.0
    static = (77.66 + 103.3 * theta) * exp(-3.56417e-3 * s + 4.74868e-6 * s**2 + 1.15574e-5 * t * s)
    middle = 0.0671 * (77.66 + 103.3 * theta) * exp(-6.28908e-3 * s + 1.76032e-4 * s**2 - 9.22144e-5 * t * s)
    fast = (3.52 - 7.52 * theta) * (1.0 + s * (-2.04265e-3 + 1.57883e-4 * t))
    f1 = 20.20 - 146.4 * theta + 316.0 * theta**2
    f2 = 39.8 * f1 * (1.0 + s * (-1.99723e-2 + 1.81176e-4 * t))
    f1 *= 1.0 + s * (2.39357e-3 - 3.13530e-5 * t + 2.52477e-7 * t**2)
    loss = sea_conductivity(temperature, salinity) / (2 * pi * frequency * VACUUM_PERMITTIVITY)
    return (static - middle) / (1 + 1j * f / f1) + (middle - fast) / (1 + 1j * f / f2) + fast - 1j * loss


def sea_conductivity(temperature: float, salinity: float) -> float:
    """Return the conductivity of sea water in S/m at K and g/kg (P.527-6, equations 20 to 25)."""
    t, s = temperature - 273.15, salinity
    at_35 = 2.903602 + 8.607e-2 * t + 4.738817e-4 * t**2 - 2.991e-6 * t**3 + 4.3047e-9 * t**4
    at_15 = s * (37.5109 + 5.45216 * s + 1.4409e-2 * s**2) / (1004.75 + 182.283 * s + s**2)
    alpha0 = (6.9431 + 3.2841 * s - 9.9486e-2 * s**2) / (84.850 + 69.024 * s + s**2)
    alpha1 = 49.843 - 0.2276 * s + 0.198e-2 * s**2
    return at_35 * at_15 * (1.0 + alpha0 * (t - 15.0) / (alpha1 + t))


@lru_cache
def _row(material: str, f: float) -> Dispersion:
    """Return the row whose range holds `f` [GHz], else the nearest one, which is logged."""
    rows = MATERIALS[material]
    row = min(rows, key=lambda row: max(row.lowest - f, f - row.highest, 0.0))
    if not row.lowest <= f <= row.highest:
        ranges = " and ".join(f"{row.lowest:g}..{row.highest:g}" for row in rows)
        log.warning("%s at %g GHz: P.2040 gives it for %s GHz; its formula is extended", material, f, ranges)
    return row
