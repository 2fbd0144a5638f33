"""A fast stand-in for a twin: one axis of a drone flown over a bursty, jittery network, as a path that can be split.

State: position [m], velocity, held command [m/s2], wind [m/s2], whether the link is down, commands sent and arrived,
when the last one arrives [s], the score, the highest one so far. Outages begin 0.2 times a second and last 0.2 s.
"""

import numpy as np

from twin.numerics.draws import normal, uniform
from twin.numerics.kernels import kernel
from twin.studies.splitting import Leaf

TICKS, SPAN, ROOM, STATE = 3000, 0.02, 64, 10
RUNNING, OVER, HIT = 0, 1, 2


@kernel
def advance(s, q, k, seed, level, limit, horizon):
    """Go on from tick `k` until the score is at `level`, the error at `limit`, or the end; return tick and outcome."""
    while k < TICKS:
        down, u = s[4] > 0.5, uniform(seed, np.uint64(1), np.uint64(0), k, 0)
        if down:
            if u < 0.10:
                s[4] = 0.0
        elif u < 0.004:
            s[4] = 1.0
        t = k * SPAN
        if not down:
            late = SPAN - np.log(uniform(seed, np.uint64(2), np.uint64(0), k, 0)) * SPAN
            s[7] = max(t + late, s[7])
            row = int(s[5]) % ROOM
            q[row, 0], q[row, 1] = s[7], min(9.0, max(-9.0, -4.0 * s[0] - 3.5 * s[1]))
            s[5] += 1
        s[3] = 0.98 * s[3] + 0.2 * 1.2 * normal(seed, np.uint64(3), np.uint64(0), k, 0)
        for half in range(2):
            while s[6] < s[5] and q[int(s[6]) % ROOM, 0] <= t + half * SPAN / 2:
                s[2] = q[int(s[6]) % ROOM, 1]
                s[6] += 1
            s[1] += SPAN / 2 * (s[2] + s[3] - 0.2 * s[1])
            s[0] += SPAN / 2 * s[1]
        k += 1
        ahead = s[0] + horizon * s[1] + 0.5 * horizon * horizon * (s[2] + s[3])
        s[8] = abs(ahead) if s[4] > 0.5 else abs(s[0])
        s[9] = max(s[9], s[8])
        if abs(s[0]) >= limit:
            return k, HIT
        if s[8] >= level:
            return k, RUNNING
    return k, OVER


@kernel
def plain(first, count, limit):
    """Return how many of `count` plain runs, seeds from `first` on, meet the event, and their ticks."""
    hits = ticks = 0
    for i in range(count):
        k, outcome = advance(np.zeros(STATE), np.zeros((ROOM, 2)), 0, first + i, np.inf, limit, 0.0)
        hits += outcome == HIT
        ticks += k
    return hits, ticks


class StandIn:
    """A path of the stand-in; `seeds` counts the draws that all paths of a study have had."""

    def __init__(self, seed, limit, seeds, horizon=0.8):
        self.state, self.queue, self.tick, self.began = np.zeros(STATE), np.zeros((ROOM, 2)), 0, 0
        self.seed, self.limit, self.seeds, self.horizon = seed, limit, seeds, horizon
        self.outcome = RUNNING

    def advance(self, level):
        while self.outcome == RUNNING:
            if self.tick and self.state[8] >= level:
                return True
            self.tick, self.outcome = advance(
                self.state, self.queue, self.tick, self.seed, level, self.limit, self.horizon
            )
        return False

    def branch(self, number, weight, grow):
        other = StandIn(next(self.seeds), self.limit, self.seeds, self.horizon)
        other.state, other.queue = self.state.copy(), self.queue.copy()
        other.tick = other.began = self.tick
        return grow(other)

    def leaf(self, weight):
        return Leaf(weight, self.outcome == HIT, score=float(self.state[9]), steps=self.tick - self.began)
