"""Flat ground."""

import numpy as np

from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry
from twin.world.ground import add_ground


def flat(side: float = 1000.0) -> Geometry:
    """Return a square of ground at z = 0 round the origin."""
    builder = GeometryBuilder()
    add_ground(builder, None, np.full(2, -side / 2), np.full(2, side / 2), 0.0, "ground")
    return builder.build()
