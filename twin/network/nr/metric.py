"""What a cell's scheduler maximises, and what it remembers for that. Kernels over `State`."""

from __future__ import annotations

import numpy as np

from twin.network.nr.carrier_state import DOWN, State
from twin.network.nr.link_adaptation import expected_efficiency
from twin.network.nr.own import Candidate, called
from twin.network.nr.queues import top_class
from twin.numerics.kernels import kernel

ROUND_ROBIN, PROPORTIONAL_FAIR, EARLIEST_DEADLINE, STRICT_PRIORITY, OWN = range(5)
"""Kinds of schedulers; OWN calls a function of a package."""
_FAR = 1 << 62
NEVER_SERVED = 1e-9
"""Bits that proportional fair takes for a link not yet served."""
WEIGHT, SINCE = range(2)
"""Entries of `State.fairness`."""
LEVEL = 1e4
"""Between two priorities: more than logarithms of what is proportionally fair are ever apart."""
LONGEST_AGE = 200.0
"""Averaging times after which weights start anew, before they overflow."""


@kernel
def metric(s: State, link: int, time: int) -> float:
    """Return what the cell's scheduler maximises; whose survival time is about to end goes before all others."""
    if is_missed(s, link, time):
        return np.inf
    if s.config.scheduler == ROUND_ROBIN:
        return float(-s.links[link].served)
    if s.config.scheduler == PROPORTIONAL_FAIR:
        q = top_class(s, link)
        average = s.links[link].average + NEVER_SERVED * s.fairness[WEIGHT]
        return float(np.log(expected_efficiency(s, link, q) / average) - s.classes[q].priority * LEVEL)
    if s.config.scheduler == OWN:
        return float(called(s.config.own, candidate(s, link, time)))
    best = np.inf
    classes = s.classes.size
    for q in range(classes):
        p = s.bearers[link * classes + q].head
        if p >= 0 and s.config.scheduler == EARLIEST_DEADLINE:
            best = min(best, float(s.packets[p].created + s.classes[q].budget))
        elif p >= 0:
            best = min(best, s.classes[q].priority * 1e15 + s.packets[p].ready)
        elif s.bearers[link * classes + q].endless == 1:
            last = float(_FAR) if s.config.scheduler == EARLIEST_DEADLINE else (s.classes[q].priority + 0.999) * 1e15
            best = min(best, last)
    return float(-best)


@kernel
def candidate(s: State, link: int, time: int) -> Candidate:
    """Return what a scheduler of a package may know of a link."""
    classes, first, deadline, ready = s.classes.size, top_class(s, link), _FAR, _FAR
    for q in range(classes):
        p = s.bearers[link * classes + q].head
        if p >= 0:
            deadline = min(deadline, s.packets[p].created + s.classes[q].budget)
            if q == first:
                ready = s.packets[p].ready
    waiting = s.links[link].bytes if link & 1 == DOWN else s.links[link].known
    return Candidate(
        now=time, deadline=deadline, ready=ready, priority=s.classes[first].priority, waiting=waiting,
        served=s.links[link].served, efficiency=expected_efficiency(s, link, first),
        average=s.links[link].average / s.fairness[WEIGHT],
    )  # fmt: skip


@kernel
def is_missed(s: State, link: int, time: int) -> bool:
    """Tell whether a flow of the link that has data would be without a message beyond its survival time.

    That is so if one that arrives at the end of its delay budget came too late (survival time: TS 22.104 3.1).
    """
    classes = s.classes.size
    for q in range(classes):
        b = link * classes + q
        if s.classes[q].survival > 0 and s.bearers[b].head >= 0:
            if time + s.classes[q].budget > s.bearers[b].heard + s.classes[q].survival:
                return True
    return False


@kernel
def note_served(s: State, link: int, bits: int, time: int) -> None:
    """Update what round robin and proportional fair remember."""
    s.links[link].average += bits * s.fairness[WEIGHT]
    s.links[link].served = time


@kernel
def weigh(s: State, time: int) -> None:
    """Set what a bit sent now weighs in averages: e times more every `pf_time`, instead of fading all of them."""
    age = (time - s.fairness[SINCE]) / s.config.pf_time
    if age > LONGEST_AGE:
        for link in range(s.links.size):
            s.links[link].average *= np.exp(-age)
        s.fairness[SINCE], age = float(time), 0.0
    s.fairness[WEIGHT] = np.exp(age)
