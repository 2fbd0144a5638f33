"""Places where a base station may stand: from roofs, streets and grids, from a list, and those that stand already."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, pi
from pathlib import Path

import numpy as np

from twin.channel.coverage import ground_below
from twin.errors import ScenarioError, brief, choice
from twin.siting.spec import POLE, ROOF, CandidatesSpec, GridSpec, RoofsSpec, StreetsSpec
from twin.state import F64
from twin.world.bvh import closest_hits, heights_below
from twin.world.geometry import GROUND, Geometry
from twin.world.world import World

_SKY = 50.0
"""m above everything, from where roofs are looked for."""
_UP = 0.7
"""Least z of the normal of a face on which a mast stands."""
_FLUSH = 0.3
"""m that may lie on a roof."""
_COLUMNS = ("name", "x", "y", "z", "kind")
_DIRECTIONS = 16
_BREAST = 2.0
"""m above the ground, where walls beside a pole are looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place for a base station."""

    name: str
    kind: str
    place: tuple[float, float, float]  # m, of the antenna
    mast: float = 0.0  # m
    cost: float | None = None  # to build it, where its list says so


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many places of one source a filter has left out."""

    kind: str
    why: str
    count: int


def roofs(world: World, spec: RoofsSpec) -> tuple[F64, list[Dropped]]:
    """Return the tops of masts (n, 3) m at the corners, inset, and in the middle of roofs that see the sky."""
    points = [
        np.vstack([_inset(corners, spec.inset), corners.mean(axis=0)]) for corners in _flat_faces(world.geometry)
    ]
    places = np.concatenate([np.zeros((0, 3)), *points])
    if not len(places):
        return places, []
    top = world.height_below(_from_above(world.geometry, places))
    covered = ~(np.abs(top - places[:, 2]) < _FLUSH)
    low = places[:, 2] - ground_below(world.geometry, places) < spec.least_height
    dropped = [
        Dropped(ROOF, "something is above", int(covered.sum())),
        Dropped(ROOF, f"lower than {spec.least_height:g} m", int((low & ~covered).sum())),
    ]
    return places[~(covered | low)] + [0.0, 0.0, spec.mast], dropped


def _flat_faces(geometry: Geometry) -> list[F64]:
    """Return the corners (n, 3) m of each face of a thing that looks upwards."""
    wanted = (geometry.face_normal[:, 2] > _UP) & (geometry.face_object != GROUND)
    order = np.argsort(geometry.triangle_face, kind="stable")
    ends = np.searchsorted(geometry.triangle_face[order], np.arange(len(wanted) + 1))
    faces = [geometry.triangles[order[ends[face] : ends[face + 1]]] for face in np.flatnonzero(wanted)]
    return [geometry.vertices[np.unique(triangles)] for triangles in faces if len(triangles)]


def _inset(corners: F64, inset: float) -> F64:
    """Return corners moved towards their middle by the diagonal of `inset`, at most into it."""
    inwards = corners.mean(axis=0) - corners
    distance = np.linalg.norm(inwards[:, :2], axis=1, keepdims=True)
    return np.asarray(corners + inwards * np.minimum(1.0, np.sqrt(2.0) * inset / np.maximum(distance, 1e-9)))


def _from_above(geometry: Geometry, places: F64) -> F64:
    return np.column_stack([places[:, :2], np.full(len(places), geometry.bounds()[1][2] + _SKY)])


def streets(world: World, spec: StreetsSpec) -> tuple[F64, list[Dropped]]:
    """Return the tops of poles (n, 3) m on open ground with a wall beside them."""
    low, high = world.geometry.bounds()
    places = _grid(low, high, spec.grid)
    ground = ground_below(world.geometry, places)
    above = _from_above(world.geometry, places)
    top = heights_below(world.solid_bvh, above)
    wet = ~(np.abs(world.height_below(above) - top) < 1e-9)
    covered = ~(np.abs(top - ground) < 0.05)
    nearest = _nearest_wall(world, np.column_stack([places[:, :2], ground + _BREAST]))
    beside = (nearest >= spec.wall[0]) & (nearest <= spec.wall[1])
    dropped = [
        Dropped(POLE, "on a thing or on water", int((covered | wet).sum())),
        Dropped(POLE, f"no wall within {spec.wall[0]:g} to {spec.wall[1]:g} m", int((~beside & ~covered & ~wet).sum())),
    ]
    kept = beside & ~covered & ~wet
    return np.column_stack([places[:, :2], ground + spec.pole])[kept], dropped


def _grid(low: F64, high: F64, step: float) -> F64:
    x, y = np.meshgrid(np.arange(low[0] + step / 4, high[0], step), np.arange(low[1] + step / 4, high[1], step))
    return np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])


def _nearest_wall(world: World, points: F64) -> F64:
    nearest = np.full(len(points), inf)
    for angle in 2.0 * pi / _DIRECTIONS * np.arange(_DIRECTIONS):
        ways = np.tile([np.cos(angle), np.sin(angle), 0.0], (len(points), 1))
        _, distance = closest_hits(world.solid_bvh, np.ascontiguousarray(points), ways, 0.0, 1e3)
        nearest = np.minimum(nearest, distance)
    return nearest


def grid(world: World, kind: str, spec: GridSpec) -> tuple[F64, list[Dropped]]:
    """Return the points (n, 3) m of a grid that are inside of nothing."""
    low, high = world.geometry.bounds()
    if spec.area is not None:
        low, high = np.array([*spec.area[:2], 0.0]), np.array([*spec.area[2:], 0.0])
    places = _grid(low, high, spec.step)
    places[:, 2] = ground_below(world.geometry, places) + spec.height
    free = np.array([thing is None for thing in world.inside(places)], dtype=bool)
    return places[free], [Dropped(kind, "inside of something", int((~free).sum()))]


def from_file(world: World, file: Path, kinds: Sequence[str]) -> list[Candidate]:
    """Read candidates from a CSV: name, x, y, z [m, above the ground], kind and, if wanted, cost.

    Other columns, as those of `twin channel map --sites`, may be there.

    Raises:
        ScenarioError: not readable, a column is missing, a cell is wrong, or a place is inside of something.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"candidates can't be read: {error}", file=file) from error
    if not rows:
        raise ScenarioError("holds no candidate", file=file)
    if missing := [name for name in _COLUMNS if name not in rows[0]]:
        raise ScenarioError(f"lacks the columns {', '.join(missing)}; needed: {', '.join(_COLUMNS)}", file=file)
    found = [_row(file, line, row, kinds) for line, row in enumerate(rows, start=2)]
    places = np.array([one.place for one in found])
    heights = places[:, 2].copy()
    places[:, 2] += ground_below(world.geometry, places)
    for line, (one, thing) in enumerate(zip(found, world.inside(places), strict=True), start=2):
        if thing is not None:
            raise ScenarioError(f"line {line}: {one.name} is inside of {thing}", file=file)
    named = zip(found, places.tolist(), heights.tolist(), strict=True)
    return [Candidate(one.name, one.kind, tuple(place), height, one.cost) for one, place, height in named]


def _row(file: Path, line: int, row: dict[str, str], kinds: Sequence[str]) -> Candidate:
    numbers = {name: _number(file, line, name, row[name]) for name in ("x", "y", "z")}
    kind, name = (row["kind"] or "").strip(), (row["name"] or "").strip()
    if kind not in kinds:
        raise ScenarioError(f"line {line}, kind: found {brief(kind)}{choice(kind, kinds)}", file=file)
    if not name:
        raise ScenarioError(f"line {line}, name: found nothing", file=file)
    stated = (row.get("cost") or "").strip()
    cost = _number(file, line, "cost", stated) if stated else None
    if cost is not None and cost < 0.0:
        raise ScenarioError(f"line {line}, cost: found {cost:g}; allowed: at least 0", file=file)
    return Candidate(name, kind, (numbers["x"], numbers["y"], numbers["z"]), 0.0, cost)


def _number(file: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = inf
    if not np.isfinite(value):
        raise ScenarioError(f"line {line}, {name}: found {brief(text)}; allowed: a finite number", file=file)
    return value


def found_places(world: World, spec: CandidatesSpec) -> tuple[list[tuple[str, F64, float, float, int]], list[Dropped]]:
    """Return of each source its kind, places (n, 3) m, height of mast [m], separation [m] and how many are wanted."""
    sources, dropped = [], list[Dropped]()
    if spec.roofs is not None:
        places, left = roofs(world, spec.roofs)
        sources.append((ROOF, places, spec.roofs.mast, spec.roofs.separation, spec.roofs.most))
        dropped += left
    if spec.streets is not None:
        places, left = streets(world, spec.streets)
        sources.append((POLE, places, spec.streets.pole, spec.streets.separation, spec.streets.most))
        dropped += left
    for kind, one in spec.grids.items():
        places, left = grid(world, kind, one)
        sources.append((kind, places, max(one.height, 0.0), one.separation, one.most))
        dropped += left
    return sources, dropped
