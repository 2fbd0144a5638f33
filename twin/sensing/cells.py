"""What stands in the cells of a receiver, compiled: responses of echoes to one another, and which are detected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.numerics.draws import Key, normal
from twin.numerics.kernels import kernel
from twin.state import C128, F64, I64


class Look(NamedTuple):
    """What stays the same from CPI to CPI."""

    times: F64  # (M,) s, of the pulses
    weights: F64  # (M,) of the taper over them, of the sum 1
    terms: F64  # (4,) of the taper over subcarriers
    duration: float  # s
    rows: int  # of the array
    columns: int


class Placed(NamedTuple):
    """Where m echoes are and where they are looked for."""

    cells: F64  # (m, 2) range and Doppler
    point: F64  # (m, 2) of the receiver's grid, cells
    phase: F64  # (m, 2) rad
    beam: F64  # (m, 2) rad
    doppler: F64  # (m,) Hz


class Limits(NamedTuple):
    """Where is looked, and above what an echo is one."""

    farthest: float  # cells of range
    notch: float  # cells of Doppler beside zero
    fastest: float  # cells of Doppler
    threshold: float  # over noise
    sidelobe: float  # power over that of the strongest echo beside it


class Draws(NamedTuple):
    """Names of the noise of m echoes."""

    seed: int
    stream: Key
    entity: np.ndarray  # (m,) uint64, of its target
    number: int  # of the CPI
    attempt: I64  # (B, m) first of each beam


@kernel
def tapered(terms: F64, offset: float) -> float:
    """Return `windows.response` at one offset."""
    x = offset + 1e-7 if abs(offset - round(offset)) < 1e-7 else offset
    square, rational, sign = x * x, terms[0], -1.0
    for n in range(1, len(terms)):
        rational += sign * terms[n] * square / (square - n * n)
        sign = -sign
    response: float = np.sin(np.pi * x) / (np.pi * x) * rational / terms[0]
    return response


@kernel
def lined(count: int, phase: float) -> float:
    """Return `windows.dirichlet` of one phase."""
    half = 0.5 * phase
    below = np.sin(half)
    if abs(below) < 1e-9:
        near: float = np.cos(count * half) / np.cos(half)
        return near
    response: float = np.sin(count * half) / (count * below)
    return response


@kernel
def responses(look: Look, echo: Placed) -> tuple[C128, F64]:
    """Return the response (m, m) at each echo's point to every echo, and its square (m, m) but for Doppler."""
    m, pulses = len(echo.doppler), len(look.times)
    seen, beside = np.empty((m, m), dtype=np.complex128), np.empty((m, m))
    turning = np.empty((m, pulses), dtype=np.complex128)
    for j in range(m):
        mean = 0.0j
        for t in range(pulses):
            turn = 2.0 * np.pi * echo.doppler[j] * look.times[t]
            turning[j, t] = complex(np.cos(turn), np.sin(turn))
            mean += turning[j, t]
        for t in range(pulses):
            turning[j, t] -= mean / pulses  # what stands still is gone
    cell = np.empty(pulses, dtype=np.complex128)
    for i in range(m):
        for t in range(pulses):
            turn = 2.0 * np.pi * echo.point[i, 1] / look.duration * look.times[t]
            cell[t] = look.weights[t] * complex(np.cos(turn), -np.sin(turn))
        for j in range(m):
            size = tapered(look.terms, echo.point[i, 0] - echo.cells[j, 0])
            size *= lined(look.rows, echo.phase[j, 0] - echo.beam[i, 0])
            size *= lined(look.columns, echo.phase[j, 1] - echo.beam[i, 1])
            total = 0.0j
            for t in range(pulses):
                total += cell[t] * turning[j, t]
            seen[i, j], beside[i, j] = size * total, size * size
    return seen, beside


@kernel
def _drawn(draws: Draws, beam: int, echo: int, part: int) -> float:
    return normal(draws.seed, draws.stream, draws.entity[echo], draws.number, draws.attempt[beam, echo] + part)


@kernel
def loudest(amplitude: C128, seen: C128, beside: F64, floor: F64, draws: Draws, point: F64, limits: Limits) -> tuple[
    I64, F64
]:  # fmt: skip
    """Return of each echo the beam (m,) that hears it best, -1 for none, and its power (m,) over noise.

    An echo is heard above the threshold, where it is most of its cell and can't be another's sidelobe. `amplitude` is
    (B, m), `floor` (B, m) the root of what clutter makes of noise.
    """
    m = len(seen)
    beam, power = np.full(m, -1), np.zeros(m)
    for i in range(m):
        doppler = abs(point[i, 1])
        if point[i, 0] > limits.farthest or doppler <= limits.notch or doppler > limits.fastest:
            continue
        for b in range(len(amplitude)):
            total, strongest = 0.0j, 0.0
            for j in range(m):
                total += amplitude[b, j] * seen[i, j]
                strongest = max(strongest, abs(amplitude[b, j]) ** 2 * beside[i, j])
            if abs(seen[i, i] * amplitude[b, i]) ** 2 < 0.25 * abs(total) ** 2:
                continue
            noise = np.sqrt(0.5) * complex(_drawn(draws, b, i, 0), _drawn(draws, b, i, 1))
            heard = abs(total / floor[b, i] + noise) ** 2
            above = max(limits.threshold, limits.sidelobe * strongest / floor[b, i] ** 2)
            if heard > above and heard > power[i]:
                beam[i], power[i] = b, heard
    return beam, power
