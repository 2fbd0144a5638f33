"""What a network did to each flow between two groups, gathered packet by packet in memory that does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from operator import add
from typing import Any

import numpy as np

from twin.clock import NS
from twin.state import NEVER, Node, Packet

RATIO = 1.01
"""Of neighbouring limits of a histogram: percentiles are right within 0.5 %."""
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p999": 99.9}
PARTS = ("core", "alignment", "grant", "queue", "retransmission", "transmission")
"""Where a packet's time goes: backhaul, hardware, processing and propagation; until the next occasion for data; for
scheduling request and grant, or for the own configured grant; behind others; for blocks sent again; in the air."""
Parts = tuple[int, ...]
"""Times [ns] by `PARTS`."""


class Histogram:
    """Counts of times [ns] on a logarithmic scale."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, time: int) -> None:
        """Count one."""
        self.counts[_bin(time)] += 1

    def percentile(self, percent: float) -> float:
        """Return a percentile [ns]; nan of nothing."""
        bins = np.array(sorted(self.counts))
        if not len(bins):
            return float("nan")
        below = np.cumsum([self.counts[i] for i in bins.tolist()])
        return _middle(int(bins[np.searchsorted(below, percent / 100 * below[-1])]))


def _bin(time: int) -> int:
    return int(log(time) / log(RATIO)) if time > 0 else -1


def _middle(place: int) -> float:
    return float(RATIO ** (place + 0.5)) if place >= 0 else 0.0


class AgeMeter:
    """Age of information of several receivers: saw-teeth from `lowest` to `highest` (Kaul, Yates, Gruteser 2012)."""

    def __init__(self) -> None:
        self.time = self.area = self.peak = 0.0  # ns, ns^2 / 2, ns
        self._begins: Counter[int] = Counter()
        self._ends: Counter[int] = Counter()

    def add(self, lowest: int, highest: int) -> None:
        """Add a tooth [ns]."""
        self.time += highest - lowest
        self.area += (float(highest) ** 2 - float(lowest) ** 2) / 2
        self.peak = max(self.peak, highest)
        self._begins[_bin(lowest)] += 1
        self._ends[_bin(highest)] += 1

    @property
    def mean(self) -> float:
        """Time average [ns]; nan of nothing."""
        return self.area / self.time if self.time else float("nan")

    def percentile(self, percent: float) -> float:
        """Return the age [ns] that is not exceeded in that share of the time; nan of nothing."""
        bins = sorted({*self._begins, *self._ends})
        ages = np.array([_middle(i) for i in bins])
        teeth = np.cumsum([self._begins[i] - self._ends[i] for i in bins])  # that reach from here to the next
        before = np.concatenate([[0.0], np.cumsum(teeth[:-1] * np.diff(ages))])
        if not len(bins) or before[-1] == 0:
            return float("nan")
        return float(np.interp(percent / 100 * before[-1], before, ages))


@dataclass(slots=True)
class _Pair:
    """One sender and receiver: the newest news there, and whether all came in time."""

    stamp: int = NEVER  # ns
    since: int = NEVER  # ns
    in_time: bool = True


@dataclass(slots=True)
class _Flow:
    """All packets of one kind between two groups."""

    settled: int = 0
    delivered: int = 0
    late: int = 0
    queued: int = 0
    size: int = 0
    latency: int = 0  # ns, sum
    longest: int = 0  # ns
    histogram: Histogram = field(default_factory=Histogram)
    age: AgeMeter = field(default_factory=AgeMeter)
    pairs: dict[tuple[int, int], _Pair] = field(default_factory=dict)
    parts: Parts = (0,) * len(PARTS)  # ns, sums
    metered: int = 0  # delivered with known parts
    reasons: Counter[str] = field(default_factory=Counter)  # of late and lost ones


class FlowMeter:
    """Takes packets as their fate is decided."""

    def __init__(self, nodes: Sequence[Node], delay_budget: int) -> None:
        self.nodes, self.delay_budget = nodes, delay_budget
        self._flows: dict[tuple[str, str, str], _Flow] = {}

    def take(self, packet: Packet) -> None:
        """Add one packet."""
        nodes = self.nodes
        key = (nodes[packet.source].group, nodes[packet.destination].group, packet.kind)
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = _Flow()
        pair = flow.pairs.setdefault((packet.source, packet.destination), _Pair())
        if packet.fate == "queued":
            flow.queued += 1
            return
        flow.settled += 1
        if packet.fate != "delivered":
            pair.in_time = False
            flow.reasons[packet.fate] += 1
            return
        self._arrive(packet, flow, pair)

    def _arrive(self, packet: Packet, flow: _Flow, pair: _Pair) -> None:
        latency = packet.arrived - packet.created
        flow.delivered += 1
        flow.size += packet.size
        flow.latency += latency
        flow.longest = max(flow.longest, latency)
        flow.histogram.add(latency)
        parts = split(packet)
        if parts:
            flow.metered += 1
            flow.parts = tuple(map(add, flow.parts, parts))
        if latency > self.delay_budget:
            flow.late += 1
            pair.in_time = False
            flow.reasons[PARTS[parts.index(max(parts))] if parts else "network"] += 1
        if packet.stamp > pair.stamp:
            if pair.since != NEVER:
                flow.age.add(pair.since - pair.stamp, packet.arrived - pair.stamp)
            pair.stamp, pair.since = packet.stamp, packet.arrived

    def summary(self, until: int) -> dict[str, dict[str, Any]]:
        """Return the figures of each flow, in SI, in the order of their names; `until` [ns] ends the last teeth."""
        return {
            f"{source} > {destination}: {kind}": _figures(flow, until)
            for (source, destination, kind), flow in sorted(self._flows.items())
        }


def _figures(flow: _Flow, until: int) -> dict[str, Any]:
    for pair in flow.pairs.values():
        if pair.since != NEVER and until > pair.since:
            flow.age.add(pair.since - pair.stamp, until - pair.stamp)
            pair.since = until
    latency, age = flow.histogram, flow.age
    return {
        "pairs": len(flow.pairs),
        "pairs_in_time": sum(pair.in_time for pair in flow.pairs.values()),
        "settled": flow.settled,
        "late": flow.late,
        "lost": flow.settled - flow.delivered,
        "queued": flow.queued,
        "bytes": flow.size,
        "latency_mean": flow.latency / flow.delivered / NS if flow.delivered else None,
        **{f"latency_{name}": _seconds(latency.percentile(p)) for name, p in PERCENTILES.items()},
        "latency_max": flow.longest / NS if flow.delivered else None,
        "age_mean": _seconds(age.mean),
        "age_p99": _seconds(age.percentile(99.0)),
        "age_peak": age.peak / NS if age.time else None,
        "parts": {name: part / flow.metered / NS for name, part in zip(PARTS, flow.parts, strict=True) if flow.metered},
        "late_or_lost_for": dict(flow.reasons.most_common()),
    }


def split(packet: Packet) -> Parts:
    """Return where the time of a delivered packet went; nothing where no radio link said so."""
    alignment = grant = queue = retransmission = transmission = 0
    radio = False
    for hop in (packet.uplink, packet.downlink):
        if hop is not None:
            radio = True
            queued, occasion, alone, first, _, _, retransmitted, decoded = hop
            last = retransmitted[-1] if retransmitted else first
            alignment += occasion - queued
            grant += alone - occasion
            queue += first - alone
            retransmission += last - first
            transmission += decoded - last
    if not radio:
        return ()
    on_air = alignment + grant + queue + retransmission + transmission
    core = packet.arrived - packet.created - on_air
    return core, alignment, grant, queue, retransmission, transmission


def _seconds(ns: float) -> float | None:
    return None if np.isnan(ns) else ns / NS
