"""The cables between cells and edge servers, where these have a rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

from twin.clock import NS
from twin.network.nr.carrier_state import DOWN, UP
from twin.state import Packet


def crossing(size: int, rate: float) -> int:
    """Return how long `size` bytes take at `rate` [bit/s], in ns."""
    return round(8 * size * NS / rate)


class Cables:
    """First in, first out: one cable per edge server and direction, one per direction between robots.

    Packets come in any order and leave in that of their times, so `take` must not be asked for what may still come.
    """

    def __init__(self, rate: float, header: int, embodied: Sequence[bool]) -> None:
        self.rate, self.header, self.embodied = rate, header, embodied
        self._waiting: tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]] = ([], [])  # by time
        self._free: dict[tuple[int, int], int] = {}  # ns

    def put(self, way: int, time: int, packet: Packet, ticket: int) -> None:
        """Let a packet come to its cable at `time` [ns]; its ticket is given back by `take`."""
        order = (time, packet.source, packet.destination, packet.kind, packet.sequence)
        heappush(self._waiting[way], (*order, packet, ticket))

    def take(self, way: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield when each packet that came by `until` [ns] has left its cable, and its ticket, in order of coming."""
        waiting = self._waiting[way]
        while waiting and waiting[0][0] <= until:
            time, *_, packet, ticket = heappop(waiting)
            server = packet.destination if way == UP else packet.source
            cable = (way, -1 if self.embodied[server] else server)
            leaves = max(time, self._free.get(cable, 0)) + crossing(packet.size + self.header, self.rate)
            self._free[cable] = leaves
            yield leaves, ticket

    def queued(self) -> list[Packet]:
        """Return the packets that have not come to their cable yet."""
        return [entry[-2] for way in (UP, DOWN) for entry in sorted(self._waiting[way], key=lambda entry: entry[:5])]
