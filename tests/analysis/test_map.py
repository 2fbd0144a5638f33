"""The map of a world: what it draws, and what it hides."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from twin.analysis.map import WALL_COLOURS, draw_map, radio_sites, roof
from twin.world.builder import GeometryBuilder
from twin.world.world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world():
    builder = GeometryBuilder()
    square = np.array([[-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]], dtype=float)
    builder.add_polygon([square], "wet_ground")
    builder.add_box((0, 0, 0), (20, 10, 8), "brick", builder.add_object("house"))
    builder.add_box((-30, 0, 6), (-10, 10, 7), "metal", builder.add_object("canopy"))
    return World("site", builder.build(), None)


def wall_lines(figure):
    from matplotlib.colors import to_rgba

    known = {to_rgba(colour): name for name, colour in WALL_COLOURS.items()}
    for collection in figure.axes[0].collections:
        if isinstance(collection, LineCollection):
            for colour, line in zip(collection.get_colors(), collection.get_segments(), strict=False):
                if tuple(colour) in known:
                    yield known[tuple(colour)], line


def test_walls_are_where_they_are_and_of_their_material(world):
    lengths = {"brick": [], "metal": []}
    for name, line in wall_lines(draw_map(world)):
        lengths[name].append(round(float(np.linalg.norm(line[1] - line[0])), 9))
        assert line[:, 0].min() >= (0 if name == "brick" else -30)
        assert line[:, 1].min() >= 0
    assert {name: sorted(found) for name, found in lengths.items()} == {
        "brick": [10, 10, 20, 20], "metal": [10, 10, 20, 20],
    }  # fmt: skip


def test_what_begins_above_a_height_can_be_hidden(world):
    assert {name for name, _ in wall_lines(draw_map(world, below=5.0))} == {"brick"}


def test_sites_come_from_the_scenarios():
    sites = radio_sites(ROOT / "worlds" / "city")
    assert len(sites) >= 2
    assert radio_sites(None) == []


def hall(height):
    """A hall of 10 m with twelve crates in it, and a roof slab over all of them."""
    builder = GeometryBuilder()
    square = np.array([[-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]], dtype=float)
    builder.add_polygon([square], "wet_ground")
    for i in range(12):
        builder.add_box((3 * i - 20, 0, 0), (3 * i - 19, 1, height), "wood", builder.add_object(f"crate {i}"))
    builder.add_box((-30, -10, 10), (30, 10, 10.2), "metal", builder.add_object("roof"))
    return World("hall", builder.build(), None)


def test_a_roof_over_most_things_is_left_out():
    assert roof(hall(2.0).geometry) == 10.0
    assert {name for name, _ in wall_lines(draw_map(hall(2.0)))} == {"wood"}
    assert {name for name, _ in wall_lines(draw_map(hall(2.0), below=99.0))} == {"wood", "metal"}
    assert roof(hall(11.0).geometry) is None, "they reach through it"
