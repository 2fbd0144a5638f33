"""Packets under way as columns: whose packet a row is, what happened to it on the radio, and when it arrives.

Each packet that is taken over has a ticket, its row in all that kernels know of it. What a carrier has decided goes
from its list of fates to the list of those that arrive in one call; Python touches a packet when it sets out and when
it is handed over, and in between only where it was lost or goes a way that kernels don't know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.network.nr.band import ENTRY, Band, Flow
from twin.network.nr.carrier_state import DECIDED, UP
from twin.network.nr.carrier_state import QUEUED as PENDING
from twin.network.nr.flows import Flows
from twin.network.nr.landing import (
    BACKGROUND_DELIVERED,
    BACKGROUND_LOST,
    COUNT,
    COUNTS,
    EARLIEST,
    ENTERED,
    FLOW,
    FOREVER,
    KEY,
    QUEUED,
    RANK,
    ROBOTS,
    SEQUENCE,
    SERVERS,
    TICKET,
    WIDTH,
    key_of,
    land,
    note,
    put,
    take_due,
)
from twin.state import HOP, I64, NEVER, Packet

_PACKED = f"V{HOP.size}"


class Transit:
    """All packets whose fate isn't decided yet."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self._packets: list[Packet | None] = [None]
        self.free: list[int] = []
        self.table: I64 = np.full((1, WIDTH), NEVER)
        self.counts: I64 = np.zeros(COUNTS, dtype=np.int64)
        self.counts[EARLIEST : EARLIEST + 2] = FOREVER
        self._waiting: I64 = np.empty((2, 1, 3), dtype=np.int64)
        self._rest: I64 = np.empty((1, 4), dtype=np.int64)
        self._entered = 0

    def take(self, packets: Sequence[Packet]) -> list[int]:
        """Take packets over and return their tickets."""
        count = len(packets)
        while len(self.free) < count:
            self._grow(max(1023, len(self._packets)))
        at = len(self.free) - count
        tickets, own = self.free[at:], self._packets
        del self.free[at:]
        for ticket, packet in zip(tickets, packets, strict=True):
            own[ticket] = packet
        return tickets

    def packet(self, ticket: int) -> Packet:
        """Return whose ticket it is."""
        packet = self._packets[ticket]
        assert packet is not None
        return packet

    def flow(self, ticket: int) -> Flow:
        """Return the flow of a packet that has entered a carrier."""
        return self.flows.all[int(self.table[ticket, FLOW])]

    def enter(self, band: Band, header: int) -> None:
        """Hand new packets of a carrier, each with `header` bytes more, over to its kernel."""
        if not band.entries:
            return
        entries = np.frombuffer(b"".join(band.entries), dtype=np.int64).reshape(-1, ENTRY.size // 8)
        band.entries.clear()
        rows = band.carrier.enter(note(entries, self.flows.table, self.table, self._entered), header, processed=False)
        missing = len(band.carrier.state.packets) - len(band.owners)
        if missing:
            band.owners = np.concatenate([band.owners, np.zeros(missing, dtype=np.int64)])
        band.owners[rows] = entries[:, -1]
        self._entered += len(rows)

    def land(self, band: Band) -> list[list[int]]:
        """Let what a carrier has decided go its way; return ticket, time [ns], fate and direction of what is left.

        That is what was lost, and what doesn't go straight (see `flows`).
        """
        handle, table, waiting = band.carrier.handle, self.table, self._waiting
        self._order_anew()
        count = land(handle, band.owners, band.propagation, table, self.flows.table, waiting, self.counts, self._rest)
        rest: list[list[int]] = self._rest[:count].tolist()
        return rest

    def arrive(self, ticket: int, flow: Flow, time: int, who: int = SERVERS) -> None:
        """Let a packet arrive at `time` [ns] at SERVERS or ROBOTS."""
        self.table[ticket, FLOW], self.table[ticket, SEQUENCE] = flow.number, self.packet(ticket).sequence
        self._order_anew()
        put(self._waiting, self.counts, who, time, key_of(self.table, self.flows.table, ticket), ticket)

    def earliest(self, who: int) -> int:
        """Return when the next packet arrives at SERVERS or ROBOTS [ns]."""
        return int(self.counts[EARLIEST + who])

    def background(self, offered: int) -> dict[str, int]:
        """Return what became of `offered` packets that nobody waits for."""
        delivered, lost = self.counts[BACKGROUND_DELIVERED : BACKGROUND_LOST + 1].tolist()
        return {"offered": offered, "delivered": delivered, "lost": lost}

    def arrived(self, until: int) -> list[Packet]:
        """Return the packets that arrive by `until` [ns], in order of time, source, destination, kind and number."""
        self._order_anew()
        due, hops = take_due(self._waiting, self.counts, self.table, until)
        tickets, times, waiting = due.tolist()
        packed: list[bytes] = hops.view(_PACKED)[:, 0].tolist()
        packets = self._known(tickets)
        for packet, time, who, hop in zip(packets, times, waiting, packed, strict=True):
            packet.arrived, packet.fate = time, "delivered"
            if who == SERVERS:
                packet.up = hop
            elif who == ROBOTS:
                packet.down = hop
        self.free += tickets
        return packets

    def told(self, ticket: int, way: int) -> Packet:
        """Return a packet that learns of its last hop."""
        packet = self.packet(ticket)
        hop = self.table[ticket, QUEUED:].tobytes()
        self.table[ticket, QUEUED] = NEVER
        if way == UP:
            packet.up = hop
        else:
            packet.down = hop
        return packet

    def on_radio(self, band: Band) -> list[Packet]:
        """Return the packets that wait for a carrier, then those in it, in the order in which they entered."""
        s = band.carrier.state
        inside = (s.packets["references"] > 0) & (s.packets["fate"] == PENDING)
        inside[s.fates["packet"][: s.counts[DECIDED]]] = True  # nobody was told yet
        tickets = band.owners[inside[: len(band.owners)]]
        ordered = tickets[np.argsort(self.table[tickets, ENTERED])].tolist()
        return self._known([ENTRY.unpack(entry)[-1] for entry in band.entries] + ordered)

    def beyond(self) -> list[Packet]:
        """Return the packets that will arrive for sure: at servers, then at robots, each in order."""
        self._order_anew()
        lists = [self._waiting[who, : self.counts[COUNT + who]].tolist() for who in (SERVERS, ROBOTS)]
        return self._known([ticket for rows in lists for *_, ticket in sorted(rows)])

    def _known(self, tickets: list[int]) -> list[Packet]:
        return [packet for ticket in tickets if (packet := self._packets[ticket]) is not None]

    def _order_anew(self) -> None:
        """Where there are new flows, order what waits with them."""
        if self.flows.rank():
            for who in (SERVERS, ROBOTS):
                rows = self._waiting[who, : self.counts[COUNT + who]]
                tickets = self.table[rows[:, TICKET]]
                rows[:, KEY] = self.flows.table[tickets[:, FLOW], RANK] << 32 | tickets[:, SEQUENCE]

    def _grow(self, more: int) -> None:
        old = len(self._packets)
        self._packets += [None] * more
        self.free += range(old + more - 1, old - 1, -1)
        self.table = np.concatenate([self.table, np.full((more, WIDTH), NEVER)])
        waiting = np.empty((2, old + more, 3), dtype=np.int64)
        waiting[:, :old] = self._waiting
        self._waiting, self._rest = waiting, np.empty((old + more, 4), dtype=np.int64)
