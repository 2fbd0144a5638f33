"""Wave spectra: one-sided densities over frequency, with their directions, and the figures that people call them by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.errors import WorldError
from twin.state import F64, Bool

GRAVITY = 9.81
"""m/s2, as in physics"""
LOWEST, HIGHEST = 0.5, 5.0  # bands of a parametric spectrum, in peak frequencies
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(8)
_STEEPEST_SHORT, _STEEPEST_LONG = (8.0, 1 / 15), (15.0, 1 / 25)  # s, limit of 2 pi Hs / g Tp^2


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A wave system in B bands of frequency; directions are where waves travel to, from east, counterclockwise."""

    lower: F64  # (B,) Hz
    upper: F64  # (B,) Hz
    variance: F64  # (B,) m2 of surface elevation in the band
    direction: F64  # (B,) rad, mean
    spreading: F64  # (B,) s of cos^2s; 0 is from everywhere, inf from one direction

    def __post_init__(self) -> None:
        """Refuse what can't be a spectrum.

        Raises:
            WorldError: names the quantity and the first wrong band.
        """
        for name in ("lower", "upper", "variance", "direction", "spreading"):
            values = getattr(self, name)
            if values.shape != self.lower.shape or np.isnan(values).any():
                raise WorldError(f"{name} of a wave spectrum: expected {len(self.lower)} numbers, found {values}")
        _refuse(self.variance < 0, "has negative variance", self.variance)
        _refuse(self.spreading < 0, "has negative spreading", self.spreading)
        _refuse((self.lower < 0) | (self.upper <= self.lower), "has no width or a negative frequency", self.lower)
        _refuse(np.append(self.lower[1:] < self.upper[:-1] - 1e-9, False), "overlaps the next one", self.upper)

    @property
    def significant_height(self) -> float:
        """Return 4 sqrt(m0) [m]."""
        return 4.0 * float(np.sqrt(self.variance.sum()))


def _refuse(wrong: Bool, what: str, values: F64) -> None:
    if wrong.any():
        band = int(np.flatnonzero(wrong)[0])
        raise WorldError(f"band {band} of a wave spectrum {what}: {values[band]:g}")


def jonswap(frequency: F64, height: float, peak_period: float, enhancement: float = 3.3) -> F64:
    """Return the JONSWAP density [m2/Hz] of a significant height [m], up to the constant that only integration gives.

    Hasselmann et al., Deutsche Hydrographische Zeitschrift A8(12), 1973, in the form and with the normalisation
    1 - 0.287 ln(gamma) of DNV-RP-C205 (2021), 3.5.5. Zero frequency has no waves.
    """
    f = np.maximum(np.asarray(frequency, dtype=float), 1e-12)
    ratio = 1.0 / (f * peak_period)
    width = np.where(ratio >= 1.0, 0.07, 0.09)
    peak = enhancement ** np.exp(-0.5 * ((1.0 / ratio - 1.0) / width) ** 2)
    norm = (1.0 - 0.287 * np.log(enhancement)) * 5.0 / 16.0 * height**2 * peak_period
    density: F64 = norm * ratio**5 * np.exp(-1.25 * np.minimum(ratio, 1e3) ** 4) * peak
    return density


def bretschneider(frequency: F64, height: float, peak_period: float) -> F64:
    """Return the Bretschneider (ITTC two-parameter) density [m2/Hz]: JONSWAP without enhancement of its peak."""
    return jonswap(frequency, height, peak_period, 1.0)


def fully_developed_period(height: float) -> float:
    """Return the peak period [s] of a Pierson-Moskowitz sea of this height: alpha = 0.0081 fixes it.

    Pierson and Moskowitz, J. Geophys. Res. 69(24), 1964: Hs^2 / 16 = alpha g^2 / (5 wp^4).
    """
    peak = (16 * 0.0081 * GRAVITY**2 / (5 * height**2)) ** 0.25
    return float(2 * np.pi / peak)


def pierson_moskowitz(frequency: F64, height: float) -> F64:
    """Return the density [m2/Hz] of a fully developed sea of this significant height [m]."""
    return bretschneider(frequency, height, fully_developed_period(height))


def parametric(
    height: float, peak_period: float, enhancement: float, direction: float, spreading: float, bands: int
) -> Spectrum:
    """Return a JONSWAP sea (Bretschneider for an enhancement of 1) in bands of equal ratio.

    Bands reach from 0.5 to 5 peak frequencies; what lies beyond (0.2 % of the variance) is shared out to them, so
    that the height is the one asked for.

    Raises:
        WorldError: height or period can't be.
    """
    if not (height >= 0 and np.isfinite(height)):
        raise WorldError(f"significant height: found {height:g} m, expected at least 0")
    if not (peak_period > 0 and np.isfinite(peak_period)):
        raise WorldError(f"peak period: found {peak_period:g} s, expected more than 0")
    edges = np.geomspace(LOWEST, HIGHEST, bands + 1) / peak_period
    variance = (height / 4) ** 2 * share_of_bands(edges, peak_period, enhancement)
    return Spectrum(edges[:-1], edges[1:], variance, np.full(bands, direction), np.full(bands, spreading))


def share_of_bands(edges: F64, peak_period: float, enhancement: float) -> F64:
    """Return the share (B,) of a JONSWAP sea's variance in bands between `edges` (B + 1,) [Hz]; together 1."""
    half = np.diff(edges) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * _NODE
    variance = (jonswap(points, 1.0, peak_period, enhancement) * _WEIGHT).sum(axis=1) * half
    shares: F64 = variance / variance.sum()
    return shares


def breaking(height: float, peak_period: float, depth: float) -> str:
    """Return why a sea of this height [m], peak period [s] and depth [m] can't last, or nothing.

    Mean steepness 2 pi Hs / g Tp^2 stays below 1/15 up to 8 s and below 1/25 from 15 s on (DNV-RP-C205, 3.5.4);
    no wave is higher than 0.78 of the depth (the same, 3.4.6).
    """
    (short, most), (long, least) = _STEEPEST_SHORT, _STEEPEST_LONG
    limit = float(np.interp(peak_period, [short, long], [most, least]))
    steepness = 2 * np.pi * height / (GRAVITY * peak_period**2)
    if steepness > limit:
        steep = f"their steepness of {steepness:.3f} is over {limit:.3f}"
        return f"waves of {height:g} m and {peak_period:g} s break: {steep}"
    if height > 0.78 * depth:
        return f"waves of {height:g} m break in {depth:g} m of water"
    return ""
