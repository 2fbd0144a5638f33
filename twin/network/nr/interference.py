"""Signal to noise and interference of each resource-block group, from paths and from what other cells send.

A resource-block group is `config.group` PRBs; in one of them, a channel and its interference are taken as flat.
Kernels over `State`; ratios are linear, and to noise where nothing else is said.
"""

from __future__ import annotations

import numpy as np

from twin.clock import NS
from twin.link import Tones, Waves, response
from twin.network.nr.carrier_state import DOWN, HARQ_PROCESSES, UP, Handle, State
from twin.network.nr.handle import opened
from twin.numerics.kernels import kernel
from twin.state import F64, I64


@kernel
def overlap(s: State, start: int, end: int, group: int) -> float:
    """Return which share of a group's PRBs lies in PRBs start:end."""
    low, high = group * s.config.group, min((group + 1) * s.config.group, s.config.prbs)
    return float(max(0, min(end, high) - max(start, low)) / (high - low))


@kernel
def last_group(s: State, start: int, prbs: int) -> int:
    """Return the group of the last of `prbs` PRBs from `start`."""
    return int((start + prbs - 1) // s.config.group)


@kernel
def fade(s: State, terminal: int, cell: int, time: int) -> None:
    """Bring `State.fading` of a pair to `time`: |H|^2 of its paths, as they turn since the trace, to its gain."""
    first, last = s.path_first[terminal, cell], s.path_last[terminal, cell]
    if last - first < 2 or s.faded_at[terminal, cell] == time:
        return
    s.faded_at[terminal, cell] = time
    waves = Waves(s.amplitude, s.delay, s.doppler)
    tones = Tones(s.config.frequency, s.config.first_hz, s.config.step_hz)
    response(waves, first, last, (time - s.traced[0]) / NS, tones, s.response)
    for g in range(s.response.size):
        h = s.response[g]
        s.fading[terminal, cell, g] = (h.real * h.real + h.imag * h.imag) / s.gain[terminal, cell]


@kernel
def load_cell(s: State, cell: int, time: int) -> None:
    """Begin a downlink occasion of a cell; `load_beam` says where it sends."""
    s.cells[cell].load_at, s.cells[cell].lit = time, 0


@kernel
def _light(s: State, cell: int, row: int) -> None:
    """Note that a cell uses the beam of a row in the occasion that has begun."""
    if s.lit_at[row] == s.cells[cell].load_at:
        return
    s.lit_at[row] = s.cells[cell].load_at
    s.lit[s.beam_rows[cell] + s.cells[cell].lit] = row
    s.cells[cell].lit += 1
    s.load[row, :] = 0.0


@kernel
def load_beam(s: State, cell: int, row: int, start: int, prbs: int) -> None:
    """Add PRBs that a cell sends in through the beam of a row, in the occasion that has begun."""
    if prbs <= 0:
        return
    _light(s, cell, row)
    for g in range(start // s.config.group, last_group(s, start, prbs) + 1):
        s.load[row, g] += overlap(s, start, start + prbs, g)


@kernel
def share_load(s: State, cell: int, taken: float, sends: bool) -> None:
    """Let sensing have a share of the occasion's time: data is heard in the rest of it, the signal through all beams.

    The signal fills the whole carrier.
    """
    if taken <= 0.0:
        return
    first, last = s.beam_rows[cell], s.beam_rows[cell + 1]
    for i in range(first, first + s.cells[cell].lit):
        s.load[s.lit[i], :] *= 1.0 - taken
    if sends:
        for row in range(first, last):
            _light(s, cell, row)
            s.load[row, :] += taken / (last - first)


@kernel
def remember_load(s: State, cell: int) -> None:
    """Add the load of this occasion to what the next quality report is made from."""
    first = s.beam_rows[cell]
    for i in range(first, first + s.cells[cell].lit):
        for g in range(s.load.shape[1]):
            s.load_sum[s.lit[i], g] += s.load[s.lit[i], g]


@kernel
def row_of(s: State, terminal: int, cell: int) -> int:
    """Return the row of the beam that a cell has for a terminal."""
    return int(s.beam_rows[cell] + s.beam[terminal, cell])


@kernel
def spilt(s: State, terminal: int, cell: int, group: int) -> float:
    """Return what a cell sends in a group, as a terminal hears its beams, to full load through the terminal's own."""
    first, total = s.beam_rows[cell], 0.0
    for i in range(first, first + s.cells[cell].lit):
        total += s.load[s.lit[i], group] * s.spill[terminal, s.lit[i]]
    return total


@kernel
def downlink_ratio(s: State, terminal: int, cell: int, group: int, time: int) -> float:
    """Return signal to noise and interference per PRB: other cells interfere by their load in the same group."""
    fade(s, terminal, cell, time)
    rest = 1.0
    for c in range(s.cells.size):
        if c == cell or s.cells[c].load_at != time:
            continue
        load = spilt(s, terminal, c, group)
        if load > 0.0:
            fade(s, terminal, c, time)
            rest += load * s.ratio[DOWN, terminal, c] * s.fading[terminal, c, group]
    return float(s.ratio[DOWN, terminal, cell] * s.fading[terminal, cell, group] / rest)


@kernel
def cap_power(handle: Handle, terminals: I64, cap_db: F64) -> None:
    """Let serving cells receive at most `cap_db` (n,) per PRB, to noise, from `terminals` (n,)."""
    s = opened(handle)
    for i in range(terminals.size):
        s.uplink_cap_db[terminals[i]] = cap_db[i]
        s.uplink_cap[terminals[i]] = 10.0 ** (0.1 * cap_db[i])


@kernel
def uplink_power(s: State, terminal: int, cell: int, prbs: int) -> float:
    """Return the share of its full power that a terminal uses for `prbs` resource blocks."""
    full = s.ratio[UP, terminal, cell]
    if full <= 0.0:
        return 1.0
    return float(min(1.0, s.uplink_cap[terminal] * prbs / full))


@kernel
def add_interference(s: State, h: int, time: int) -> None:
    """Add what a block in the uplink brings to the groups of other cells, per PRB."""
    b = s.blocks[h]
    terminal, start = h // (2 * HARQ_PROCESSES), b.start
    power = uplink_power(s, terminal, b.cell, b.prbs) / b.prbs
    for c in range(s.cells.size):
        if c == b.cell or s.ratio[UP, terminal, c] == 0.0:
            continue
        fade(s, terminal, c, time)
        for g in range(start // s.config.group, last_group(s, start, b.prbs) + 1):
            share = overlap(s, start, start + b.prbs, g)
            received = share * power * s.ratio[UP, terminal, c] * s.fading[terminal, c, g]
            for row in range(s.beam_rows[c], s.beam_rows[c + 1]):
                s.interference[row, g] += received * s.spill[terminal, row]


@kernel
def uplink_ratio(s: State, h: int, group: int, time: int) -> float:
    """Return signal to noise and interference per PRB of a block in the uplink."""
    b = s.blocks[h]
    terminal = h // (2 * HARQ_PROCESSES)
    fade(s, terminal, b.cell, time)
    signal = uplink_power(s, terminal, b.cell, b.prbs) * s.ratio[UP, terminal, b.cell] / b.prbs
    rest = 1.0 + s.interference[row_of(s, terminal, b.cell), group]
    if s.config.self_interference > 0.0 and s.cells[b.cell].load_at == time:
        first = s.beam_rows[b.cell]
        for i in range(first, first + s.cells[b.cell].lit):
            rest += s.config.self_interference * s.load[s.lit[i], group]
    return float(signal * s.fading[terminal, b.cell, group] / rest)


@kernel
def quality(handle: Handle, time: int, load: F64, rise: F64, serving: I64, up: F64, down: F64) -> None:
    """Write the flat ratios that each terminal's uplink and downlink are worth, (T,), over the whole carrier.

    The flat ratio of the same mean log2(1 + ratio) over the groups, under the mean `load` and `rise` (R, G) of
    the other cells; the uplink with all power in one PRB.
    """
    s = opened(handle)
    groups = load.shape[1]
    for t in range(serving.size):
        cell = max(serving[t], 0)
        up[t] = down[t] = 0.0
        for c in range(s.cells.size):
            fade(s, t, c, time)
        for g in range(groups):
            rest = 1.0
            for c in range(s.cells.size):
                if c == cell:
                    continue
                heard = 0.0
                for row in range(s.beam_rows[c], s.beam_rows[c + 1]):
                    heard += load[row, g] * s.spill[t, row]
                rest += heard * s.ratio[DOWN, t, c] * s.fading[t, c, g]
            fading = s.fading[t, cell, g]
            down[t] += np.log1p(s.ratio[DOWN, t, cell] * fading / rest) / groups
            up[t] += np.log1p(s.ratio[UP, t, cell] * fading / (1.0 + rise[row_of(s, t, cell), g])) / groups
        up[t], down[t] = np.expm1(up[t]), np.expm1(down[t])
