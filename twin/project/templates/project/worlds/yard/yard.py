"""The buildings of the yard, in metres: x to the east, y to the north, z up, ground at z = 0."""

import math

from shapely import Point, box

from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry

# West, south, east and north edge, height, and a material of ITU-R P.2040: radio waves pass or bounce by it.
HALLS = [
    (-70.0, 15.0, -20.0, 45.0, 12.0, "metal"),
    (10.0, 20.0, 60.0, 40.0, 9.0, "brick"),
    (-15.0, -55.0, 35.0, -25.0, 15.0, "concrete"),
]


def yard(side: float) -> Geometry:
    """Return the halls and a chimney on a square of ground of `side` metres."""
    builder = GeometryBuilder()
    half = side / 2
    builder.add_surface(box(-half, -half, half, half), 0.0, "medium_dry_ground")
    for i, (west, south, east, north, height, material) in enumerate(HALLS):
        hall = builder.add_object(f"hall_{i}")
        builder.add_box((west, south, 0.0), (east, north, height), material, hall, floor=False)
    chimney = Point(70.0, -40.0).buffer(2.0 / math.cos(math.pi / 8), quad_segs=2)
    builder.add_storeys([chimney], [0.0, 35.0], "brick", "brick", builder.add_object("chimney"))
    return builder.build()
