"""A network of cells with a sidelink beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

from twin.network.nr.sidelink import Sidelink
from twin.numerics.seeds import Reseeds
from twin.protocols import Batch, Network
from twin.state import Event, LinkState, Packet


class WithSidelink:
    """Any network, with a sidelink for packets between two robots that are both in its pool."""

    def __init__(self, network: Network, sidelink: Sidelink) -> None:
        self.network, self.sidelink = network, sidelink

    def send(self, packets: Sequence[Packet]) -> None:
        """Take packets over."""
        rest = []
        for packet in packets:
            if self.sidelink.carries(packet):
                self.sidelink.send(packet)
            else:
                rest.append(packet)
        self.network.send(rest)

    def wake(self, node: int, time: int) -> None:
        """Set a timer of a node without a body."""
        self.network.wake(node, time)

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries of both up to and including `until`, in order of arrival.

        Members have bodies and send between two runs, so no answer to a batch can change the pool's slots.
        """
        self.sidelink.advance(until, links)
        for batch in self.network.run(until, links):
            direct = self.sidelink.arrived(batch.time)
            yield Batch(batch.time, list(merge(batch.packets, direct, key=_order)), batch.wakes)
        direct = self.sidelink.arrived(until)
        if direct:
            yield Batch(until, direct, [])

    def settled(self) -> list[Packet]:
        """Return, and forget, the packets whose fate was decided since the last call."""
        return self.network.settled() + self.sidelink.settled()

    def queued(self) -> list[Packet]:
        """Return the packets that are still under way."""
        return self.network.queued() + self.sidelink.queued()

    def events(self) -> list[Event]:
        """Return, and forget, what happened to links since the last call."""
        return self.network.events()

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self.sidelink.seed = seed
        if isinstance(self.network, Reseeds):
            self.network.reseed(seed)

    @property
    def counts(self) -> Mapping[str, int]:
        """Those of the network, and receptions in the pool that met a collision or the receiver's own sending."""
        return dict(self.network.counts) | {name: n for name, n in self.sidelink.counts.items() if n}


def _order(packet: Packet) -> tuple[int, int, int, str, int]:
    return packet.arrived, packet.source, packet.destination, packet.kind, packet.sequence
