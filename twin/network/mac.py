"""The medium access control of one carrier: one kernel that runs its events in order and skips idle slots."""

from __future__ import annotations

import numpy as np

from twin.kernels import kernel
from twin.network.carrier_state import (
    ACTIVE,
    AGAIN,
    DECIDED,
    DOWN,
    EVENTS,
    HANDOVER,
    HARQ_PROCESSES,
    LOGGED,
    RING,
    UP,
    State,
)
from twin.network.heap import pop
from twin.network.queues import (
    DECODE,
    DISCARD,
    DOWNLINK,
    FEEDBACK,
    GRANT,
    KIND_SHIFT,
    PERSISTENT,
    READY,
    REQUEST,
    UPLINK,
    append,
    discard,
    fill,
    schedule_event,
    settle,
)
from twin.network.scheduler import (
    IDLE,
    activate,
    deactivate,
    free_process,
    persistent_block,
    schedule,
    used_prbs,
)
from twin.network.tdd import END, GRANTED, LONG, START, at, next_index
from twin.network.transmission import (
    add_interference,
    decode,
    downlink_ratio,
    launch,
    measure_downlink,
    uplink_ratio,
)


@kernel
def advance(s: State, until: int, answering: int) -> int:
    """Run all events before `until`, and decodings at it; return the time that was really reached.

    Where an uplink packet is decoded for a node that may answer at once (bit of its link in `answering`), the
    run ends `config.ahead` later: no answer can change anything before.
    """
    limit = until
    while s.counts[EVENTS] > 0:
        time, kind = s.heap[0].time, s.heap[0].order >> KIND_SHIFT
        if time > limit or (time == limit and kind != DECODE):
            break
        if s.counts[LOGGED] > s.log.size // 2:
            return int(min(limit, time))
        time, _, item = pop(s.heap, s.counts[EVENTS])
        s.counts[EVENTS] -= 1
        decided = s.counts[DECIDED]
        if kind == DECODE:
            _on_decode(s, item, time)
            if answering and (item // HARQ_PROCESSES) & 1 == UP and s.counts[DECIDED] > decided:
                limit = min(limit, time + s.config.ahead)
        elif kind == READY:
            wake(s, append(s, item, time), time)
        elif kind == DISCARD:
            discard(s, item, time)
            _rest_if_empty(s, item // s.classes.size)
        elif kind == REQUEST:
            _on_request(s, item, time)
        elif kind == FEEDBACK:
            _on_feedback(s, item, time)
        elif kind == PERSISTENT:
            _on_persistent(s, item, time)
        elif kind == DOWNLINK:
            _on_downlink(s, item, time)
        elif kind == GRANT:
            _on_grant(s, item, time)
        elif kind == UPLINK:
            _on_uplink(s, item, time)
    return limit


@kernel
def wake(s: State, link: int, time: int) -> None:
    """See to it that what waits on a link will be sent."""
    if s.links[link].cell < 0 or s.links[link].bytes == 0:
        return
    if link & 1 == DOWN:
        activate(s, link)
        _arm(s, DOWN, time)
    elif s.links[link].persistent > 0:
        _arm_persistent(s, link, time)
    else:
        request(s, link, time)


@kernel
def _arm(s: State, way: int, time: int) -> None:
    """Set the scheduling event for the first occasion that can still be planned at `time`."""
    if s.armed[way] >= 0:
        return
    starts = s.grid.downlink[START] if way == DOWN else s.grid.uplink[GRANTED]
    occasion = next_index(starts, s.grid.period, time)
    s.armed[way] = occasion
    kind = DOWNLINK if way == DOWN else GRANT
    schedule_event(s, at(starts, s.grid.period, occasion), kind, occasion)


@kernel
def _arm_again(s: State, way: int, occasion: int) -> None:
    """Go on with the next occasion while any cell has something to send."""
    if s.lengths[ACTIVE, way].sum() + s.lengths[AGAIN, way].sum() > 0:
        starts = s.grid.downlink[START] if way == DOWN else s.grid.uplink[GRANTED]
        s.armed[way] = occasion + 1
        kind = DOWNLINK if way == DOWN else GRANT
        schedule_event(s, at(starts, s.grid.period, occasion + 1), kind, occasion + 1)


@kernel
def _arm_persistent(s: State, link: int, time: int) -> None:
    """Set the link's next configured grant at or after `time`."""
    if s.links[link].armed >= 0:
        return
    occasion = next_index(s.grid.uplink[START], s.grid.period, time)
    occasion += (s.links[link].offset - occasion) % s.links[link].persistent
    s.links[link].armed = occasion
    schedule_event(s, at(s.grid.uplink[START], s.grid.period, occasion), PERSISTENT, link)


@kernel
def request(s: State, link: int, time: int) -> None:
    """Send a scheduling request, unless the base station knows or will hear of the data anyway."""
    k = s.links
    heard_of = k[link].known + k[link].granted + k[link].reports + k[link].requested
    if k[link].bytes == 0 or heard_of > 0:
        return
    k[link].requested = 1
    chance = next_index(s.grid.pucch, s.grid.period, time)
    chance += (k[link].offset - chance) % s.config.sr_period
    heard = at(s.grid.pucch, s.grid.period, chance) + s.grid.symbol + s.grid.n2_half
    schedule_event(s, heard, REQUEST, link)


@kernel
def _on_request(s: State, link: int, time: int) -> None:
    if s.links[link].requested == 0 or s.links[link].cell < 0:
        return
    s.links[link].requested = 0
    s.links[link].known += s.config.sr_grant
    activate(s, link)
    _arm(s, UP, time)


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
    _arm(s, way, time)


@kernel
def _on_decode(s: State, h: int, time: int) -> None:
    if not decode(s, h, time):
        return
    link = h // HARQ_PROCESSES
    if link & 1 == DOWN:
        return
    k = s.links
    if s.blocks[h].report > 0:
        k[link].reports -= 1
        if k[link].cell == s.blocks[h].cell and s.blocks[h].segment < 0:
            k[link].known = max(0, min(s.blocks[h].report, k[link].bytes) - k[link].granted)
            if k[link].known > 0:
                activate(s, link)
                _arm(s, UP, time)
    wake(s, link, time)


@kernel
def _rest_if_empty(s: State, link: int) -> None:
    if link & 1 == DOWN and s.links[link].bytes == 0:
        deactivate(s, link)


@kernel
def _symbols(s: State, time: int) -> int:
    return (time * 14 + s.grid.slot // 2) // s.grid.slot


@kernel
def _on_downlink(s: State, occasion: int, time: int) -> None:
    """Schedule a downlink occasion of every cell, then send with the interference that follows."""
    s.armed[DOWN] = -1
    place = occasion % s.grid.downlink.shape[1]
    turn = time - s.grid.downlink[START, place]
    symbols = _symbols(s, s.grid.downlink[END, place] - s.grid.downlink[START, place])
    full = s.grid.downlink[LONG, place]
    cells = s.cells.size
    chains = np.empty(cells, dtype=np.int64)
    for c in range(cells):
        chains[c] = schedule(s, DOWN, c, occasion, symbols, full, time)
        measure_downlink(s, c, used_prbs(s, DOWN, c, occasion) + _reserved_prbs(s, chains[c]), time)
    for c in range(cells):
        h = chains[c]
        while h >= 0:
            link = h // HARQ_PROCESSES
            if s.blocks[h].transmissions == 0:
                fill(s, h, link, s.blocks[h].size // 8, time)
                _rest_if_empty(s, link)
            ratio = downlink_ratio(s, link >> 1, c, time)
            length = s.blocks[h].length
            end = turn + s.grid.downlink[END, place + length - 1]
            launch(s, h, symbols * length, ratio, time, end)
            h = s.blocks[h].chain
    _arm_again(s, DOWN, occasion)


@kernel
def _reserved_prbs(s: State, chain: int) -> int:
    prbs = 0
    while chain >= 0:
        prbs += s.blocks[chain].prbs * s.blocks[chain].reserved
        chain = s.blocks[chain].chain
    return prbs


@kernel
def _plan(s: State, occasion: int, h: int) -> None:
    """Hang a block on the chain of its uplink occasion."""
    r = occasion % RING
    if s.planned[r, 1] != occasion:
        s.planned[r, 1], s.planned[r, 0] = occasion, -1
        schedule_event(s, at(s.grid.uplink[START], s.grid.period, occasion), UPLINK, occasion)
    s.blocks[h].chain = s.planned[r, 0]
    s.planned[r, 0] = h


@kernel
def _on_grant(s: State, occasion: int, time: int) -> None:
    """Grant an uplink occasion in the last PDCCH that is early enough for it."""
    s.armed[UP] = -1
    place = occasion % s.grid.uplink.shape[1]
    symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
    for c in range(s.cells.size):
        h = schedule(s, UP, c, occasion, symbols, s.grid.uplink[LONG, place], time)
        while h >= 0:
            following = s.blocks[h].chain
            _plan(s, occasion, h)
            h = following
    _arm_again(s, UP, occasion)


@kernel
def _on_persistent(s: State, link: int, time: int) -> None:
    """Use a configured grant, where there is data and no dynamic grant for the same occasion."""
    occasion = s.links[link].armed
    if occasion < 0 or at(s.grid.uplink[START], s.grid.period, occasion) != time:
        return  # set before a handover
    s.links[link].armed = -1
    if s.links[link].cell < 0 or s.links[link].persistent == 0 or s.links[link].bytes == 0:
        return
    h = free_process(s, link, time)
    if s.links[link].used != occasion and h >= 0:
        place = occasion % s.grid.uplink.shape[1]
        symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
        s.links[link].used = occasion
        persistent_block(s, h, link, symbols, -1)
        s.links[link].granted += s.blocks[h].size // 8
        _plan(s, occasion, h)
    if h < 0 or s.links[link].bytes > s.blocks[h].size // 8 - s.config.segment_header:
        _arm_persistent(s, link, time + 1)


@kernel
def _on_uplink(s: State, occasion: int, time: int) -> None:
    """Send all that was planned for an uplink occasion, in all cells."""
    place = occasion % s.grid.uplink.shape[1]
    symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
    turn = time - s.grid.uplink[START, place]
    for c in range(s.cells.size):
        s.cells[c].interference = 0.0
    h, chain = s.planned[occasion % RING, 0], -1
    while h >= 0:
        following = s.blocks[h].chain
        if _use_grant(s, h, time):
            add_interference(s, h)
            s.cells[s.blocks[h].cell].uplink_work += s.blocks[h].prbs / s.config.prbs
            s.blocks[h].chain = chain
            chain = h
        h = following
    for c in range(s.cells.size):
        s.cells[c].rise += s.cells[c].interference
    while chain >= 0:
        length = s.blocks[chain].length
        end = turn + s.grid.uplink[END, place + length - 1]
        launch(s, chain, symbols * length, uplink_ratio(s, chain, time), time, end)
        chain = s.blocks[chain].chain


@kernel
def _use_grant(s: State, h: int, time: int) -> bool:
    """Fill a granted block; tell whether its terminal is still there to send it."""
    link = h // HARQ_PROCESSES
    if s.links[link].cell != s.blocks[h].cell:
        settle(s, h, time, HANDOVER)
        s.blocks[h].state = IDLE
        return False
    if s.blocks[h].transmissions == 0:
        s.links[link].granted = max(0, s.links[link].granted - s.blocks[h].size // 8)
        s.blocks[h].report = fill(s, h, link, s.blocks[h].size // 8, time)
        if s.blocks[h].report > 0:
            s.links[link].reports += 1
    return True


@kernel
def attach(s: State, terminal: int, cell: int, time: int) -> None:
    """Let a terminal's two links be served by `cell` from now on, or by none (-1)."""
    for link in (2 * terminal, 2 * terminal + 1):
        if s.links[link].cell == cell:
            continue
        deactivate(s, link)
        _drop_waiting(s, link, time)
        s.links[link].cell = cell
        s.links[link].known = s.links[link].granted = s.links[link].requested = 0
        s.links[link].armed = -1
        wake(s, link, time)


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
