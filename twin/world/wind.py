"""Wind: a mean profile over height, and gusts as a field of turbulence that the mean wind carries along.

The gusts are random Fourier modes (Kraichnan, Phys. Fluids 13, 1970): each is a wave square to its wave vector, so
that the air is incompressible, and the wave numbers are drawn from the isotropic Dryden spectrum, whose correlation
along the wind is sigma^2 exp(-r / L). The field is a function of place and time and of nothing else: robots near each
other feel the same gust, and one more robot changes no gust. Buildings give no shelter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.numerics.draws import generator
from twin.numerics.kernels import kernel
from twin.state import F64
from twin.world.series import Series

MODES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Turbulence:
    """A frozen field of gusts of unit standard deviation a component; K modes."""

    wave: F64  # (K, 3) rad/m
    amplitude: F64  # (K, 3)
    phase: F64  # (K,) rad


class Wind:
    """Velocity of the air at any place and time."""

    def __init__(
        self,
        speed: Series,
        bearing: Series,
        height: float,
        roughness: float,
        intensity: Series,
        turbulence: Turbulence | None,
    ) -> None:
        """Take the mean `speed` [m/s] at `height` [m] from `bearing` [rad, clockwise from north].

        `roughness` is the length [m] of the logarithmic profile, `intensity` the gusts' standard deviation over
        the mean speed at `height`.
        """
        self.speed, self.bearing = speed, bearing
        self.height, self.roughness = height, roughness
        self.intensity, self.turbulence = intensity, turbulence

    def velocity(self, time: int, points: F64) -> F64:
        """Return the velocity [m/s], (n, 3), of the air at points (n, 3) m at `time` [ns]."""
        speed, towards = self.speed.at(time), self._towards(time)
        scale = np.log(np.maximum(points[:, 2], self.roughness) / self.roughness)
        mean = speed * scale / np.log(self.height / self.roughness)
        air: F64 = mean[:, None] * towards
        intensity = self.intensity.at(time)
        if self.turbulence is not None and intensity > 0.0:
            carried = points - self.speed.integral(time) * towards
            t = self.turbulence
            add_gusts(carried, t.wave, t.amplitude, t.phase, intensity * speed, air)
        return air

    def _towards(self, time: int) -> F64:
        bearing = self.bearing.at(time)
        return np.array([-np.sin(bearing), -np.cos(bearing), 0.0])


def make_turbulence(seed: int, length: float, modes: int = MODES) -> Turbulence:
    """Return a field of the integral length `length` [m], the same for the same seed.

    With kappa = k L = tan(theta) the energy of the isotropic Dryden spectrum, 16 / (3 pi) kappa^4 / (1 + kappa^2)^3,
    becomes sin(theta)^4: wave numbers are taken at equal shares of its integral, one at random in each share.
    """
    rng = generator(seed, "wind")
    theta = np.linspace(0.0, np.pi / 2, 4097)
    share = 16 / (3 * np.pi) * (3 * theta / 8 - np.sin(2 * theta) / 4 + np.sin(4 * theta) / 32)
    k = np.tan(np.interp((np.arange(modes) + rng.random(modes)) / modes, share, theta)) / length
    along = _unit(rng.standard_normal((modes, 3)))
    across = _unit(np.cross(along, rng.standard_normal((modes, 3))))
    # A cosine has a mean square of 1/2, and a third of it lies in each component.
    return Turbulence(k[:, None] * along, across * np.sqrt(6.0 / modes), rng.uniform(0, 2 * np.pi, modes))


@kernel
def add_gusts(points: F64, wave: F64, amplitude: F64, phase: F64, sigma: float, air: F64) -> None:
    """Add gusts of standard deviation `sigma` [m/s] at points (n, 3) m, at rest in the moving air, to `air` (n, 3)."""
    for i in range(len(points)):
        for k in range(len(phase)):
            turn = phase[k]
            for axis in range(3):
                turn += wave[k, axis] * points[i, axis]
            gust = sigma * np.cos(turn)
            for axis in range(3):
                air[i, axis] += gust * amplitude[k, axis]


def _unit(vectors: F64) -> F64:
    unit: F64 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
