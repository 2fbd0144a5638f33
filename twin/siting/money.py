"""What a plan costs, over all its years."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from twin.siting.candidates import Candidate
from twin.siting.columns import Carriers, Radios
from twin.siting.mission import Mission
from twin.siting.solve import Costs
from twin.siting.spec import SitingSpec

HOURS = 8760.0
"""In a year."""


def servers(spec: SitingSpec, mission: Mission) -> dict[str, int]:
    """Return how many servers each edge needs, so that none works more than its share of the time."""
    most = max(spec.robust.traffic)
    found = {}
    for edge in sorted(set(mission.edge)):
        work = sum(w for w, own in zip(mission.work.tolist(), mission.edge, strict=True) if own == edge)
        found[edge] = max(1, ceil(most * work / spec.edge.load - 1e-9))
    return found


def costs(
    spec: SitingSpec, mission: Mission, candidates: Sequence[Candidate], own: Radios, carriers: Carriers, kept: int
) -> Costs:
    """Return what sites, radios and carriers cost; the first `kept` candidates stand already."""
    traffic = max(spec.robust.traffic) * float(mission.load.sum())
    site = [0.0 if row < kept else site_cost(spec, one, traffic)["total"] for row, one in enumerate(candidates)]
    column = [0.0 if c.site < kept else radio_cost(spec, c.carrier)["total"] for c in own.columns]
    licence = [spec.carriers[name].licence * carriers[name].bandwidth / 1e6 for name in own.carriers]
    fixed = spec.edge.server * sum(servers(spec, mission).values())
    return Costs(np.array(site), np.array(column), np.array(licence), fixed)


def site_cost(spec: SitingSpec, one: Candidate, traffic: float) -> dict[str, float]:
    """Return the parts of what a site costs that is to carry at most `traffic` [bit/s], and their total."""
    kind = spec.kinds[one.kind]
    parts = {
        "build": kind.build if one.cost is None else one.cost,
        "rent": kind.rent * spec.years,
        "mast": kind.mast * one.mast,
        "fibre": fibre(spec, one, traffic),
    }
    return parts | {"total": sum(parts.values())}


def fibre(spec: SitingSpec, one: Candidate, traffic: float) -> float:
    """Return what fibres to the nearest point cost that carry all traffic, along streets north and east."""
    if spec.backhaul is None:
        return 0.0
    way = min(abs(one.place[0] - point[0]) + abs(one.place[1] - point[1]) for point in spec.backhaul.points)
    count = max(1, ceil(traffic / spec.backhaul.rate))
    return count * (spec.backhaul.metre * way + spec.backhaul.end)


def radio_cost(spec: SitingSpec, carrier: str) -> dict[str, float]:
    """Return the parts of what a radio on a carrier costs, and their total."""
    own = spec.carriers[carrier]
    parts = {"equipment": own.equipment, "energy": own.watts / 1e3 * HOURS * spec.years * spec.energy}
    return parts | {"total": sum(parts.values())}
