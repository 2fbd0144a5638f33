"""Which edges a site has: T-junctions, walls that end a little off a roof, ridges of the terrain."""

import numpy as np
import pytest

from twin.channel.search.edges import find_edges
from twin.channel.search.planes import build_scene
from twin.channel.tracer import RayTracer
from twin.link import Radio
from twin.specs import RayTracingSpec
from twin.world.builder import GeometryBuilder
from twin.world.geometry import GROUND

A, B, C, D = [0.0, 0.0], [10.0, 0.0], [10.0, 8.0], [0.0, 8.0]


def house(*, extra=False, gap=0.0, split=False):
    """Return a house of 10 x 8 x 6 m; with a corner more in its roof, walls `gap` above it, a wall in two parts."""
    builder = GeometryBuilder()
    owner = builder.add_object("house")
    outline = [A, [4.0, 0.0], B, C, D] if extra else [A, B, C, D]
    builder.add_polygon([np.array([[*p, 6.0] for p in outline])], "concrete", owner)
    walls = [(A, [4.0, 0.0]), ([4.0, 0.0], B)] if split else [(A, B)]
    for p, q in [*walls, (B, C), (C, D), (D, A)]:
        corners = np.array([[*p, 0.0], [*q, 0.0], [*q, 6.0 + gap], [*p, 6.0 + gap]])
        builder.add_polygon([corners], "concrete", owner)
    return builder.build()


def edges_of(geometry):
    edges = find_edges(geometry, build_scene(geometry))
    return sorted(zip(np.round(edges.length, 3).tolist(), np.round(edges.open_angle / np.pi, 4).tolist(), strict=True))


WHOLE = [(6.0, 1.5)] * 4 + [(8.0, 1.5)] * 2 + [(10.0, 1.5)] * 2
RIMS = [(8.0, 2.0)] * 2 + [(10.0, 2.0)] * 2
"""Feet of walls without ground."""


@pytest.mark.parametrize("built", [{}, {"extra": True}, {"gap": 1e-5}, {"gap": 4e-4}, {"split": True},
                                   {"extra": True, "gap": 1e-5, "split": True}])  # fmt: skip
def test_a_house_has_eight_edges_however_its_faces_are_cut(built):
    found = edges_of(house(**built))
    assert [e for e in found if e[1] == 1.5] == [pytest.approx(e, abs=1e-3) for e in WHOLE]


def test_an_extra_corner_or_a_gap_changes_no_path():
    ends = (5.0, -20.0, 2.0), (5.5, 6.0, 6.5)
    gains = []
    for built in ({}, {"extra": True}, {"gap": 1e-5}, {"extra": True, "split": True}):
        radios = [Radio(i, i, None, p, 3.5e9) for i, p in enumerate(ends)]
        links = RayTracer(house(**built), radios, RayTracingSpec(order=0, diffraction=True)).trace()
        gains.append(links.path_gain_db[0])
    assert np.isfinite(gains).all()
    np.testing.assert_allclose(gains, gains[0], atol=1e-3)


def ridge(owner):
    """Return a ridge of 60 m between two plains, 400 m wide."""
    builder = GeometryBuilder()
    number = owner if owner == GROUND else builder.add_object("hill")
    line = [(-600.0, 0.0), (-200.0, 0.0), (0.0, 60.0), (200.0, 0.0), (600.0, 0.0)]
    for (x0, z0), (x1, z1) in zip(line, line[1:], strict=False):
        corners = np.array([[x0, -300, z0], [x1, -300, z1], [x1, 300, z1], [x0, 300, z0]], dtype=float)
        builder.add_polygon([corners], "concrete", number)
    return builder.build()


def test_a_ridge_of_the_ground_diffracts_as_one_of_a_thing_does():
    gains = []
    for owner in (GROUND, 0):
        radios = [Radio(i, i, None, p, 3.5e9) for i, p in enumerate(((-300.0, 0.0, 2.0), (300.0, 5.0, 2.0)))]
        links = RayTracer(ridge(owner), radios, RayTracingSpec(order=0, diffraction=True)).trace()
        gains.append(links.path_gain_db[0])
    assert gains[0] == pytest.approx(gains[1], abs=1e-9)
    assert np.isfinite(gains[0])


def test_the_border_of_the_ground_is_no_edge():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], dtype=float)], "concrete")
    assert edges_of(builder.build()) == []
