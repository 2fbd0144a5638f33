"""A factory hall of our own making, 80 x 40 x 10 m, the same for the same seed.

Clutter of 1 to 6 m, much of it metal, covers 39 % of the floor: close to the 40 % from which 3GPP TR 38.901 (table
7.2-4) calls an indoor factory dense. The aisles stay free: |y| < 2.5 m all along the hall, and -13 < x < -10 and
14 < x < 17 across.
"""

from __future__ import annotations

from random import Random

import numpy as np
import shapely

from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry

LENGTH, WIDTH, HEIGHT = 80.0, 40.0, 10.0
WALL, ROOF, PLINTH = 0.3, 0.3, 3.0
APRON = 12.0
"""Metres of yard around the hall."""
GATE_WIDTH, GATE_HEIGHT = 5.0, 5.0
GATES = (-11.5, 15.5)
"""x of the gates in the south wall, at the ends of the cross aisles."""

RACK_ROWS = (5.4, 9.8, 14.2, 18.6)
RACK_WEST, RACK_BAYS, BAY = -37.0, 8, 2.7
RACK_DEPTH, RACK_LEVELS = 2.6, (0.15, 1.65, 3.15, 4.65)
CELLS = ((22.0, 8.0), (22.0, 15.0), (22.0, -8.0), (22.0, -15.0))
"""Middle of each robot cell: an arm stands there on the floor."""
CONVEYOR = (29.0, -12.0)
OFFICE = (29.0, 11.0, 39.0, 19.0)

STOCK = ((36.4, -19.0, 39.2, -3.5), (25.6, 3.5, 28.0, 19.0), (18.0, -4.6, 28.0, -3.4))
"""Floor areas with stacked pallets: west, south, east, north."""


def generate(seed: int) -> Geometry:
    """Return the hall with all that stands in it."""
    random = Random(seed)
    builder = GeometryBuilder()
    _add_ground(builder)
    _add_shell(builder)
    for row in RACK_ROWS:
        for side in (1.0, -1.0):
            _add_rack(builder, side * row, random)
    _add_machines(builder, random)
    for i, (x, y) in enumerate(CELLS):
        _add_cell(builder, f"cell_{i}", x, y)
    _add_conveyor(builder, *CONVEYOR)
    _add_office(builder)
    for i, (west, south, east, north) in enumerate(STOCK):
        _add_stock(builder, f"stock_{i}", (west, south, east, north), random)
    return builder.build()


def _add_ground(builder: GeometryBuilder) -> None:
    hall = shapely.box(-LENGTH / 2, -WIDTH / 2, LENGTH / 2, WIDTH / 2)
    yard = hall.buffer(APRON, join_style="mitre").difference(hall)
    builder.add_surface(hall, 0.0, "concrete")
    builder.add_surface(yard, 0.0, "medium_dry_ground")


def _add_shell(builder: GeometryBuilder) -> None:
    """Add walls (concrete below, metal above, a band of glass to the north), gates left open, roof and columns."""
    x, y, top = LENGTH / 2, WIDTH / 2, HEIGHT
    shell = builder.add_object("shell")
    for west, east in ((-x - WALL, -x), (x, x + WALL)):
        builder.add_box((west, -y, 0), (east, y, PLINTH), "concrete", shell, floor=False)
        builder.add_box((west, -y, PLINTH), (east, y, top), "metal", shell)
    for low, high, material in ((0, PLINTH, "concrete"), (PLINTH, 6, "metal"), (6, 8, "glass"), (8, top, "metal")):
        builder.add_box((-x - WALL, y, low), (x + WALL, y + WALL, high), material, shell, floor=low > 0)
    gaps = [(gate - GATE_WIDTH / 2, gate + GATE_WIDTH / 2) for gate in GATES]
    posts = [-x - WALL, *(edge for gap in gaps for edge in gap), x + WALL]
    for west, east in zip(posts[::2], posts[1::2], strict=True):
        builder.add_box((west, -y - WALL, 0), (east, -y, GATE_HEIGHT), "concrete", shell, floor=False)
    builder.add_box((-x - WALL, -y - WALL, GATE_HEIGHT), (x + WALL, -y, top), "metal", shell)
    builder.add_box((-x - WALL, -y - WALL, top), (x + WALL, y + WALL, top + ROOF), "metal", shell)
    for i, column in enumerate(np.arange(-30.0, 31.0, 10.0)):
        for side in (-3.2, 3.2):
            owner = builder.add_object(f"column_{i}_{'south' if side < 0 else 'north'}")
            builder.add_box((column - 0.2, side - 0.2, 0), (column + 0.2, side + 0.2, top), "metal", owner, floor=False)
    crane = builder.add_object("crane_girder")
    builder.add_box((9.7, -y, 8.0), (10.3, y, 8.8), "metal", crane)


def _add_rack(builder: GeometryBuilder, y: float, random: Random) -> None:
    """Add uprights, shelves and, on three places of four, a load."""
    rack = builder.add_object(f"rack_{y:+.1f}")
    south, north = y - RACK_DEPTH / 2, y + RACK_DEPTH / 2
    for bay in range(RACK_BAYS + 1):
        x = RACK_WEST + bay * BAY
        builder.add_box((x, south, 0), (x + 0.1, north, 6.0), "metal", rack, floor=False)
    for level in RACK_LEVELS:
        for bay in range(RACK_BAYS):
            west = RACK_WEST + bay * BAY + 0.1
            builder.add_box((west, south, level - 0.1), (west + BAY - 0.1, north, level), "metal", rack)
            for place in (0.1, 1.35):
                if random.random() < 0.75:
                    top = level + random.uniform(0.6, 1.2)
                    low = (west + place, south + 0.05, level)
                    builder.add_box(low, (west + place + 1.1, north - 0.05, top), "wood", rack, floor=False)


def _add_machines(builder: GeometryBuilder, random: Random) -> None:
    for i, x in enumerate((-7.4, -2.7, 2.0, 6.7, 11.4)):
        for j, y in enumerate((6.2, 11.0, 15.8)):
            for side in (1.0, -1.0):
                length, depth = random.uniform(3.8, 4.3), random.uniform(3.6, 4.2)
                body = shapely.box(x - length / 2, side * y - depth / 2, x + length / 2, side * y + depth / 2)
                head = shapely.affinity.scale(body, random.uniform(0.4, 0.8), random.uniform(0.4, 0.8))
                low = random.uniform(1.2, 1.8)
                owner = builder.add_object(f"machine_{i}_{j}_{'north' if side > 0 else 'south'}")
                levels = [0.0, low, low + random.uniform(0.8, 1.6)]
                builder.add_storeys([body, head], levels, "metal", "metal", owner)


def _add_cell(builder: GeometryBuilder, name: str, x: float, y: float) -> None:
    """Add a fence of 5 x 5 m with a door to the west, and a table; the middle stays free for an arm."""
    owner = builder.add_object(name)
    for low, high in (
        ((x - 2.5, y - 2.5), (x + 2.5, y - 2.45)),
        ((x - 2.5, y + 2.45), (x + 2.5, y + 2.5)),
        ((x + 2.45, y - 2.45), (x + 2.5, y + 2.45)),
        ((x - 2.5, y - 2.45), (x - 2.45, y - 0.6)),
        ((x - 2.5, y + 0.6), (x - 2.45, y + 2.45)),
    ):
        builder.add_box((*low, 0.0), (*high, 2.0), "metal", owner, floor=False)
    builder.add_box((x + 0.7, y - 0.6, 0.0), (x + 1.5, y + 0.6, 0.8), "wood", owner, floor=False)


def _add_conveyor(builder: GeometryBuilder, x: float, y: float) -> None:
    """Add a belt of 14 m from south to north on six legs, boxes at its south end, and a pedestal for an arm."""
    owner = builder.add_object("conveyor")
    builder.add_box((x - 0.5, y - 7.0, 0.7), (x + 0.5, y + 7.0, 0.9), "metal", owner)
    for leg in np.linspace(y - 6.5, y + 6.5, 6):
        builder.add_box((x - 0.4, leg - 0.1, 0.0), (x + 0.4, leg + 0.1, 0.7), "metal", owner, floor=False)
    pedestal = builder.add_object("pedestal")
    builder.add_box((x - 1.15, y + 3.8, 0.0), (x - 0.75, y + 4.2, 0.7), "metal", pedestal, floor=False)
    for i, place in enumerate((y - 6.0, y - 4.6)):
        parcel = builder.add_object(f"parcel_{i}")
        builder.add_box((x - 0.3, place - 0.3, 0.9), (x + 0.3, place + 0.3, 1.4), "chipboard", parcel, floor=False)
    for i in range(4):
        press = builder.add_object(f"press_{i}")
        south = y - 7.5 + 3.6 * i
        builder.add_box((x + 2.5, south, 0.0), (x + 6.5, south + 3.0, 3.5), "metal", press, floor=False)


def _add_stock(builder: GeometryBuilder, name: str, area: tuple[float, float, float, float], random: Random) -> None:
    """Fill an area with stacks of pallets of about 1.2 m."""
    west, south, east, north = area
    columns, rows = round((east - west) / 1.2 - 0.3), round((north - south) / 1.2 - 0.3)
    for i in range(columns):
        for j in range(rows):
            x, y = west + 1.2 * i, south + 1.2 * j
            owner = builder.add_object(f"{name}_{i}_{j}")
            high = random.choice((0.9, 1.4, 2.2))
            builder.add_box((x, y, 0.0), (x + 1.15, y + 1.15, high), "wood", owner, floor=False)


def _add_office(builder: GeometryBuilder) -> None:
    """Add a room of glass with a light ceiling, open on its west side for a door of 1 m."""
    west, south, east, north = OFFICE
    owner = builder.add_object("office")
    t, top = 0.02, 3.0
    builder.add_box((west, south, 0), (east, south + t, top), "glass", owner, floor=False)
    builder.add_box((west, north - t, 0), (east, north, top), "glass", owner, floor=False)
    builder.add_box((east - t, south + t, 0), (east, north - t, top), "glass", owner, floor=False)
    builder.add_box((west, south + t + 1.0, 0), (west + t, north - t, top), "glass", owner, floor=False)
    builder.add_box((west, south, top), (east, north, top + 0.1), "ceiling_board", owner)
    for i, x in enumerate((31.0, 34.0, 37.0)):
        desk = builder.add_object(f"desk_{i}")
        builder.add_box((x - 0.8, 16.0, 0), (x + 0.8, 16.8, 0.75), "wood", desk, floor=False)
