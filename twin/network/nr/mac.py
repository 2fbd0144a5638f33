"""The medium access control of one carrier: one kernel that runs its events in order and skips idle slots."""

from __future__ import annotations

from twin.network.nr.arrivals import withdraw
from twin.network.nr.carrier_state import (
    ACCESS,
    AGAIN,
    ALARMS,
    COME,
    COMING,
    DECIDED,
    DOWN,
    EVENTS,
    HANDOVER,
    HARQ_PROCESSES,
    IDLE,
    UP,
    Handle,
    State,
)
from twin.network.nr.handle import opened
from twin.network.nr.heap import pop
from twin.network.nr.occasions import on_downlink, on_grant, on_persistent, on_uplink
from twin.network.nr.queues import (
    ALARM,
    DECODE,
    DISCARD,
    DOWNLINK,
    ENDLESS,
    FEEDBACK,
    GRANT,
    KIND_SHIFT,
    PERSISTENT,
    READY,
    REPORT,
    REQUEST,
    UPLINK,
    append,
    discard,
    move_away,
    schedule_event,
    settle,
)
from twin.network.nr.scheduler import activate, deactivate
from twin.network.nr.transmission import decode
from twin.network.nr.triggers import arm, arm_alarm, hear_request, rest_if_empty, wake
from twin.numerics.kernels import kernel


@kernel
def advance(handle: Handle, until: int, answering: bool) -> int:
    """Run all events before `until`, and decodings at it; return the time that was really reached.

    With `answering`, a decoded uplink packet ends the run `config.ahead` later: no answer to it can matter
    before.
    """
    s = opened(handle)
    limit = until
    while True:
        time, kind, item = _next(s, limit)
        if kind < 0:
            return limit
        decided = s.counts[DECIDED]
        if kind == DECODE:
            h = item
            while h >= 0:
                following = s.blocks[h].chain
                _on_decode(s, h, time)
                h = following
            if answering and (item // HARQ_PROCESSES) & 1 == UP and s.counts[DECIDED] > decided:
                limit = min(limit, time + s.config.ahead)
        elif kind == READY:
            wake(s, append(s, item, time), time)
        elif kind == DISCARD:
            discard(s, item, time)
            rest_if_empty(s, s.bearers[item].link)
        elif kind == REQUEST:
            _on_request(s, item, time)
            if s.counts[ACCESS] > 0:
                limit = min(limit, time)
        elif kind == FEEDBACK:
            _on_feedback(s, item, time)
        elif kind == PERSISTENT:
            on_persistent(s, item, time)
        elif kind == DOWNLINK:
            on_downlink(s, item, time)
        elif kind == GRANT:
            on_grant(s, item, time)
        elif kind == UPLINK:
            on_uplink(s, item, time)
        elif kind == ALARM:
            _on_alarm(s, item, time)
        elif kind == REPORT:
            _on_report(s, item // HARQ_PROCESSES, time)


@kernel
def _next(s: State, limit: int) -> tuple[int, int, int]:
    """Take out the first event before `limit`, or decoding at it: time, kind (-1 for none), item."""
    time, order, alarm = limit + 1, UPLINK << KIND_SHIFT, False
    if s.counts[EVENTS] > 0:
        time, order = s.heap[0].time, s.heap[0].order
    if s.counts[ALARMS] > 0 and (s.alarms[0].time, s.alarms[0].order) < (time, order):
        time, order, alarm = s.alarms[0].time, s.alarms[0].order, True
    kind = order >> KIND_SHIFT
    come = s.counts[COME]
    if come < s.counts[COMING]:
        ready = s.arrivals[come].time
        if ready < limit and (ready < time or (ready == time and kind > READY)):
            s.counts[COME] = come + 1
            return ready, READY, s.arrivals[come].item
    if time > limit or (time == limit and kind != DECODE):
        return limit, -1, 0
    if alarm:
        item = pop(s.alarms, s.counts[ALARMS])
        s.counts[ALARMS] -= 1
    else:
        item = pop(s.heap, s.counts[EVENTS])
        s.counts[EVENTS] -= 1
    return time, kind, item


@kernel
def start_endless(handle: Handle, link: int, q: int, time: int) -> None:
    """Give a link a full buffer in class `q`."""
    s = opened(handle)
    s.bearers[link * s.classes.size + q].endless = 1
    s.links[link].bytes += ENDLESS
    wake(s, link, time)


@kernel
def _on_request(s: State, link: int, time: int) -> None:
    if s.links[link].requested == 0 or s.links[link].cell < 0:
        return
    if not hear_request(s, link, time):
        return
    s.links[link].requested = 0
    s.links[link].known += s.config.sr_grant
    activate(s, link)
    arm(s, UP, time)


@kernel
def _on_alarm(s: State, link: int, time: int) -> None:
    """Grant what nobody asked for, where nothing is known or granted."""
    k = s.links
    k[link].alarm = 0
    if k[link].cell >= 0 and k[link].known + k[link].granted + k[link].reports == 0:
        k[link].known += s.config.sr_grant
        activate(s, link)
        arm(s, UP, time)
    arm_alarm(s, link, time)


@kernel
def _on_report(s: State, link: int, time: int) -> None:
    """Act on the newest buffer status report of a terminal."""
    k = s.links
    k[link].reports -= 1
    if k[link].cell >= 0:
        k[link].known = max(0, min(k[link].told, k[link].bytes) - k[link].granted)
        if k[link].known > 0:
            activate(s, link)
            arm(s, UP, time)
    wake(s, link, time)


@kernel
def _on_feedback(s: State, h: int, time: int) -> None:
    """Queue a block for retransmission, or give it up where its terminal has moved on."""
    link = h // HARQ_PROCESSES
    way, cell = link & 1, s.blocks[h].cell
    if s.links[link].cell != cell:
        settle(s, h, time, HANDOVER)
        s.blocks[h].state = IDLE
        return
    s.blocks[h].since = time
    s.again[way, cell, s.lengths[AGAIN, way, cell]] = h
    s.lengths[AGAIN, way, cell] += 1
    arm(s, way, time)


@kernel
def _on_decode(s: State, h: int, time: int) -> None:
    if not decode(s, h, time):
        return
    link = h // HARQ_PROCESSES
    if link & 1 == DOWN:
        return
    k = s.links
    if s.blocks[h].report > 0 and k[link].cell == s.blocks[h].cell and s.blocks[h].decoded == 1:
        k[link].told = s.blocks[h].report
        if s.config.scheduling > 0:
            schedule_event(s, time + s.config.scheduling, REPORT, h)
            return
        _on_report(s, link, time)
        return
    if s.blocks[h].report > 0:
        k[link].reports -= 1
    wake(s, link, time)


@kernel
def attach(handle: Handle, terminal: int, cell: int, time: int) -> None:
    """Let a terminal's two links be served by `cell` from now on, or by none (-1)."""
    s = opened(handle)
    for link in (2 * terminal, 2 * terminal + 1):
        if s.links[link].cell == cell:
            continue
        deactivate(s, link)
        _drop_waiting(s, link, time)
        s.links[link].cell = cell
        s.links[link].known = s.links[link].granted = s.links[link].requested = 0
        s.links[link].armed = -1
        if cell >= 0 and link & 1 == UP:
            arm_alarm(s, link, time)
        wake(s, link, time)


@kernel
def evict(handle: Handle, terminal: int, time: int) -> None:
    """Take all packets that wait for or at a terminal out, for another carrier to send."""
    s = opened(handle)
    for link in (2 * terminal, 2 * terminal + 1):
        move_away(s, link, time)
    withdraw(s, terminal, time)


@kernel
def _drop_waiting(s: State, link: int, time: int) -> None:
    """Give up retransmissions that still wait in the cell that the link leaves."""
    way, cell = link & 1, s.links[link].cell
    if cell < 0:
        return
    i = 0
    while i < s.lengths[AGAIN, way, cell]:
        h = s.again[way, cell, i]
        if h // HARQ_PROCESSES != link:
            i += 1
            continue
        s.lengths[AGAIN, way, cell] -= 1
        s.again[way, cell, i] = s.again[way, cell, s.lengths[AGAIN, way, cell]]
        settle(s, h, time, HANDOVER)
        s.blocks[h].state = IDLE
