"""A district of our own making, the same for the same seed: streets, courtyards, towers, a park, a river.

All land lies in the tangent plane of the origin, z = 0; at 540 m, its end, the level surface is 2.3 cm lower.
Within 130 m of the origin only the park's tower and the two houses that carry base stations are above 24 m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import shapely
from shapely import Polygon
from shapely.affinity import rotate, scale

from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry

BLOCK = 36.0
"""Half the side of a block in metres; streets between blocks are 14 m wide."""
COLUMNS = (-301.0, -215.0, -129.0, -43.0, 43.0, 129.0, 215.0, 387.0)
ROWS = (-258.0, -172.0, -86.0, 0.0, 86.0, 172.0, 258.0)
DISTRICT = shapely.box(-360.0, -310.0, 440.0, 310.0)
PARK = shapely.box(-79.0, -36.0, 79.0, 36.0)
WATER, BED = -2.5, -5.0
BRIDGES = (-43.0, 129.0)
STOREY = 3.2
CENTRE = 130.0

SITES = ((-100.0, 0.0), (100.0, 0.0))
"""Houses of 36 m whose roofs carry the base stations."""


@dataclass(frozen=True, slots=True)
class Building:
    """Prisms stacked on the ground; `storeys` counts from the ground to the top of each."""

    outlines: tuple[Polygon, ...]
    storeys: tuple[int, ...]
    wall: str

    @property
    def tops(self) -> list[float]:
        """Heights in metres."""
        return [count * STOREY for count in self.storeys]


def generate(seed: int) -> Geometry:
    """Return the district."""
    random = Random(seed)
    builder = GeometryBuilder()
    blocks = [_box(x, y, 2 * BLOCK, 2 * BLOCK) for x in COLUMNS for y in ROWS]
    blocks = [block for block in blocks if not block.intersects(PARK)]
    _add_land(builder, blocks)
    _add_river(builder)
    buildings = [*_landmarks(), *(building for block in blocks for building in _develop(block, random))]
    for i, building in enumerate(buildings):
        owner = builder.add_object(f"building_{i}")
        builder.add_storeys(building.outlines, [0.0, *building.tops], building.wall, "concrete", owner)
    return builder.build()


def _add_land(builder: GeometryBuilder, blocks: Sequence[Polygon]) -> None:
    streets = DISTRICT.difference(shapely.union_all([_river(), PARK, *blocks]))
    for street in getattr(streets, "geoms", [streets]):
        builder.add_surface(street, 0.0, "concrete")
    for block in blocks:
        builder.add_surface(block, 0.0, "medium_dry_ground")
    builder.add_surface(PARK, 0.0, "wet_ground")


def _add_river(builder: GeometryBuilder) -> None:
    """Add water below street level over a bed, quay walls and bridges whose decks lie on both banks."""
    builder.add_surface(_river(), WATER, "fresh_water")
    builder.add_surface(_river(), BED, "wet_ground")
    west, east = _bank(-1.0), _bank(1.0)
    for start, end in [*zip(west[1:], west, strict=False), *zip(east, east[1:], strict=False)]:
        quay = np.array([[*start, BED], [*end, BED], [*end, 0.0], [*start, 0.0]])
        builder.add_polygon([quay], "concrete")
    for i, y in enumerate(BRIDGES):
        builder.add_box((250.0, y - 5.0, -0.8), (350.0, y + 5.0, 0.4), "concrete", builder.add_object(f"bridge_{i}"))


def _river() -> Polygon:
    return Polygon([*_bank(-1.0), *reversed(_bank(1.0))])


def _bank(side: float) -> list[tuple[float, float]]:
    _, south, _, north = DISTRICT.bounds
    return [(301.0 + 10.0 * math.sin(y / 80.0) + side * 30.0, float(y)) for y in np.linspace(south, north, 13)]


def _landmarks() -> Iterator[Building]:
    octagon = shapely.Point(0.0, 0.0).buffer(7.0, quad_segs=2)
    yield Building((octagon, scale(octagon, 0.6, 0.6)), (13, 15), "glass")
    yield Building((_box(-45.0, 12.0, 14.0, 8.0, turn=20.0),), (1,), "wood")
    yield Building((_box(48.0, -14.0, 18.0, 7.0, turn=-30.0),), (1,), "glass")


def _develop(block: Polygon, random: Random) -> Iterator[Building]:
    """Fill one block by a pattern that suits its place."""
    x, y = block.centroid.coords[0]
    site = next(((sx, sy) for sx, sy in SITES if block.contains(shapely.Point(sx, sy))), None)
    if site is not None:
        yield from _with_site(x, y, site, random)
        return
    from_centre = max(abs(x), abs(y))
    if from_centre < CENTRE:
        patterns, highest = CENTRAL, 7
    elif x > 350.0:
        patterns, highest = EASTERN, 5
    else:
        patterns, highest = OUTER, 11
    pattern = random.choice(patterns)
    for building in pattern(random, highest):
        moved = tuple(shapely.affinity.translate(outline, x, y) for outline in building.outlines)
        yield Building(moved, building.storeys, building.wall)


def _with_site(x: float, y: float, site: tuple[float, float], random: Random) -> Iterator[Building]:
    """A house for a base station at the block's inner edge, and two slabs behind it."""
    yield Building((_box(*site, 14.0, 22.0),), (11,), "concrete")
    outwards = math.copysign(1.0, x)
    for offset in (-20.0, 20.0):
        yield Building((_box(x + outwards * 16.0, y + offset, 34.0, 13.0),), (random.randint(4, 6),), "brick")


def _courtyard(random: Random, highest: int) -> Iterator[Building]:
    outer = _box(0.0, 0.0, random.uniform(62.0, 68.0), random.uniform(60.0, 68.0))
    yield Building((outer.difference(outer.buffer(-12.0, join_style="mitre")),), (random.randint(4, highest),), "brick")
    yield Building((_box(0.0, random.uniform(-6.0, 6.0), 14.0, 10.0),), (2,), "brick")


def _two_angles(random: Random, highest: int) -> Iterator[Building]:
    for turn in (0.0, 180.0):
        angle = (
            _box(0.0, 0.0, 60.0, 60.0).difference(_box(7.0, 7.0, 60.0, 60.0)).difference(_box(30.0, -25.0, 30.0, 20.0))
        )
        angle = shapely.affinity.translate(angle, 1.0, 1.0)
        yield Building((rotate(angle, turn, origin=(0.0, 0.0)),), (random.randint(3, highest),), random.choice(WALLS))
    yield Building((_box(0.0, 0.0, 12.0, 12.0, turn=45.0),), (2,), "glass")


def _horseshoe(random: Random, highest: int) -> Iterator[Building]:
    turn = random.choice((0.0, 90.0, 180.0, 270.0))
    shoe = _box(0.0, 0.0, 60.0, 58.0).difference(_box(0.0, 10.0, 34.0, 58.0))
    yield Building((rotate(shoe, turn, origin=(0.0, 0.0)),), (random.randint(4, highest),), random.choice(WALLS))
    yield Building((rotate(_box(0.0, 14.0, 16.0, 22.0), turn, origin=(0.0, 0.0)),), (random.randint(2, 4),), "concrete")


def _slabs(random: Random, highest: int) -> Iterator[Building]:
    turn = random.choice((0.0, 90.0))
    for offset in (-24.0, 0.0, 24.0):
        slab = _box(random.uniform(-4.0, 4.0), offset, random.uniform(48.0, 60.0), 12.0)
        yield Building((rotate(slab, turn, origin=(0.0, 0.0)),), (random.randint(4, highest),), random.choice(WALLS))


def _houses(random: Random, highest: int) -> Iterator[Building]:
    for x in (-23.0, 0.0, 23.0):
        for y in (-18.0, 18.0):
            house = _box(x, y, random.uniform(9.0, 15.0), random.uniform(10.0, 18.0), turn=random.uniform(-12.0, 12.0))
            yield Building((house,), (random.randint(2, 3),), random.choice(("brick", "wood")))


def _tower(random: Random, highest: int) -> Iterator[Building]:
    """A tower that steps back twice above a base, and a low hall beside it."""
    base = _box(-10.0, 0.0, 40.0, 56.0)
    shaft = _box(-12.0, 4.0, 24.0, 26.0, turn=random.uniform(0.0, 45.0))
    storeys = random.randint(14, 24)
    yield Building((base, shaft, scale(shaft, 0.7, 0.7)), (random.randint(3, 4), storeys, storeys + 4), "glass")
    yield Building((_box(24.0, random.uniform(-10.0, 10.0), 16.0, 36.0),), (2,), "concrete")


def _hall(random: Random, highest: int) -> Iterator[Building]:
    yield Building((_box(0.0, -14.0, 62.0, 34.0),), (random.randint(3, 4),), "metal")
    notched = Polygon([(-30.0, 12.0), (30.0, 12.0), (30.0, 24.0), (12.0, 32.0), (-30.0, 32.0)])
    yield Building((notched,), (random.randint(2, 3),), "concrete")


def _box(x: float, y: float, width: float, depth: float, *, turn: float = 0.0) -> Polygon:
    """Return a rectangle about its middle [m], turned by `turn` degrees."""
    box = shapely.box(x - width / 2, y - depth / 2, x + width / 2, y + depth / 2)
    return rotate(box, turn) if turn else box


Pattern = Callable[[Random, int], Iterator[Building]]
WALLS = ("brick", "concrete", "concrete", "glass")
CENTRAL: Sequence[Pattern] = (_courtyard, _two_angles, _horseshoe, _slabs)
OUTER: Sequence[Pattern] = (_courtyard, _two_angles, _horseshoe, _slabs, _houses, _tower, _tower, _hall)
EASTERN: Sequence[Pattern] = (_houses, _slabs, _hall, _horseshoe)
