"""What a radio network keeps of each carrier and flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError, nearest
from twin.link import Radio
from twin.network.carrier import Carrier
from twin.network.carrier_state import DOWN
from twin.network.mobility import Change, Mobility
from twin.network.quality import QualityReports
from twin.network.topology import Topology, column
from twin.network.traffic import Source
from twin.radio_specs import NrSpec, QosSpec
from twin.state import F64, I64, LinkState, Packet


@dataclass(slots=True, eq=False)
class Site:
    """One carrier with the rows of its terminals and cells among those of the topology."""

    carrier: Carrier
    terminals: list[int]
    cells: list[int]
    mobility: Mobility
    quality: QualityReports
    entries: list[int]  # bearer, size, created, ready and order of each packet in turn
    entering: list[tuple[Packet, Flow] | None]  # None: background
    inside: dict[int, tuple[Packet, Flow] | None]  # by row
    propagation: list[int]  # ns, of each terminal's serving cell
    reached: int = 0  # ns

    def move(self, time: int, gain_db: F64, topology: Topology) -> list[Change]:
        """Take path gains (T, C) of a new trace and return the changes of serving cells that begin now."""
        terminals, cells = self.radios(topology)
        down_dbm = column(cells, "power_dbm")
        self.carrier.measure(
            gain_db, column(terminals, "power_dbm"), down_dbm,
            column(cells, "noise_figure_db"), column(terminals, "noise_figure_db"),
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            snr_db = 10.0 * np.log10(self.carrier.state.ratio[DOWN])
        return self.mobility.update(time, gain_db + down_dbm, snr_db)

    def hear(self, time: int, links: LinkState, rows: I64, gain_db: F64, delay: F64, topology: Topology) -> None:
        """Set fading, power control, quality reports and propagation for the cells that serve from now on.

        `rows` of links, `gain_db` and `delay` [s] are (T, C).
        """
        _, cells = self.radios(topology)
        serving = self.mobility.cell
        self.carrier.trace(links, rows)
        self.carrier.control_power(gain_db, column(cells, "noise_figure_db"), serving)
        self.quality.update(time, serving)
        seconds = delay[np.arange(len(serving)), np.maximum(serving, 0)]
        self.propagation = np.rint(seconds * NS).astype(np.int64).tolist()

    def radios(self, topology: Topology) -> tuple[list[Radio], list[Radio]]:
        """Return the radios of its terminals and cells."""
        return [topology.terminals[i] for i in self.terminals], [topology.cells[i] for i in self.cells]


@dataclass(slots=True, eq=False)
class Flow:
    """The way of packets of one (source, destination, kind)."""

    up: Site | None
    up_bearer: int
    down: Site | None
    down_bearer: int
    terminal: int  # of the downlink, in its carrier
    backhaul: int  # ns, between cells and the edge server
    order: int
    key: np.uint64


@dataclass(slots=True, eq=False)
class Load:
    """One source of background traffic and the bearer that carries it."""

    source: Source
    site: Site
    bearer: int


def open_site(
    name: str, spec: NrSpec, qos: Sequence[QosSpec], topology: Topology, names: Sequence[str], seed: int
) -> Site:
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
    try:
        carrier = Carrier(settings, qos, owners, len(cells), seed, spec.segment_header, ahead)
    except ScenarioError as error:
        raise ScenarioError(error.message, key=f"network.carriers.{name}.{error.key}") from error
    mobility = Mobility(spec.mobility, len(terminals))
    return Site(carrier, terminals, cells, mobility, QualityReports(carrier), [], [], {}, [])


def order_of(key: np.uint64) -> int:
    """Return what orders packets ready at one instant: 32 bits of their flow, above 24 of a number."""
    return (int(key) & 0xFFFFFFFF) << 24


def check_names(key: str, found: Iterable[str], names: Sequence[str]) -> None:
    """Refuse names that no robot has.

    Raises:
        ScenarioError: there is no such robot.
    """
    for name in found:
        if name not in names:
            raise ScenarioError(f"no robot {name!r}{nearest(name, names)}", key=f"network.{key}")
