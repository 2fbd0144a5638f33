"""When a packet would be sent if nobody else had anything to send: what of its wait is not a queue."""

from __future__ import annotations

from twin.network.nr.carrier_state import DOWN, State
from twin.network.nr.tdd import GRANTED, START, at, next_index
from twin.numerics.kernels import kernel


@kernel
def expected(s: State, link: int, time: int) -> tuple[int, int]:
    """Return the next occasion for data after `time` [ns], and the first one that a lone packet could use.

    Between the two: the next configured grant, or a scheduling request on PUCCH, its processing, the PDCCH with
    the grant and Tproc,2.
    """
    period = s.grid.period
    if link & 1 == DOWN:
        start = at(s.grid.downlink[START], period, next_index(s.grid.downlink[START], period, time))
        return start, start
    starts, k = s.grid.uplink[START], s.links[link]
    occasion = next_index(starts, period, time)
    start = at(starts, period, occasion)
    if k.persistent > 0:
        return start, at(starts, period, occasion + (k.offset - occasion) % k.persistent)
    chance = next_index(s.grid.pucch, period, time)
    chance += (k.offset - chance) % s.config.sr_period
    heard = at(s.grid.pucch, period, chance) + s.grid.symbol + s.grid.station
    granted = next_index(s.grid.uplink[GRANTED], period, heard)
    pdcch = at(s.grid.uplink[GRANTED], period, granted)
    return start, at(starts, period, reachable(s, link, granted, pdcch))


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
