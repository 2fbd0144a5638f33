"""Persistent allocations: configured grants in the uplink, semi-persistent scheduling in the downlink."""

from __future__ import annotations

from twin.network.nr.carrier_state import DOWN, Handle
from twin.network.nr.handle import opened
from twin.network.nr.link_adaptation import allocate, pick_mcs, prbs_for, size_class
from twin.numerics.kernels import kernel
from twin.state import I64


@kernel
def configure(handle: Handle, wanted: I64, shortest: I64) -> int:
    """Give links their persistent resource blocks anew and return how many found no room.

    `wanted` (L,) is the class that asks for it or -1, `shortest` (2,) the symbols of the shortest occasion.
    Links are served in order of terminals, so that nothing depends on who asked first. MCS and size follow
    the last quality report, as a reactivation does in NR.
    """
    s = opened(handle)
    refused = 0
    s.reserved[:] = 0
    cycle = s.reserved.shape[2]
    for link in range(wanted.size):
        q, way, cell = wanted[link], link & 1, s.links[link].cell
        s.links[link].persistent = 0
        if q < 0 or cell < 0:
            continue
        period = s.classes[q].semi_persistent if way == DOWN else s.classes[q].configured
        bits = 8 * s.classes[q].size
        mcs, prbs = 0, 0
        if way == DOWN:
            threshold = s.threshold[q, size_class(bits)]
            mcs = pick_mcs(threshold, s.links[link].reported_db + s.links[link].olla_db)
            prbs = prbs_for(s, True, shortest[way], bits, mcs, 1, s.config.prbs)
        else:
            mcs, prbs, _ = allocate(s, link, q, bits, shortest[way], s.config.prbs)
        first, start = s.links[link].offset % period, 0
        for o in range(first, cycle, period):
            start = max(start, s.reserved[way, cell, o])
        if start + prbs > s.config.prbs:
            refused += 1
            continue
        s.reserved[way, cell, first:cycle:period] = start + prbs
        s.links[link].persistent_start = start
        s.links[link].persistent, s.links[link].persistent_mcs = period, mcs
        s.links[link].persistent_prbs = prbs
    return refused
