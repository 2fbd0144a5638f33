"""Persistent allocations: configured grants in the uplink, semi-persistent scheduling in the downlink.

Class q with a period of p occasions has p entries in `State.reserved`, one a residue of the occasion's number: up to
where the allocations of that class reach there. Allocations of two periods meet in some occasion if, and only if,
their residues are equal modulo the greatest common divisor (Chinese remainder theorem), so no list of all occasions
is needed, whatever the periods.
"""

from __future__ import annotations

from twin.network.nr.carrier_state import DOWN, Handle, State
from twin.network.nr.handle import opened
from twin.network.nr.link_adaptation import allocate, block_size, pick_mcs, prbs_for, size_class
from twin.numerics.kernels import kernel
from twin.state import I64


@kernel
def period_of(s: State, q: int, way: int) -> int:
    """Return the occasions between persistent allocations of a class, 0 for none."""
    return int(s.classes[q].semi_persistent if way == DOWN else s.classes[q].configured)


@kernel
def residues_of(s: State, q: int, way: int) -> int:
    """Return the first entry of a class in `State.reserved`."""
    return int(s.classes[q].down_residues if way == DOWN else s.classes[q].up_residues)


@kernel
def reserved_prbs(s: State, way: int, cell: int, occasion: int) -> int:
    """Return the resource blocks up to which persistent allocations reach in an occasion."""
    most = 0
    for q in range(s.classes.size):
        period = period_of(s, q, way)
        if period > 0:
            most = max(most, s.reserved[way, cell, residues_of(s, q, way) + occasion % period])
    return int(most)


@kernel
def _divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@kernel
def _above(s: State, way: int, cell: int, residue: int, period: int) -> int:
    """Return the resource blocks up to which others reach in any occasion of a residue modulo `period`."""
    most = s.config.signals[way].prbs
    for q in range(s.classes.size):
        other = period_of(s, q, way)
        if other > 0:
            step, first = _divisor(period, other), residues_of(s, q, way)
            for o in range(residue % step, other, step):
                most = max(most, s.reserved[way, cell, first + o])
    return int(most)


@kernel
def _size(s: State, link: int, q: int, symbols: int) -> tuple[int, int]:
    """Return MCS and resource blocks for what the class holds by the last quality report; 0 blocks: too much."""
    bits = 8 * s.classes[q].size
    if link & 1 == DOWN:
        threshold = s.threshold[q, size_class(bits)]
        mcs = pick_mcs(threshold, s.links[link].reported_db + s.links[link].olla_db)
        prbs = prbs_for(s, True, symbols, bits, mcs, 1, s.config.prbs)
    else:
        mcs, prbs, _ = allocate(s, link, q, bits, symbols, s.config.prbs)
    if block_size(s, link & 1 == DOWN, symbols, prbs, mcs, 1) < bits:
        prbs = 0
    return mcs, prbs


@kernel
def configure(handle: Handle, wanted: I64, shortest: I64) -> int:
    """Give links their persistent resource blocks anew and return how many found no room.

    `wanted` (L,) is the class that asks for it or -1, `shortest` (2,) the symbols of the shortest occasion.
    Links are served in order of terminals, so that nothing depends on who asked first. MCS and size follow
    the last quality report, as a reactivation does in NR.
    """
    s = opened(handle)
    refused = 0
    s.reserved[:] = 0
    for link in range(wanted.size):
        q, way, cell = wanted[link], link & 1, s.links[link].cell
        s.links[link].persistent = 0
        if q < 0 or cell < 0:
            continue
        period = period_of(s, q, way)
        mcs, prbs = _size(s, link, q, shortest[way])
        residue = s.links[link].offset % period
        start = _above(s, way, cell, residue, period)
        if prbs == 0 or start + prbs > s.config.prbs:
            refused += 1
            continue
        s.reserved[way, cell, residues_of(s, q, way) + residue] = start + prbs
        s.links[link].persistent_start = start
        s.links[link].persistent, s.links[link].persistent_mcs = period, mcs
        s.links[link].persistent_prbs = prbs
    return refused
