"""Radios, and kernels that evaluate a link at any instant between two traces, without a Python call.

Convention e^{+jwt}: a path of length d turns the field by exp(-j 2 pi f d / c), and a path that shortens has
a positive Doppler shift. Between traces a path keeps its amplitude; its phase and delay advance linearly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sin, sqrt

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


@kernel
def _turn(cycles: float) -> complex:
    angle = 2.0 * np.pi * (cycles - np.floor(cycles))
    return complex(np.cos(angle), np.sin(angle))


@kernel
def response(
    amplitude: C128,
    delay: F64,
    doppler: F64,
    first: int,
    last: int,
    elapsed: float,
    carrier: float,
    start_hz: float,
    step_hz: float,
    out: C128,
) -> None:
    """Write H of paths first:last at carrier + start_hz + k step_hz into out[k].

    H(t, f) = sum a exp(j 2 pi [doppler t - (f - carrier) (delay - t doppler / carrier)]), with t = `elapsed`
    seconds after the trace; the drift of the delay is what makes Doppler differ across a wide band.
    """
    out[:] = 0.0
    for p in range(first, last):
        now = delay[p] - elapsed * doppler[p] / carrier
        term = amplitude[p] * _turn(doppler[p] * elapsed - start_hz * now)
        turn = _turn(-step_hz * now)
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


@kernel
def beam_response(
    element: C128,
    phase: F64,
    delay: F64,
    doppler: F64,
    first: int,
    last: int,
    elapsed: float,
    carrier: float,
    start_hz: float,
    step_hz: float,
    arrays: I32,
    beams: I32,
    out: C128,
) -> None:
    """Write H as `response` does, with DFT beams `beams` (2,) of two arrays of `arrays` (2, 2) rows and columns.

    `element` (P,) and `phase` (2, P, 2) are those of TracedLinks: any pair of beams of a link, or of an interferer,
    is a sum over the same paths.
    """
    out[:] = 0.0
    for p in range(first, last):
        gain = 1.0
        for end in range(2):
            gain *= beam_gain(arrays[end, 0], arrays[end, 1], beams[end], phase[end, p, 0], phase[end, p, 1])
        now = delay[p] - elapsed * doppler[p] / carrier
        term = element[p] * gain * _turn(doppler[p] * elapsed - start_hz * now)
        turn = _turn(-step_hz * now)
        for k in range(out.size):
            out[k] += term
            term *= turn


@kernel
def responses(
    path_offset: I64,
    amplitude: C128,
    delay: F64,
    doppler: F64,
    carrier: F64,
    elapsed: float,
    start_hz: float,
    step_hz: float,
    out: C128,
) -> None:
    """Write H of every link into out (L, K); `carrier` (L,) Hz, the rest as in `response`."""
    for i in range(out.shape[0]):
        first, last = path_offset[i], path_offset[i + 1]
        response(amplitude, delay, doppler, first, last, elapsed, carrier[i], start_hz, step_hz, out[i])


def frequency_response(
    links: LinkState, carrier: F64, elapsed: float, start_hz: float, step_hz: float, count: int
) -> C128:
    """Return H of all links, (L, count), `elapsed` seconds after the trace; `carrier` (L,) Hz."""
    out = np.empty((len(links.a), count), dtype=np.complex128)
    responses(
        links.path_offset,
        links.path_amplitude,
        links.path_delay,
        links.path_doppler,
        np.ascontiguousarray(carrier, dtype=float),
        elapsed,
        start_hz,
        step_hz,
        out,
    )
    return out
