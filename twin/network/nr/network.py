"""A slot-level radio network: carriers with their cells, and the core behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from twin.clock import NS
from twin.errors import RunError
from twin.link import Radio
from twin.network.cables import Cables
from twin.network.events import SAME_INSTANT, EventNetwork
from twin.network.nr import carrier_state as cs
from twin.network.nr.background import Background
from twin.network.nr.band import ENTRY, Band, Flow, open_band
from twin.network.nr.carrier import Carrier
from twin.network.nr.carrier_state import DELIVERED, DOWN, MOVED, UP
from twin.network.nr.checks import check_kinds, check_names, check_spectrum
from twin.network.nr.flows import Flows, kinds_of
from twin.network.nr.hardware import Hardware
from twin.network.nr.homes import Homes, Move
from twin.network.nr.mobility import ATTACH, HANDOVER, Change
from twin.network.nr.tally import tally
from twin.network.nr.transit import Transit
from twin.network.topology import Topology
from twin.protocols import Batch
from twin.specs.nr import NrSpec, QosSpec
from twin.state import Event, LinkState, Packet
from twin.units import time_text

FATES = {cs.DISCARDED: "discarded", cs.HARQ_FAILED: "harq", cs.HANDOVER: "handover"}
NO_RADIO = "no radio"


class NrNetwork(EventNetwork):
    """Packets go up from terminals through the core to edge servers, and down; see docs/network.md."""

    def __init__(
        self,
        spec: NrSpec,
        seed: int,
        names: Sequence[str],
        embodied: Sequence[bool],
        radios: Sequence[Radio],
        lookahead: int = 0,
    ) -> None:
        super().__init__(names, embodied, lookahead)
        self.spec, self.seed = spec, seed
        self.topology = Topology(radios)
        check_kinds(spec)
        wired = {cell.owner for cell in self.topology.cells}  # to the core, whether it moves or not
        self._wireless = [moves and node not in wired for node, moves in enumerate(embodied)]
        self.backhaul = min([spec.backhaul, *spec.edges.values()])
        check_names("edges", spec.edges, names)
        qos = [spec.qos.get(kind, QosSpec()) for kind in kinds_of(spec)]
        self.bands = [open_band(name, spec, qos, self.topology, names, seed) for name in spec.carriers]
        self._processing = min(band.carrier.grid.n2_half for band in self.bands)
        check_spectrum(self.bands)
        self.homes = Homes(spec.mobility, self.bands, self.topology, names)
        self._flows = Flows(spec, names, self._wireless, self.bands, self.homes, self.flow_key)
        self._transit = Transit(self._flows)
        self._changes: list[tuple[int, int, int, int, str]] = []
        self._now = 0
        self._traced = False
        rate = spec.backhaul_rate
        self._cables = None if rate is None else Cables(rate, spec.header, embodied)
        self.background = Background(spec.background, seed, names, len(qos), self._flows)
        self._hardware = Hardware(spec, seed) if Hardware.adds_time(spec) else None

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self.seed = seed
        for band in self.bands:
            band.reseed(seed)
        self.background.reseed(seed)
        if self._hardware is not None:
            self._hardware.seed = seed

    def carrier(self, name: str) -> Carrier:
        """Return the carrier of that name."""
        return self.bands[list(self.spec.carriers).index(name)].carrier

    # packets in

    def send(self, packets: Sequence[Packet]) -> None:
        """Take packets over; each enters at its `created` time."""
        known, hardware, entry = self._flows.known, self._hardware, ENTRY.pack
        for packet, ticket in zip(packets, self._transit.take(packets), strict=True):
            flow = known.get((packet.source, packet.destination, packet.kind)) or self._flows.of(packet)
            if flow.entries is None:
                self._send_wired(packet, ticket, flow)
                continue
            created, sequence = packet.created, packet.sequence
            start = created + flow.delay
            if hardware is not None:
                start += (hardware.terminal if flow.up is not None else hardware.station)(flow.key, sequence)
            flow.entries.append(entry(flow.code, packet.size, created, start, sequence, ticket))

    def enter(self, packet: Packet, time: int) -> None:
        """Refuse: packets enter the radio's own queue of events."""
        raise RunError(f"packet of {self.names[packet.source]} entered twice at {time} ns")

    def _send_wired(self, packet: Packet, ticket: int, flow: Flow) -> None:
        """Let a packet set out on a cable, if it can come to its destination at all."""
        if flow.down is not None:
            self._to_cell(packet.created, ticket)
        elif self._wireless[packet.source] or self._wireless[packet.destination]:
            self._transit.free.append(ticket)
            self.lose(packet, NO_RADIO)
        else:
            self._transit.arrive(ticket, flow, packet.created + flow.backhaul)

    def _to_cell(self, time: int, ticket: int) -> None:
        """Let a packet set out towards a cell at `time` [ns]."""
        if self._cables is None:
            self._down(time, ticket)
        else:
            self._cables.put(DOWN, time, self._transit.packet(ticket), ticket)

    def _down(self, time: int, ticket: int) -> None:
        """Bring a packet that has left the cable at `time` [ns] to the cell's queue."""
        packet = self._transit.packet(ticket)
        flow = self._flows.of(packet)  # its terminal may have changed carriers meanwhile
        time += flow.backhaul
        if self._hardware is not None:
            time += self._hardware.station(flow.key, packet.sequence)
        self._queue(ticket, DOWN, time)

    def _up(self, time: int, ticket: int) -> None:
        """Bring a packet that has left the cable at `time` [ns] to its edge server, or on to another robot's cell."""
        packet, flow = self._transit.packet(ticket), self._transit.flow(ticket)
        time += flow.backhaul
        if flow.down is not None:
            self._to_cell(time, ticket)
            return
        if self._hardware is not None:
            time += self._hardware.station(flow.key, packet.sequence)
        self._transit.arrive(ticket, flow, time)

    def _queue(self, ticket: int, way: int, time: int) -> None:
        """Let a packet come to the carrier that serves its robot now, at `time` [ns]."""
        packet = self._transit.packet(ticket)
        flow = self._flows.of(packet)
        band = flow.up if way == UP else flow.down
        assert band is not None
        code = 2 * flow.number + way
        band.entries.append(ENTRY.pack(code, packet.size, packet.created, time, packet.sequence, ticket))

    # time

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries up to and including `until`, taking in what is sent between two of them.

        Raises:
            RunError: nodes answer each other without end at one instant.
        """
        if links is not self.links:
            self.links = links
            self._trace(max(links.time, self._now), links)
        self.background.offer(until)
        instant, stops = -1, 0
        while True:
            first = self._first()
            horizon = min(until, first + max(self.lookahead - 1, 0))
            if not self._has_reached(horizon):
                effect = first + self.lookahead + self.backhaul + self._processing
                known = horizon if self.lookahead else horizon - 1  # nothing more can set out from a server by then
                if self._advance(min(until, max(effect, horizon)), known) < horizon:
                    continue
                if self._first() < first:
                    continue
            if first <= until:
                instant, stops = (instant, stops + 1) if first == instant else (first, 0)
                if stops > SAME_INSTANT:
                    raise RunError(f"nodes answer each other without delay at {time_text(first)}")
                yield self._deliver(horizon)
                continue
            if self._transit.earliest(DOWN) <= until:
                yield self._deliver(until)
            self._now = until
            return

    def _first(self) -> int:
        """Return when something happens next to a node that may answer at once [ns]."""
        arrival = self._transit.earliest(UP)
        return min(arrival, self._events[0][0]) if self._events else arrival

    def _has_reached(self, time: int) -> bool:
        """Tell whether all that happens to packets on carriers up to `time` [ns] was seen to already."""
        return self._cables is None and all(band.reached >= time and not band.dropped for band in self.bands)

    def _advance(self, until: int, known: int) -> int:
        """Run all carriers to `until`, or to where something new could matter; return when.

        What sets out from servers by `known` has done so already.
        """
        if self._cables is not None:
            known = min(known, min(band.reached for band in self.bands) + self.backhaul)
            for time, ticket in self._cables.take(DOWN, known):
                self._down(time, ticket)
            until = min(until, known + self.backhaul + self._processing)
        for band in self.bands:
            if band.dropped:
                band.dropped = False
                self._drain(band)  # what a handover dropped: before its rows are used again
        for band in self.bands:
            self._transit.enter(band, self.spec.header)
        limit = min([until, *(change[0] for change in self._changes[:1]), *(band.due for band in self.bands)])
        answering = len(self.bands) == 1
        if not answering:  # no carrier may get ahead of the others by more than an answer takes
            limit = min(limit, min(band.reached for band in self.bands) + 2 * self.backhaul + self._processing)
        reached = limit
        for band in self.bands:
            reached = min(reached, band.advance(limit, answering))
            self._drain(band)
        while self._changes and self._changes[0][0] <= reached:
            time, index, terminal, cell, why = heappop(self._changes)
            self.bands[index].enter_cell(terminal, cell, time, why)
        for band in self.bands:
            band.let_in(reached)
            self._turn(band, reached)
        if self._cables is not None:
            for time, ticket in self._cables.take(UP, reached):
                self._up(time, ticket)
        return reached

    def _drain(self, band: Band) -> None:
        """Let what a carrier has decided go its way, and see to what kernels can't send on."""
        transit = self._transit
        for ticket, time, fate, way in transit.land(band):
            if fate == MOVED:
                self._queue(ticket, way, time)
                continue
            packet, flow = transit.told(ticket, way), transit.flow(ticket)
            if fate != DELIVERED:
                transit.free.append(ticket)
                self.lose(packet, FATES[fate])
            elif way == DOWN:
                assert self._hardware is not None
                time += int(band.propagation[flow.terminal]) + self._hardware.terminal(flow.key, packet.sequence)
                transit.arrive(ticket, flow, time, DOWN)
            elif self._cables is None:
                self._up(time, ticket)
            else:
                self._cables.put(UP, time, packet, ticket)

    def _deliver(self, horizon: int) -> Batch:
        """Hand over everything up to `horizon`, in order of arrival."""
        packets, wakes = self._transit.arrived(horizon), []
        while self._events and self._events[0][0] <= horizon:
            time, _, node, *_ = heappop(self._events)
            wakes.append((time, node))
        self._settled += packets
        return Batch(horizon, packets, wakes)

    def queued(self) -> list[Packet]:
        """Return the packets under way: on a radio link, then in the core or the air."""
        radio = [packet for band in self.bands for packet in self._transit.on_radio(band)]
        cables = [] if self._cables is None else self._cables.queued()
        return radio + cables + self._transit.beyond()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was approximated, refused or lost on the way, by name; see `tally`."""
        return tally(self.bands, self._transit.background(self.background.offered), self._flows.unused)

    # channel

    def _trace(self, time: int, links: LinkState) -> None:
        """Take a new trace: ratios, serving cells, power control and quality reports of all carriers."""
        gain_db, delay = self.topology.path_gain_db(links), self.topology.delay(links)
        rows = self.topology.rows(links)
        gains = [band.look(time, links, rows[band.pairs], gain_db[band.pairs]) for band in self.bands]
        rsrp_dbm = [b.rsrp_dbm(g.heard) for b, g in zip(self.bands, gains, strict=True)] if self.homes.several else []
        self.homes.choose(rsrp_dbm)
        for move in self.homes.update(time, rsrp_dbm):
            self._change_carrier(time, move)
        for index, band in enumerate(self.bands):
            for change in band.move(time, gains[index]):
                self._change(band, index, time, change)
            band.hear(time, links, rows[band.pairs], gains[index].used, delay[band.pairs])
        self._traced = True

    def _turn(self, band: Band, until: int) -> None:
        """Bring a carrier's beams to `until` [ns] and tell of those that failed or were recovered."""
        for turn in band.turn(until):
            owner = self.names[self.topology.terminals[band.terminals[turn.terminal]].owner]
            cell = self.names[self.topology.cells[band.cells[turn.cell]].owner]
            detail = f"{cell} after {time_text(turn.after)}" if turn.after else cell
            self._happened.append(Event(turn.time, turn.what, owner, detail, turn.after / NS))

    def _change(self, band: Band, index: int, time: int, change: Change) -> None:
        """Detach a terminal now and attach it to its new cell when the change is through."""
        owner = self.names[self.topology.terminals[band.terminals[change.terminal]].owner]
        target = "none"
        if change.cell >= 0:
            target = self.names[self.topology.cells[band.cells[change.cell]].owner]
        if change.why != ATTACH:
            self._happened.append(Event(time, change.why, owner, target, (change.end - change.start) / NS))
            band.attach(change.terminal, -1, time)
        if change.why == ATTACH and not self._traced:  # a run begins with everybody in
            band.attach(change.terminal, change.cell, time)
        elif change.end <= time:
            band.enter_cell(change.terminal, change.cell, time, change.why)
        else:
            heappush(self._changes, (change.end, index, change.terminal, change.cell, change.why))

    def _change_carrier(self, time: int, move: Move) -> None:
        """Hand a robot over to another carrier, with all that waits for it or at it."""
        old, new = (self.bands[home.band] for home in (move.old, move.new))
        end = time + self.spec.mobility.interruption
        self._transit.enter(old, self.spec.header)
        self._drain(old)  # what was decided before
        old.attach(move.old.terminal, -1, time)
        old.mobility.bar(move.old.terminal)
        self._flows.forget(move.node)
        old.carrier.evict(move.old.terminal, time)
        self._drain(old)
        new.mobility.serve(move.new.terminal, move.cell, end)
        target = self.names[self.topology.cells[new.cells[move.cell]].owner]
        detail = f"{target} at {new.carrier.spec.frequency / 1e9:g} GHz"
        self._happened.append(Event(time, HANDOVER, self.names[move.node], detail, (end - time) / NS))
        heappush(self._changes, (end, move.new.band, move.new.terminal, move.cell, HANDOVER))
