"""What an occasion has to give: resource blocks, control channel elements, HARQ processes. Kernels over `State`."""

from __future__ import annotations

from typing import NamedTuple

from twin.network.nr.carrier_state import DOWN, GRANTED, HARQ_PROCESSES, IDLE, RING, State
from twin.network.nr.persistent import reserved_prbs
from twin.network.nr.tdd import START, at, remainder
from twin.numerics.draws import key, uniform
from twin.numerics.kernels import kernel

_ERRORS = key("network.block")


@kernel
def top(s: State, way: int, cell: int, occasion: int) -> int:
    """Return the first resource block above all allocations of an occasion."""
    r = occasion % RING
    if s.used[way, cell, r, 1] == occasion:
        return int(s.used[way, cell, r, 0])
    signals = signal_prbs(s, way, occasion)
    return max(signals, reserved_prbs(s, way, cell, occasion)) if s.config.persistent else signals


@kernel
def signal_prbs(s: State, way: int, occasion: int) -> int:
    """Return the resource blocks of an occasion that SSB or PRACH take, from the lowest on."""
    signals = s.config.signals[way]
    if signals.prbs == 0:
        return 0
    starts = s.grid.downlink[START] if way == DOWN else s.grid.uplink[START]
    return signals.prbs if remainder(at(starts, s.grid.period, occasion), signals.period) < signals.length else 0


@kernel
def first_prb(s: State, way: int, cell: int, occasion: int, length: int) -> int:
    """Return the first resource block above all allocations of `length` occasions from `occasion`."""
    first = 0
    for o in range(occasion, occasion + length):
        first = max(first, top(s, way, cell, o))
    return first


@kernel
def take_prbs(s: State, h: int, occasion: int) -> None:
    """Put a block above all allocations of its occasions (resource allocation type 1, without interleaving)."""
    way, b = (h // HARQ_PROCESSES) & 1, s.blocks[h]
    b.start = first_prb(s, way, b.cell, occasion, b.length)
    for o in range(occasion, occasion + b.length):
        r = o % RING
        s.used[way, b.cell, r, 1], s.used[way, b.cell, r, 0] = o, b.start + b.prbs


@kernel
def take_pdcch(s: State, cell: int, link: int, time: int) -> bool:
    """Take the control channel elements of one assignment or grant in a PDCCH occasion, if free."""
    if s.cells[cell].cces_at != time:
        s.cells[cell].cces_at, s.cells[cell].cces = time, 0
    level = aggregation(s, link)
    if s.cells[cell].cces + (1 << level) > s.config.cces:
        return False
    s.cells[cell].cces += 1 << level
    return True


@kernel
def aggregation(s: State, link: int) -> int:
    """Return the aggregation level that a terminal needs, as a power of 2, or else the highest that there is."""
    level = 0
    while level < s.config.levels and s.aggregation_db[level] > s.links[link | 1].reported_db:
        level += 1
    return level


@kernel
def free_process(s: State, link: int, time: int) -> int:
    """Return an idle HARQ process of a link whose last feedback was received, or -1."""
    for h in range(link * HARQ_PROCESSES, link * HARQ_PROCESSES + s.config.processes):
        if s.blocks[h].state == IDLE and s.blocks[h].free_at <= time:
            return h
    return -1


class Block(NamedTuple):
    """What a transport block takes and holds."""

    bits: int
    mcs: int
    prbs: int
    layers: int


@kernel
def new_block(s: State, h: int, link: int, block: Block, length: int) -> None:
    """Set up HARQ process `h` for a first transmission of `length` occasions."""
    b = s.blocks
    way = link & 1
    b[h].state, b[h].length, b[h].size = GRANTED, length, block.bits
    b[h].mcs, b[h].prbs, b[h].layers = block.mcs, block.prbs, block.layers
    b[h].transmissions, b[h].segment, b[h].report, b[h].reserved = 0, -1, 0, 0
    b[h].cell, b[h].level = s.links[link].cell, aggregation(s, link)
    b[h].missed, b[h].misses, b[h].decoded = 0, 0, 0
    for i in range(s.words.shape[1]):
        s.words[h, i] = 0.0
    sequence = s.links[link].sequence
    s.links[link].sequence += 1
    b[h].draw = uniform(s.config.seed, _ERRORS, s.links[link].key, sequence, way)
