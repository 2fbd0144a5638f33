"""The grid of a carrier: when data, grants and control may be sent, in integer nanoseconds; made by `grid`."""

from __future__ import annotations

from typing import NamedTuple

from twin.numerics.kernels import kernel
from twin.state import I64

SYMBOLS = 14

START, END, LONG, GRANTED = range(4)
"""Rows of a grid's occasions: LONG is how many there are to the end of the slot from its first one, else 0;
GRANTED is the start [ns] of the last PDCCH early enough to grant an uplink occasion, and may be negative."""


class Grid(NamedTuple):
    """Starts and ends [ns] within one period of the pattern; D downlink, U uplink, P PUCCH occasions."""

    period: int  # ns
    symbol: int  # ns, of one symbol
    slot: int  # ns
    downlink: I64  # (3, D) rows START, END, LONG; the PDCCH of an occasion is in its first symbol
    uplink: I64  # (4, U) rows START, END, LONG, GRANTED
    pucch: I64  # (P,) start of a symbol for scheduling requests and feedback
    n1_half: int  # ns, Tproc,1 / 2: from the end of data to its decoding
    n2_half: int  # ns, Tproc,2 / 2: from data or a grant to the transmission
    n2: int  # ns, Tproc,2
    feedback: int  # ns, from the decoding of downlink data to its feedback
    station: int  # ns, from what the base station hears to the first PDCCH that acts on it
    assign: int  # ns, from downlink data that is there to the occasion that may carry it
    lead: int  # ns, from the start of a PDCCH to the uplink occasion that it grants, without propagation


@kernel
def quotient(a: int, b: int) -> int:
    """Return a // b for b > 0: by floats, put right; integers of 64 bits take several times as long to divide."""
    n = int(a / b)
    rest = a - n * b
    if rest < 0:
        return n - 1
    return n + 1 if rest >= b else n


@kernel
def remainder(a: int, b: int) -> int:
    """Return a % b for b > 0."""
    return a - quotient(a, b) * b


@kernel
def upcoming(starts: I64, period: int, time: int) -> tuple[int, int, int]:
    """Return the first of `starts` at or after `time`: its period, its place in it, and its time [ns]."""
    turn = quotient(time - starts[0], period)
    since = time - turn * period
    low, high = 0, starts.size
    while low < high:
        middle = (low + high) >> 1
        if starts[middle] < since:
            low = middle + 1
        else:
            high = middle
    if low == starts.size:
        turn, low = turn + 1, 0
    return turn, low, int(turn * period + starts[low])


@kernel
def next_index(starts: I64, period: int, time: int) -> int:
    """Return the index, counted over all periods, of the first of `starts` at or after `time`."""
    turn, place, _ = upcoming(starts, period, time)
    return int(turn * starts.size + place)


@kernel
def next_start(starts: I64, period: int, time: int) -> int:
    """Return the time [ns] of the first of `starts` at or after `time`."""
    return upcoming(starts, period, time)[2]


@kernel
def at(starts: I64, period: int, index: int) -> int:
    """Return the time [ns] of an index counted over all periods."""
    turn = quotient(index, starts.size)
    return int(turn * period + starts[index - turn * starts.size])
