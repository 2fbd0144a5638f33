"""What a run says about the packets of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from twin.analysis.flows import age_of_information
from twin.analysis.measured import Measured, estimated, fact, over_windows, worst_of
from twin.analysis.service import Service, service
from twin.analysis.watch import Watch, arrived, last, nobody
from twin.clock import NS
from twin.errors import nearest
from twin.numerics import statistics
from twin.numerics.statistics import CONFIDENCE, Estimate, Interval
from twin.specs.figures import percentile_of
from twin.specs.requirement import TAKE_OFF, Scope
from twin.state import I64, Bool

_SAMPLES = 20_000
"""Instants at which the age of information is read for its interval."""
Packets = Mapping[str, I64]


@dataclass(frozen=True, slots=True, eq=False)
class FlowMeasures:
    """Answers about flows of one run."""

    watch: Watch
    summary: Mapping[str, Any]
    budget: int  # ns, after which a packet is late where nothing else is stated
    independent: bool  # the network lets no packet's fate depend on another's

    def of(self, figure: str, scope: Scope, worse: bool) -> Measured:
        """Return a figure; `worse` tells whether more of it is worse."""
        packets: Packets = self.watch.packets(scope.name)
        if not len(packets["created"]):
            kinds = self.watch.kinds
            there = f"kinds that were: {', '.join(kinds) or 'none'}{nearest(scope.name, kinds)}"
            return fact(None, reason=f"no packet of kind {scope.name!r} was sent; {there}")
        sources, destinations = (self.watch.chosen(end) for end in (scope.source, scope.destination))
        mine = np.isin(packets["source"], sources) & np.isin(packets["destination"], destinations)
        end = self.watch.chosen(scope.end)
        packets = _only(packets, mine & (np.isin(packets["source"], end) | np.isin(packets["destination"], end)))
        if not len(packets["created"]):
            way = f"from or to {scope.end}" if scope.end != "*" else f"from {scope.source} to {scope.destination}"
            return fact(None, reason=f"nothing of kind {scope.name!r} went {way}")
        packets = _only(packets, self._in_scope(scope, packets))
        if not len(packets["created"]):
            return fact(None, reason=nobody(self.watch, scope, "sent a packet"))
        if not scope.each:
            return self._windowed(figure, scope, packets, worse)
        pair = np.stack([packets["source"], packets["destination"]])
        pairs = np.unique(pair, axis=1).T
        parts = [_only(packets, (pair == one[:, None]).all(axis=0)) for one in pairs]
        found = [self._windowed(figure, scope, part, worse) for part in parts]
        names = [" > ".join(self.watch.nodes[node].name for node in one) for one in pairs.tolist()]
        return worst_of(names, found, worse)

    def _in_scope(self, scope: Scope, packets: Packets) -> Bool:
        """Tell which packets were made within times and place: both ends that have a body count."""
        within = np.ones(len(packets["created"]), dtype=bool)
        for end in ("source", "destination"):
            node = packets[end]
            within &= self.watch.counts(scope, packets["created"], node) | (self.watch.bodies[node] < 0)
        if scope.after not in (None, TAKE_OFF):
            within &= packets["created"] >= scope.after
        return within & (packets["created"] <= scope.until) if scope.until is not None else within

    def _windowed(self, figure: str, scope: Scope, packets: Packets, worse: bool) -> Measured:
        if scope.window is None:
            return self._flow(figure, scope, packets, last(self.watch, scope))

        def measure(start: int, stop: int) -> Measured:
            part = _only(packets, (packets["created"] >= start) & (packets["created"] < stop))
            return self._flow(figure, scope, part, last(self.watch, scope, stop))

        span = self._start(scope, packets["created"]), last(self.watch, scope)
        return over_windows(*span, scope.window, measure, worse)

    def _start(self, scope: Scope, time: I64) -> int:
        return int(time[0]) if scope.after == TAKE_OFF or scope.place else scope.after or 0

    def _flow(self, figure: str, scope: Scope, packets: Packets, until: int) -> Measured:
        if not len(packets["created"]):
            return fact(None, reason="nothing was sent")
        confidence = scope.confidence or CONFIDENCE
        there, percentile = arrived(packets), percentile_of(figure)
        if figure in ("reliability", "availability", "mtbf", "survival_exceeded"):
            return self._service(figure, scope, packets, until)
        if figure == "delivered":
            return self._delivered(packets, confidence)
        if figure.startswith("parts."):
            return self._part(figure.removeprefix("parts."), scope)
        if not there.any() and figure.startswith(("latency", "age")):
            return fact(None, reason="nothing arrived")
        created, latency = packets["created"][there], (packets["arrived"] - packets["created"])[there] / NS
        lost = int(np.sum(packets["fate"] == 0))
        note = f"{lost:,} more were lost" if lost else ""
        if figure == "latency_mean":
            return estimated(statistics.mean(created, latency, confidence=confidence), "packets", note)
        if figure == "latency_max":
            return fact(float(latency.max()), "packets", len(latency), note=note)
        if percentile is not None and percentile[0] == "latency":
            found = statistics.quantile(created, latency, percentile[1], confidence=confidence)
            return estimated(found, "packets", note)
        if figure.startswith("age"):
            return self._age(figure, packets, until, confidence)
        return self._counted(figure, scope, packets, until)

    def _delivered(self, packets: Packets, confidence: float) -> Measured:
        settled = packets["fate"] >= 0
        if not settled.any():
            return fact(None, reason="no packet's fate was decided")
        part = _only(packets, settled)
        there = arrived(part)
        if self._is_dead(there):
            return fact(0.0, "packets", len(there), note=_lost_by(self.watch, part, there))
        latency = np.where(there, part["arrived"] - part["created"], 0)
        latency = np.where(there, latency, latency.max(initial=0)) / NS
        found = statistics.share(part["created"], there.astype(float), latency,
                                 independent=self.independent, confidence=confidence)  # fmt: skip
        return estimated(found, "packets", _lost_by(self.watch, part, there))

    def _service(self, figure: str, scope: Scope, packets: Packets, until: int) -> Measured:
        within = self.budget if scope.within is None else scope.within
        found = service(packets, within, scope.survival or 0, until)
        if not len(found.time):
            return fact(None, reason="no packet's fate was decided")
        confidence = scope.confidence or CONFIDENCE
        downs = f"down {found.failures:,} times" if figure != "reliability" else ""
        if figure == "survival_exceeded":
            return fact(float(found.failures), "packets", len(found.time))
        if figure == "mtbf":
            return _mtbf(found, confidence)
        if self._is_dead(found.good):
            value = found.uptime / found.watched if figure == "availability" and found.watched else 0.0
            return fact(value, "packets", len(found.good), note=_lost_by(self.watch, _only(packets, found.row), None))
        hit = found.good.astype(float) if figure == "reliability" else found.up
        estimate = statistics.share(found.time, hit, found.latency, independent=self.independent, confidence=confidence)
        if figure == "availability":
            estimate = replace(estimate, value=found.uptime / found.watched if found.watched else estimate.value)
        else:
            downs = _lost_by(self.watch, _only(packets, found.row[~found.good]), None)
        return estimated(estimate, "packets", downs)

    def _is_dead(self, good: Bool) -> bool:
        """Tell whether nothing came through at all, where nothing says how failures hang together: a fact, then."""
        return not self.independent and not good.any()

    def _age(self, figure: str, packets: Packets, until: int, confidence: float) -> Measured:
        there = _only(packets, arrived(packets))
        pair = there["source"] << 32 | there["destination"]
        times, ages, peak, weight, area = [], [], 0.0, 0.0, 0.0
        pairs = np.unique(pair)
        for one in pairs:
            mine = np.flatnonzero(pair == one)
            mine = mine[np.argsort(there["arrived"][mine], kind="stable")]
            came, stamp = there["arrived"][mine], np.maximum.accumulate(there["stamp"][mine])
            teeth = age_of_information(came, there["stamp"][mine], until)
            peak, weight, area = max(peak, teeth.peak), weight + teeth.time, area + teeth.mean * teeth.time
            at = np.linspace(came[0], max(until, came[0] + 1), max(_SAMPLES // len(pairs), 200)).astype(np.int64)
            times.append(at)
            ages.append((at - stamp[np.searchsorted(came, at, side="right") - 1]) / NS)
        if figure == "age_peak":
            return fact(peak, "packets", len(there["created"]))
        time, age = np.concatenate(times), np.concatenate(ages)
        percentile = percentile_of(figure)
        if percentile is None:
            found = replace(statistics.mean(time, age, confidence=confidence), value=area / weight if weight else peak)
        else:
            found = statistics.quantile(time, age, percentile[1], confidence=confidence)
        return estimated(found, "instants", f"{len(there['created']):,} packets arrived")

    def _counted(self, figure: str, scope: Scope, packets: Packets, until: int) -> Measured:
        there, count = arrived(packets), len(packets["created"])
        latency = np.where(there, packets["arrived"] - packets["created"], 0)
        late = there & (latency > (self.budget if scope.within is None else scope.within))
        pair = packets["source"] << 32 | packets["destination"]
        spell = max(until - int(packets["created"][0]), 1) / NS
        values: dict[str, Callable[[], Any]] = {
            "settled": lambda: np.sum(packets["fate"] >= 0),
            "lost": lambda: np.sum(packets["fate"] == 0),
            "queued": lambda: np.sum(packets["fate"] < 0),
            "late": lambda: np.sum(late),
            "bytes": lambda: packets["size"][there].sum(),
            "pairs": lambda: len(np.unique(pair)),
            "pairs_in_time": lambda: len(np.unique(pair)) - len(np.unique(pair[late | (packets["fate"] == 0)])),
            "rate": lambda: count / len(np.unique(pair)) / spell,
            "throughput": lambda: 8 * packets["size"][there].sum() / spell,
        }
        return fact(float(values[figure]()), "packets", count)

    def _part(self, name: str, scope: Scope) -> Measured:
        """Return where the time of all packets of a kind went, as the summary says of whole flows."""
        flows = self.summary.get("flows", {})
        mine = [one for key, one in flows.items() if scope.name in ("*", key.rpartition(": ")[2])]
        known = [(one["parts"][name], one["settled"] - one["lost"]) for one in mine if name in one.get("parts", {})]
        if not known:
            return fact(None, reason=f"no radio link of this run tells {name!r} of a packet's time")
        return fact(float(np.average([part for part, _ in known], weights=[count for _, count in known])))


def _mtbf(found: Service, confidence: float) -> Measured:
    """Return the mean time between failures; its interval is that of a Poisson process."""
    rate = statistics.event_rate(found.failures, found.uptime or 1e-300, confidence)
    interval = Interval(1.0 / rate.upper, 1.0 / rate.lower if rate.lower else float("inf"))
    value = found.uptime / found.failures if found.failures else found.uptime
    note = f"{found.failures:,} failures" if found.failures else "no failure: it is more than the time watched"
    return estimated(Estimate(value, interval, len(found.time), len(found.time)), "packets", note)


def _only(packets: Packets, chosen: Bool | I64) -> Packets:
    return {name: column[chosen] for name, column in packets.items()}


def _lost_by(watch: Watch, packets: Packets, there: Bool | None) -> str:
    """Return how many failed, and whose pair had most of them."""
    failed = packets if there is None else _only(packets, ~there)
    if not len(failed["created"]):
        return ""
    pairs, counts = np.unique(np.stack([failed["source"], failed["destination"]]), axis=1, return_counts=True)
    source, destination = pairs[:, counts.argmax()].tolist()
    names = f"{watch.nodes[source].name} > {watch.nodes[destination].name}"
    return f"{counts.sum():,} failed, most of {names} ({counts.max():,})"
