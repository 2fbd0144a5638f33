"""Linear (Airy) waves: one set of components for physics, radio and viewer, and its kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.errors import WorldError
from twin.numerics.draws import generator
from twin.numerics.kernels import kernel
from twin.state import F64
from twin.world.spectra import GRAVITY, Spectrum

Values6 = F64
"""(..., 6): velocity [m/s] and acceleration [m/s2] of the water"""


class Waves(NamedTuple):
    """C components a cos(k . x - w t + phase), as kernels take them."""

    amplitude: F64  # (C,) m
    frequency: F64  # (C,) rad/s
    number: F64  # (C,) rad/m
    kx: F64  # (C,) rad/m, east
    ky: F64  # (C,) rad/m, north
    phase: F64  # (C,) rad
    depth: float  # m, below the mean surface

    @property
    def significant_height(self) -> float:
        """Return 4 sqrt(m0) [m]."""
        return 4.0 * float(np.sqrt(0.5 * np.sum(self.amplitude**2)))


def wave_number(frequency: F64, depth: float) -> F64:
    """Return k [rad/m] of w [rad/s]: w^2 = g k tanh(k d), by Newton's method from Eckart's approximation."""
    deep = np.asarray(frequency, dtype=float) ** 2 * depth / GRAVITY
    kd = deep / np.sqrt(np.tanh(deep))
    for _ in range(6):
        tanh = np.tanh(kd)
        kd = kd - (kd * tanh - deep) / (tanh + kd * (1.0 - tanh**2))
    return kd / depth


def make_waves(systems: Sequence[Spectrum], depth: float, components: int, seed: int) -> Waves:
    """Return the components of all wave systems: the same for the same seed.

    Each band of a system with variance becomes one component or, where there are fewer bands than `components`,
    several of equal variance side by side. Its frequency is drawn within its share of the band, so that the
    surface never repeats; its direction from the band's cos^2s distribution; its phase uniformly.

    Raises:
        WorldError: the depth isn't positive, or there are more bands than components.
    """
    if not depth > 0:
        raise WorldError(f"depth of the sea: found {depth:g} m, expected more than 0")
    bands = sum(int((system.variance > 0).sum()) for system in systems)
    if bands > components:
        raise WorldError(f"{components} wave components can't hold a sea of {bands} bands of frequency")
    each = components // max(bands, 1)
    rows = [_components(system, each, generator(seed, "sea", str(i))) for i, system in enumerate(systems)]
    amplitude, frequency, direction, phase = np.concatenate([np.empty((4, 0)), *rows], axis=1)
    k = wave_number(frequency, depth)
    return Waves(amplitude, frequency, k, k * np.cos(direction), k * np.sin(direction), phase, depth)


def joined(first: Waves, second: Waves) -> Waves:
    """Return the components of both, over the depth of the first."""
    a, w, k, kx, ky, phase = (np.concatenate([one, other]) for one, other in zip(first[:6], second[:6], strict=True))
    return Waves(a, w, k, kx, ky, phase, first.depth)


def regular_wave(amplitude: float, period: float, depth: float, direction: float = 0.0) -> Waves:
    """Return a single wave of `amplitude` [m] that travels to `direction` [rad], its crest at the origin at time 0."""
    w = np.array([2 * np.pi / period])
    k = wave_number(w, depth)
    return Waves(np.array([amplitude]), w, k, k * np.cos(direction), k * np.sin(direction), np.zeros(1), depth)


def _components(system: Spectrum, each: int, rng: np.random.Generator) -> F64:
    """Return (4, C): amplitude, frequency, direction, phase of a system's components."""
    there = np.repeat(np.flatnonzero(system.variance > 0), each)
    share = np.tile(np.arange(each), len(there) // max(each, 1))
    width = (system.upper - system.lower)[there] / each
    frequency = system.lower[there] + (share + rng.random(len(there))) * width
    turn = _spread(system.spreading[there], rng.random(len(there)))
    return np.array(
        [
            np.sqrt(2.0 * system.variance[there] / each),
            2 * np.pi * np.maximum(frequency, 1e-6),
            system.direction[there] + turn,
            rng.uniform(0.0, 2 * np.pi, len(there)),
        ]
    )


def _spread(spreading: F64, draw: F64) -> F64:
    """Return angles from the mean direction whose density is cos^2s(angle / 2), by inversion."""
    angle = np.linspace(-np.pi, np.pi, 3601)
    out = np.zeros(len(draw))
    for i, (s, u) in enumerate(zip(spreading, draw, strict=True)):
        if np.isfinite(s):
            density = np.cos(angle / 2) ** (2 * s)
            total = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
            out[i] = np.interp(u * total[-1], total, angle)
    return out


@kernel
def turn_waves(waves: Waves, time: float, x: float, y: float, swing: F64) -> None:
    """Write cosine and sine of each component's angle at one place [m] and time [s] into `swing` (C, 2)."""
    for i in range(waves.amplitude.shape[0]):
        angle = waves.kx[i] * x + waves.ky[i] * y - waves.frequency[i] * time + waves.phase[i]
        swing[i, 0], swing[i, 1] = np.cos(angle), np.sin(angle)


@kernel
def surface(waves: Waves, swing: F64) -> tuple[float, float, float]:
    """Return elevation [m] above the mean surface and its slopes along x and y, where `swing` was taken."""
    height, slope_x, slope_y = 0.0, 0.0, 0.0
    for i in range(waves.amplitude.shape[0]):
        down = -waves.amplitude[i] * swing[i, 1]
        height += waves.amplitude[i] * swing[i, 0]
        slope_x += waves.kx[i] * down
        slope_y += waves.ky[i] * down
    return height, slope_x, slope_y


@kernel
def elevation(waves: Waves, time: float, points: F64, out: F64) -> None:
    """Write the elevation [m] at points (n, 2) [m] at `time` [s] into `out` (n,)."""
    swing = np.empty((waves.amplitude.shape[0], 2))
    for i in range(points.shape[0]):
        turn_waves(waves, time, points[i, 0], points[i, 1], swing)
        out[i] = surface(waves, swing)[0]


@kernel
def kinematics(
    waves: Waves, swing: F64, height: float, lowest: float, step: float, out: Values6, foot: Values6
) -> None:
    """Write the mean velocity and acceleration of the water over n layers, where `swing` was taken, into `out` (n, 6).

    The first layer begins at z = `lowest` < 0 and each is `step` m high, measured from the instantaneous surface
    `height`; of a layer through it the part below counts, above it the water moves as at it. `foot` (6,) is the motion
    at `lowest`. Wheeler's stretching (1970) puts all at z d / (d + height) below the mean surface. The mean of an
    exponential is what it gains over what its exponent does; both, of cosh and sinh, climb by one factor a layer.
    """
    out[:], foot[:] = 0.0, 0.0
    stretch = waves.depth / (waves.depth + height) if height > -waves.depth else 1.0
    first, rise = lowest * stretch, step * stretch
    below = np.empty(out.shape[0])  # m, of each layer
    for j in range(out.shape[0]):
        below[j] = min(first + (j + 1) * rise, 0.0) - min(first + j * rise, 0.0)
    for i in range(waves.amplitude.shape[0]):
        k, w = waves.number[i], waves.frequency[i]
        floor = np.exp(-2.0 * k * waves.depth)
        speed = waves.amplitude[i] * w / (1.0 - floor)
        ahead, above = speed * swing[i, 0], speed * swing[i, 1]
        east, north, fall = waves.kx[i] / k, waves.ky[i] / k, ahead * w
        along, pull = (ahead * east, ahead * north), (above * w * east, above * w * north)
        up, climb = np.exp(k * first), np.exp(k * rise)
        down, sink = floor / up, 1.0 / climb
        low, deep = min(up, 1.0), max(down, floor)
        foot[0] += (low + deep) * along[0]
        foot[1] += (low + deep) * along[1]
        foot[2] += (low - deep) * above
        foot[3] += (low + deep) * pull[0]
        foot[4] += (low + deep) * pull[1]
        foot[5] -= (low - deep) * fall
        whole = 1.0 / (k * rise) if rise != 0.0 else 0.0
        for j in range(out.shape[0]):
            up *= climb
            down *= sink
            high, shallow = min(up, 1.0), max(down, floor)
            if abs(k * below[j]) > 1e-6:
                share = whole if below[j] == rise else 1.0 / (k * below[j])
                grown, shrunk = (high - low) * share, (deep - shallow) * share
            else:
                grown, shrunk = high, shallow
            low, deep = high, shallow
            out[j, 0] += (grown + shrunk) * along[0]
            out[j, 1] += (grown + shrunk) * along[1]
            out[j, 2] += (grown - shrunk) * above
            out[j, 3] += (grown + shrunk) * pull[0]
            out[j, 4] += (grown + shrunk) * pull[1]
            out[j, 5] -= (grown - shrunk) * fall
