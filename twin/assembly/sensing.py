"""Sensing of a scenario: which of its cells see which of its bodies, by which front ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from twin.assembly.channel import make_channel
from twin.assembly.entries import Entry
from twin.channel.clutter import site_clutter
from twin.channel.fields.antennas import rotation
from twin.channel.rcs import Scatterers
from twin.channel.returns import target_radios
from twin.channel.tracer import RayTracer
from twin.clock import NS
from twin.errors import ScenarioError, nearest
from twin.link import SPEED_OF_LIGHT, Radio
from twin.network.nr.carrier import Carrier
from twin.network.nr.network import NrNetwork
from twin.network.nr.pulses import Pulses, lay_out
from twin.numerics.draws import key
from twin.protocols import Network
from twin.sensing.arrays import Array, swept
from twin.sensing.frontend import FrontEnd
from twin.sensing.sensing import Legs, Pair, Sensing, Site, Targets, Times, element_noise, element_power
from twin.sensing.surroundings import Surroundings
from twin.sensing.waveform import Waveform
from twin.specs import RayTracingSpec
from twin.specs.scenario import Scenario
from twin.specs.sensing import SensingSpec
from twin.state import Node
from twin.world.sea import Seaway
from twin.world.world import World

_EVERY = 1_000_000
"""Paths of a leg: all of them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What sensing takes from a scenario that is being built."""

    scenario: Scenario
    world: World
    entries: Sequence[Entry]
    nodes: Sequence[Node]
    radios: Sequence[Radio]
    network: Network
    sea: Seaway | None

    def node(self, name: str, setting: str) -> int:
        """Return the node of that name.

        Raises:
            ScenarioError: there is none.
        """
        names = [node.name for node in self.nodes]
        if name not in names:
            raise ScenarioError(f"found {name!r}; allowed: {', '.join(names)}{nearest(name, names)}", key=setting)
        return names.index(name)


def make_sensing(stage: Stage) -> Sensing | None:
    """Return what senses in a scenario, None where nothing does, and take its symbols from the carrier.

    Raises:
        ScenarioError: cells, targets, pulses or pairs can't be.
    """
    spec, network = stage.scenario.sensing, getattr(stage.network, "network", stage.network)
    if spec is None:
        return None
    if not isinstance(network, NrNetwork):
        found = f'found network.kind = "{stage.scenario.network.kind}"; allowed: "nr", whose carrier the signal is of'
        raise ScenarioError(found, key="sensing")
    if spec.carrier not in network.spec.carriers:
        there = ", ".join(network.spec.carriers) + nearest(spec.carrier, network.spec.carriers)
        raise ScenarioError(f"found {spec.carrier!r}; allowed: {there}", key="sensing.carrier")
    carrier = network.carrier(spec.carrier)
    cells = [radio for radio in network.topology.cells if radio.carrier == carrier.spec.frequency]
    sensing = _sensing_cells(stage, spec, cells)
    pulses = lay_out(spec, carrier.spec, len(sensing) if spec.turns else 1)
    sites = _sites(spec, carrier, cells, sensing)
    carrier.sound(pulses.slots, np.array([[site.silent, site.sounder] for site in sites], dtype=np.int64))
    targets = _targets(stage, spec, carrier, len(cells))
    legs = _legs(stage, spec, cells, targets)
    names = np.array([key(stage.nodes[n].name) for n in targets.nodes], dtype=np.uint64)
    ends = _Ends(stage, spec, carrier, pulses, cells, names)
    pairs = [ends.pair(sites, pair) for pair in _pairs(stage, spec, cells, sensing)]
    report = stage.node(spec.report, "sensing.report")
    if stage.nodes[report].body >= 0:
        raise ScenarioError(f"found {spec.report!r}, which has a body; allowed: one without", key="sensing.report")
    times = Times(
        spec.refresh, spec.processing, report, SPEED_OF_LIGHT / carrier.spec.frequency, 10.0 ** (spec.residual / 10.0),
        lambda: carrier.load,
    )  # fmt: skip
    return Sensing(legs, sites, targets, pairs, pulses, times, stage.scenario.seed)


def _sensing_cells(stage: Stage, spec: SensingSpec, cells: Sequence[Radio]) -> list[int]:
    """Return the rows of the cells that sense."""
    owners = [stage.nodes[radio.owner].name for radio in cells]
    for name in spec.cells:
        if name not in owners:
            there = f"cells of {spec.carrier}: {', '.join(owners)}{nearest(name, owners)}"
            raise ScenarioError(f"found {name!r}; {there}", key="sensing.cells")
    rows = [row for row, name in enumerate(owners) if not spec.cells or name in spec.cells]
    for row in rows:
        radio = cells[row]
        if radio.body is not None:
            raise ScenarioError(f"{owners[row]} moves; allowed: cells that stand fixed", key="sensing.cells")
        if min(radio.antenna.rows, radio.antenna.columns) < 2:
            found = f"{owners[row]} has {radio.antenna.rows} x {radio.antenna.columns} elements"
            raise ScenarioError(f"{found}; allowed: 2 rows and 2 columns or more, by which it measures directions",
                                key="sensing.cells")  # fmt: skip
    return rows


def _sites(spec: SensingSpec, carrier: Carrier, cells: Sequence[Radio], sensing: Sequence[int]) -> list[Site]:
    subcarriers = 12 * carrier.prbs
    sites = []
    for row, radio in enumerate(cells):
        turn = (sensing.index(row) if spec.turns else 0) if row in sensing else -1
        power = element_power(radio.power_dbm, subcarriers, spec.symbols)
        noise = element_noise(carrier.spec.scs, radio.noise_figure_db)
        silent = spec.turns or turn >= 0
        sites.append(Site(radio.owner, np.array(radio.mount), power, noise, turn, silent))
    return sites


def _targets(stage: Stage, spec: SensingSpec, carrier: Carrier, cells: int) -> Targets:
    """Return the bodies with a radar cross-section."""
    names = [entry.name for entry in stage.entries]
    for name in spec.targets:
        if name not in names:
            there = f"allowed: {', '.join(names)}{nearest(name, names)}"
            raise ScenarioError(f"found {name!r}; {there}", key="sensing.targets")
    entries = [entry for entry in stage.entries if entry.kind.rcs is not None and entry.body is not None]
    without = set(spec.targets) - {entry.name for entry in entries}
    if without or not entries:
        who = ", ".join(sorted(without)) or "no robot"
        has = "has no radar cross-section" if without else "has a radar cross-section"
        raise ScenarioError(f"{who} {has}; allowed: robots whose robot.toml has a table [rcs]", key="sensing.targets")
    rows = [(entry, spec.row) for entry in entries for spec in entry.specs]
    bodies = np.array([entry.first_body + row for entry, row in rows], dtype=np.int64)
    nodes = np.array([entry.first_node + row for entry, row in rows], dtype=np.int64)
    specs = [entry.kind.rcs for entry, _ in rows if entry.kind.rcs is not None]
    called = [stage.nodes[node].name for node in nodes]
    wavelength = SPEED_OF_LIGHT / carrier.spec.frequency
    scatterers = Scatterers(specs, called, stage.scenario.seed, wavelength)
    return Targets([cells + 2 * t for t in range(len(rows))], bodies, nodes, scatterers)


def _legs(stage: Stage, spec: SensingSpec, cells: Sequence[Radio], targets: Targets) -> Legs:
    """Return the channel between cells and targets: the scenario's, without scattering and without terminals.

    Where that isn't traced, straight ways that nothing but the site blocks.
    """
    radios = [replace(radio, index=row) for row, radio in enumerate(cells)]
    owners = list(zip(targets.nodes.tolist(), targets.bodies.tolist(), strict=True))
    radios += target_radios(len(radios), owners, cells[0].carrier)
    channel = stage.scenario.channel
    if not isinstance(channel, RayTracingSpec):
        straight = RayTracingSpec(order=0, max_paths=_EVERY, blockers=False)
        return RayTracer(stage.world.geometry, radios, straight, permittivity=_opaque)
    smooth = {name: surface.model_copy(update={"scattering": 0.0}) for name, surface in channel.surfaces.items()}
    more = {"order": spec.order, "diffraction": False, "max_paths": _EVERY, "surfaces": smooth, "peers": None}
    traced = make_channel(channel.model_copy(update=more), stage.world, radios, stage.entries, stage.sea)
    return cast(Legs, traced)


def _opaque(material: str, frequency: float) -> complex:
    """Return a permittivity for faces that only block."""
    return 1.0 + 0.0j


def _pairs(stage: Stage, spec: SensingSpec, cells: Sequence[Radio], sensing: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of cells, transmitter and receiver."""
    if spec.pairs == "monostatic":
        return [(row, row) for row in sensing]
    owners = [stage.nodes[cells[row].owner].name for row in sensing]
    if spec.pairs == "all":
        pairs = [(a, b) for a in sensing for b in sensing]
    else:
        for name in [name for pair in spec.pairs for name in pair]:
            if name not in owners:
                there = f"cells that sense: {', '.join(owners)}{nearest(name, owners)}"
                raise ScenarioError(f"found {name!r}; {there}", key="sensing.pairs")
        pairs = [(sensing[owners.index(a)], sensing[owners.index(b)]) for a, b in spec.pairs]
    if not spec.turns and any(a != b for a, b in pairs):
        found = "found pairs of two cells that all send at once"
        raise ScenarioError(f"{found}; allowed: with turns = true, so that an echo is of one", key="sensing.pairs")
    return pairs


@dataclass(frozen=True, slots=True)
class _Ends:
    """What front ends are made of."""

    stage: Stage
    spec: SensingSpec
    carrier: Carrier
    pulses: Pulses
    cells: Sequence[Radio]
    names: np.ndarray  # (T,) keys of the targets

    def pair(self, sites: Sequence[Site], rows: tuple[int, int]) -> Pair:
        """Return the front end of a pair of cells."""
        sender, receiver = (self.cells[row] for row in rows)
        turn = sites[rows[0]].sounder
        waveform = self._waveform(turn)
        arrays = _array(sender), _array(receiver)
        beams = swept(arrays[0], *self.spec.beams)
        names = [self.stage.nodes[radio.owner].name for radio in (sender, receiver)]
        return Pair(rows, turn, FrontEnd(
            waveform=waveform, sender=arrays[0], receiver=arrays[1], beams=beams, power=sites[rows[0]].power,
            surroundings=self._surroundings((sender, receiver), arrays, beams, waveform),
            left=10.0 ** (self.spec.cancelling / 10.0), false_alarm=self.spec.false_alarm, names=self.names,
            name=" > ".join(names),
        ))  # fmt: skip

    def _waveform(self, turn: int) -> Waveform:
        spec, carrier = self.spec, self.carrier
        return Waveform(
            carrier.spec.frequency, carrier.spec.scs, 12 * carrier.prbs, spec.symbols, self.pulses.times(turn),
            spec.interval / NS, spec.stagger > 0, spec.reach, spec.speed,
        )  # fmt: skip

    def _surroundings(
        self, radios: tuple[Radio, Radio], arrays: tuple[Array, Array], beams: np.ndarray, waveform: Waveform
    ) -> Surroundings:
        channel, spec = self.stage.scenario.channel, self.spec
        if not (spec.clutter and isinstance(channel, RayTracingSpec)):
            return Surroundings.none(arrays[1], waveform.cell, len(beams))
        found = site_clutter(self.stage.world.geometry, radios, channel, spec.scattering)
        return Surroundings.of(found, *arrays, beams, waveform.cell, spec.reach)


def _array(radio: Radio) -> Array:
    antenna = radio.antenna
    axes = rotation(antenna.azimuth, antenna.downtilt, antenna.roll)
    return Array(antenna.rows, antenna.columns, antenna.spacing, axes)
