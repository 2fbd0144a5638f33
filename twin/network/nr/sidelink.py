"""NR sidelink: robots reach each other directly, in a resource pool beside the cells; see docs/network.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import ceil, log10

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.nr.grid import PDSCH_N1, PUSCH_N2, numerology
from twin.network.nr.harq import DISPERSION, INFORMATION, SYMBOLS, combine, fresh
from twin.network.nr.mcs import MCS_TABLES
from twin.network.nr.phy import GAP_DB, qam, transport_error
from twin.network.nr.tbs import code_blocks, resource_elements, transport_block_size
from twin.network.topology import noise_dbm
from twin.numerics.draws import key, uniform
from twin.specs.nr import SidelinkSpec
from twin.state import F64, NEVER, REPEATS, Hop, LinkState, Packet

DATA_SYMBOLS, LAST_SYMBOL = 9, 10
"""A slot: AGC symbol, 9 symbols of PSSCH, gap, two of PSFCH, gap (TS 38.211 8.3, sl-LengthSymbols 14)."""
DMRS = 12
"""REs per PRB of two DM-RS symbols (TS 38.214 Table 8.1.3.2-1)."""
SCI_1, SCI_2_BITS, BETA_OFFSET = 240, 59, 5.0
"""REs of SCI format 1-A in 2 symbols of 10 PRBs; bits of format 2-A with their CRC; share of REs for these."""
_BLOCK, _SLOT, _SUBCHANNEL = (key(f"network.sidelink.{name}") for name in ("block", "slot", "subchannel"))


def shared_elements(prbs: int, symbols: int, dmrs: int, beta: float, rate2048: int) -> int:
    """Return N_RE of a PSSCH: TS 38.214 8.1.3.2, and TS 38.212 8.4.4 for SCI format 2-A with alpha = 1."""
    sci_2 = ceil(SCI_2_BITS * beta * 1024 / rate2048)  # QPSK at the rate of the data, divided by beta
    return int(resource_elements(prbs, symbols, dmrs, 0)) - SCI_1 - sci_2


class Pool:
    """What one slot of one subchannel carries, and how long that takes."""

    def __init__(self, spec: SidelinkSpec) -> None:
        mu, table = numerology(round(spec.scs / 1e3), spec.capability), MCS_TABLES["qam64"]
        self.qm, rate = int(table.qm[spec.mcs]), int(table.rate2048[spec.mcs])
        self.elements = shared_elements(spec.subchannel_prbs, DATA_SYMBOLS, DMRS, BETA_OFFSET, rate)
        size = int(transport_block_size(self.elements, rate, self.qm, 1))
        self.blocks, self.bits = code_blocks(size, rate)
        self.room = size // 8 - spec.segment_header
        if self.room < 1:
            found = f"{spec.subchannel_prbs} resource blocks hold nothing beside control"
            place = "network.sidelink.subchannel_prbs"
            raise ScenarioError(f"{found}; allowed: more of them or a higher mcs", key=place)
        self.slot = 1_000_000 >> mu
        self.air = self.slot * LAST_SYMBOL // 14
        self.n1_half = int(PDSCH_N1[spec.capability][mu] * self.slot) // 28
        self.n2_half = int(PUSCH_N2[spec.capability][mu] * self.slot) // 28
        self.noise_dbm = noise_dbm(12.0 * spec.scs * spec.subchannel_prbs, 0.0)


@dataclass(slots=True, eq=False)
class _Block:
    """A transport block with a part of the packet at the head of the queue."""

    part: int  # bytes
    draw: float
    word: F64
    transmissions: int = 0


@dataclass(slots=True, eq=False)
class _Member:
    """A robot with a radio of the pool, its reservation, and what it has to send."""

    radio: Radio
    slot: int  # of its reservation, within the period
    subchannel: int
    waiting: list[tuple[int, int, str, int, Packet]] = field(default_factory=list)  # by when it is ready
    armed: bool = False
    left: int = 0  # bytes of the first packet that are not decoded yet
    blocks: int = 0  # of the first packet
    block: _Block | None = None
    starts: list[int] = field(default_factory=list)  # ns, of each transmission of the first packet
    again: list[int] = field(default_factory=list)  # ns, of its retransmissions


class Sidelink:
    """One resource pool: each member has one slot and subchannel in every period.

    Members send block by block; a block is sent again in the next period until it is decoded, at most
    `transmissions` times. Who sends in a slot hears nothing in it; who shares slot and subchannel interferes.
    """

    def __init__(self, spec: SidelinkSpec, seed: int, names: Sequence[str], radios: Sequence[Radio]) -> None:
        self.spec, self.seed, self.names, self.pool = spec, seed, names, Pool(spec)
        mine = [radio for radio in radios if radio.role == "terminal" and radio.carrier == spec.frequency]
        owners = {radio.owner: radio for radio in reversed(mine)}
        if len(owners) < 2:
            message = f"fewer than two robots have a radio at {spec.frequency / 1e9:g} GHz"
            raise ScenarioError(message, key="network.sidelink.frequency")
        places = [self._reservation(i, names[node]) for i, node in enumerate(sorted(owners))]
        self._members = {node: _Member(owners[node], *places[i]) for i, node in enumerate(sorted(owners))}
        self._slots: list[tuple[int, int]] = []  # slot, node
        self._decided: list[tuple[int, int, int, str, int, str, Packet]] = []  # time first, fate and packet last
        self._settled: list[Packet] = []
        self._rows: dict[tuple[int, int], int] = {}
        self._pairs: object = None
        self.counts = {"sidelink_collisions": 0, "sidelink_missed_while_sending": 0}

    def carries(self, packet: Packet) -> bool:
        """Tell whether both ends of a packet are members."""
        return packet.source in self._members and packet.destination in self._members

    def send(self, packet: Packet) -> None:
        """Take a packet over; it can be sent when it is processed."""
        member, ready = self._members[packet.source], packet.created + self.pool.n2_half
        heappush(member.waiting, (ready, packet.destination, packet.kind, packet.sequence, packet))
        self._arm(packet.source, member, ready)

    def advance(self, until: int, links: LinkState) -> None:
        """Run all slots that begin by `until` [ns] over these links."""
        if self._pairs is not links.a:
            self._pairs = links.a
            self._rows = {pair: row for row, pair in enumerate(zip(links.a.tolist(), links.b.tolist(), strict=True))}
        while self._slots and self._slots[0][0] * self.pool.slot <= until:
            slot = self._slots[0][0]
            due = []
            while self._slots and self._slots[0][0] == slot:
                node = heappop(self._slots)[1]
                self._members[node].armed = False
                if self._has_block(self._members[node], slot * self.pool.slot):
                    due.append(node)
            for node in due:
                self._transmit(node, slot * self.pool.slot, due, links)

    def arrived(self, until: int) -> list[Packet]:
        """Return, and settle, the packets that arrive by `until` [ns], in order; settle the lost ones as well."""
        packets = []
        while self._decided and self._decided[0][0] <= until:
            time, *_, fate, packet = heappop(self._decided)
            packet.fate = fate
            if fate == "delivered":
                packet.arrived = time
                packets.append(packet)
            self._settled.append(packet)
        return packets

    def settled(self) -> list[Packet]:
        """Return, and forget, the packets whose fate was decided since the last call."""
        settled, self._settled = self._settled, []
        return settled

    def queued(self) -> list[Packet]:
        """Return the packets that are still under way."""
        waiting = [entry[-1] for member in self._members.values() for entry in sorted(member.waiting)]
        return waiting + [entry[-1] for entry in sorted(self._decided)]

    def _reservation(self, rank: int, name: str) -> tuple[int, int]:
        """Return slot and subchannel: the next free ones (mode 1), or drawn by the robot's name (mode 2)."""
        spec = self.spec
        if spec.mode == 2:
            draws = (uniform(self.seed, stream, key(name), 0, 0) for stream in (_SLOT, _SUBCHANNEL))
            slot, subchannel = (int(u * n) for u, n in zip(draws, (spec.period, spec.subchannels), strict=True))
            return slot, subchannel
        if rank >= spec.period * spec.subchannels:
            found = f"{spec.period} slots of {spec.subchannels} subchannels are too few for all robots"
            raise ScenarioError(f"{found}; allowed: a longer period, or mode 2", key="network.sidelink.period")
        return rank % spec.period, rank // spec.period

    def _arm(self, node: int, member: _Member, time: int) -> None:
        """Set the member's next reservation at or after `time`."""
        if not member.armed:
            member.armed = True
            heappush(self._slots, (self._reserved(member, time), node))

    def _reserved(self, member: _Member, time: int) -> int:
        """Return the member's next slot that begins at `time` or after."""
        slot = -(-time // self.pool.slot)
        return slot + (member.slot - slot) % self.spec.period

    def _has_block(self, member: _Member, time: int) -> bool:
        """Drop what is too old; make a block if there is none; tell whether there is something to send now."""
        while member.block is None and not member.left and member.waiting:
            ready, *_, packet = member.waiting[0]
            if ready > time:
                break
            if self.spec.discard and time - packet.created > self.spec.discard:
                self._finish(member, time, "discarded")
                continue
            member.left = packet.size + self.spec.header
        if not member.left:
            if member.waiting:
                self._arm(member.waiting[0][-1].source, member, max(member.waiting[0][0], time + 1))
            return False
        if member.block is None:
            packet = member.waiting[0][-1]
            flow = key(f"{self.names[packet.source]}>{self.names[packet.destination]}:{packet.kind}")
            draw = uniform(self.seed, _BLOCK, flow, packet.sequence, member.blocks)
            member.block = _Block(min(member.left, self.pool.room), draw, fresh())
            member.blocks += 1
        return True

    def _transmit(self, node: int, time: int, sending: Sequence[int], links: LinkState) -> None:
        """Send a member's block once; what follows from it is known before its next reservation."""
        pool, member = self.pool, self._members[node]
        packet, block = member.waiting[0][-1], member.block
        assert block is not None
        (member.again if block.transmissions else member.starts).append(time)
        block.transmissions += 1
        ratio = self._ratio(member, packet.destination, sending, links)
        if ratio > 0.0:
            combine(block.word, pool.qm, float(pool.elements), ratio, True, qam())
        sums = (block.word[SYMBOLS], block.word[INFORMATION], block.word[DISPERSION])
        good = block.draw >= transport_error(pool.bits, pool.blocks, *sums)
        end = time + pool.air + pool.n1_half
        if good:
            member.left -= block.part
            member.block = None
            if not member.left:
                self._finish(member, end, "delivered", self._delay(member, packet.destination, links))
        elif block.transmissions == self.spec.transmissions:
            self._finish(member, end, "harq")
        if member.waiting:
            self._arm(node, member, max(time + 1, member.waiting[0][0]))

    def _finish(self, member: _Member, time: int, fate: str, delay: int = 0) -> None:
        """Take the first packet out: it was decoded or dropped at `time`."""
        ready, *_, packet = heappop(member.waiting)
        first = member.starts[0] if member.starts else NEVER
        alone = self._reserved(member, ready) * self.pool.slot
        sent, again = len(member.starts) + len(member.again), tuple(member.again[:REPEATS])
        decoded = time if fate == "delivered" else NEVER
        packet.uplink = Hop(ready, alone, alone, first, sent, len(member.again), again, decoded)
        order = (packet.source, packet.destination, packet.kind, packet.sequence)
        heappush(self._decided, (time + delay, *order, fate, packet))
        member.left = member.blocks = 0
        member.block, member.starts, member.again = None, [], []

    def _ratio(self, member: _Member, destination: int, sending: Sequence[int], links: LinkState) -> float:
        """Return signal to noise and interference at the receiver, less the loss of practical codes; 0 unheard."""
        if destination in sending:
            self.counts["sidelink_missed_while_sending"] += 1
            return 0.0
        receiver, rest = self._members[destination].radio, 0.0
        for node in sending:
            other = self._members[node]
            if other is not member and other.subchannel == member.subchannel:
                self.counts["sidelink_collisions"] += 1
                rest += 10.0 ** (self._received_dbm(other.radio, receiver, links) / 10.0)
        rest += 10.0 ** ((self.pool.noise_dbm + receiver.noise_figure_db) / 10.0)
        signal_db = self._received_dbm(member.radio, receiver, links) - 10.0 * log10(rest)
        return float(10.0 ** ((signal_db - GAP_DB) / 10.0))

    def _received_dbm(self, sender: Radio, receiver: Radio, links: LinkState) -> float:
        row = self._row(sender, receiver)
        return -np.inf if row is None else sender.power_dbm + float(links.path_gain_db[row])

    def _delay(self, member: _Member, destination: int, links: LinkState) -> int:
        """Return the delay [ns] of the first path."""
        row = self._row(member.radio, self._members[destination].radio)
        assert row is not None
        paths = links.path_delay[links.path_offset[row] : links.path_offset[row + 1]]
        return round(float(paths.min()) * NS) if len(paths) else 0

    def _row(self, a: Radio, b: Radio) -> int | None:
        return self._rows.get((min(a.index, b.index), max(a.index, b.index)))
