"""Which candidates are worth a trace: those that see much of the mission, apart from one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from twin.errors import ScenarioError
from twin.siting.candidates import Candidate, Dropped, found_places, from_file
from twin.siting.mission import Mission
from twin.siting.spec import SitingSpec
from twin.state import F64, Bool
from twin.world.bvh import MISS, SEGMENT_MARGIN, closest_hits
from twin.world.world import World

CELL = 5.0
"""m, within which places of the mission count as one."""
MOST_CELLS = 512
_INSIDE, _BLIND, _FAR = "inside of something", "sees too little of the mission", "farther than the reach"


def cells(mission: Mission) -> F64:
    """Return places (n, 3) m that the mission passes, one a cell of 5 m and 512 at most."""
    points = mission.position.reshape(-1, 3)
    _, first = np.unique(np.floor(points / CELL).astype(np.int64), axis=0, return_index=True)
    places = points[np.sort(first)]
    return places[:: -(-len(places) // MOST_CELLS)]


def seen(world: World, places: F64, targets: F64, progress: Callable[[int, int], None]) -> F64:
    """Return the share of `targets` (m, 3) that each of `places` (n, 3) sees, (n,)."""
    share = np.empty(len(places))
    for row, place in enumerate(places):
        ways = targets - place
        distance = np.linalg.norm(ways, axis=1)
        origins = np.tile(place, (len(targets), 1))
        hit, _ = closest_hits(world.bvh, origins, np.ascontiguousarray(ways), 0.0, 1.0 - SEGMENT_MARGIN)
        share[row] = np.mean((hit == MISS) | (distance < SEGMENT_MARGIN))
        progress(row + 1, len(places))
    return share


def spread(places: F64, score: F64, separation: float, most: int, taken: Sequence[F64]) -> list[int]:
    """Return rows of the best places, `separation` apart from each other and from `taken`; ties by their order."""
    chosen: list[int] = []
    others = list(taken)
    for row in np.argsort(-score, kind="stable").tolist():
        if len(chosen) == most:
            break
        if all(np.linalg.norm(places[row] - other) >= separation for other in others):
            others.append(places[row])
            chosen.append(row)
    return chosen


def candidates(
    world: World, spec: SitingSpec, mission: Mission, kept: Sequence[Candidate],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Candidate], list[Dropped]]:  # fmt: skip
    """Return all candidates by name, those that stand already first, and what was left out, and why.

    Raises:
        ScenarioError: nothing is left, or two are at one place or of one name.
    """
    sources, dropped = found_places(world, spec.candidates)
    targets = cells(mission)
    listed = [] if spec.candidates.file is None else from_file(world, spec.candidates.file, list(spec.kinds))
    found = [*kept, *listed]
    for kind, places, mast, separation, most in sources:
        usable, left = _usable(world, kind, places, targets, spec)
        dropped += left
        share = seen(world, usable, targets, progress)
        sees = share > spec.candidates.least_sight
        dropped.append(Dropped(kind, _BLIND, int((~sees).sum())))
        usable, share = usable[sees], share[sees]
        rows = spread(usable, share, separation, most, [np.array(one.place) for one in found])
        dropped.append(Dropped(kind, f"nearer than {separation:g} m to one that sees more, or beyond the best {most}",
                               len(usable) - len(rows)))  # fmt: skip
        width = len(str(max(len(rows) - 1, 0)))
        found += [
            Candidate(f"{kind}-{number:0{width}d}", kind, tuple(usable[row].tolist()), mast)
            for number, row in enumerate(rows)
        ]
    dropped = [one for one in dropped if one.count]
    if len(found) == len(kept):
        told = "; ".join(f"{one.count} of {one.kind}: {one.why}" for one in dropped) or "the site has no such place"
        raise ScenarioError(f"no candidate is left: {told}", key="candidates")
    _check(found)
    return found, dropped


def _usable(world: World, kind: str, places: F64, targets: F64, spec: SitingSpec) -> tuple[F64, list[Dropped]]:
    """Return places that are near the mission and inside of nothing."""
    far = np.array([np.linalg.norm(targets - place, axis=1).min() > spec.candidates.reach for place in places], bool)
    inside: Bool = np.array([thing is not None for thing in world.inside(places)], dtype=bool)
    left = [Dropped(kind, _FAR, int(far.sum())), Dropped(kind, _INSIDE, int((inside & ~far).sum()))]
    return places[~far & ~inside], left


def _check(found: Sequence[Candidate]) -> None:
    """Refuse two candidates of one name or at one place."""
    names: dict[str, Candidate] = {}
    places: dict[tuple[float, ...], str] = {}
    for one in found:
        if one.name in names:
            raise ScenarioError(f"two candidates are called {one.name!r}", key="candidates")
        names[one.name] = one
        other = places.setdefault(one.place, one.name)
        if other != one.name:
            at = ", ".join(f"{x:g}" for x in one.place)
            raise ScenarioError(f"{one.name} and {other} are both at ({at}) m", key="candidates")
