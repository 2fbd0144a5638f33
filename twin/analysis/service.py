"""Availability and reliability of a communication service as 3GPP defines them.

TS 22.261 3.1: reliability is the share of packets that are delivered within the time that the service allows.
TS 22.104 annex C: a message that is wrong, lost or late is unsuccessful; the service is down once none has been
successful for the survival time after one was due, and up again with the next successful one. Availability is the
share of time in which it is up, communication service reliability the mean time between failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.analysis.watch import arrived
from twin.clock import NS
from twin.state import F64, I64, Bool


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """How the service of some pairs went; n messages of which the fate is known, in the order of their creation."""

    row: I64  # (n,) among the packets
    time: I64  # (n,) ns, created
    good: Bool  # (n,) in time
    latency: F64  # (n,) s; of what never came the largest there is
    up: F64  # (n,) share of the time from one message's due to the next one's in which the service was up
    failures: int  # how often it went down
    uptime: float  # s, of all pairs
    watched: float  # s, of all pairs, from the first message to the end


def service(packets: Mapping[str, I64], within: int, survival: int, until: int) -> Service:
    """Judge messages, `within` [ns] after their creation, up to `until` [ns]; pairs are judged one by one."""
    there = arrived(packets)
    due = packets["created"] + within
    good = there & (packets["arrived"] <= due)
    known = good | (due <= until) | (packets["fate"] == 0)
    latency = np.where(there, packets["arrived"] - packets["created"], -1)
    latency = np.where(there, latency, max(latency.max(initial=0), within)) / NS
    pair = packets["source"] << 32 | packets["destination"]
    up, failures, uptime, watched = np.ones(len(due)), 0, 0.0, 0.0
    for one in np.unique(pair):
        mine = np.flatnonzero((pair == one) & known)
        if not len(mine):
            continue
        down = outages(due[mine], packets["arrived"][mine], good[mine], survival, until)
        start = int(packets["created"][mine[0]])
        watched += max(until - start, 0) / NS
        uptime += (max(until - start, 0) - int((down[:, 1] - down[:, 0]).sum())) / NS
        failures += len(down)
        up[mine] = _up(due[mine], down, until)
    chosen = np.flatnonzero(known)
    made = packets["created"][chosen]
    return Service(chosen, made, good[chosen], latency[chosen], up[chosen], failures, uptime, watched)


def outages(due: I64, came: I64, good: Bool, survival: int, until: int) -> I64:
    """Return (k, 2) ns from when to when the service of one pair was down; messages (n,) in the order of their due.

    The first of a run of unsuccessful messages starts the survival time at its due; the next successful one ends it.
    """
    bad = ~good
    first = np.flatnonzero(bad & np.append(True, good[:-1])) if len(bad) else np.zeros(0, np.int64)
    following = np.flatnonzero(good)
    place = np.searchsorted(following, first)
    back = np.append(came[following], until)[place]
    start = due[first] + survival
    down = np.stack([start, np.minimum(back, until)], axis=1)
    return np.asarray(down[down[:, 1] > down[:, 0]])


def _up(due: I64, down: I64, until: int) -> F64:
    """Return the share of each slot, from one due to the next, in which the service was up."""
    if not len(down):
        return np.ones(len(due))
    edges = np.append(due, max(until, int(due[-1]) + 1)).astype(float)
    flat = down.reshape(-1).astype(float)
    spent = np.cumsum(np.repeat(down[:, 1] - down[:, 0], 2) * np.tile([0, 1], len(down)))
    lost = np.diff(np.interp(edges, flat, spent, left=0.0))
    up: F64 = np.clip(1.0 - lost / np.maximum(np.diff(edges), 1.0), 0.0, 1.0)
    return up
