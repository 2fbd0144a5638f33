"""When a packet would be sent if nobody else had anything to send: what of its wait is not a queue."""

from __future__ import annotations

from twin.network.nr.carrier_state import DOWN, State
from twin.network.nr.tdd import GRANTED, START, at, next_index, next_start, remainder, upcoming
from twin.numerics.kernels import kernel


@kernel
def expected(s: State, link: int, time: int) -> tuple[int, int]:
    """Return the next occasion for data after `time` [ns], and the first one that a lone packet could use.

    Between the two: the next configured grant, or a scheduling request on PUCCH, its processing, the PDCCH with
    the grant and Tproc,2.
    """
    period = s.grid.period
    if link & 1 == DOWN:
        start = next_start(s.grid.downlink[START], period, time)
        return start, start
    starts, k = s.grid.uplink[START], s.links[link]
    turn, place, start = upcoming(starts, period, time)
    if k.persistent > 0:
        occasion = turn * starts.size + place
        return start, at(starts, period, occasion + remainder(k.offset - occasion, k.persistent))
    heard = own_pucch(s, link, time) + s.grid.symbol + s.grid.station
    turn, place, pdcch = upcoming(s.grid.uplink[GRANTED], period, heard)
    granted = turn * period + starts[place]
    if k.delay > 0:
        granted = at(starts, period, reachable(s, link, turn * starts.size + place, pdcch))
    return start, granted


@kernel
def own_pucch(s: State, link: int, time: int) -> int:
    """Return the time [ns] of the first PUCCH occasion at or after `time` in which a terminal may ask for a grant."""
    turn, place, start = upcoming(s.grid.pucch, s.grid.period, time)
    if s.config.sr_period == 1:
        return start
    chance = turn * s.grid.pucch.size + place
    chance += remainder(s.links[link].offset - chance, s.config.sr_period)
    return at(s.grid.pucch, s.grid.period, chance)


@kernel
def reachable(s: State, link: int, occasion: int, pdcch: int) -> int:
    """Return the first uplink occasion from `occasion` on that a terminal can use after a grant at `pdcch` [ns].

    The grant takes the delay of the air to come, and the data so long to go: TS 38.214 6.4 counts Tproc,2 with the
    timing advance.
    """
    if s.links[link].delay == 0:
        return occasion
    starts, period = s.grid.uplink[START], s.grid.period
    earliest = pdcch + s.grid.symbol + s.grid.n2 + 2 * s.links[link].delay
    if at(starts, period, occasion) >= earliest:
        return occasion
    return int(next_index(starts, period, earliest))
