"""Flows: which way packets of one source, destination and kind go, as long as their robots stay on their carriers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from twin.network.nr.band import Band, Flow, order_of
from twin.network.nr.carrier_state import DOWN, UP
from twin.network.nr.hardware import Hardware
from twin.network.nr.homes import Homes
from twin.network.nr.landing import BACKHAUL, COLUMNS, RANK
from twin.specs.nr import NrSpec
from twin.state import I64, Packet


class Flows:
    """All flows so far, and the bearers that they take; bearer l Q + q is class q of link l."""

    def __init__(
        self,
        spec: NrSpec,
        names: Sequence[str],
        wireless: Sequence[bool],
        bands: Sequence[Band],
        homes: Homes,
        key: Callable[[Packet], np.uint64],
    ) -> None:
        self.all: dict[int, Flow] = {}  # by row of the table
        self.table: I64 = np.zeros((64, COLUMNS), dtype=np.int64)
        self._ends: list[tuple[int, int, str]] = []
        self._ranked = 0
        self.spec, self.names, self.bands, self.homes, self.key = spec, names, bands, homes, key
        self.known: dict[tuple[int, int, str], Flow] = {}
        self._kinds, self._sent = kinds_of(spec), set[str]()
        self._wireless = wireless

    @property
    def unused(self) -> set[str]:
        """Classes of service that no packet was of."""
        return set(self._kinds) - {"default"} - self._sent

    def of(self, packet: Packet) -> Flow:
        """Return the flow of a packet."""
        flow = self.known.get((packet.source, packet.destination, packet.kind))
        if flow is None:
            flow = self.known[packet.source, packet.destination, packet.kind] = self._new(packet)
        return flow

    def forget(self, node: int) -> None:
        """Forget the flows of a robot that changes carriers."""
        self.known = {ends: flow for ends, flow in self.known.items() if node not in ends[:2]}

    def bearer(self, node: int, way: int, kind: str) -> tuple[Band | None, int]:
        """Return carrier and bearer of (node, direction, kind of packets); None where it has no radio."""
        home = self.homes.serving(node)
        self._sent.add(kind)
        q = self._kinds.index(kind) if kind in self._kinds else 0
        if home is None:
            return None, 0
        band, link = self.bands[home.band], 2 * home.terminal + way
        band.carrier.want_persistent(link, q)
        return band, link * len(self._kinds) + q

    def _new(self, packet: Packet) -> Flow:
        up, up_bearer = self.bearer(packet.source, UP, packet.kind)
        down, down_bearer = self.bearer(packet.destination, DOWN, packet.kind)
        if up is None and self._wireless[packet.source] or down is None and self._wireless[packet.destination]:
            up = down = None
        source, destination = self.names[packet.source], self.names[packet.destination]
        key = self.key(packet)
        backhauls = [self.spec.edges[end] for end in (source, destination) if end in self.spec.edges]
        backhaul = max(backhauls, default=self.spec.backhaul)
        terminal = down_bearer // (2 * len(self._kinds))
        slow = Hardware.adds_time(self.spec)
        straight = not slow and self.spec.backhaul_rate is None and down is None, not slow
        row = [backhaul, terminal, order_of(key), up_bearer, down_bearer, *map(int, straight)]
        number = self._add((packet.source, packet.destination, packet.kind), row)
        first, code, delay = (down, 2 * number + DOWN, backhaul) if up is None else (up, 2 * number + UP, 0)
        cable = up is None and self.spec.backhaul_rate is not None
        entries = None if first is None or cable else first.entries
        flow = self.all[number] = Flow(up, down, number, terminal, backhaul, key, entries, code, delay)
        return flow

    def load(self, name: np.uint64, way: int, bearer: int) -> int:
        """Return the number of a flow of background traffic."""
        bearers = (bearer, 0) if way == UP else (0, bearer)
        return self._add((-1, -1, str(name)), [0, 0, order_of(name), *bearers, 0, 0])

    def _add(self, ends: tuple[int, int, str], row: list[int]) -> int:
        number = len(self._ends)
        self._ends.append(ends)
        if number == len(self.table):
            self.table = np.concatenate([self.table, np.zeros_like(self.table)])
        self.table[number, BACKHAUL:] = row
        return number

    def rank(self) -> bool:
        """Rank the flows in `table`, and tell whether there are new ones."""
        if self._ranked == len(self._ends):
            return False
        self._ranked = len(self._ends)
        rank = {ends: place for place, ends in enumerate(sorted(set(self._ends)))}
        self.table[: self._ranked, RANK] = [rank[ends] for ends in self._ends]
        return True


def kinds_of(spec: NrSpec) -> list[str]:
    """Return the classes of service by name, the default first."""
    return ["default", *sorted(set(spec.qos) - {"default"})]
