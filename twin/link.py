"""Radios, and kernels that evaluate a link at any instant between two traces, without a Python call.

Convention e^{+jwt}: a path of length d turns the field by exp(-j 2 pi f d / c), and a path that shortens has
a positive Doppler shift. Between traces a path keeps its amplitude; its phase and delay advance linearly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sin, sqrt
from typing import NamedTuple

import numpy as np

from twin.numerics.kernels import kernel
from twin.specs import AntennaSpec
from twin.specs.radio import Role
from twin.state import C128, F64, I32, I64, LinkState

SPEED_OF_LIGHT = 299_792_458.0
"""m/s"""


@dataclass(frozen=True, slots=True)
class Radio:
    """One radio: where it sits, what it sends with; row `index` of the radios of a twin."""

    index: int
    owner: int  # node index of the robot that carries it
    body: int | None  # row of BodyState that it moves and turns with; None where it stands fixed
    mount: tuple[float, float, float]  # m, in body axes from the centre of mass; in world axes without a body
    carrier: float  # Hz
    gain_db: float = 0.0  # of the antenna, on top of its pattern
    power_dbm: float = 23.0
    noise_figure_db: float = 7.0
    antenna: AntennaSpec = AntennaSpec()
    role: Role = "terminal"


class Waves(NamedTuple):
    """The P paths of all links, as traced."""

    amplitude: C128  # (P,)
    delay: F64  # (P,) s
    doppler: F64  # (P,) Hz


class Tones(NamedTuple):
    """Frequencies carrier + start_hz + k step_hz [Hz]."""

    carrier: float
    start_hz: float
    step_hz: float


@kernel
def _turn(cycles: float) -> complex:
    angle = 2.0 * np.pi * (cycles - np.floor(cycles))
    return complex(np.cos(angle), np.sin(angle))


@kernel
def response(waves: Waves, first: int, last: int, elapsed: float, tones: Tones, out: C128) -> None:
    """Write H of paths first:last at tone k of `tones` into out[k].

    H(t, f) = sum a exp(j 2 pi [doppler t - (f - carrier) (delay - t doppler / carrier)]), with t = `elapsed`
    seconds after the trace; the drift of the delay is what makes Doppler differ across a wide band.
    """
    out[:] = 0.0
    for p in range(first, last):
        doppler = waves.doppler[p]
        now = waves.delay[p] - elapsed * doppler / tones.carrier
        term = waves.amplitude[p] * _turn(doppler * elapsed - tones.start_hz * now)
        turn = _turn(-tones.step_hz * now)
        for k in range(out.size):
            out[k] += term
            term *= turn


@kernel
def dirichlet(count: int, phase: float) -> float:
    """Return sin(n x / 2) / (n sin(x / 2)): how far n elements, x apart in phase, are from adding up."""
    turns = floor(phase / (2.0 * np.pi) + 0.5)
    half = 0.5 * (phase - 2.0 * np.pi * turns)
    sign = -1.0 if (int(turns) * (count - 1)) % 2 else 1.0  # elements of an even row sit at half steps
    if abs(half) < 1e-9:
        return sign
    return sign * sin(count * half) / (count * sin(half))


@kernel
def beam_gain(rows: int, columns: int, beam: int, v: float, h: float) -> float:
    """Return the amplitude gain of DFT beam `beam` = row * columns + column of a planar array.

    v and h are the phases [rad] between rows and between columns of the wave (`TracedLinks.path_phase`).
    """
    row, column = beam // columns, beam % columns
    along_rows = dirichlet(rows, v - 2.0 * np.pi * row / rows)
    return sqrt(rows * columns) * along_rows * dirichlet(columns, h - 2.0 * np.pi * column / columns)


class Arrays(NamedTuple):
    """The antenna arrays at both ends of a link, with a beam each."""

    shape: I32  # (2, 2) rows and columns
    phase: F64  # (2, P, 2) rad, of each path between rows and between columns, as of TracedLinks
    beams: I32  # (2,) of a DFT codebook


@kernel
def beam_response(
    waves: Waves, arrays: Arrays, first: int, last: int, elapsed: float, tones: Tones, out: C128
) -> None:
    """Write H as `response` does, with the beams of two arrays; the amplitudes are those of single elements.

    Any pair of beams of a link, or of an interferer, is a sum over the same paths.
    """
    out[:] = 0.0
    for p in range(first, last):
        gain = 1.0
        for end in range(2):
            v, h = arrays.phase[end, p, 0], arrays.phase[end, p, 1]
            gain *= beam_gain(arrays.shape[end, 0], arrays.shape[end, 1], arrays.beams[end], v, h)
        doppler = waves.doppler[p]
        now = waves.delay[p] - elapsed * doppler / tones.carrier
        term = waves.amplitude[p] * gain * _turn(doppler * elapsed - tones.start_hz * now)
        turn = _turn(-tones.step_hz * now)
        for k in range(out.size):
            out[k] += term
            term *= turn


@kernel
def responses(
    waves: Waves, path_offset: I64, carrier: F64, elapsed: float, start_hz: float, step_hz: float, out: C128
) -> None:
    """Write H of every link into out (L, K); `carrier` (L,) Hz, the rest as in `response`."""
    for i in range(out.shape[0]):
        tones = Tones(carrier[i], start_hz, step_hz)
        response(waves, path_offset[i], path_offset[i + 1], elapsed, tones, out[i])


def frequency_response(
    links: LinkState, carrier: F64, elapsed: float, start_hz: float, step_hz: float, count: int
) -> C128:
    """Return H of all links, (L, count), `elapsed` seconds after the trace; `carrier` (L,) Hz."""
    out = np.empty((len(links.a), count), dtype=np.complex128)
    responses(
        Waves(amplitude=links.path_amplitude, delay=links.path_delay, doppler=links.path_doppler),
        links.path_offset,
        np.ascontiguousarray(carrier, dtype=float),
        elapsed,
        start_hz,
        step_hz,
        out,
    )
    return out
