"""The event queue of networks that decide a packet's fate when it enters, with one total order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

import numpy as np

from twin.errors import RunError
from twin.numerics.draws import key
from twin.protocols import Batch
from twin.state import Event, LinkState, Packet

WAKE, ARRIVE, ENTER = 0, 1, 2
"""Priorities at one instant: timers, then arrivals, then packets that set out."""

SAME_INSTANT = 10_000
"""Batches at one instant after which nodes that answer each other without any delay are reported."""

Entry = tuple[int, int, int, int, str, int, Packet | None]


class EventNetwork(ABC):
    """A network of one queue of events, ordered by (time, priority, source, destination, kind, sequence).

    `run` stops at the first instant with something for a node without a body and hands over everything up to
    `lookahead` ns later (that instant not included): no answer can set out earlier, so nothing changes
    but the number of stops.
    """

    def __init__(self, names: Sequence[str], embodied: Sequence[bool], lookahead: int = 0) -> None:
        self.names, self.embodied, self.lookahead = names, embodied, lookahead
        self.links: LinkState | None = None
        self._events: list[Entry] = []
        self._settled: list[Packet] = []
        self._happened: list[Event] = []
        self._handed_over = 0
        self._keys: dict[tuple[int, int, str], np.uint64] = {}

    @abstractmethod
    def enter(self, packet: Packet, time: int) -> None:
        """Decide the fate of a packet that sets out now: call `arrive` or `lose`."""

    def send(self, packets: Sequence[Packet]) -> None:
        """Take packets over; each enters at its `created` time.

        Raises:
            RunError: a packet sets out before what was handed over already.
        """
        for packet in packets:
            if packet.created < self._handed_over:
                raise RunError(
                    f"{self.names[packet.source]} sends at {packet.created} ns, before {self._handed_over} ns"
                )
            self._push(packet.created, ENTER, packet)

    def wake(self, node: int, time: int) -> None:
        """Set a timer of a node without a body."""
        heappush(self._events, (time, WAKE, node, node, "", 0, None))

    def arrive(self, packet: Packet, time: int) -> None:
        """Let the packet arrive at `time` [ns]."""
        self._push(time, ARRIVE, packet)

    def lose(self, packet: Packet, reason: str) -> None:
        """Drop the packet for a stated reason."""
        packet.fate = reason
        self._settled.append(packet)

    def flow_key(self, packet: Packet) -> np.uint64:
        """Return the key of the packet's flow for counter-based draws, made of names only."""
        flow = (packet.source, packet.destination, packet.kind)
        if flow not in self._keys:
            source, destination = self.names[packet.source], self.names[packet.destination]
            self._keys[flow] = key(f"{source}>{destination}:{packet.kind}")
        return self._keys[flow]

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries up to and including `until`, taking in what is sent between two of them.

        Raises:
            RunError: nodes answer each other without end at one instant.
        """
        self.links = links
        instant, stops = -1, 0
        while self._events and self._events[0][0] <= until:
            now = self._events[0][0]
            instant, stops = (instant, stops + 1) if now == instant else (now, 0)
            if stops > SAME_INSTANT:
                raise RunError(f"nodes answer each other without delay at {now} ns; give one a service time")
            yield self._batch(until)

    def settled(self) -> list[Packet]:
        """Return, and forget, the packets whose fate was decided since the last call."""
        settled, self._settled = self._settled, []
        return settled

    def queued(self) -> list[Packet]:
        """Return the packets that are still under way, in the order of their events."""
        return [event[-1] for event in sorted(self._events, key=lambda e: e[:6]) if event[-1] is not None]

    def events(self) -> list[Event]:
        """Return, and forget, what happened to links since the last call."""
        happened, self._happened = self._happened, []
        return happened

    @property
    def counts(self) -> Mapping[str, int]:
        """What this network approximated or refused: nothing."""
        return {}

    def _push(self, time: int, priority: int, packet: Packet) -> None:
        order = (packet.source, packet.destination, packet.kind, packet.sequence)
        heappush(self._events, (time, priority, *order, packet))

    def _batch(self, until: int) -> Batch:
        packets: list[Packet] = []
        wakes: list[tuple[int, int]] = []
        horizon, stopped = until, False
        while self._events and self._events[0][0] <= horizon:
            time, priority, node, destination, _, _, packet = heappop(self._events)
            if priority == ENTER:
                assert packet is not None
                self.enter(packet, time)
                continue
            if packet is None:
                wakes.append((time, node))
            else:
                packet.arrived, packet.fate = time, "delivered"
                packets.append(packet)
                self._settled.append(packet)
            if not stopped and (packet is None or not self.embodied[destination]):
                horizon, stopped = min(until, time + max(self.lookahead - 1, 0)), True
        if stopped:
            self._handed_over = horizon
        return Batch(horizon, packets, wakes)
