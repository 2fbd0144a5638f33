"""A site of two houses and a wall, and a mission past it, small enough for a trace in a test."""

import numpy as np
import pytest

from twin.siting.mission import Mission
from twin.siting.spec import SitingSpec
from twin.specs import RadioSpec
from twin.world.builder import GeometryBuilder
from twin.world.world import World

HOUSES = {"east": ((20.0, -10.0, 0.0), (40.0, 10.0, 12.0)), "west": ((-40.0, -10.0, 0.0), (-20.0, 10.0, 20.0))}


@pytest.fixture(scope="session")
def town():
    builder = GeometryBuilder()
    corners = [[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]]
    builder.add_polygon([np.array(corners, dtype=float)], "concrete")
    for name, (low, high) in HOUSES.items():
        builder.add_box(low, high, "brick", builder.add_object(name), floor=False)
    builder.add_box((-1.0, 20.0, 0.0), (1.0, 22.0, 3.0), "brick", builder.add_object("hut"), floor=False)
    return World("town", builder.build(), None)


@pytest.fixture
def flight():
    """Two drones that fly from west to east in front of the houses for 2 s; the second has a radio at 3.5 GHz."""
    steps = np.linspace(0.0, 1.0, 21)
    position = np.stack([np.column_stack([-30 + 40 * steps, 0 * steps - 20, 0 * steps + 8]),
                         np.column_stack([-50 + 40 * steps, 0 * steps + 15, 0 * steps + 25])], axis=1)  # fmt: skip
    orientation = np.tile([0.0, 0.0, 0.0, 1.0], (len(steps), 2, 1))
    radios = ((RadioSpec(carrier=28e9, noise_figure=9.0),), (RadioSpec(carrier=3.5e9, mount=(0.0, 0.0, -0.1)),))
    return Mission(("a", "b"), radios, np.full((2, 2), 40e3), np.full(2, 0.05), ("edge", "edge"),
                   np.full(2, 300_000_000), 100_000_000, position, orientation)  # fmt: skip


@pytest.fixture
def tables():
    """The tables of a small plan.toml, with these of [candidates]; None takes one away."""

    def make(**candidates):
        own = {name: value for name, value in {"roofs": {}, **candidates}.items() if value is not None}
        return {
            "schema": 1,
            "candidates": own,
            "kinds": {"roof": {"build": 10.0}, "street": {"build": 5.0}},
            "carriers": {"n257": {"radio": {"power": "20 dBm", "gain": "5 dBi"}, "equipment": 2.0}},
        }

    return make


@pytest.fixture
def spec(tables):
    """A small plan, with these tables of [candidates]."""
    return lambda **candidates: SitingSpec.model_validate(tables(**candidates))
