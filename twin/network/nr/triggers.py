"""What sets an occasion going: data, requests and what is left over. Kernels over `State`."""

from __future__ import annotations

from twin.network.nr.alignment import own_pucch
from twin.network.nr.carrier_state import ACCESS, ACTIVE, AGAIN, ALARMS, DOWN, State
from twin.network.nr.control import misses_pucch, occasions_to_alarm
from twin.network.nr.heap import push
from twin.network.nr.queues import ALARM, DOWNLINK, GRANT, KIND_SHIFT, PERSISTENT, REQUEST, schedule_event
from twin.network.nr.scheduler import activate, deactivate, is_away
from twin.network.nr.tdd import GRANTED, START, at, next_index, remainder, upcoming
from twin.numerics.kernels import kernel


@kernel
def wake(s: State, link: int, time: int) -> None:
    """See to it that what waits on a link will be sent."""
    if s.links[link].cell < 0 or s.links[link].bytes == 0:
        return
    if link & 1 == DOWN:
        activate(s, link)
        arm(s, DOWN, time)
    elif s.links[link].persistent > 0:
        arm_persistent(s, link, time)
    else:
        request(s, link, time)


@kernel
def arm(s: State, way: int, time: int) -> None:
    """Set the scheduling event for the first occasion that can still be planned at `time`."""
    if s.armed[way] >= 0:
        return
    starts = s.grid.downlink[START] if way == DOWN else s.grid.uplink[GRANTED]
    turn, place, start = upcoming(starts, s.grid.period, time)
    occasion = turn * starts.size + place
    s.armed[way] = occasion
    schedule_event(s, start, DOWNLINK if way == DOWN else GRANT, occasion)


@kernel
def arm_again(s: State, way: int, occasion: int) -> None:
    """Go on with the next occasion while any cell has something to send."""
    waiting = 0
    for c in range(s.cells.size):
        waiting += s.lengths[ACTIVE, way, c] + s.lengths[AGAIN, way, c]
    if waiting > 0:
        starts = s.grid.downlink[START] if way == DOWN else s.grid.uplink[GRANTED]
        s.armed[way] = occasion + 1
        kind = DOWNLINK if way == DOWN else GRANT
        schedule_event(s, at(starts, s.grid.period, occasion + 1), kind, occasion + 1)


@kernel
def arm_persistent(s: State, link: int, time: int) -> None:
    """Set the link's next configured grant at or after `time`."""
    if s.links[link].armed >= 0:
        return
    occasion = next_index(s.grid.uplink[START], s.grid.period, time)
    occasion += remainder(s.links[link].offset - occasion, s.links[link].persistent)
    s.links[link].armed = occasion
    schedule_event(s, at(s.grid.uplink[START], s.grid.period, occasion), PERSISTENT, link)


@kernel
def request(s: State, link: int, time: int) -> None:
    """Send a scheduling request, unless the base station knows or will hear of the data anyway."""
    k = s.links
    heard_of = k[link].known + k[link].granted + k[link].reports + k[link].requested
    if k[link].bytes == 0 or heard_of > 0:
        return
    k[link].requested, k[link].requests = 1, 0
    send_request(s, link, time)


@kernel
def send_request(s: State, link: int, time: int) -> None:
    """Send a scheduling request in the first own PUCCH occasion at or after `time` that isn't in a measurement gap."""
    start = own_pucch(s, link, time)
    while is_away(s, link, start):
        start = own_pucch(s, link, start + 1)
    schedule_event(s, start + s.grid.symbol + s.grid.station, REQUEST, link)


@kernel
def hear_request(s: State, link: int, time: int) -> bool:
    """Tell whether the base station hears a scheduling request; what it misses is sent again.

    After `sr_transmissions` the terminal gives PUCCH up for random access (TS 38.321 5.4.4).
    """
    k = s.links
    if not misses_pucch(s, link, time):
        return True
    k[link].requests += 1
    if k[link].requests < s.config.sr_transmissions:
        sent = time - s.grid.station - s.grid.symbol
        send_request(s, link, sent + max(s.config.sr_prohibit, s.grid.symbol))
    else:
        s.access[s.counts[ACCESS]] = link >> 1
        s.counts[ACCESS] += 1
    return False


@kernel
def arm_alarm(s: State, link: int, time: int) -> None:
    """Set the next instant at which the base station hears a scheduling request that nobody sent."""
    if not s.config.control or s.links[link].alarm == 1:
        return
    s.links[link].alarm = 1
    chance = next_index(s.grid.pucch, s.grid.period, time)
    chance += remainder(s.links[link].offset - chance, s.config.sr_period)
    chance += (occasions_to_alarm(s, link) - 1) * s.config.sr_period
    heard = at(s.grid.pucch, s.grid.period, chance) + s.grid.symbol + s.grid.station
    push(s.alarms, s.counts[ALARMS], heard, (ALARM << KIND_SHIFT) | link, link)
    s.counts[ALARMS] += 1


@kernel
def rest_if_empty(s: State, link: int) -> None:
    """Take a downlink off the list when nothing waits on it."""
    if link & 1 == DOWN and s.links[link].bytes == 0:
        deactivate(s, link)
