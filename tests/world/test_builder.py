"""Extrusions have the volume and the area that they must have; faces are planar and look outwards."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.world.builder import GeometryBuilder, rings_of


def volume(geometry):
    """Volume by the divergence theorem: a sixth of the sum of a . (b x c)."""
    a, b, c = (geometry.vertices[geometry.triangles[:, k]] for k in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


def vector_areas(geometry):
    a, b, c = (geometry.vertices[geometry.triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a) / 2


def assert_planar_and_outward(geometry):
    corners = geometry.vertices[geometry.triangles]
    face = geometry.triangle_face
    height = np.einsum("tkj,tj->tk", corners, geometry.face_normal[face]) - geometry.face_offset[face][:, None]
    assert np.abs(height).max() < 1e-9
    areas = vector_areas(geometry)
    np.testing.assert_allclose(
        areas, np.linalg.norm(areas, axis=1)[:, None] * geometry.face_normal[face], atol=1e-8
    )


@st.composite
def footprints(draw):
    """A star-shaped outline, with a star-shaped hole when it is large enough."""
    corners = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(5.0, 40.0), min_size=corners, max_size=corners))
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False) + draw(st.floats(0, 1))
    centre = np.array([draw(st.floats(-500, 500)), draw(st.floats(-500, 500))])
    outer = centre + np.array(radii)[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    hole = centre + 0.3 * min(radii) * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    if corners >= 4 and draw(st.booleans()):
        return shapely.Polygon(outer, [hole])
    return shapely.Polygon(outer)


@settings(max_examples=100, deadline=None)
@given(footprints(), st.floats(0.5, 200.0))
def test_extrusion_has_volume_and_surface_of_a_prism(outline, height):
    builder = GeometryBuilder()
    rings = [np.column_stack([ring, np.zeros(len(ring))]) for ring in rings_of(outline)]
    builder.add_prism(rings, np.array([0.0, 0.0, height]), "wall", "roof", builder.add_object("a"))
    geometry = builder.build()
    assert volume(geometry) == pytest.approx(outline.area * height, rel=1e-9)
    surface = np.linalg.norm(vector_areas(geometry), axis=1).sum()
    assert surface == pytest.approx(2 * outline.area + outline.length * height, rel=1e-9)
    np.testing.assert_allclose(vector_areas(geometry).sum(axis=0), 0, atol=1e-7)  # closed
    assert_planar_and_outward(geometry)


def test_a_leaning_prism_has_the_volume_of_its_base_times_its_height():
    up = np.array([0.1, -0.2, 1.0]) / np.linalg.norm([0.1, -0.2, 1.0])
    east = np.cross([0.0, 1.0, 0.0], up)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    ring = np.array([east * x + north * y for x, y in [(0, 0), (8, 0), (8, 5), (0, 5)]])
    builder = GeometryBuilder()
    builder.add_prism([ring], 10.0 * up, "wall", "roof", builder.add_object("a"))
    assert volume(builder.build()) == pytest.approx(400.0, rel=1e-12)
    assert_planar_and_outward(builder.build())


def test_stacked_storeys_enclose_no_inner_faces():
    builder = GeometryBuilder()
    outlines = [shapely.box(0, 0, 20, 10), shapely.box(5, 2, 15, 8)]
    builder.add_storeys(outlines, [2.0, 5.0, 9.0], "wall", "roof", builder.add_object("a"), floor=True)
    geometry = builder.build()
    assert volume(geometry) == pytest.approx(200 * 3 + 60 * 4, rel=1e-12)
    np.testing.assert_allclose(vector_areas(geometry).sum(axis=0), 0, atol=1e-9)
    surface = np.linalg.norm(vector_areas(geometry), axis=1).sum()
    assert surface == pytest.approx(2 * 200 + 60 * 3 + 32 * 4, rel=1e-12)
    assert_planar_and_outward(geometry)


@pytest.mark.parametrize("normal", np.vstack([np.eye(3), -np.eye(3)]))
def test_a_polygon_looks_where_its_ring_says(normal):
    first = np.roll(normal, 1)
    second = np.cross(normal, first)
    ring = np.array([first, second, -first, -second]) * 3.0
    builder = GeometryBuilder()
    builder.add_polygon([ring + normal], "wall")
    geometry = builder.build()
    np.testing.assert_allclose(geometry.face_normal[0], normal, atol=1e-12)
    assert_planar_and_outward(geometry)
    assert np.linalg.norm(vector_areas(geometry), axis=1).sum() == pytest.approx(18.0)
