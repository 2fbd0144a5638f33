"""From what a carrier has decided to what arrives, many packets in one call, see `transit`. Kernels over columns."""

from __future__ import annotations

import numpy as np

from twin.network.nr.arrivals import in_order
from twin.network.nr.carrier_state import DECIDED, DELIVERED, DOWN, UP, Handle, State
from twin.network.nr.handle import opened
from twin.numerics.kernels import kernel
from twin.state import I64, NEVER, REPEATS

RANK, BACKHAUL, TERMINAL, ORDER, BEARER, STRAIGHT, COLUMNS = 0, 1, 2, 3, 4, 6, 8
"""Columns of `Flows.table`: place among all flows by source, destination and kind; ns between cell and server; terminal
of the downlink; what orders packets ready at one instant; for uplink and downlink, the bearer, and 1 where packets go
straight to where they are bound once they are decoded: over no cable that has a rate, no slow hardware, no other radio
link."""
BACKGROUND = 0
"""Ticket of all packets that nobody waits for."""
FOREVER = 1 << 62
FLOW, SEQUENCE, ENTERED, QUEUED, OCCASION, ALONE, FIRST, TRANSMISSIONS, REPEATED, DECODED, AGAIN = range(11)
"""Columns of a ticket: row in `Flows.table`, number of the packet, and how many had entered carriers before it; then
the last hop, as in `HOP`. QUEUED is NEVER where there is none to tell."""
WIDTH = AGAIN + REPEATS
TIME, KEY, TICKET = range(3)
"""Columns of what arrives."""
SERVERS, ROBOTS = UP, DOWN
"""Who waits for it: whoever may answer at once, or a robot at the end of a downlink."""
COUNT, EARLIEST, BACKGROUND_DELIVERED, BACKGROUND_LOST, COUNTS = 0, 2, 4, 5, 6
"""Entries of `Transit.counts`; of COUNT and EARLIEST there are two."""


@kernel
def key_of(table: I64, flows: I64, ticket: int) -> int:
    """Return what orders packets that arrive at one instant: by flow, then by number."""
    return int(flows[table[ticket, FLOW], RANK] << 32 | table[ticket, SEQUENCE])


@kernel
def put(waiting: I64, counts: I64, who: int, time: int, key: int, ticket: int) -> None:
    """Put a packet on a list of those that arrive."""
    n = counts[COUNT + who]
    waiting[who, n, TIME], waiting[who, n, KEY], waiting[who, n, TICKET] = time, key, ticket
    counts[COUNT + who] = n + 1
    counts[EARLIEST + who] = min(counts[EARLIEST + who], time)


@kernel
def note(entries: I64, flows: I64, table: I64, entered: int) -> I64:
    """Note that packets, each an ENTRY, enter a carrier, and return what `arrivals.enter` asks for, (n, 5)."""
    found = np.empty((len(entries), 5), np.int64)
    for i in range(len(entries)):
        code, size, created, start, number, ticket = entries[i]
        flow = code >> 1
        table[ticket, FLOW], table[ticket, SEQUENCE], table[ticket, ENTERED] = flow, number, entered + i
        found[i, 0], found[i, 1], found[i, 2], found[i, 3] = flows[flow, BEARER + (code & 1)], size, created, start
        found[i, 4] = flows[flow, ORDER] | number & 0xFFFFFF
    return found


@kernel
def land(
    handle: Handle, owners: I64, propagation: I64, table: I64, flows: I64, waiting: I64, counts: I64, rest: I64
) -> int:
    """Note the hops of all that was decided, and when what needs nobody's attention arrives; see `Transit.land`."""
    s = opened(handle)
    left = 0
    for i in range(s.counts[DECIDED]):
        fate, way, time = s.fates[i].fate, s.fates[i].way, s.fates[i].time
        ticket = owners[s.fates[i].packet]
        if ticket == BACKGROUND:
            counts[BACKGROUND_DELIVERED if fate == DELIVERED else BACKGROUND_LOST] += 1
            continue
        _note_hop(s, i, table, ticket)
        flow = table[ticket, FLOW]
        if fate != DELIVERED or flows[flow, STRAIGHT + way] == 0:
            rest[left, 0], rest[left, 1], rest[left, 2], rest[left, 3] = ticket, time, fate, way
            left += 1
            continue
        time += flows[flow, BACKHAUL] if way == UP else propagation[flows[flow, TERMINAL]]
        put(waiting, counts, way, time, key_of(table, flows, ticket), ticket)
    s.counts[DECIDED] = 0
    return left


@kernel
def _note_hop(s: State, i: int, table: I64, ticket: int) -> None:
    """Write the hop of the i-th fate to the row of its ticket."""
    f = s.fates
    table[ticket, QUEUED], table[ticket, OCCASION] = f[i].queued, f[i].occasion
    table[ticket, ALONE], table[ticket, FIRST] = f[i].alone, f[i].first
    table[ticket, TRANSMISSIONS], table[ticket, REPEATED] = f[i].transmissions, f[i].repeated
    table[ticket, DECODED] = f[i].time if f[i].fate == DELIVERED else NEVER
    for k in range(REPEATS):
        table[ticket, AGAIN + k] = s.repeats[f[i].packet, k] if k < f[i].repeated else NEVER


@kernel
def take_due(waiting: I64, counts: I64, table: I64, until: int) -> tuple[I64, I64]:
    """Take out those that arrive by `until` [ns], and return them in order, (3, n), and their hops, (n, HOP).

    Of each the ticket, the time, and who waits for it: NEVER where there is no hop to tell.
    """
    found, n = np.empty((counts[COUNT] + counts[COUNT + 1], 4), np.int64), 0
    for who in range(2):
        kept, before = 0, counts[COUNT + who]
        counts[EARLIEST + who] = FOREVER
        for i in range(before):
            time, order, ticket = waiting[who, i, TIME], waiting[who, i, KEY], waiting[who, i, TICKET]
            if time <= until:
                found[n, TIME], found[n, KEY], found[n, TICKET], found[n, 3] = time, order, ticket, who
                n += 1
                continue
            waiting[who, kept, TIME], waiting[who, kept, KEY], waiting[who, kept, TICKET] = time, order, ticket
            counts[EARLIEST + who] = min(counts[EARLIEST + who], time)
            kept += 1
        counts[COUNT + who] = kept
    due, hops = np.empty((3, n), np.int64), np.empty((n, WIDTH - QUEUED), np.int64)
    sequence = in_order(found[:n, TIME], found[:n, KEY])
    for i in range(n):
        place = sequence[i]
        ticket = found[place, TICKET]
        due[0, i], due[1, i], due[2, i] = ticket, found[place, TIME], found[place, 3]
        if table[ticket, QUEUED] == NEVER:
            due[2, i] = NEVER
        for k in range(QUEUED, WIDTH):
            hops[i, k - QUEUED] = table[ticket, k]
        table[ticket, QUEUED] = NEVER
    return due, hops
