"""What a radio network keeps of each carrier and flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.nr.access import RandomAccess
from twin.network.nr.beams import Beams, Turn
from twin.network.nr.carrier import Carrier, Levels
from twin.network.nr.carrier_state import DOWN
from twin.network.nr.mobility import HANDOVER, LEAST_DBM, Change, Mobility
from twin.network.nr.panels import burst_of, is_array, panels_of
from twin.network.nr.quality import QualityReports
from twin.network.topology import Topology, column
from twin.specs.nr import NrSpec, QosSpec
from twin.state import F64, I64, LinkState

ENTRY = Struct("6q")
"""A packet in `Band.entries`: 2 x row of the flow in `Flows.table` + direction, size, when it was created and when it
sets out [ns], number in the flow, and ticket, see `transit`."""


class Gains(NamedTuple):
    """Path gains between T terminals and C cells [dB], each (T, C)."""

    used: F64  # with the beams in use
    heard: F64  # with the best ones that terminals know of: what mobility goes by


@dataclass(slots=True, eq=False)
class Band:
    """One carrier with the rows of its terminals and cells among those of the topology."""

    carrier: Carrier
    terminals: list[int]
    cells: list[int]
    pairs: tuple[I64, ...]  # picks its rows (T, C) of the topology's
    levels: Levels
    mobility: Mobility
    quality: QualityReports
    access: RandomAccess
    beams: Beams | None  # None without arrays of antennas
    entries: list[bytes]  # packets that set out, each an ENTRY
    owners: I64  # (P,) tickets by row, see `transit`
    propagation: I64  # (T,) ns, of each terminal's serving cell
    ideal_arrays: int  # that follow the channel ideally: all of a carrier on which one has no codebook
    reached: int = 0  # ns
    dropped: bool = False  # maybe, packets of a terminal that left its cell

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self.carrier.reseed(seed)
        self.access.seed = seed

    def attach(self, terminal: int, cell: int, time: int) -> None:
        """Let a terminal be served by `cell`, or by none (-1)."""
        self.carrier.attach(terminal, cell, time)
        self.access.forget(terminal)
        self.dropped = True
        if self.beams is not None:
            self.beams.enter(time, terminal, cell)

    def enter_cell(self, terminal: int, cell: int, time: int, how: str) -> None:
        """Let a terminal get into `cell` from `time` [ns] on: at once where control is ideal."""
        if cell < 0 or self.carrier.spec.control == "ideal":
            self.attach(terminal, cell, time)
        else:
            self.access.start(time, terminal, cell, own_preamble=how == HANDOVER)

    def advance(self, limit: int, answering: bool) -> int:
        """Run the carrier towards `limit` [ns] and return how far it came; who isn't heard any more leaves its cell."""
        self.reached = max(self.reached, self.carrier.advance(limit, answering))
        for terminal in self.carrier.access_wanted():
            cell = int(self.carrier.state.links["cell"][2 * terminal])
            self.attach(terminal, -1, self.reached)
            self.access.start(self.reached, terminal, cell, own_preamble=False)
        return self.reached

    def let_in(self, until: int) -> None:
        """Attach those whose random access has ended by `until` [ns]."""
        while (now := self.access.due) <= until:
            for terminal, cell in self.access.run():
                self.attach(terminal, cell, now)

    @property
    def due(self) -> int:
        """When an access or a beam goes on [ns]."""
        return self.access.due if self.beams is None else min(self.access.due, self.beams.due)

    def turn(self, until: int) -> list[Turn]:
        """Bring beams to `until` [ns] and return which failed or were recovered since the last call."""
        if self.beams is None:
            return []
        self.beams.refresh(until)
        while self.beams.due <= until:
            self.beams.run()
        turns, self.beams.turns = self.beams.turns, []
        return turns

    def look(self, time: int, links: LinkState, rows: I64, gain_db: F64) -> Gains:
        """Take a new trace and return its path gains; `rows` of links, `gain_db` as traced, are (T, C)."""
        if self.beams is None or not self.beams.look(time, links, rows):
            return Gains(gain_db, gain_db)
        return Gains(self.beams.gain_db, self.beams.heard_db)

    def rsrp_dbm(self, gain_db: F64) -> F64:
        """Return the power of one resource element at terminals from cells, (T, C), never below the least."""
        elements = 10.0 * np.log10(12.0 * self.carrier.prbs)
        power: F64 = np.maximum(gain_db + self.levels.down_dbm - elements, LEAST_DBM)
        return power

    def move(self, time: int, gains: Gains) -> list[Change]:
        """Take the path gains of a new trace and return the changes of serving cells that begin now."""
        self.carrier.measure(gains.used, self.levels)
        with np.errstate(divide="ignore"):
            snr_db = 10.0 * np.log10(self.carrier.state.ratio[DOWN])
        return self.mobility.update(time, gains.heard + self.levels.down_dbm, snr_db)

    def hear(self, time: int, links: LinkState, rows: I64, gain_db: F64, delay: F64) -> None:
        """Set fading, power control, quality reports and propagation for the cells that serve from now on.

        `rows` of links, `gain_db` and `delay` [s] are (T, C).
        """
        serving = self.mobility.cell
        if self.beams is not None and self.beams.live:
            self.beams.refresh(time)
            self.carrier.trace(links, rows, self.beams.amplitude)
            self.beams.apply(time)
        else:
            self.carrier.trace(links, rows)
            self.carrier.control_power(gain_db, self.levels.noise_up_db, serving)
        self.quality.update(time, serving)
        seconds = delay[np.arange(len(serving)), np.maximum(serving, 0)]
        self.propagation = np.rint(seconds * NS).astype(np.int64)
        self.carrier.set_delay(self.propagation)


@dataclass(slots=True, eq=False)
class Flow:
    """The way of packets of one (source, destination, kind); its row in `Flows.table` says the rest."""

    up: Band | None
    down: Band | None
    number: int  # row in `Flows.table`
    terminal: int  # of the downlink, in its carrier
    backhaul: int  # ns, between cells and the edge server
    key: np.uint64
    entries: list[bytes] | None  # where its packets set out over the radio; None for those that come by a cable
    code: int  # of an ENTRY there
    delay: int  # ns, until they do


def open_band(
    name: str, spec: NrSpec, qos: Sequence[QosSpec], topology: Topology, names: Sequence[str], seed: int
) -> Band:
    """Make the carrier of that name with all radios on its frequency.

    Raises:
        ScenarioError: no base station is there, or the carrier's settings don't fit together.
    """
    settings = spec.carriers[name]
    terminals = [i for i, radio in enumerate(topology.terminals) if radio.carrier == settings.frequency]
    cells = [i for i, radio in enumerate(topology.cells) if radio.carrier == settings.frequency]
    if not cells:
        found = ", ".join(sorted({f"{radio.carrier / 1e9:g} GHz" for radio in topology.cells})) or "none"
        message = f"no base station at {settings.frequency / 1e9:g} GHz; base stations: {found}"
        raise ScenarioError(message, key=f"network.carriers.{name}")
    owners = [names[topology.terminals[i].owner] for i in terminals]
    ahead = 2 * min([spec.backhaul, *spec.edges.values()])
    radios = [topology.terminals[i] for i in terminals], [topology.cells[i] for i in cells]
    panels = panels_of(*radios)
    if panels is not None:
        settings = settings.model_copy(update={"ssb_beams": burst_of(settings, panels)})
    try:
        carrier = Carrier(settings, qos, owners, len(cells), seed, spec.segment_header, ahead)
    except ScenarioError as error:
        raise ScenarioError(error.message, key=f"network.carriers.{name}.{error.key}") from error
    mobility, pairs = Mobility(spec.mobility, len(terminals)), np.ix_(terminals, cells)
    levels = _levels(*radios)
    access = RandomAccess(carrier, seed)
    beams = None if panels is None else Beams(carrier, mobility, access, panels, levels)
    return Band(
        carrier=carrier, terminals=terminals, cells=cells, pairs=pairs, levels=levels, mobility=mobility,
        quality=QualityReports(carrier), access=access, beams=beams, entries=[],
        owners=np.zeros(0, dtype=np.int64), propagation=np.zeros(len(terminals), dtype=np.int64),
        ideal_arrays=0 if panels is not None else sum(is_array(radio) for side in radios for radio in side),
    )  # fmt: skip


def _levels(terminals: Sequence[Radio], cells: Sequence[Radio]) -> Levels:
    up_dbm, down_dbm = (column(radios, "power_dbm") for radios in (terminals, cells))
    return Levels(up_dbm, down_dbm, column(cells, "noise_figure_db"), column(terminals, "noise_figure_db"))


def order_of(key: np.uint64) -> int:
    """Return what orders packets ready at one instant: 32 bits of their flow, above 24 of a number."""
    return (int(key) & 0xFFFFFFFF) << 24
