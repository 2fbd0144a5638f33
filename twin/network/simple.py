"""One queue per radio link, served at the rate that its signal-to-noise ratio allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.clock import NS
from twin.link import Radio
from twin.network.cables import crossing
from twin.network.events import ENTER, EventNetwork
from twin.network.topology import Topology
from twin.protocols import Batch
from twin.specs import SimpleSpec
from twin.state import F64, NEVER, Hop, LinkState, Packet


def truncated_shannon(spec: SimpleSpec, snr_db: F64) -> F64:
    """Return bit rates at `snr_db`, same shape: TR 36.942 A.1, alpha B log2(1 + SNR) within limits."""
    efficiency = spec.attenuation * np.log2(1.0 + 10.0 ** (snr_db / 10.0))
    rate = spec.bandwidth * np.minimum(efficiency, spec.max_efficiency)
    return np.where(snr_db >= spec.min_snr, rate, 0.0)


@dataclass(slots=True, eq=False)
class _Link:
    """The transmitter of one robot's uplink or downlink."""

    terminal: int  # the radio of the robot that hears its cell best
    up: bool
    waiting: deque[Packet] = field(default_factory=deque)
    busy: bool = False


@dataclass(slots=True, eq=False)
class _Cable:
    """One direction between the cells and an edge server: first in, first out."""

    rate: float  # bit/s
    free: int = 0  # ns


@dataclass(slots=True, eq=False)
class _Trip:
    """What lies ahead of a packet: links to cross and delays [ns]."""

    hops: deque[_Link | _Cable | int]
    on_air: _Link | None = None
    queued: int = 0  # ns, on the present link
    first: int = 0  # ns, start of the transmission
    way: int = 0  # ns, propagation


class SimpleNetwork(EventNetwork):
    """Uplink, backhaul and downlink in turn, without slots and without sharing the bandwidth.

    Each link sends one packet after the other. Without enough signal it waits for a better trace; packets
    that get older than `discard` while they wait are lost.
    """

    def __init__(
        self,
        spec: SimpleSpec,
        names: Sequence[str],
        embodied: Sequence[bool],
        radios: Sequence[Radio],
        lookahead: int = 0,
    ) -> None:
        super().__init__(names, embodied, lookahead)
        self.spec, self.topology = spec, Topology(radios)
        self._up = {node: _Link(rows[0], True) for node, rows in self.topology.terminals_of.items()}
        self._down = {node: _Link(rows[0], False) for node, rows in self.topology.terminals_of.items()}
        self._trips: dict[int, _Trip] = {}  # by identity of the packet
        self._cables: dict[tuple[int, bool], _Cable] = {}
        self._now = 0

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries up to and including `until`; waiting links are tried again after a new trace."""
        if links is not self.links:
            self._read(links)
            for link in (*self._up.values(), *self._down.values()):
                if link.waiting and not link.busy:
                    self._start(link, max(self._now, links.time))
        yield from super().run(until, links)
        self._now = until

    def enter(self, packet: Packet, time: int) -> None:
        """Take the packet to its next hop."""
        trip = self._trips.get(id(packet))
        if trip is None:
            trip = self._trips[id(packet)] = _Trip(self._route(packet))
        if trip.on_air is not None:
            link, trip.on_air = trip.on_air, None
            self._note(packet, link, Hop(trip.queued, trip.queued, trip.queued, trip.first, 1, 0, (), time + trip.way))
            link.busy = False
            self._start(link, time)
        if not trip.hops:
            del self._trips[id(packet)]
            self.arrive(packet, time)
            return
        hop = trip.hops.popleft()
        if isinstance(hop, _Cable):
            hop.free = max(time, hop.free) + crossing(packet.size, hop.rate)
            self._push(hop.free, ENTER, packet)
            return
        if isinstance(hop, int):
            self._push(time + hop, ENTER, packet)
            return
        hop.waiting.append(packet)
        trip.queued = time
        if not hop.busy:
            self._start(hop, time)

    def queued(self) -> list[Packet]:
        """Return the packets under way: first those with an event ahead, then those that wait for a link."""
        links = (*self._up.values(), *self._down.values())
        return super().queued() + [packet for link in links for packet in link.waiting]

    def _note(self, packet: Packet, link: _Link, hop: Hop) -> None:
        if link.up:
            packet.uplink = hop
        else:
            packet.downlink = hop

    def _route(self, packet: Packet) -> deque[_Link | _Cable | int]:
        up, down = self._up.get(packet.source), self._down.get(packet.destination)
        route: deque[_Link | _Cable | int] = deque()
        if up is not None:
            route += (up, *self._cable(packet.destination, True), self.spec.backhaul)
        if down is not None:
            route += (*self._cable(packet.source, False), self.spec.backhaul, down)
        return route or deque([self.spec.backhaul])

    def _cable(self, server: int, up: bool) -> tuple[_Cable, ...]:
        """Return the cable of a server, if cables have a rate; robots share one for each direction."""
        rate = self.spec.backhaul_rate
        if rate is None:
            return ()
        server = -1 if self.embodied[server] else server
        return (self._cables.setdefault((server, up), _Cable(rate)),)

    def _start(self, link: _Link, time: int) -> None:
        while link.waiting and time - link.waiting[0].created > self.spec.discard:
            packet = link.waiting.popleft()
            queued = self._trips.pop(id(packet)).queued
            self._note(packet, link, Hop(queued, queued, queued, NEVER, 0, 0, (), NEVER))
            self.lose(packet, "discarded")
        rate = self._rate[0 if link.up else 1][link.terminal]
        if not link.waiting or rate <= 0.0:
            return
        packet = link.waiting.popleft()
        trip = self._trips[id(packet)]
        trip.on_air, trip.first, link.busy = link, time, True
        trip.way = int(self._propagation[link.terminal])
        trip.hops.appendleft(trip.way)
        self._push(time + round(8 * packet.size * NS / rate), ENTER, packet)

    def _read(self, links: LinkState) -> None:
        """Attach each terminal to the cell that it receives best, and take rates and delays from there."""
        rows, received = np.arange(len(self.topology.terminals)), self.topology.received_dbm(links)
        best = np.argmax(received, axis=1) if len(rows) else rows
        for node, own in self.topology.terminals_of.items():
            if len(own) > 1:
                self._up[node].terminal = self._down[node].terminal = own[int(np.argmax(received[own].max(axis=1)))]
        up, down = self.topology.snr_db(links, self.spec.bandwidth)
        self._rate = [truncated_shannon(self.spec, snr[rows, best]).tolist() for snr in (up, down)]
        self._propagation = np.rint(self.topology.delay(links)[rows, best] * NS).astype(np.int64)
