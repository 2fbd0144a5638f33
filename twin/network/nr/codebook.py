"""Codebooks of antenna arrays: what each beam of both ends of a link makes of its paths. Kernels.

T terminals, C cells; beam k of an array of r rows and c columns is row k // c and column k % c of its DFT codebook.
What is measured over a band much wider than 1 / (spread of delays) is the sum of the paths' powers (L1-RSRP, TS 38.215
5.1.1).
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import NamedTuple

import numpy as np

from twin.link import beam_gain
from twin.numerics.kernels import kernel, uncounted
from twin.state import C128, F64, I64


class Panels(NamedTuple):
    """The arrays at both ends of all pairs, and how many beams of each codebook there are to choose from."""

    cell: I64  # (C, 2) rows and columns
    terminal: I64  # (T, 2)
    cell_beams: I64  # (C,)
    terminal_beams: I64  # (T,)
    end: I64  # (T, C) which end of their link the cell is, 0 or 1


class Paths(NamedTuple):
    """The P paths between terminals and cells, as traced between single elements."""

    first: I64  # (T, C) paths first:last of a pair
    last: I64  # (T, C)
    element: C128  # (P,) field gain
    phase: F64  # (2, P, 2) rad between rows and between columns, see TracedLinks


class Choice(NamedTuple):
    """A beam at each end of every pair, and the power gain with them."""

    cell: I64  # (T, C)
    terminal: I64  # (T, C)
    power: F64  # (T, C)


def choice(terminals: int, cells: int) -> Choice:
    """Return the first beam at both ends, and no power."""
    shape = terminals, cells
    return Choice(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape))


@uncounted
def row_powers(count: int, turn_s: float, turn_c: float, phase: float, out: F64) -> None:
    """Write [sin(n x / 2) / (n sin(x / 2))]^2, x = `phase` - 2 pi k / n, for the n = `count` beams k of a row.

    `turn_s` and `turn_c` are sine and cosine of pi / n.
    """
    top = (sin(0.5 * count * phase) / count) ** 2  # the same for all k, but for its sign
    s, c = sin(0.5 * phase), cos(0.5 * phase)
    for k in range(count):
        out[k] = 1.0 if abs(s) < 1e-7 else top / (s * s)
        s, c = s * turn_c - c * turn_s, c * turn_c + s * turn_s


@uncounted
def end_gain(shape: I64, radio: int, beam: int, phase: F64, end: int, p: int) -> float:
    """Return the amplitude gain of a beam of a radio's array on path `p`, at its `end` of the link."""
    rows, columns = shape[radio, 0], shape[radio, 1]
    if rows * columns == 1:
        return 1.0
    return float(beam_gain(rows, columns, beam, phase[end, p, 0], phase[end, p, 1]))


@uncounted
def beam_powers(paths: Paths, panels: Panels, t: int, c: int, own: int, room: F64, out: F64) -> None:
    """Write the power gain of each beam of cell `c` to terminal `t`, which uses its beam `own`; out (beams,).

    `room` (2, n) is for as many as there are in a row or a column.
    """
    rows, columns, end = panels.cell[c, 0], panels.cell[c, 1], panels.end[t, c]
    fixed = out.size < rows * columns  # broadside: the first beam alone
    down, along = room[0], room[1]
    rows_s, rows_c, columns_s, columns_c = sin(pi / rows), cos(pi / rows), sin(pi / columns), cos(pi / columns)
    for k in range(out.size):
        out[k] = 0.0
    for p in range(paths.first[t, c], paths.last[t, c]):
        gain = end_gain(panels.terminal, t, own, paths.phase, 1 - end, p)
        power = (paths.element[p].real ** 2 + paths.element[p].imag ** 2) * gain * gain * rows * columns
        row_powers(rows, rows_s, rows_c, paths.phase[end, p, 0], down)
        row_powers(columns, columns_s, columns_c, paths.phase[end, p, 1], along)
        if fixed:
            out[0] += power * down[0] * along[0]
            continue
        for r in range(rows):
            here, first = power * down[r], r * columns
            for k in range(columns):
                out[first + k] += here * along[k]


@kernel
def measure(paths: Paths, panels: Panels, beams: tuple[int, int], own: int, best: Choice) -> None:
    """Measure beams first:last of all cells with beam `own` of the terminals (modulo what they have); keep the best."""
    room = np.empty((2, panels.cell.max()))
    for c in range(panels.cell_beams.size):
        found = np.empty(panels.cell_beams[c])
        for t in range(panels.terminal_beams.size):
            mine = own % panels.terminal_beams[t]
            beam_powers(paths, panels, t, c, mine, room, found)
            for k in range(beams[0], min(beams[1], found.size)):
                if found[k] > best.power[t, c]:
                    best.cell[t, c], best.terminal[t, c], best.power[t, c] = k, mine, found[k]


@uncounted
def pair_field(paths: Paths, panels: Panels, choice: Choice, t: int, c: int, p: int) -> complex:
    """Return the field gain of path `p` of a pair with the beams that are chosen for it."""
    end = panels.end[t, c]
    gain = end_gain(panels.cell, c, choice.cell[t, c], paths.phase, end, p)
    gain *= end_gain(panels.terminal, t, choice.terminal[t, c], paths.phase, 1 - end, p)
    return complex(paths.element[p] * gain)


@kernel
def aim(paths: Paths, panels: Panels, used: Choice, amplitude: C128) -> None:
    """Write the field gains (P,) of all paths with the beams that are used, and the power gain of each pair."""
    for t in range(used.power.shape[0]):
        for c in range(used.power.shape[1]):
            used.power[t, c] = 0.0
            for p in range(paths.first[t, c], paths.last[t, c]):
                amplitude[p] = pair_field(paths, panels, used, t, c, p)
                used.power[t, c] += amplitude[p].real ** 2 + amplitude[p].imag ** 2


@kernel
def reappraise(paths: Paths, panels: Panels, known: Choice, used: Choice) -> None:
    """Bring the power of the beams that are `known` to the newest trace; those in use have theirs already."""
    for t in range(known.power.shape[0]):
        for c in range(known.power.shape[1]):
            if known.cell[t, c] == used.cell[t, c] and known.terminal[t, c] == used.terminal[t, c]:
                known.power[t, c] = used.power[t, c]
                continue
            known.power[t, c] = 0.0
            for p in range(paths.first[t, c], paths.last[t, c]):
                field = pair_field(paths, panels, known, t, c, p)
                known.power[t, c] += field.real**2 + field.imag**2


@kernel
def spill(paths: Paths, panels: Panels, used: Choice, serving: I64, rows: I64, out: F64) -> None:
    """Write the power that each beam of each cell brings to each terminal, to that of the pair's own beams; out (T, B).

    A terminal listens with the beam that it has for the cell that is `serving` it (T,), whose own beams are left out;
    beams of cell c are rows rows[c]:rows[c + 1].
    """
    room = np.empty((2, panels.cell.max()))
    for t in range(out.shape[0]):
        for c in range(rows.size - 1):
            if c == serving[t]:
                continue
            here = out[t, rows[c] : rows[c + 1]]
            if used.power[t, c] <= 0.0:
                here[:] = 0.0
                continue
            beam_powers(paths, panels, t, c, used.terminal[t, max(serving[t], 0)], room, here)
            for k in range(here.size):
                here[k] /= used.power[t, c]
