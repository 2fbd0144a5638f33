"""A plan as a whole scenario, which any run can judge; candidates as a list that a plan can take."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.channel.coverage import ground_below
from twin.errors import ScenarioError
from twin.project.robots import load_kind
from twin.siting.columns import power_dbm
from twin.siting.control import members
from twin.siting.money import servers
from twin.siting.plans import Plan
from twin.siting.study import Study
from twin.specs import NrSpec, RadioSpec
from twin.specs.scenario import RobotEntry, Scenario

STATION = "base_station"


def scenario_of(study: Study, plan: Plan) -> Scenario:
    """Return the scenario with the base stations of a plan instead of those that aren't kept.

    Raises:
        ScenarioError: a base station that isn't kept has cells on other carriers as well.
    """
    kept = {one.entry for one in study.kept}
    robots = {name: entry for name, entry in study.scenario.robots.items() if not _goes(study, name, entry, kept)}
    for name, entry in _stations(study, plan).items():
        if name in robots:
            message = f"found a robot {name!r}, the name that the plan's base stations get; allowed: another one"
            raise ScenarioError(message, key=f"robots.{name}")
        robots[name] = entry
    if study.spec.edge.server:
        for name, count in servers(study.spec, study.mission).items():
            own = robots[name]
            robots[name] = own.model_copy(update={"spec": {**own.spec, "server": {"servers": count}}})
    network = study.network.model_copy(update={"carriers": {**study.network.carriers, **plan.carriers}})
    assert isinstance(network, NrSpec)
    return study.scenario.model_copy(update={"robots": robots, "network": network})


def _goes(study: Study, name: str, entry: RobotEntry, kept: set[str]) -> bool:
    """Tell whether the plan replaces an entry: a base station on its carriers that isn't kept."""
    if name in kept:
        return False
    kind = load_kind(study.project.robot(entry.kind), entry.spec, key=f"robots.{name}.spec")
    cells = {radio.carrier for radio in kind.radios if radio.role == "cell"}
    planned = {carrier.frequency for carrier in (study.network.carriers[n] for n in study.spec.carriers)}
    if kind.body is not None or not cells & planned:
        return False
    if others := cells - planned:
        found = ", ".join(f"{carrier / 1e9:g} GHz" for carrier in sorted(others))
        message = f"has cells at {found} as well, which no carrier of the plan is; allowed: to keep it"
        raise ScenarioError(message, key=f"robots.{name}")
    return True


def _stations(study: Study, plan: Plan) -> dict[str, RobotEntry]:
    """Return an entry for each kind of site and set of radios on it; single sectors differ in their yaw alone."""
    by_site: dict[int, list[int]] = {}
    for column in members(plan.chosen):
        site = study.radios.columns[column].site
        if site >= len(study.kept):
            by_site.setdefault(site, []).append(column)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for site, columns in by_site.items():
        radios = [_radio(study, plan, column) for column in columns]
        turned = radios if len(radios) > 1 else [_unturned(radios[0])]
        key = (study.candidates[site].kind, tuple(radio.model_dump_json() for radio in turned))
        alike.setdefault(key, []).append(site)
    found: dict[str, RobotEntry] = {}
    for (kind, _), sites in sorted(alike.items(), key=lambda item: item[1]):
        carriers = dict.fromkeys(study.radios.columns[column].carrier for column in by_site[sites[0]])
        name = base = f"{kind}-{'-'.join(carriers)}"
        number = 2
        while name in found:
            name, number = f"{base}-{number}", number + 1
        found[name] = _entry(study, plan, sites, by_site)
    return found


def _entry(study: Study, plan: Plan, sites: Sequence[int], by_site: dict[int, list[int]]) -> RobotEntry:
    radios = [_radio(study, plan, column) for column in by_site[sites[0]]]
    yaw: list[float] = []
    if len(radios) == 1:
        yaw = [study.radios.specs[by_site[site][0]].antenna.azimuth for site in sites]
        radios = [_unturned(radios[0])]
    data: dict[str, Any] = {
        "kind": STATION, "count": len(sites), "positions": [study.candidates[site].place for site in sites],
        "spec": {"radios": [radio.model_dump(mode="json", exclude_defaults=True) for radio in radios]},
    }  # fmt: skip
    return RobotEntry.model_validate(data | ({"yaw": tuple(yaw)} if any(yaw) else {}))


def _radio(study: Study, plan: Plan, column: int) -> RadioSpec:
    own, carrier = study.radios.specs[column], plan.carriers[study.radios.columns[column].carrier]
    return RadioSpec(role="cell", carrier=carrier.frequency, power=power_dbm(own, carrier), gain=own.gain,
                     noise_figure=own.noise_figure, antenna=own.antenna)  # fmt: skip


def _unturned(radio: RadioSpec) -> RadioSpec:
    return radio.model_copy(update={"antenna": radio.antenna.model_copy(update={"azimuth": 0.0})})


def candidates_csv(study: Study) -> str:
    """Return all new candidates as a list that `candidates.file` can name: heights are above the ground."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "x", "y", "z", "kind", "cost"])
    new = study.candidates[len(study.kept) :]
    ground = ground_below(study.world.geometry, np.array([one.place for one in new]))
    for one, below in zip(new, ground.tolist(), strict=True):
        x, y, z = one.place
        writer.writerow([one.name, x, y, z - below, one.kind, "" if one.cost is None else one.cost])
    return text.getvalue()
