"""Packets in their bearers' queues: in, out in parts, and out of time. Kernels over `State`."""

from __future__ import annotations

from twin.network.nr.alignment import expected
from twin.network.nr.carrier_state import (
    DECIDED,
    DELIVERED,
    DISCARDED,
    EVENTS,
    FREE_PACKETS,
    FREE_SEGMENTS,
    MOVED,
    QUEUED,
    State,
)
from twin.network.nr.heap import push
from twin.numerics.kernels import kernel
from twin.state import REPEATS

DECODE, DISCARD, READY, REQUEST, FEEDBACK, PERSISTENT, DOWNLINK, GRANT, UPLINK, ALARM, REPORT = range(11)
"""Kinds of events, in their order at one instant."""
KIND_SHIFT = 56
ENDLESS = 1 << 40
"""Bytes that a full buffer shows."""


@kernel
def schedule_event(s: State, time: int, kind: int, item: int) -> None:
    """Put an event whose item makes it unique into the queue."""
    push(s.heap, s.counts[EVENTS], time, (kind << KIND_SHIFT) | item, item)
    s.counts[EVENTS] += 1


@kernel
def append(s: State, p: int, time: int) -> int:
    """Append a ready packet to its queue, start the discard timer, and return its link."""
    b = s.packets[p].bearer
    link, limit = s.bearers[b].link, s.classes[s.bearers[b].kind].discard
    if s.bearers[b].head < 0:
        s.bearers[b].head = p
    else:
        s.packets[s.bearers[b].tail].next = p
    s.bearers[b].tail = p
    s.links[link].bytes += s.packets[p].size
    s.links[link].packets += 1
    if s.bearers[b].heard < 0:
        s.bearers[b].heard = time
    s.packets[p].occasion, s.packets[p].alone = expected(s, link, time)
    if limit > 0 and s.bearers[b].timer == 0:
        s.bearers[b].timer = 1
        schedule_event(s, max(time, s.packets[p].created + limit), DISCARD, b)
    return int(link)


@kernel
def decide(s: State, p: int, time: int, fate: int) -> None:
    """Set the fate of a packet that is still queued."""
    if s.packets[p].fate != QUEUED:
        return
    s.packets[p].fate = fate
    if fate == DELIVERED:
        _hear(s, s.packets[p].bearer, time)
    n = s.counts[DECIDED]
    s.fates[n].packet, s.fates[n].time, s.fates[n].fate = p, time, fate
    s.fates[n].way = s.bearers[s.packets[p].bearer].link & 1
    first = s.packets[p].first
    s.fates[n].queued, s.fates[n].first = s.packets[p].ready, first
    s.fates[n].occasion, s.fates[n].alone = s.packets[p].occasion, s.packets[p].alone
    if first >= 0:  # on a grant for earlier data it may go sooner
        s.fates[n].occasion, s.fates[n].alone = min(s.packets[p].occasion, first), min(s.packets[p].alone, first)
    s.fates[n].transmissions, s.fates[n].repeated = s.packets[p].transmissions, s.packets[p].repeated
    s.counts[DECIDED] = n + 1


@kernel
def _hear(s: State, b: int, time: int) -> None:
    """Note that a packet of a bearer arrived, and whether that was within its survival time."""
    survival = s.classes[s.bearers[b].kind].survival
    if survival > 0 and time - s.bearers[b].heard > survival:
        s.bearers[b].outlived += 1
    s.bearers[b].heard = time


@kernel
def forget(s: State, p: int) -> None:
    """Take one reference away; the last one frees the row."""
    s.packets[p].references -= 1
    if s.packets[p].references == 0:
        s.free_packets[s.counts[FREE_PACKETS]] = p
        s.counts[FREE_PACKETS] += 1


@kernel
def pop_head(s: State, b: int) -> None:
    """Take the head of a queue out, with what is left of it."""
    _take_out(s, b, -1)


@kernel
def _take_out(s: State, b: int, before: int) -> None:
    """Take out the packet behind `before`, or the head (-1), with what is left of it."""
    p = s.bearers[b].head if before < 0 else s.packets[before].next
    link = s.bearers[b].link
    s.links[link].bytes -= s.packets[p].left
    s.links[link].packets -= 1
    s.packets[p].left = 0
    if before < 0:
        s.bearers[b].head = s.packets[p].next
    else:
        s.packets[before].next = s.packets[p].next
    if s.bearers[b].tail == p:
        s.bearers[b].tail = before
    forget(s, p)


@kernel
def discard(s: State, b: int, time: int) -> None:
    """Drop packets whose timer has run out, unless a part was sent, and set the timer for the rest."""
    limit = s.classes[s.bearers[b].kind].discard
    s.bearers[b].timer = 0
    before, p = -1, s.bearers[b].head
    if p >= 0 and s.packets[p].left < s.packets[p].size:
        before, p = p, s.packets[p].next
    while p >= 0:
        expires = s.packets[p].created + limit
        if expires > time:
            s.bearers[b].timer = 1
            schedule_event(s, expires, DISCARD, b)
            return
        following = s.packets[p].next
        decide(s, p, time, DISCARDED)
        _take_out(s, b, before)
        p = following


@kernel
def move_away(s: State, link: int, time: int) -> None:
    """Take all packets that wait on a link out, for another carrier to send them whole."""
    for q in range(s.classes.size):
        b = link * s.classes.size + q
        while s.bearers[b].head >= 0:
            decide(s, s.bearers[b].head, time, MOVED)
            _take_out(s, b, -1)


@kernel
def fill(s: State, h: int, link: int, room: int, time: int) -> int:
    """Move waiting bytes of a link into block `h`, class by class, and return how many bytes stayed behind.

    Logical channel prioritisation (TS 38.321 5.4.3.1) in strict order of priority; each part of a packet
    costs its MAC and RLC headers, and a packet that doesn't fit is segmented.
    """
    count = s.classes.size
    header = s.config.segment_header
    for k in range(count):
        b = link * count + s.classes[k].order
        if s.bearers[b].endless == 1:
            return int(s.links[link].bytes)
        while s.bearers[b].head >= 0 and room > header:
            p = s.bearers[b].head
            part = min(s.packets[p].left, room - header)
            room -= part + header
            _add_segment(s, h, p, part)
            s.packets[p].left -= part
            s.links[link].bytes -= part
            if s.packets[p].left == 0:
                pop_head(s, b)
    return int(s.links[link].bytes)


@kernel
def _add_segment(s: State, h: int, p: int, part: int) -> None:
    s.counts[FREE_SEGMENTS] -= 1
    g = s.free_segments[s.counts[FREE_SEGMENTS]]
    s.segments[g].packet, s.segments[g].bytes = p, part
    s.segments[g].next = s.blocks[h].segment
    s.blocks[h].segment = g
    s.packets[p].references += 1


@kernel
def log_transmission(s: State, h: int, time: int) -> None:
    """Note the start of a transmission with every packet in the block."""
    again = s.blocks[h].transmissions > 1
    g = s.blocks[h].segment
    while g >= 0:
        p = s.segments[g].packet
        if s.packets[p].first < 0:
            s.packets[p].first = time
        s.packets[p].transmissions += 1
        if not again:
            s.packets[p].last = time
        else:
            if s.packets[p].repeated < REPEATS:
                s.repeats[p, s.packets[p].repeated] = time
            s.packets[p].repeated += 1
        g = s.segments[g].next


@kernel
def settle(s: State, h: int, time: int, fate: int) -> None:
    """Empty a block: its parts were decoded (fate DELIVERED) or the block is lost for another fate."""
    g = s.blocks[h].segment
    s.blocks[h].segment = -1
    while g >= 0:
        p = s.segments[g].packet
        if fate == DELIVERED:
            s.packets[p].open -= s.segments[g].bytes
            if s.packets[p].open == 0:
                decide(s, p, time, DELIVERED)
        else:
            lost = s.packets[p].fate == QUEUED
            decide(s, p, time, fate)
            if lost and s.packets[p].left > 0:  # only a queue's head can have been sent in part
                pop_head(s, s.packets[p].bearer)
        s.free_segments[s.counts[FREE_SEGMENTS]] = g
        s.counts[FREE_SEGMENTS] += 1
        following = s.segments[g].next
        forget(s, p)
        g = following


@kernel
def top_class(s: State, link: int) -> int:
    """Return the most urgent class with something to send, or the least urgent class."""
    count = s.classes.size
    for k in range(count):
        b = link * count + s.classes[k].order
        if s.bearers[b].head >= 0 or s.bearers[b].endless == 1:
            return int(s.classes[k].order)
    return int(s.classes[count - 1].order)
