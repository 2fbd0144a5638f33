"""Who sends in an occasion: retransmissions first, then new data by the metric of the cell's scheduler."""

from __future__ import annotations

import numpy as np

from twin.network.nr.alignment import reachable
from twin.network.nr.carrier_state import (
    ACTIVE,
    AGAIN,
    DOWN,
    GRANTED,
    HARQ_PROCESSES,
    UP,
    State,
)
from twin.network.nr.link_adaptation import allocate, block_size
from twin.network.nr.metric import OWN, PROPORTIONAL_FAIR, metric, note_served, weigh
from twin.network.nr.preemption import interrupt, left_of, victim
from twin.network.nr.queues import ENDLESS, top_class
from twin.network.nr.resources import Block, aggregation, first_prb, free_process, new_block, take_pdcch, take_prbs
from twin.network.nr.tdd import START, at
from twin.numerics.kernels import kernel


@kernel
def activate(s: State, link: int) -> None:
    """Put a link on its cell's list of those with something to send."""
    way, cell = link & 1, s.links[link].cell
    if s.links[link].active >= 0 or cell < 0:
        return
    n = s.lengths[ACTIVE, way, cell]
    s.active[way, cell, n] = link
    s.lengths[ACTIVE, way, cell] = n + 1
    s.links[link].active = n


@kernel
def deactivate(s: State, link: int) -> None:
    """Take a link off its cell's list."""
    way, cell, place = link & 1, s.links[link].cell, s.links[link].active
    if place < 0:
        return
    last = s.lengths[ACTIVE, way, cell] - 1
    moved = s.active[way, cell, last]
    s.active[way, cell, place] = moved
    s.links[moved].active = place
    s.lengths[ACTIVE, way, cell] = last
    s.links[link].active = -1


@kernel
def schedule(s: State, way: int, cell: int, occasion: int, symbols: int, full: int, now: int) -> int:
    """Fill one occasion of a cell and return the chain of its blocks.

    `full` is how many occasions a slot-long transmission would take from here (0: it can't start here) and
    `now` the time of the PDCCH.
    """
    if s.config.scheduler == PROPORTIONAL_FAIR or s.config.scheduler == OWN:
        weigh(s, now)
    chain = _schedule_again(s, way, cell, occasion, full, now)
    if way == DOWN and s.config.persistent:
        chain = _schedule_persistent(s, cell, occasion, symbols, now, chain)
    return _schedule_new(s, way, cell, occasion, symbols, full, now, chain)


@kernel
def _schedule_new(s: State, way: int, cell: int, occasion: int, symbols: int, full: int, now: int, chain: int) -> int:
    """Serve links in falling order of their metric while there are resource blocks and control channels."""
    _rank(s, way, cell, occasion, full, now)
    given = 0
    for _ in range(s.lengths[ACTIVE, way, cell]):
        place = np.argmax(s.rank[: s.lengths[ACTIVE, way, cell]])
        if s.rank[place] == -np.inf or s.cells[cell].cces >= s.config.cces or given == s.config.grants:
            return chain
        s.rank[place] = -np.inf
        link = s.active[way, cell, place]
        there = reachable(s, link, occasion, now) if way == UP else occasion
        length = max(full, 1) if s.classes[top_class(s, link)].long == 1 else 1
        free, interrupted = s.config.prbs - first_prb(s, way, cell, there, length), -1
        if free <= 0 and length == 1 and there == occasion and not s.config.preemption:
            return chain
        if free <= 0 and length == 1 and way == DOWN:
            interrupted = victim(s, cell, s.classes[top_class(s, link)].priority, occasion, now)
            free = left_of(s, interrupted, occasion) if interrupted >= 0 else 0
        h = free_process(s, link, now)
        if free <= 0 or h < 0:
            continue
        block = _fit(s, link, symbols * length, free)
        if block.bits <= 8 * s.config.segment_header or not take_pdcch(s, cell, link, now):
            continue
        s.links[link].used = there
        given += 1
        _give(s, h, link, block, length, now)
        if interrupted >= 0:
            interrupt(s, interrupted, h, occasion)
        else:
            take_prbs(s, h, there)
        s.blocks[h].chain = chain
        chain = h
    return chain


@kernel
def _fit(s: State, link: int, symbols: int, free: int) -> Block:
    """Return the block of at most `free` resource blocks for what a link has to send."""
    way, q = link & 1, top_class(s, link)
    waiting = s.links[link].bytes if way == DOWN else s.links[link].known
    bits = 8 * min(waiting + s.config.segment_header * max(s.links[link].packets, 1), ENDLESS)
    if way == UP:
        bits = min(bits, 8 * s.config.grant_cap)
    mcs, prbs, layers = allocate(s, link, q, bits, symbols, free)
    return Block(bits=block_size(s, way == DOWN, symbols, prbs, mcs, layers), mcs=mcs, prbs=prbs, layers=layers)


@kernel
def _give(s: State, h: int, link: int, block: Block, length: int, now: int) -> None:
    """Let a link send a block of `length` occasions in HARQ process `h`."""
    way, q = link & 1, top_class(s, link)
    new_block(s, h, link, block, length)
    s.blocks[h].target, s.blocks[h].priority = s.classes[q].target, s.classes[q].priority
    note_served(s, link, s.blocks[h].size, now)
    if way == UP:
        s.links[link].granted += s.blocks[h].size // 8
        s.links[link].known = max(0, s.links[link].known - s.blocks[h].size // 8)


@kernel
def is_away(s: State, link: int, start: int) -> bool:
    """Tell whether a terminal measures other carriers at `start` [ns]: gaps of terminals follow each other."""
    period, length = s.config.gap_period, s.config.gap_length
    return period > 0 and (start - s.links[link].offset * length) % period < length


@kernel
def _is_barred(s: State, link: int, occasion: int, now: int) -> bool:
    """Tell whether a link has a block in an occasion already, or its terminal measures others then or `now`."""
    if s.links[link].used >= occasion:
        return True
    if s.config.gap_period == 0:
        return False
    starts = s.grid.downlink[START] if link & 1 == DOWN else s.grid.uplink[START]
    return is_away(s, link, now) or is_away(s, link, at(starts, s.grid.period, occasion))


@kernel
def _rank(s: State, way: int, cell: int, occasion: int, full: int, now: int) -> None:
    """Write the metric of each active link to `rank`, -inf where it can't be served in this occasion."""
    if s.cells[cell].cces_at != now:
        s.cells[cell].cces_at, s.cells[cell].cces = now, 0
    count = s.lengths[ACTIVE, way, cell]
    for i in range(count):
        link = s.active[way, cell, i]
        there = reachable(s, link, occasion, now) if way == UP else occasion
        barred = _is_barred(s, link, there, now) or s.links[link | 1].reported_db == -np.inf
        if barred or (full == 0 and s.classes[top_class(s, link)].long == 1):
            s.rank[i] = -np.inf
        else:
            s.rank[i] = metric(s, link, now) if count > 1 else 0.0


@kernel
def drop_satisfied(s: State, cell: int) -> None:
    """Take uplinks off the list whose known data is all granted."""
    i = 0
    while i < s.lengths[ACTIVE, UP, cell]:
        link = s.active[UP, cell, i]
        if s.links[link].known == 0:
            deactivate(s, link)
        else:
            i += 1


@kernel
def _schedule_again(s: State, way: int, cell: int, occasion: int, full: int, now: int) -> int:
    """Give waiting retransmissions their resource blocks, the most urgent first."""
    chain = -1
    while True:
        found = -1
        for i in range(s.lengths[AGAIN, way, cell]):
            h = s.again[way, cell, i]
            length = 1 if s.blocks[h].length == 1 else full
            there = reachable(s, h // HARQ_PROCESSES, occasion, now) if way == UP else occasion
            if length == 0 or _is_barred(s, h // HARQ_PROCESSES, there, now):
                continue
            if first_prb(s, way, cell, there, length) + s.blocks[h].prbs > s.config.prbs:
                continue
            if found < 0 or _more_urgent(s, h, s.again[way, cell, found]):
                found = i
        if found < 0:
            return chain
        h = s.again[way, cell, found]
        link = h // HARQ_PROCESSES
        there = reachable(s, link, occasion, now) if way == UP else occasion
        s.links[link].used = there
        if not take_pdcch(s, cell, link, now):
            continue
        last = s.lengths[AGAIN, way, cell] - 1
        s.again[way, cell, found] = s.again[way, cell, last]
        s.lengths[AGAIN, way, cell] = last
        s.blocks[h].state, s.blocks[h].reserved, s.blocks[h].level = GRANTED, 0, aggregation(s, link)
        s.blocks[h].length = 1 if s.blocks[h].length == 1 else full
        take_prbs(s, h, there)
        s.blocks[h].chain = chain
        chain = h


@kernel
def _more_urgent(s: State, h: int, other: int) -> bool:
    b = s.blocks
    if b[h].priority != b[other].priority:
        return bool(b[h].priority < b[other].priority)
    if b[h].since != b[other].since:
        return bool(b[h].since < b[other].since)
    return h < other


@kernel
def _schedule_persistent(s: State, cell: int, occasion: int, symbols: int, now: int, chain: int) -> int:
    """Serve links with a semi-persistent downlink occasion: reserved resource blocks, no PDCCH."""
    for i in range(s.lengths[ACTIVE, DOWN, cell]):
        link = s.active[DOWN, cell, i]
        period = s.links[link].persistent
        if period == 0 or (occasion - s.links[link].offset) % period or _is_barred(s, link, occasion, now):
            continue
        h = free_process(s, link, now)
        if h >= 0:
            s.links[link].used = occasion
            chain = persistent_block(s, h, link, symbols, chain)
            note_served(s, link, s.blocks[h].size, now)
    return chain


@kernel
def persistent_block(s: State, h: int, link: int, symbols: int, chain: int) -> int:
    """Set up a block in a link's reserved resource blocks and return the chain that starts with it."""
    mcs, prbs = s.links[link].persistent_mcs, s.links[link].persistent_prbs
    bits = block_size(s, link & 1 == DOWN, symbols, prbs, mcs, 1)
    new_block(s, h, link, Block(bits=bits, mcs=mcs, prbs=prbs, layers=1), 1)
    q = top_class(s, link)
    s.blocks[h].target, s.blocks[h].priority = s.classes[q].target, s.classes[q].priority
    s.blocks[h].start = s.links[link].persistent_start
    s.blocks[h].reserved, s.blocks[h].chain = 1, chain
    return h
