"""A harbour of our own making, the same for the same seed; z = 0 is mean sea level, east is the open sea.

The quay's edge is the plane x = 0; yard and sheds lie west of it, 3 m above the water. The basin is 180 m wide and
closed by a breakwater with an entrance between y = 60 and y = 160. The sea floor falls from 12 m to 20 m.
"""

from __future__ import annotations

from random import Random

import numpy as np
import shapely

from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry

WEST, EAST, SOUTH, NORTH = -200.0, 700.0, -350.0, 350.0
QUAY = 3.0
BASIN, DEPTH, OUTER_DEPTH = 180.0, -12.0, -20.0
SEA = "sea_water"
BREAKWATERS = ((-350.0, 60.0), (160.0, 350.0))
CRANES = (-180.0, -60.0, 60.0, 180.0)
SHIPS = ((-120.0, 150.0, 24.0), (120.0, 110.0, 18.0))
"""Middle y, length and beam of the ships along the quay."""
CONTAINER = (12.2, 2.44, 2.6)


def generate(seed: int) -> Geometry:
    """Return the harbour."""
    random = Random(seed)
    builder = GeometryBuilder()
    _add_land_and_sea(builder)
    for i, (south, north) in enumerate(BREAKWATERS):
        _add_breakwater(builder, f"breakwater_{i}", south, north)
    _add_light(builder)
    for i, y in enumerate(CRANES):
        _add_crane(builder, f"crane_{i}", y)
    for i, (y, length, beam) in enumerate(SHIPS):
        _add_ship(builder, f"ship_{i}", y, length, beam, random)
    _add_yard(builder, random)
    return builder.build()


def _add_land_and_sea(builder: GeometryBuilder) -> None:
    builder.add_surface(shapely.box(WEST, SOUTH, 0.0, NORTH), QUAY, "concrete")
    builder.add_surface(shapely.box(0.0, SOUTH, EAST, NORTH), 0.0, SEA)
    face = np.array([[0.0, SOUTH, DEPTH], [0.0, NORTH, DEPTH], [0.0, NORTH, QUAY], [0.0, SOUTH, QUAY]])
    builder.add_polygon([face], "concrete")
    builder.add_surface(shapely.box(0.0, SOUTH, BASIN, NORTH), DEPTH, "wet_ground")
    slope = np.array(
        [[BASIN, SOUTH, DEPTH], [EAST, SOUTH, OUTER_DEPTH], [EAST, NORTH, OUTER_DEPTH], [BASIN, NORTH, DEPTH]]
    )
    builder.add_polygon([slope], "wet_ground")


def _add_breakwater(builder: GeometryBuilder, name: str, south: float, north: float) -> None:
    """Add a bank with sloping sides, 30 m wide at the bottom and 6 m at its top, 5 m above the water."""
    owner = builder.add_object(name)
    profile = np.array([[-15.0, DEPTH], [15.0, DEPTH], [3.0, 5.0], [-3.0, 5.0]])
    ring = np.column_stack([BASIN + 15.0 + profile[:, 0], np.full(4, north), profile[:, 1]])
    builder.add_prism([ring], np.array([0.0, south - north, 0.0]), "concrete", "concrete", owner)


def _add_light(builder: GeometryBuilder) -> None:
    """Add the light on the head of the southern breakwater."""
    foot = shapely.Point(BASIN + 15.0, 56.0).buffer(2.5, quad_segs=2)
    tower = shapely.affinity.scale(foot, 0.6, 0.6)
    builder.add_storeys([foot, tower], [5.0, 8.0, 18.0], "concrete", "concrete", builder.add_object("light"))


def _add_crane(builder: GeometryBuilder, name: str, y: float) -> None:
    """Add a ship-to-shore crane: four legs, a portal, a boom over the water, a mast and a cabin."""
    owner = builder.add_object(name)
    for x in (-22.0, -4.0):
        for side in (-9.0, 9.0):
            builder.add_box((x - 0.75, y + side - 0.75, QUAY), (x + 0.75, y + side + 0.75, 34.0), "metal", owner)
        builder.add_box((x - 0.75, y - 8.25, 30.0), (x + 0.75, y + 8.25, 32.0), "metal", owner)
    builder.add_box((-40.0, y - 3.0, 34.0), (38.0, y + 3.0, 36.5), "metal", owner)
    builder.add_box((-5.0, y - 0.8, 36.5), (-3.4, y + 0.8, 56.0), "metal", owner)
    builder.add_box((6.0, y + 3.0, 31.0), (9.0, y + 6.0, 34.0), "glass", owner)


def _add_ship(builder: GeometryBuilder, name: str, y: float, length: float, beam: float, random: Random) -> None:
    """Add a moored ship, its bow to the north, 2 m off the quay: hull, house and containers."""
    west, half = 2.0, length / 2
    hull = shapely.Polygon([
        (west, y - half), (west + beam, y - half), (west + beam, y + half - beam),
        (west + beam / 2, y + half), (west, y + half - beam),
    ])  # fmt: skip
    owner = builder.add_object(name)
    builder.add_storeys([hull], [-7.0, 8.0], "metal", "metal", owner, floor=True)
    house = shapely.box(west + 3.0, y - half + 6.0, west + beam - 3.0, y - half + 18.0)
    builder.add_storeys([house], [8.0, 24.0], "metal", "metal", builder.add_object(f"{name}_house"))
    _add_stacks(builder, f"{name}_stack", west + 2.0, y - half + 22.0, beam - 4.0, length - beam - 30.0, 8.0, random)


def _add_yard(builder: GeometryBuilder, random: Random) -> None:
    for i, y in enumerate((-240.0, -120.0, 0.0, 120.0, 240.0)):
        _add_stacks(builder, f"yard_{i}", -105.0, y - 40.0, 60.0, 80.0, QUAY, random)
    for i, y in enumerate((-220.0, 0.0, 220.0)):
        shed = shapely.box(-190.0, y - 45.0, -140.0, y + 45.0)
        builder.add_storeys([shed], [QUAY, 13.0], "metal", "metal", builder.add_object(f"shed_{i}"))
    office = shapely.box(-60.0, 300.0, -30.0, 320.0)
    builder.add_storeys([office], [QUAY, 27.0], "glass", "glass", builder.add_object("control_tower"))


def _add_stacks(
    builder: GeometryBuilder,
    name: str,
    west: float,
    south: float,
    width: float,
    length: float,
    z: float,
    random: Random,
) -> None:
    """Fill a rectangle with stacks of containers, aisles of 2 m between blocks of two."""
    long, wide, high = CONTAINER
    rows, columns = int(width // (2 * wide + 2.0)), int(length // (long + 2.0))
    for row in range(rows):
        for column in range(columns):
            x, y = west + row * (2 * wide + 2.0), south + column * (long + 2.0)
            count = random.randint(0, 4)
            if count:
                owner = builder.add_object(f"{name}_{row}_{column}")
                block = shapely.box(x, y, x + 2 * wide, y + long)
                builder.add_storeys([block], [z, z + count * high], "metal", "metal", owner)
