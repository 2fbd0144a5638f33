"""Radar cross-sections of TR 38.901 (v19.4), 7.9.2: lobes, fluctuation over aspect, and cross-polarisation.

The standard draws fluctuation and cross-polarisation anew for each pair of directions. Here they are smooth fields over
aspect, with the same distributions: a target fades as it turns, as one of many scattering centres does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from typing import NamedTuple

import numpy as np

from twin.numerics.draws import generator
from twin.specs.rcs import RcsModel, RcsSpec
from twin.state import C128, F64, I64

WAVES = 24
"""Plane waves of which a field over aspect is made; its excess kurtosis is -1.5 / WAVES."""
_ALL = (0.0, 360.0)


class Model(NamedTuple):
    """A target of TR 38.901, single scattering point: levels in dB and dBsm, angles in degrees."""

    mean: float  # dBsm, 10 lg sigma_M
    deviation: float  # dB, of sigma_S
    xpr: tuple[float, float]  # dB, mean and deviation
    size: float  # m, longest extent (tables 7.9.1-1 to 7.9.1-5)
    shape: tuple[float, float] = (0.0, 0.0)  # k_1, k_2
    lobes: tuple[tuple[float, ...], ...] = ()  # phi and its width, theta and its width, G_max, sigma_max, where


def _side(phi: float, width: float, theta: float, height: float, peak: float, depth: float, low: float, high: float
          ) -> tuple[float, ...]:  # fmt: skip
    return (phi, width, theta, height, peak, depth, low, high, phi - 45.0, phi + 45.0)


def _cap(theta: float, height: float, peak: float, depth: float, low: float, high: float) -> tuple[float, ...]:
    return (0.0, np.inf, theta, height, peak, depth, low, high, *_ALL)


_BEYOND = 180.1
"""The end of a range that 180 degrees belong to."""
MODELS: dict[RcsModel, Model] = {
    "uav-small": Model(-12.81, 3.74, (13.75, 7.07), 0.4),
    "human": Model(-1.37, 3.94, (19.81, 4.25), 1.75),
    "uav-large": Model(-5.85, 2.50, (13.75, 7.07), 1.6, (6.05, 1.33), (
        _side(90.0, 7.13, 90.0, 8.68, 7.43, 14.30, 45.0, 135.0),
        _side(180.0, 10.09, 90.0, 11.43, 3.99, 10.86, 45.0, 135.0),
        _side(270.0, 7.13, 90.0, 8.68, 7.43, 14.30, 45.0, 135.0),
        _side(0.0, 14.19, 90.0, 16.53, 1.02, 7.89, 45.0, 135.0),
        _cap(180.0, 4.93, 13.55, 20.42, 135.0, _BEYOND),
        _cap(0.0, 4.93, 13.55, 20.42, 0.0, 45.0),
    )),
    "vehicle": Model(11.25, 3.41, (21.12, 6.88), 5.0, (6.0, 1.65), (
        _side(90.0, 26.90, 79.70, 44.42, 20.75, 13.68, 30.0, _BEYOND),
        _side(180.0, 36.32, 79.65, 36.73, 14.56, 7.50, 30.0, _BEYOND),
        _side(270.0, 26.90, 79.70, 44.42, 20.75, 13.68, 30.0, _BEYOND),
        _side(0.0, 40.54, 71.75, 29.13, 15.52, 8.45, 30.0, _BEYOND),
        _cap(0.0, 18.13, 21.26, 14.19, 0.0, 30.0),
    )),
    "agv": Model(-4.25, 2.51, (9.60, 6.85), 1.0, (12.0, 1.45), (
        _side(0.0, 13.68, 90.0, 13.68, 13.02, 23.29, 30.0, _BEYOND),
        _side(90.0, 15.53, 75.0, 20.03, 7.33, 17.60, 30.0, _BEYOND),
        _side(180.0, 12.49, 90.0, 11.89, 11.01, 21.28, 30.0, _BEYOND),
        _side(270.0, 15.53, 75.0, 20.03, 7.33, 17.60, 30.0, _BEYOND),
        _cap(0.0, 11.44, 11.79, 22.06, 0.0, 30.0),
    )),
}  # fmt: skip
"""Tables 7.9.2.1-1, -2, -4 and -6 and 7.9.2.2-1, and the shape parameters of equation 7.9.2-3."""


def pattern_db(model: Model, incident: F64, scattered: F64) -> F64:
    """Return 10 lg(sigma_M sigma_D) [dBsm] for directions (M, 3) from a target to both ends, in its axes.

    Equations 7.9.2-2, without lobes, and 7.9.2-3; no forward scattering, as there.
    """
    apart, middle = np.linalg.norm(incident - scattered, axis=1), np.linalg.norm(incident + scattered, axis=1)
    half = np.arctan2(apart, middle)
    if not model.lobes:
        return np.asarray(model.mean - 3.0 * np.sin(half))
    theta, phi = _bisector(incident, scattered)
    k1, k2 = model.shape
    with np.errstate(divide="ignore"):
        bistatic = 5.0 * np.log10(np.maximum(np.cos(half), 0.0)) - k1 * np.sin(k2 * half)
    best = np.full(len(half), -np.inf)
    for centre, width, at, height, peak, depth, low, high, left, right in model.lobes:
        inside = (theta >= low) & (theta < high) & ((phi - left) % 360.0 < right - left)
        down = np.minimum(12.0 * ((theta - at) / height) ** 2, depth)
        across = np.minimum(12.0 * (((phi - centre + 180.0) % 360.0 - 180.0) / width) ** 2, depth)
        level = np.maximum(peak - np.minimum(down + across, depth) + bistatic, peak - depth)
        best = np.where(inside, level, best)
    return best


def _bisector(incident: F64, scattered: F64) -> tuple[F64, F64]:
    """Return zenith and azimuth [deg] of the bisectors; that of two opposite directions is taken as z."""
    middle = incident + scattered
    size = np.linalg.norm(middle, axis=1)
    middle = np.where(size[:, None] > 1e-9, middle / np.maximum(size, 1e-9)[:, None], [0.0, 0.0, 1.0])
    theta = np.degrees(np.arccos(np.clip(middle[:, 2], -1.0, 1.0)))
    return theta, np.degrees(np.arctan2(middle[:, 1], middle[:, 0]))


class Scatterers:
    """The targets of a scenario: what each sends back, with fields drawn by its name."""

    def __init__(self, specs: Sequence[RcsSpec], names: Sequence[str], seed: int, wavelength: float) -> None:
        """Draw the fields over aspect of all targets, for waves of `wavelength` [m]."""
        self.specs = tuple(specs)
        self.models = tuple(_model(spec) for spec in specs)
        self._still = np.array([not spec.fluctuation or spec.model == "point" for spec in specs], dtype=bool)
        count = len(self.specs)
        self._vector, self._phase = np.zeros((count, 2, WAVES, 3)), np.zeros((count, 2, WAVES))
        self._turn = np.ones((count, 3), dtype=complex)
        for t, (model, name) in enumerate(zip(self.models, names, strict=True)):
            drawn = generator(seed, "rcs", name)
            way = drawn.normal(size=(2, WAVES, 3))
            way /= np.linalg.norm(way, axis=2, keepdims=True)
            reach = 2.0 * pi * model.size / wavelength * np.cbrt(drawn.uniform(size=(2, WAVES, 1)))
            self._vector[t], self._phase[t] = reach * way, drawn.uniform(0.0, 2.0 * pi, (2, WAVES))
            if not self._still[t]:
                self._turn[t] = np.exp(1j * drawn.uniform(-pi, pi, 3))

    def matrices(self, target: I64, incident: F64, scattered: F64) -> tuple[F64, C128]:
        """Return cross-sections (M,) [dBsm] and polarisation matrices (M, 2, 2) of targets (M,).

        Directions (M, 3) lead from the target to both ends, in its axes; rows and columns of a matrix are theta and
        phi about its z axis, towards the receiver and from the transmitter (equation 7.9.2-5). Both are the same with
        the ends exchanged: fields depend on the sum of the directions, and matrices are symmetric.
        """
        level, matrix = np.empty(len(target)), np.zeros((len(target), 2, 2), dtype=complex)
        for t in np.unique(target):
            rows = np.flatnonzero(target == t)
            model, turn = self.models[t], self._turn[t]
            level[rows] = pattern_db(model, incident[rows], scattered[rows])
            matrix[rows, 0, 0], matrix[rows, 1, 1] = turn[0], turn[1]
            if self._still[t]:
                continue
            fade, cross = self._fields(int(t), incident[rows] + scattered[rows])
            level[rows] += model.deviation * fade - log(10.0) / 20.0 * model.deviation**2  # equation 7.9.2-1
            leak = 10.0 ** (-(model.xpr[0] + model.xpr[1] * cross) / 20.0) * turn[2]
            matrix[rows, 0, 1] = matrix[rows, 1, 0] = leak
        return level, matrix

    def _fields(self, target: int, aspect: F64) -> tuple[F64, F64]:
        """Return two standard normal fields (M,) at sums of directions (M, 3).

        The waves of a field fill a ball of radius 2 pi L / lambda, so that two aspects whose sums of directions are d
        apart correlate as 3 (sin x - x cos x) / x^3 with x = 2 pi L d / lambda.
        """
        angle = np.einsum("fwk,mk->fmw", self._vector[target], aspect) + self._phase[target][:, None, :]
        values = np.sqrt(2.0 / WAVES) * np.cos(angle).sum(axis=2)
        return values[0], values[1]


def _model(spec: RcsSpec) -> Model:
    if spec.model == "point":
        assert spec.mean is not None, "validated"
        return Model(
            spec.mean,
            0.0,
            (0.0, 0.0),
            spec.size or 1.0,
            (0.0, 0.0),
            ((0.0, np.inf, 0.0, np.inf, spec.mean, 0.0, 0.0, _BEYOND, *_ALL),),
        )
    found = MODELS[spec.model]
    return found if spec.size is None else found._replace(size=spec.size)
