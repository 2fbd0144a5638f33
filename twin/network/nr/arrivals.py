"""Packets on their way to a queue: processed, sorted by when they will be ready. Kernels over `State`."""

from __future__ import annotations

import numpy as np

from twin.network.nr.carrier_state import COME, COMING, DOWN, FREE_PACKETS, MOVED, QUEUED, Handle, State
from twin.network.nr.handle import opened
from twin.network.nr.queues import decide, forget
from twin.numerics.kernels import kernel
from twin.numerics.sorting import ascending
from twin.state import I64


@kernel
def enter(handle: Handle, entries: I64, header: int, processed: bool, rows: I64) -> None:
    """Take packets into free rows, written to `rows` (n,); each shows up in its queue when it is ready.

    `entries` (n, 5) are their bearer, size, time of creation, time of setting out and order; `header` bytes are
    added, and unless they are `processed` the processing before the radio. A terminal sends ahead of its cell's clock
    by the delay of the air (timing advance): by that clock, its packets are ready so much later.
    """
    s = opened(handle)
    packets, ready = s.packets, np.empty(rows.size, np.int64)
    for i in range(rows.size):
        s.counts[FREE_PACKETS] -= 1
        p = s.free_packets[s.counts[FREE_PACKETS]]
        rows[i] = p
        packets[p].size = packets[p].left = packets[p].open = entries[i, 1] + header
        packets[p].references, packets[p].fate, packets[p].bearer, packets[p].next = 1, QUEUED, entries[i, 0], -1
        ready[i] = entries[i, 3]
        link = s.bearers[entries[i, 0]].link
        if not processed:
            ready[i] += s.grid.assign if link & 1 == DOWN else s.grid.n2_half + s.links[link].delay
        packets[p].created, packets[p].ready = entries[i, 2], ready[i]
        packets[p].first, packets[p].last, packets[p].transmissions, packets[p].repeated = -1, -1, 0, 0
    merge(s, in_order(ready, entries[:, 4]), ready, entries[:, 4], rows)


@kernel
def in_order(ready: I64, order: I64) -> I64:
    """Return what sorts packets by time and order; few of them have equal times."""
    sequence = ascending(ready)
    for i in range(1, len(ready)):
        at = i
        this = sequence[i]
        while at > 0 and (ready[sequence[at - 1]], order[sequence[at - 1]]) > (ready[this], order[this]):
            sequence[at] = sequence[at - 1]
            at -= 1
        sequence[at] = this
    return sequence


@kernel
def merge(s: State, sequence: I64, ready: I64, order: I64, rows: I64) -> None:
    """Merge new packets, from the last on in `sequence`, into those that will arrive."""
    a, first, old = s.arrivals, s.counts[COME], s.counts[COMING]
    if old + rows.size > a.size:
        for i in range(first, old):
            a[i - first].time, a[i - first].order, a[i - first].item = a[i].time, a[i].order, a[i].item
        first, old = 0, old - first
    place = old + rows.size
    s.counts[COME], s.counts[COMING] = first, place
    new = rows.size - 1
    while new >= 0:
        i = sequence[new]
        place -= 1
        if old > first and (a[old - 1].time, a[old - 1].order) > (ready[i], order[i]):
            old -= 1
            a[place].time, a[place].order, a[place].item = a[old].time, a[old].order, a[old].item
        else:
            a[place].time, a[place].order, a[place].item = ready[i], order[i], rows[i]
            new -= 1


@kernel
def withdraw(s: State, terminal: int, time: int) -> None:
    """Take packets of a terminal that will be ready later out, as of the time before their processing."""
    kept = s.counts[COME]
    for i in range(s.counts[COME], s.counts[COMING]):
        a, p = s.arrivals, s.arrivals[i].item
        link = s.bearers[s.packets[p].bearer].link
        if link >> 1 != terminal:
            a[kept].time, a[kept].order, a[kept].item = a[i].time, a[i].order, a[i].item
            kept += 1
            continue
        processing = s.grid.assign if link & 1 == DOWN else s.grid.n2_half + s.links[link].delay
        decide(s, p, max(time, s.packets[p].ready - processing), MOVED)
        s.packets[p].left = 0
        forget(s, p)
    s.counts[COMING] = kept
