"""Symbols that sensing takes from downlink occasions, and what is left of them for data. Kernels over `State`."""

from __future__ import annotations

from twin.network.nr.carrier_state import State
from twin.network.nr.link_adaptation import data_elements
from twin.network.nr.tdd import SYMBOLS, quotient, remainder
from twin.numerics.kernels import kernel


@kernel
def _symbols(s: State, time: int) -> int:
    return quotient(time * SYMBOLS + s.grid.slot // 2, s.grid.slot)


@kernel
def _taken(s: State, start: int, end: int) -> int:
    """Return how many symbols of start:end [ns], within one slot, are for sensing."""
    slot = quotient(start, s.grid.slot)
    row, begin = remainder(slot, s.sounding.shape[0]), slot * s.grid.slot
    first, last = max(_symbols(s, start - begin), s.sounding[row, 0]), min(_symbols(s, end - begin), s.sounding[row, 1])
    return int(max(0, last - first))


@kernel
def left_for_data(s: State, cell: int, start: int, end: int) -> int:
    """Return the symbols of the downlink occasion start:end [ns] that a cell may send data in, 0 for none.

    PDCCH keeps its symbols. A slot gives the rest; shorter occasions are gone as a whole.
    """
    symbols = _symbols(s, end - start)
    if s.sounding.shape[0] == 0 or s.sounders[cell, 0] == 0:
        return symbols
    taken = _taken(s, start, end)
    if taken == 0:
        return symbols
    if symbols <= SYMBOLS // 2:
        return 0
    left = symbols - taken
    if left <= SYMBOLS // 2:
        left -= s.config.coreset
    return int(left) if left > 0 and data_elements(s, True, left, 1) > 0 else 0


@kernel
def long_from(s: State, cell: int, start: int, full: int) -> int:
    """Return `full`, the occasions of a transmission as long as a slot, or 0 where sensing would interrupt it."""
    if full <= 1 or s.sounding.shape[0] == 0 or s.sounders[cell, 0] == 0:
        return full
    begin = quotient(start, s.grid.slot) * s.grid.slot
    return 0 if _taken(s, begin, begin + s.grid.slot) > 0 else full


@kernel
def taken_share(s: State, cell: int, start: int, end: int) -> float:
    """Return the share of the downlink occasion start:end [ns] in which a cell sends no data."""
    if s.sounding.shape[0] == 0 or s.sounders[cell, 0] == 0:
        return 0.0
    return _taken(s, start, end) / _symbols(s, end - start)


@kernel
def sounds(s: State, cell: int, start: int) -> bool:
    """Tell whether it is a cell's turn to send its signal in the slot of `start` [ns], if sensing takes any of it."""
    if s.sounding.shape[0] == 0 or s.sounders[cell, 1] < 0:
        return False
    row = remainder(quotient(start, s.grid.slot), s.sounding.shape[0])
    return bool(s.sounding[row, 2] == s.sounders[cell, 1])
