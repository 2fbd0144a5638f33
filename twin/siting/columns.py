"""The radios that sites may get, and how far above noise robots hear them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import log10, pi

import numpy as np

from twin.assembly.entries import Entry, read_entries
from twin.channel.fields.antennas import rotation
from twin.errors import ScenarioError, choice
from twin.network.nr.bandwidth import resource_blocks
from twin.network.topology import noise_dbm
from twin.project.project import Project
from twin.siting.candidates import Candidate
from twin.siting.mission import Mission
from twin.siting.spec import PlanRadioSpec, SitingSpec
from twin.siting.table import Column
from twin.specs import AntennaSpec, NrSpec
from twin.specs.nr import CarrierSpec
from twin.specs.scenario import Scenario
from twin.state import F64
from twin.world.world import World

Carriers = Mapping[str, CarrierSpec]
"""By name, as a plan has them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A base station that is there already."""

    candidate: Candidate
    entry: str
    columns: tuple[tuple[str, PlanRadioSpec], ...]  # carrier and radio, whose antenna is turned as it stands


def network_of(scenario: Scenario, spec: SitingSpec) -> NrSpec:
    """Return the network of a scenario whose carriers a plan speaks of.

    Raises:
        ScenarioError: it has no cells, or not these carriers, or two of them overlap.
    """
    network = scenario.network
    if not isinstance(network, NrSpec):
        raise ScenarioError(f'found "{network.kind}", which has no cells to place; allowed: "nr"', key="network.kind")
    for name in spec.carriers:
        if name not in network.carriers:
            message = f"found {name!r}, no carrier of the scenario{choice(name, network.carriers)}"
            raise ScenarioError(message, key="carriers")
    return network


def spectra(network: NrSpec, spec: SitingSpec) -> list[Carriers]:
    """Return what the carriers may become: each bandwidth with each pattern of each of them.

    Raises:
        ScenarioError: a bandwidth is none of its carrier, or two carriers overlap.
    """
    choices = []
    for name, asked in spec.carriers.items():
        own = network.carriers[name]
        choices.append([
            own.model_copy(update={"bandwidth": bandwidth, "pattern": pattern})
            for bandwidth in asked.bandwidths or (own.bandwidth,) for pattern in asked.patterns or (own.pattern,)
        ])  # fmt: skip
        for one in choices[-1]:
            blocks(one, name)
    found = [dict(zip(spec.carriers, each, strict=True)) for each in product(*choices)]
    for carriers in found:
        for (a, first), (b, second) in combinations(carriers.items(), 2):
            if abs(first.frequency - second.frequency) < (first.bandwidth + second.bandwidth) / 2:
                raise ScenarioError(f"{a} and {b} overlap: {_band(first)} and {_band(second)}", key="carriers")
    return list(found)


def _band(carrier: CarrierSpec) -> str:
    ends = [(carrier.frequency + side * carrier.bandwidth / 2) / 1e6 for side in (-1, 1)]
    return f"{ends[0]:g} to {ends[1]:g} MHz"


def blocks(carrier: CarrierSpec, name: str) -> int:
    """Return the resource blocks of a carrier.

    Raises:
        ScenarioError: it can't have this bandwidth.
    """
    try:
        return carrier.resource_blocks or resource_blocks(carrier.frequency, carrier.bandwidth, int(carrier.scs / 1e3))
    except ScenarioError as error:
        raise ScenarioError(error.message, key=f"carriers.{name}.bandwidths") from error


def standing(scenario: Scenario, project: Project, world: World, spec: SitingSpec, network: NrSpec) -> list[Standing]:
    """Return the base stations that stand already, one a robot of the entries that `keep` names.

    Raises:
        ScenarioError: there is no such entry, it moves, or has no cell on a carrier of the plan.
    """
    entries = {entry.name: entry for entry in read_entries(scenario, project, world)}
    found = []
    for name in spec.candidates.keep:
        if name not in entries:
            raise ScenarioError(f"found {name!r}{choice(name, entries)}", key="candidates.keep")
        if entries[name].body is not None:
            raise ScenarioError(f"{name} has a body and may move; only what stands can be kept", key="candidates.keep")
        found += _stations(entries[name], spec, network)
    return found


def _stations(entry: Entry, spec: SitingSpec, network: NrSpec) -> list[Standing]:
    named = {network.carriers[name].frequency: name for name in spec.carriers}
    cells = [radio for radio in entry.kind.radios if radio.role == "cell" and radio.carrier in named]
    if not cells:
        raise ScenarioError(f"{entry.name} has no cell on {', '.join(spec.carriers)}", key="candidates.keep")
    found = []
    for robot in entry.specs:
        x, y, z, w = entry.orientation[robot.row]
        yaw = 2.0 * float(np.arctan2(z, w))
        place = rotation(yaw, 0.0, 0.0) @ np.array(cells[0].mount) + entry.position[robot.row]
        columns = tuple(
            (named[cell.carrier], PlanRadioSpec(power=cell.power, gain=cell.gain, noise_figure=cell.noise_figure,
                                                antenna=_turned(cell.antenna, yaw)))
            for cell in cells
        )  # fmt: skip
        candidate = Candidate(robot.name, entry.name, tuple(place.tolist()))
        found.append(Standing(candidate, entry.name, columns))
    return found


def _turned(antenna: AntennaSpec, by: float) -> AntennaSpec:
    return antenna.model_copy(update={"azimuth": antenna.azimuth + by})


@dataclass(frozen=True, slots=True)
class Radios:
    """All radios that sites may get: columns, and what each sends with."""

    columns: tuple[Column, ...]
    specs: tuple[PlanRadioSpec, ...]  # (C,)
    names: tuple[str, ...]  # (C,)
    carriers: tuple[str, ...]

    @property
    def carrier(self) -> list[int]:
        """The row of each column's carrier."""
        return [self.carriers.index(column.carrier) for column in self.columns]


def radios(
    spec: SitingSpec, network: NrSpec, candidates: Sequence[Candidate], kept: Sequence[Standing]
) -> Radios:
    """Return a radio of each carrier at each candidate, turned to each azimuth where that matters."""
    columns, specs, names = list[Column](), list[PlanRadioSpec](), list[str]()
    there = {one.candidate.name: one for one in kept}
    for site, candidate in enumerate(candidates):
        own = there.get(candidate.name)
        for name, radio in own.columns if own else _offers(spec):
            columns.append(Column(site, name, network.carriers[name].frequency, candidate.place, radio.antenna,
                                  radio.gain))  # fmt: skip
            specs.append(radio)
            heading = f" {90.0 - radio.antenna.azimuth * 180.0 / pi:.0f} deg" if _has_heading(radio.antenna) else ""
            names.append(f"{candidate.name} {name}{heading}")
    return Radios(tuple(columns), tuple(specs), tuple(names), tuple(spec.carriers))


def _has_heading(antenna: AntennaSpec) -> bool:
    return antenna.pattern not in ("isotropic", "dipole") or antenna.rows * antenna.columns > 1


def _offers(spec: SitingSpec) -> list[tuple[str, PlanRadioSpec]]:
    """Return what a new site may get: carrier and radio."""
    found = []
    for name, carrier in spec.carriers.items():
        antenna = carrier.radio.antenna
        count = spec.candidates.azimuths if _has_heading(antenna) else 1
        for i in range(count):
            turned = _turned(antenna, 2.0 * pi * i / count) if count > 1 else antenna
            found.append((name, carrier.radio.model_copy(update={"antenna": turned})))
    return found


def power_dbm(radio: PlanRadioSpec, carrier: CarrierSpec) -> float:
    """Return what a radio sends over a whole carrier."""
    return radio.power + (10.0 * log10(carrier.bandwidth / 1e6) if radio.per_mhz else 0.0)


def down_snr_db(own: Radios, mission: Mission, table: F64, carriers: Carriers) -> F64:
    """Return the signal-to-noise ratio [dB] (C, T, N) at which each robot hears each column, as NR cells send."""
    sent = np.empty(len(own.columns))
    floor = np.empty((len(own.columns), len(mission.names)))
    for row, (column, radio) in enumerate(zip(own.columns, own.specs, strict=True)):
        carrier = carriers[column.carrier]
        sent[row] = power_dbm(radio, carrier) - 10.0 * log10(blocks(carrier, column.carrier))
        figure = [_figure(terminals, column.frequency) for terminals in mission.radios]
        floor[row] = noise_dbm(12.0 * carrier.scs, 0.0) + np.array(figure)
    return np.asarray(table + (sent[:, None, None] - floor[:, None, :]).astype(table.dtype))


def _figure(terminals: Sequence[object], frequency: float) -> float:
    """Return the noise figure of a robot's terminal on a carrier; 0 without one, which hears nothing anyway."""
    return next((float(t.noise_figure) for t in terminals if t.carrier == frequency), 0.0)  # type: ignore[attr-defined]
