"""All that a plan is made from: scenario, mission, candidates, link tables; and the programmes that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from twin.project.project import Project
from twin.siting.candidates import Candidate, Dropped
from twin.siting.capacity import up_snr_db
from twin.siting.columns import Carriers, Radios, Standing, down_snr_db, network_of, radios, spectra, standing
from twin.siting.control import Chain, Outcome, chains, outcome
from twin.siting.mission import Mission, read_mission
from twin.siting.money import costs
from twin.siting.sight import candidates
from twin.siting.solve import Problem
from twin.siting.spec import SitingSpec
from twin.siting.table import air_of, link_table
from twin.specs import NrSpec
from twin.specs.scenario import Scenario
from twin.state import F64, Bool
from twin.world.opening import open_world
from twin.world.world import World

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is, and how much there is."""


def _quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Case:
    """One of the things that a plan must stand, as far as links follow from it."""

    name: str
    mission: Mission
    table: F64  # (C, T, N) dB, path gain with both antennas


@dataclass(frozen=True)
class Study:
    """A scenario and a plan.toml, with all that was found out about them."""

    scenario: Scenario
    project: Project
    spec: SitingSpec
    world: World
    network: NrSpec
    kept: tuple[Standing, ...]
    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...]
    radios: Radios
    cases: tuple[Case, ...]
    threshold: float  # dB above q_in
    _serves: dict[object, tuple[Bool, ...]] = field(default_factory=dict, repr=False)
    _chains: dict[object, tuple[tuple[Chain, ...], ...]] = field(default_factory=dict, repr=False)

    @property
    def mission(self) -> Mission:
        """That of the first case, which the others' robots share."""
        return self.cases[0].mission

    @cached_property
    def spectra(self) -> list[Carriers]:
        """What the carriers may become."""
        return spectra(self.network, self.spec)

    def snr(self, case: Case, carriers: Carriers) -> F64:
        """Return how far above noise [dB] each robot hears each column, (C, T, N)."""
        return down_snr_db(self.radios, case.mission, case.table, carriers)

    def up_snr(self, case: Case, carriers: Carriers) -> F64:
        """Return how far above noise [dB] each column hears each robot, (C, T, N)."""
        return up_snr_db(self.radios, case.mission, case.table, carriers)

    def serves(self, carriers: Carriers, margin: float) -> tuple[Bool, ...]:
        """Return for each case which column serves which robot when, (C, T, N), were all links `margin` dB worse."""
        key = _key(carriers, margin)
        if key not in self._serves:
            least = self.network.mobility.q_in + self.threshold + margin
            self._serves[key] = tuple(self.snr(case, carriers) > least for case in self.cases)
        return self._serves[key]

    def chains(self, carriers: Carriers, margin: float) -> tuple[tuple[Chain, ...], ...]:
        """Return the chains of each case, were all links `margin` dB worse."""
        key = _key(carriers, margin)
        if key not in self._chains:
            found = zip(self.serves(carriers, margin), self.cases, strict=True)
            self._chains[key] = tuple(tuple(chains(serves, case.mission.window)) for serves, case in found)
        return self._chains[key]

    def problem(self, carriers: Carriers) -> Problem:
        """Return the programme for some carriers; of several margins the largest, which no other is worse than."""
        own, kept = self.radios, len(self.kept)
        there = sum(1 << row for row, column in enumerate(own.columns) if column.site < kept)
        return Problem(
            costs(self.spec, self.mission, self.candidates, own, carriers, kept),
            tuple(column.site for column in own.columns), tuple(own.carrier),
            self.chains(carriers, max(self.spec.robust.margin)), there, self.spec.redundancy,
        )  # fmt: skip

    def outcomes(self, carriers: Carriers, chosen: int) -> dict[str, Outcome]:
        """Return what some columns give in each case and at each margin."""
        groups, k = self.problem(carriers).groups, self.spec.redundancy
        return {
            ", ".join(filter(None, (case.name, f"{margin:g} dB less" if margin else ""))) or "as stated":
            outcome(of, chosen, groups, k)
            for margin in sorted(self.spec.robust.margin)
            for case, of in zip(self.cases, self.chains(carriers, margin), strict=True)
        }  # fmt: skip

    def at(self, threshold: float) -> Study:
        """Return the same study with another threshold [dB above q_in]."""
        return replace(self, threshold=threshold, _serves={}, _chains={})


def study(scenario: Scenario, project: Project, spec: SitingSpec, progress: Progress = _quiet) -> Study:
    """Find candidates for a scenario and trace what they deliver.

    Raises:
        ScenarioError: the plan doesn't fit the scenario, or no candidate is left.
        WorldError: the world can't be opened.
    """
    network = network_of(scenario, spec)
    spectra(network, spec)
    world = open_world(project.world(scenario.world))
    kept = standing(scenario, project, world, spec, network)
    frequencies = [network.carriers[name].frequency for name in spec.carriers]

    def flown(seed: int) -> Mission:
        told = _told(progress, "seconds of the mission flown")
        own = scenario.model_copy(update={"seed": seed})
        return read_mission(own, project, world, frequencies, spec.step, told)

    first = flown(spec.robust.seeds[0])
    found, dropped = candidates(world, spec, first, [one.candidate for one in kept], _told(progress, "lines of sight"))
    own = radios(spec, network, found, kept)
    missions = {spec.robust.seeds[0]: first}
    if not first.course:
        missions |= {seed: flown(seed) for seed in spec.robust.seeds[1:]}
    cases = []
    for seed, mission in missions.items():
        for rain in spec.robust.rain or (None,):
            name = ", ".join(filter(None, (f"seed {seed}" if len(missions) > 1 else "",
                                           f"rain of {rain:g} mm/h" if rain is not None else "")))  # fmt: skip
            air = air_of(scenario.model_copy(update={"seed": seed}), world, rain)
            table = link_table(air, mission, own.columns, _told(progress, f"links traced {name}".strip()))
            cases.append(Case(name, mission, table))
    return Study(scenario, project, spec, world, network, tuple(kept), tuple(found), tuple(dropped), own,
                 tuple(cases), spec.threshold)  # fmt: skip


def _key(carriers: Carriers, margin: float) -> object:
    """Return what decides who hears whom: bandwidths, not patterns."""
    return margin, *((name, carrier.bandwidth) for name, carrier in carriers.items())


def _told(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)


def share(study: Study, held: Outcome) -> float:
    """Return the share of the mission's time in which robots are under control."""
    return held.held / max(1, held.end * len(held.lost))


def seconds(study: Study, steps: float) -> float:
    """Return so many steps of one robot in seconds."""
    return float(steps) * study.mission.step / 1e9


def place(study: Study, robot: int, step: int) -> list[float]:
    """Return where a robot is at a step [m]."""
    return np.round(study.mission.position[step, robot], 1).tolist()  # type: ignore[no-any-return]
