"""A slot-level radio network: carriers with their cells, and the core behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import numpy as np

from twin.clock import NS
from twin.errors import RunError, ScenarioError
from twin.link import Radio
from twin.network import carrier_state as cs
from twin.network.carrier import Carrier
from twin.network.events import ARRIVE, SAME_INSTANT, EventNetwork
from twin.network.events import Event as HeapEntry
from twin.network.fixed import jitter
from twin.network.mobility import ATTACH, Change, Mobility
from twin.network.quality import QualityReports
from twin.network.site import Facts, Flow, Site
from twin.network.topology import Topology, column
from twin.protocols import Batch
from twin.radio_specs import CarrierSpec, NrSpec, QosSpec
from twin.state import F64, NEVER, Event, LinkState, Packet

FATES = {cs.DISCARDED: "discarded", cs.HARQ_FAILED: "harq", cs.HANDOVER: "handover"}
NO_RADIO = "no radio"
FOREVER = 1 << 62
_BASE_STATION = np.uint64(0x5BD1E9955BD1E995)
"""Tells the draws of the base station's jitter from those of the terminal's."""


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
        self.kinds = ["default", *sorted(set(spec.qos) - {"default"})]
        self.qos = [spec.qos.get(kind, QosSpec()) for kind in self.kinds]
        self.sites = [self._site(name, carrier) for name, carrier in spec.carriers.items()]
        self._processing = min(site.carrier.grid.n2_half for site in self.sites)
        self.events: list[Event] = []
        self.facts: list[Facts] | None = None
        self._flows: dict[tuple[int, int, str], Flow] = {}
        self._bodies: list[HeapEntry] = []
        self._changes: list[tuple[int, int, int, int, str]] = []
        self._now = 0
        self._jitters = spec.terminal_jitter.kind != "none" or spec.base_station_jitter.kind != "none"

    def _site(self, name: str, spec: CarrierSpec) -> Site:
        terminals = [i for i, r in enumerate(self.topology.terminals) if r.carrier == spec.frequency]
        cells = [i for i, r in enumerate(self.topology.cells) if r.carrier == spec.frequency]
        if not cells:
            found = ", ".join(sorted({f"{r.carrier / 1e9:g} GHz" for r in self.topology.cells}))
            message = f"no base station at {spec.frequency / 1e9:g} GHz; base stations: {found or 'none'}"
            raise ScenarioError(message, key=f"network.carriers.{name}")
        owners = [self.names[self.topology.terminals[i].owner] for i in terminals]
        ahead = 2 * self.spec.backhaul
        try:
            header = self.spec.segment_header
            carrier = Carrier(spec, self.qos, owners, len(cells), self.seed, header, ahead)
        except ScenarioError as error:
            key = f"network.carriers.{name}.{error.key}"
            raise ScenarioError(error.message, key=key) from error
        mobility = Mobility(self.spec.mobility, len(terminals))
        return Site(carrier, terminals, cells, mobility, QualityReports(carrier), [], [], {}, [])

    # packets in

    def send(self, packets: Sequence[Packet]) -> None:
        """Take packets over; each enters at its `created` time."""
        flows = self._flows
        for packet in packets:
            flow = flows.get((packet.source, packet.destination, packet.kind)) or self._flow(packet)
            if flow.up is not None:
                self._enter_radio(flow.up, flow.up_bearer, flow, packet, self._terminal(flow, packet, packet.created))
            elif flow.down is not None:
                start = self._station(flow, packet, packet.created)
                self._enter_radio(flow.down, flow.down_bearer, flow, packet, start)
            elif self._is_terminal_less(packet):
                self.lose(packet, NO_RADIO)
            else:
                self._push(packet.created + self.spec.backhaul, ARRIVE, packet)

    def enter(self, packet: Packet, time: int) -> None:
        """Not used: packets enter the radio's own queue of events."""
        raise RunError(f"packet of {self.names[packet.source]} entered twice at {time} ns")

    def _is_terminal_less(self, packet: Packet) -> bool:
        return self.embodied[packet.source] or self.embodied[packet.destination]

    def _flow(self, packet: Packet) -> Flow:
        kind = self.kinds.index(packet.kind) if packet.kind in self.kinds else 0
        up, up_bearer, _ = self._bearer(packet.source, 0, kind)
        down, down_bearer, terminal = self._bearer(packet.destination, 1, kind)
        if up is None and self.embodied[packet.source] or down is None and self.embodied[packet.destination]:
            up = down = None
        key = self.flow_key(packet)
        flow = Flow(up, up_bearer, down, down_bearer, terminal, (int(key) & 0xFFFFFFFF) << 24, key)
        self._flows[packet.source, packet.destination, packet.kind] = flow
        return flow

    def _bearer(self, node: int, way: int, kind: int) -> tuple[Site | None, int, int]:
        row = self.topology.terminal_of.get(node)
        if row is None:
            return None, 0, 0
        for site in self.sites:
            if row in site.terminals:
                terminal = site.terminals.index(row)
                site.carrier.want_persistent(2 * terminal + way, kind)
                return site, (2 * terminal + way) * len(self.qos) + kind, terminal
        return None, 0, 0

    def _enter_radio(self, site: Site, bearer: int, flow: Flow, packet: Packet, start: int) -> None:
        ready = start + site.carrier.grid.n2_half
        order = flow.order | packet.sequence & 0xFFFFFF
        site.entries.append((bearer, packet.size + self.spec.header, packet.created, ready, order))
        site.entering.append((packet, flow))

    def _terminal(self, flow: Flow, packet: Packet, time: int) -> int:
        """Return when a packet has passed the terminal's hardware and operating system."""
        if not self._jitters:
            return time
        return time + jitter(self.spec.terminal_jitter, self.seed, flow.key, packet.sequence)

    def _station(self, flow: Flow, packet: Packet, time: int) -> int:
        """Return when a packet has passed the backhaul and the base station's hardware."""
        time += self.spec.backhaul
        if not self._jitters:
            return time
        return time + jitter(self.spec.base_station_jitter, self.seed, flow.key ^ _BASE_STATION, packet.sequence)

    # time

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries up to and including `until`, taking in what is sent between two of them.

        Raises:
            RunError: nodes answer each other without end at one instant.
        """
        if links is not self.links:
            self.links = links
            self._trace(max(links.time, self._now), links)
        instant, stops = -1, 0
        while True:
            first = self._events[0][0] if self._events else FOREVER
            horizon = min(until, first + max(self.lookahead - 1, 0))
            effect = first + self.lookahead + self.spec.backhaul + self._processing
            if self._advance(min(until, max(effect, horizon))) < horizon:
                continue
            if self._events and self._events[0][0] < first:
                continue
            if first <= until:
                instant, stops = (instant, stops + 1) if first == instant else (first, 0)
                if stops > SAME_INSTANT:
                    raise RunError(f"nodes answer each other without delay at {first} ns")
                yield self._deliver(horizon)
                continue
            if self._bodies and self._bodies[0][0] <= until:
                yield self._deliver(until)
            self._now = until
            return

    def _advance(self, until: int) -> int:
        """Run all carriers to `until`, or to where an answer to something new could matter; return when."""
        for site in self.sites:
            self._flush(site)
        limit = min(until, self._changes[0][0]) if self._changes else until
        answering = len(self.sites) == 1
        if not answering:  # no carrier may get ahead of the others by more than an answer takes
            limit = min(limit, self._slowest() + 2 * self.spec.backhaul + self._processing)
        reached = limit
        for site in self.sites:
            site.reached = max(site.reached, site.carrier.advance(limit, answering))
            reached = min(reached, site.reached)
            self._drain(site)
        while self._changes and self._changes[0][0] <= reached:
            time, index, terminal, cell, _ = heappop(self._changes)
            self.sites[index].carrier.attach(terminal, cell, time)
        return reached

    def _slowest(self) -> int:
        return min(site.reached for site in self.sites)

    def _flush(self, site: Site) -> None:
        """Hand new packets over to the carrier's kernel."""
        if not site.entries:
            return
        columns = np.array(site.entries, dtype=np.int64).T
        rows = site.carrier.enter(*np.ascontiguousarray(columns))
        site.inside.update(zip(rows.tolist(), site.entering, strict=True))
        site.entries, site.entering = [], []

    def _drain(self, site: Site) -> None:
        """Take the decided packets out of a carrier and send them on their way."""
        state = site.carrier.state
        count = int(state.counts[cs.DECIDED])
        state.counts[cs.DECIDED] = state.counts[cs.LOGGED] = 0
        if not count:
            return
        fates = state.fates[:count].tolist()
        if self.facts is not None:
            self._note(site, [row for row, *_ in fates], [time for _, time, *_ in fates])
        for row, time, fate, way in fates:
            packet, flow = site.inside.pop(row)
            if fate != cs.DELIVERED:
                self.lose(packet, FATES[fate])
            elif way == cs.DOWN:
                time = self._terminal(flow, packet, time + site.propagation[flow.terminal])
                source, destination = packet.source, packet.destination
                heappush(self._bodies, (time, ARRIVE, source, destination, packet.kind, packet.sequence, packet))
            elif flow.down is not None:
                start = self._station(flow, packet, time + self.spec.backhaul)
                self._enter_radio(flow.down, flow.down_bearer, flow, packet, start)
            else:
                self._push(self._station(flow, packet, time), ARRIVE, packet)

    def _note(self, site: Site, rows: list[int], times: list[int]) -> None:
        assert self.facts is not None
        packets = site.carrier.state.packets[rows]
        columns = [packets[name].tolist() for name in ("bearer", "ready", "first", "transmissions")]
        for row, time, bearer, ready, first, sent in zip(rows, times, *columns, strict=True):
            up = bearer // len(self.qos) & 1 == cs.UP
            self.facts.append(Facts(site.inside[row][0], up, ready, first if sent else NEVER, sent, time))

    def _deliver(self, horizon: int) -> Batch:
        """Hand over everything up to `horizon`, in order of arrival."""
        due: list[HeapEntry] = []
        for heap in (self._events, self._bodies):
            while heap and heap[0][0] <= horizon:
                due.append(heappop(heap))
        due.sort()  # never compares packets: what stands before them is unique
        packets, wakes = [], []
        for time, _, node, _, _, _, packet in due:
            if packet is None:
                wakes.append((time, node))
            else:
                packet.arrived, packet.fate = time, "delivered"
                packets.append(packet)
        self._settled += packets
        return Batch(horizon, packets, wakes)

    def queued(self) -> list[Packet]:
        """Return the packets under way: on a radio link, then in the core or the air."""
        radio = [p for site in self.sites for p, _ in (*site.entering, *site.inside.values())]
        core = [event[-1] for heap in (self._events, self._bodies) for event in sorted(heap)]
        return radio + [packet for packet in core if packet is not None]

    # channel

    def _trace(self, time: int, links: LinkState) -> None:
        """Take a new trace: ratios, serving cells, power control and quality reports of all carriers."""
        gain_db, delay = self.topology.path_gain_db(links), self.topology.delay(links)
        for index, site in enumerate(self.sites):
            rows = np.ix_(site.terminals, site.cells)
            self._measure(site, index, time, gain_db[rows])
            cell = np.maximum(site.mobility.cell, 0)
            seconds = delay[rows][np.arange(len(cell)), cell] if len(cell) else cell
            site.propagation = np.rint(seconds * NS).astype(np.int64).tolist()

    def _measure(self, site: Site, index: int, time: int, gain_db: F64) -> None:
        carrier = site.carrier
        terminals = [self.topology.terminals[i] for i in site.terminals]
        cells = [self.topology.cells[i] for i in site.cells]
        down_dbm = column(cells, "power_dbm")
        carrier.measure(
            gain_db, column(terminals, "power_dbm"), down_dbm,
            column(cells, "noise_figure_db"), column(terminals, "noise_figure_db"),
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            snr_db = 10.0 * np.log10(carrier.state.ratio[cs.DOWN])
        for change in site.mobility.update(time, gain_db + down_dbm, snr_db):
            self._change(site, index, time, change)
        carrier.control_power(gain_db, column(cells, "noise_figure_db"), site.mobility.cell)
        site.quality.update(time, site.mobility.cell)

    def _change(self, site: Site, index: int, time: int, change: Change) -> None:
        """Detach a terminal now and attach it to its new cell when the change is through."""
        owner = self.names[self.topology.terminals[site.terminals[change.terminal]].owner]
        target = "none"
        if change.cell >= 0:
            target = self.names[self.topology.cells[site.cells[change.cell]].owner]
        if change.why != ATTACH:
            self.events.append(Event(time, change.why, owner, target, (change.end - change.start) / NS))
            site.carrier.attach(change.terminal, -1, time)
        if change.end <= time:
            site.carrier.attach(change.terminal, change.cell, time)
        else:
            heappush(self._changes, (change.end, index, change.terminal, change.cell, change.why))
