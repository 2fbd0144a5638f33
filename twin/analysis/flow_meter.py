"""What a network did to each flow between two groups, gathered packet by packet in memory that does not grow."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from twin.clock import NS
from twin.numerics.kernels import kernel
from twin.state import F64, I64, NEVER, REPEATS, Hop, Node, Packet

RATIO = 1.01
"""Of neighbouring limits of a histogram: percentiles are right within 0.5 %."""
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p999": 99.9}
PARTS = ("core", "alignment", "grant", "queue", "retransmission", "transmission")
"""Where a packet's time goes: backhaul, hardware, processing and propagation; until the next occasion for data; for
scheduling request and grant, or for the own configured grant; behind others; for blocks sent again; in the air."""
_BINS = 4400  # of a logarithm of times [ns] in 63 bits, the first one for 0
_BATCH = 1000
_RATIO_LOG = float(np.log(RATIO))


class Histogram:
    """Counts of times [ns] on a logarithmic scale."""

    def __init__(self) -> None:
        self.counts: I64 = np.zeros(_BINS, dtype=np.int64)

    def add(self, times: I64) -> None:
        """Count many (n,)."""
        _tally(self.counts, times)

    def percentile(self, percent: float) -> float:
        """Return a percentile [ns]; nan of nothing."""
        below = np.cumsum(self.counts)
        return _middle(int(np.searchsorted(below, percent / 100 * below[-1]))) if below[-1] else float("nan")


class AgeMeter:
    """Age of information of several receivers: saw-teeth (Kaul, Yates, Gruteser 2012)."""

    def __init__(self) -> None:
        self.sums = np.zeros(3)  # of time [ns] and of area [ns^2], the peak [ns]
        self.ends: I64 = np.zeros((2, _BINS), dtype=np.int64)  # where teeth begin and where they end

    def add(self, lowest: I64, highest: I64) -> None:
        """Add teeth (n,) from their lowest to their highest [ns]."""
        _add_teeth(self.sums, self.ends, lowest, highest)

    @property
    def mean(self) -> float:
        """Time average [ns]; nan of nothing."""
        time, area, _ = self.sums.tolist()
        return area / time if time else float("nan")

    @property
    def peak(self) -> float:
        """The highest age [ns]; 0 of nothing."""
        return float(self.sums[2])

    def percentile(self, percent: float) -> float:
        """Return the age [ns] that is not exceeded in that share of the time; nan of nothing."""
        bins = np.flatnonzero(self.ends.any(axis=0))
        ages = np.array([_middle(i) for i in bins.tolist()])
        teeth = np.cumsum(self.ends[0, bins] - self.ends[1, bins])  # that reach from here to the next
        before = np.concatenate([[0.0], np.cumsum(teeth[:-1] * np.diff(ages))])
        if not len(bins) or before[-1] == 0:
            return float("nan")
        return float(np.interp(percent / 100 * before[-1], before, ages))


def _middle(place: int) -> float:
    return float(RATIO ** (place - 0.5)) if place else 0.0


class Tally(NamedTuple):
    """Counts of one flow, as the kernel adds to them: those of `_Flow`, its histogram and its age."""

    counts: I64
    parts: I64
    latencies: I64
    sums: F64
    ends: I64
    news: I64


class _Flow:
    """All packets of one kind between two groups; the delivered ones are counted many at a time."""

    def __init__(self, budget: int) -> None:
        self.budget, self.settled, self.queued, self.late = budget, 0, 0, 0
        self.counts: I64 = np.zeros(5, dtype=np.int64)  # delivered, bytes, sum and most of latencies [ns], with parts
        self.parts: I64 = np.zeros(len(PARTS), dtype=np.int64)  # ns, sums
        self.histogram, self.age = Histogram(), AgeMeter()
        self.pairs: dict[tuple[int, int], int] = {}
        self.failed: set[int] = set()  # pairs of which a packet was late or lost
        self.news: I64 = np.zeros((0, 2), dtype=np.int64)  # ns, stamp and arrival of the newest news of each pair
        self.reasons: Counter[str] = Counter()  # of late and lost ones
        self._entries: list[int] = []
        self._hops: list[bytes] = []
        self._waiting: list[tuple[int, int]] = []  # when it was created [ns] and pair, of each that is under way

    def take(self, packet: Packet, pair: int) -> None:
        """Add one packet."""
        if packet.fate == "queued":
            self.queued += 1
            self._waiting.append((packet.created, pair))
            return
        self.settled += 1
        if packet.fate != "delivered":
            self.settle()
            self.failed.add(pair)
            self.reasons[packet.fate] += 1
            return
        self._entries += (pair, packet.size, packet.created, packet.arrived, packet.stamp)
        self._hops += (packet.up or _NO_HOP, packet.down or _NO_HOP)
        if len(self._hops) >= 2 * _BATCH:
            self.settle()

    def settle(self) -> None:
        """Count those that wait."""
        if not self._entries:
            return
        rows = np.array(array("q", self._entries), dtype=np.int64).reshape(-1, _WIDTH)
        hops = np.frombuffer(b"".join(self._hops), dtype=np.int64).reshape(len(rows), 2, -1)
        self._entries, self._hops = [], []
        fresh = np.full((len(self.pairs) - len(self.news), 2), NEVER)
        self.news, late = np.concatenate([self.news, fresh]), np.empty(len(rows), dtype=np.int64)
        tally = Tally(
            counts=self.counts,
            parts=self.parts,
            latencies=self.histogram.counts,
            sums=self.age.sums,
            ends=self.age.ends,
            news=self.news,
        )
        _count(tally, rows, hops, self.budget, late)
        for i in np.flatnonzero(late >= 0):
            self.late += 1
            self.failed.add(int(rows[i, 0]))
            self.reasons[(*PARTS, "network")[late[i]]] += 1


    def count_overdue(self, until: int) -> None:
        """Count those late that are under way at `until` [ns] for longer than the budget."""
        overdue = [pair for created, pair in self._waiting if until - created > self.budget]
        self._waiting = [entry for entry in self._waiting if until - entry[0] <= self.budget]
        self.late += len(overdue)
        self.failed.update(overdue)
        if overdue:
            self.reasons["queued"] += len(overdue)


_NO_HOP = Hop(NEVER, NEVER, NEVER, NEVER, 0, 0, (), NEVER).packed()
_WIDTH = 5


class FlowMeter:
    """Takes packets as their fate is decided."""

    def __init__(self, nodes: Sequence[Node], delay_budget: int) -> None:
        self.nodes, self.delay_budget = nodes, delay_budget
        self._flows: dict[tuple[str, str, str], _Flow] = {}
        self._pairs: dict[tuple[int, int, str], tuple[_Flow, int]] = {}

    def take(self, packet: Packet) -> None:
        """Add one packet."""
        key = (packet.source, packet.destination, packet.kind)
        found = self._pairs.get(key)
        if found is None:
            source, destination = self.nodes[packet.source].group, self.nodes[packet.destination].group
            flow = self._flows.setdefault((source, destination, packet.kind), _Flow(self.delay_budget))
            found = self._pairs[key] = flow, flow.pairs.setdefault(key[:2], len(flow.pairs))
        found[0].take(packet, found[1])

    def late(self, until: int) -> int:
        """How many packets took longer than the delay budget, or are under way at `until` [ns] for longer."""
        for flow in self._flows.values():
            flow.settle()
            flow.count_overdue(until)
        return sum(flow.late for flow in self._flows.values())

    def summary(self, until: int) -> dict[str, dict[str, Any]]:
        """Return the figures of each flow, in SI, in the order of their names; `until` [ns] ends the last teeth."""
        return {
            f"{source} > {destination}: {kind}": _figures(flow, until)
            for (source, destination, kind), flow in sorted(self._flows.items())
        }


def _figures(flow: _Flow, until: int) -> dict[str, Any]:
    flow.settle()
    flow.count_overdue(until)
    stamp, since = flow.news.T
    open_ = (since != NEVER) & (until > since)
    flow.age.add(since[open_] - stamp[open_], until - stamp[open_])
    since[open_] = until
    delivered, size, total, longest, metered = flow.counts.tolist()
    latency, age = flow.histogram, flow.age
    return {
        "pairs": len(flow.pairs),
        "pairs_in_time": len(flow.pairs) - len(flow.failed),
        "settled": flow.settled,
        "late": flow.late,
        "lost": flow.settled - delivered,
        "queued": flow.queued,
        "bytes": size,
        "latency_mean": total / delivered / NS if delivered else None,
        **{f"latency_{name}": _seconds(latency.percentile(p)) for name, p in PERCENTILES.items()},
        "latency_max": longest / NS if delivered else None,
        "age_mean": _seconds(age.mean),
        "age_p99": _seconds(age.percentile(99.0)),
        "age_peak": age.peak / NS if age.sums[0] else None,
        "parts": {name: part / metered / NS for name, part in zip(PARTS, flow.parts.tolist(), strict=True) if metered},
        "late_or_lost_for": dict(flow.reasons.most_common()),
    }


def _seconds(ns: float) -> float | None:
    return None if np.isnan(ns) else ns / NS


@kernel
def _bin(time: int) -> int:
    return int(np.log(time) / _RATIO_LOG) + 1 if time > 0 else 0


@kernel
def _tally(counts: I64, times: I64) -> None:
    for time in times:
        counts[_bin(time)] += 1


@kernel
def _add_tooth(sums: F64, ends: I64, lowest: int, highest: int) -> None:
    sums[0] += highest - lowest
    sums[1] += (float(highest) ** 2 - float(lowest) ** 2) / 2
    sums[2] = max(sums[2], highest)
    ends[0, _bin(lowest)] += 1
    ends[1, _bin(highest)] += 1


@kernel
def _add_teeth(sums: F64, ends: I64, lowest: I64, highest: I64) -> None:
    for i in range(lowest.size):
        _add_tooth(sums, ends, lowest[i], highest[i])


@kernel
def _split(latency: int, hops: I64, parts: I64) -> bool:
    """Write where the time [ns] of a delivered packet went to `parts` (6,); tell whether a radio link said so.

    `hops` (2, HOP) are those of uplink and downlink.
    """
    parts[:] = 0
    for k in range(2):
        queued, occasion, alone, first, _, again, decoded = hops[k, :-REPEATS]
        last = hops[k, min(again, REPEATS) - 1 - REPEATS] if again else first
        parts[1] += occasion - queued
        parts[2] += alone - occasion
        parts[3] += first - alone
        parts[4] += last - first
        parts[5] += decoded - last
    parts[0] = latency - parts[1:].sum()
    return bool(hops[0, 0] != NEVER or hops[1, 0] != NEVER)


@kernel
def _count(tally: Tally, rows: I64, hops: I64, budget: int, late: I64) -> None:
    """Count delivered packets; `late` (n,) gets the longest part of each late one, or else -1."""
    counts, news = tally.counts, tally.news
    own = np.empty(len(tally.parts), np.int64)
    for i in range(len(rows)):
        pair, size, created, arrived, stamp = rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3], rows[i, 4]
        latency = arrived - created
        counts[0] += 1
        counts[1] += size
        counts[2] += latency
        counts[3] = max(counts[3], latency)
        tally.latencies[_bin(latency)] += 1
        known = _split(latency, hops[i], own)
        if known:
            counts[4] += 1
            for k in range(len(own)):
                tally.parts[k] += own[k]
        late[i] = -1
        if latency > budget:
            late[i] = np.argmax(own) if known else len(own)
        if stamp > news[pair, 0]:
            if news[pair, 1] != NEVER:
                _add_tooth(tally.sums, tally.ends, news[pair, 1] - news[pair, 0], arrived - news[pair, 0])
            news[pair, 0], news[pair, 1] = stamp, arrived
