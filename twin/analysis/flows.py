"""What a recorded network did to its packets: latency and age of information, flow by flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import HOPS
from twin.state import F64, I64, NEVER, Bool

PERCENTILES = (50.0, 95.0, 99.0, 99.9)
_BLOCK = 1 << 18
_COLUMNS = ("created", "arrived", "stamp", "source", "destination", "size")


@dataclass(frozen=True, slots=True, eq=False)
class Age:
    """Age of information at a receiver: a saw-tooth whose teeth grow at one second a second.

    Tooth i begins with the arrival of news that is `lowest[i]` old and ends with the next at `highest[i]`.
    """

    lowest: F64  # (n,) s
    highest: F64  # (n,) s

    @property
    def time(self) -> float:
        """How long there was any information, s."""
        return float(np.sum(self.highest - self.lowest))

    @property
    def mean(self) -> float:
        """Time average in s; nan without an arrival (Kaul, Yates, Gruteser 2012, equation 2)."""
        area = np.sum(self.highest**2 - self.lowest**2) / 2
        return float(area / self.time) if self.time > 0 else float("nan")

    @property
    def peak(self) -> float:
        """Largest age in s; nan without an arrival."""
        return float(self.highest.max()) if len(self.highest) else float("nan")

    def percentile(self, percent: float) -> float:
        """Return the age [s] that is not exceeded in that share of the time; nan without an arrival."""
        if not self.time > 0:
            return float("nan")
        age, kind = np.unique(np.concatenate([self.lowest, self.highest]), return_inverse=True)
        step = np.where(np.arange(2 * len(self.lowest)) < len(self.lowest), 1, -1)
        teeth = np.cumsum(np.bincount(kind, step, len(age)))  # that reach from each age to the next
        before = np.concatenate([[0.0], np.cumsum(teeth[:-1] * np.diff(age))])
        return float(np.interp(percent / 100 * before[-1], before, age))

    def share_above(self, limits: F64) -> F64:
        """Return the share of the time in which the age exceeds each limit (m,) s."""
        above = [np.sum(np.clip(self.highest - limit, 0.0, self.highest - self.lowest)) for limit in limits]
        return np.array(above) / self.time if self.time > 0 else np.full(len(limits), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """All packets of one kind between two groups; a packet under way at the end has no fate yet."""

    source: str
    destination: str
    kind: str
    direction: str  # "up" from a body, "down" to one, "" between two of either
    latency: F64  # (n,) s of those that arrived, ascending
    settled: int  # arrived or lost
    late: int  # arrived after the delay budget, or under way for longer
    queued: int
    size: int  # bytes that arrived
    age: Age
    overdue: int = 0  # of the late ones, those under way
    air: float = float("nan")  # s, mean from the first transmission to decoding, on the link in `direction`

    @property
    def name(self) -> str:
        """How people read it."""
        return f"{self.source} → {self.destination}, {self.kind}"

    @property
    def lost(self) -> int:
        """Packets that never arrive."""
        return self.settled - len(self.latency)

    @property
    def missed(self) -> float:
        """Share of packets that were late or lost, of those settled or overdue; nan without one."""
        decided = self.settled + self.overdue
        return (self.late + self.lost) / decided if decided else float("nan")

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latency [s] of what arrived; nan if nothing did."""
        return float(np.percentile(self.latency, percent)) if len(self.latency) else float("nan")

    def tail(self, points: int = 400) -> tuple[F64, F64]:
        """Return latencies [s] and the share of settled or overdue packets that took so long or longer.

        A lost packet takes for ever. Points lie closest in the tail, which is what a requirement asks for.
        """
        count = len(self.latency)
        if not count:
            return np.zeros(0), np.zeros(0)
        ranks = np.arange(1, count + 1) if count <= points else np.geomspace(1, count, points).astype(np.int64)
        from_end = np.unique(ranks)[::-1]
        before = count - from_end  # so many were there sooner
        return self.latency[before], 1.0 - before / (self.settled + self.overdue)


def age_of_information(arrived: I64, stamp: I64, until: int) -> Age:
    """Return the age at a receiver from its first arrival to `until` [ns].

    `arrived` (n,) ns rises; what is older than news already there changes nothing.
    """
    newest = np.maximum.accumulate(stamp) if len(stamp) else stamp
    fresh = np.diff(newest, prepend=np.iinfo(np.int64).min // 2) > 0
    arrived, newest = arrived[fresh], newest[fresh]
    following = np.append(arrived[1:], max(until, arrived[-1])) if len(arrived) else arrived
    return Age((arrived - newest) / NS, (following - newest) / NS)


def flows(recording: Recording, delay_budget: int) -> list[Flow]:
    """Return the flows between groups, in the order of their names; `delay_budget` in ns."""
    robots = recording.robots
    packets = _packets(recording)
    found: dict[tuple[str, str, str], list[tuple[int, int, str]]] = {}
    for source, destination, kind in packets:
        key = (robots[source].group, robots[destination].group, kind)
        found.setdefault(key, []).append((source, destination, kind))
    return [
        _flow(key, {pair: packets[pair] for pair in pairs}, recording, delay_budget)
        for key, pairs in sorted(found.items())
    ]


def _flow(
    key: tuple[str, str, str],
    packets: Mapping[tuple[int, int, str], dict[str, I64]],
    recording: Recording,
    budget: int,
) -> Flow:
    latencies, lowest, highest, air = [], [], [], []
    bodies = [recording.robots[node].body >= 0 for node in next(iter(packets))[:2]]
    direction = {(True, False): "up", (False, True): "down"}.get((bodies[0], bodies[1]), "")
    settled = queued = size = overdue = 0
    for columns in packets.values():
        there = columns["fate"] == _DELIVERED
        order = np.argsort(columns["arrived"][there], kind="stable")
        arrived, stamp, created = (columns[name][there][order] for name in ("arrived", "stamp", "created"))
        latencies.append(arrived - created)
        on_air = columns.get(f"{direction}link_air", np.zeros(0, np.int64))
        air.append(on_air[on_air >= 0])
        age = age_of_information(arrived, stamp, recording.duration)
        lowest.append(age.lowest)
        highest.append(age.highest)
        waiting = columns["fate"] == _QUEUED
        queued += int(np.sum(waiting))
        overdue += int(np.sum(waiting & (recording.duration - columns["created"] > budget)))
        settled += len(there)
        size += int(columns["size"][there].sum())
    delay = np.sort(np.concatenate(latencies))
    decoded = np.concatenate(air)
    return Flow(*key, direction, delay / NS, settled - queued, int(np.sum(delay > budget)) + overdue, queued, size,
                Age(np.concatenate(lowest), np.concatenate(highest)), overdue,
                float(decoded.mean()) / NS if len(decoded) else float("nan"))  # fmt: skip


_DELIVERED, _QUEUED, _LOST = 0, 1, 2


def _packets(recording: Recording) -> dict[tuple[int, int, str], dict[str, I64]]:
    """Return the columns of all packets by source, destination and kind; fates as numbers."""
    parts: dict[tuple[int, int, str], list[dict[str, I64]]] = {}
    for block in _blocks(recording):
        codes = np.stack([block["source"], block["destination"], block["kind"]], axis=1)
        keys, inverse = np.unique(codes, axis=0, return_inverse=True)
        for i, (source, destination, kind) in enumerate(keys.tolist()):
            mine: Bool = inverse.reshape(-1) == i
            key = (source, destination, recording.strings[kind])
            parts.setdefault(key, []).append({name: values[mine] for name, values in block.items()})
    return {
        key: {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        for key, blocks in parts.items()
    }


def _blocks(recording: Recording) -> Iterator[dict[str, I64]]:
    numbers = {"delivered": _DELIVERED, "queued": _QUEUED}
    for start in range(0, recording.rows["packets"], _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = {name: recording[f"packets/{name}"][rows].astype(np.int64) for name in (*_COLUMNS, "kind")}
        fates, inverse = np.unique(recording["packets/fate"][rows], return_inverse=True)
        fate = np.array([numbers.get(recording.strings[code], _LOST) for code in fates.tolist()])
        block["fate"] = fate[inverse]
        for way in HOPS if recording.header.hops else ():
            first, decoded = (recording[f"packets/{way}_{name}"][rows] for name in ("first", "decoded"))
            block[f"{way}_air"] = np.where(decoded >= 0, decoded - first, NEVER)
        yield block
