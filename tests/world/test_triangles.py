"""Meshes to planar faces: every corner within the tolerance of its face's plane, and nothing lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.world.builder import GeometryBuilder
from twin.world.importers import shapes
from twin.world.importers.content import Mesh, Tally
from twin.world.importers.triangles import PLANAR, add_meshes, planar_faces


def built(*meshes):
    tally, builder = Tally(), GeometryBuilder()
    add_meshes(builder, list(meshes), [mesh.vertices for mesh in meshes], {}, tally)
    return builder.build(), tally


def thing(shape, name="thing", material="concrete"):
    return Mesh(name, shape.vertices, shape.triangles, material)


def volume(geometry):
    a, b, c = (geometry.vertices[geometry.triangles[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def leaves(geometry):
    """Return how far [m] each triangle's corners leave the plane of its face."""
    face = geometry.triangle_face
    height = np.einsum("tkj,tj->tk", geometry.vertices[geometry.triangles], geometry.face_normal[face])
    return np.abs(height - geometry.face_offset[face][:, None])


def test_a_box_has_six_faces():
    geometry, _ = built(thing(shapes.box(np.array([1.0, 2.0, 3.0]))))
    assert (len(geometry.face_normal), len(geometry.triangles)) == (6, 12)
    assert volume(geometry) == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(shapes.cylinder(2.0, 5.0), 20 * np.pi), (shapes.sphere(3.0), None), (shapes.box(np.ones(3)), 1.0)],
)
def test_simple_shapes_are_closed_and_outward(shape, expected):
    geometry, tally = built(thing(shape))
    assert not tally.repaired
    edges = np.concatenate([geometry.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    assert {tuple(edge) for edge in edges.tolist()} == {(b, a) for a, b in edges.tolist()}
    if expected is not None:
        assert volume(geometry) == pytest.approx(expected, rel=1e-9)
    assert volume(geometry) > 0


def test_a_fine_cylinder_does_not_become_one_face():
    # The far corners of a side leave its neighbour's plane by 2 r sin(pi / 24) sin(2 pi / 24) = 68 mm.
    geometry, _ = built(thing(shapes.cylinder(1.0, 4.0)))
    assert len(geometry.face_normal) == shapes.SIDES + 2


def test_what_was_inside_out_is_turned_but_a_hollow_is_not():
    outer, inner = shapes.box(np.full(3, 4.0)), shapes.box(np.full(3, 2.0))
    wrong = shapes.Shape(outer.vertices, outer.triangles[:, ::-1])
    geometry, tally = built(thing(wrong))
    assert (volume(geometry), tally.repaired["thing inside out turned"]) == (pytest.approx(64.0), 1)
    hollow = Mesh("thing", inner.vertices, inner.triangles[:, ::-1], "concrete")
    geometry, tally = built(thing(outer), hollow)
    assert (volume(geometry), dict(tally.repaired)) == (pytest.approx(64.0 - 8.0), {})


def test_triangles_without_area_and_drawn_twice_are_dropped_and_counted():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [2, 0, 0]])
    triangles = np.array([[0, 1, 2], [2, 1, 0], [0, 1, 1], [0, 1, 3], [1, 2, 0]])
    geometry, tally = built(Mesh("sheet", vertices, triangles, "metal"))
    assert len(geometry.triangles) == 1
    assert tally.repaired == {"triangle without area dropped": 2, "triangle drawn twice dropped": 2}


def test_materials_and_things_divide_a_plane():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    half = np.array([[0, 1, 2]]), np.array([[0, 2, 3]])
    glass, wood = Mesh("a", square, half[0], "glass"), Mesh("a", square, half[1], "wood")
    other, ground = Mesh("b", square + [1, 0, 0], half[0], "wood"), Mesh(None, square + [2, 0, 0], half[0], "wood")
    geometry, tally = built(glass, wood, other, ground)
    assert sorted(geometry.materials[i] for i in geometry.face_material) == ["glass", "wood", "wood", "wood"]
    assert sorted(geometry.face_object) == [-1, 0, 0, 1]
    assert (geometry.objects, tally.used) == (("a", "b"), 2)


def test_a_thing_without_area_is_no_object():
    flat = Mesh("flat", np.zeros((3, 3)), np.array([[0, 1, 2]]), "metal")
    geometry, tally = built(flat, thing(shapes.box(np.ones(3)), "solid"))
    assert (geometry.objects, tally.skipped) == (("solid",), {"thing without any area": 1})


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 2.0 * PLANAR),
)
def test_every_corner_is_within_the_tolerance_of_its_plane(seed, noise):
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(6.0), np.arange(6.0))
    vertices = np.column_stack([x.ravel(), y.ravel(), rng.uniform(-noise, noise, 36)])
    a = (np.arange(5)[:, None] * 6 + np.arange(5)).ravel()
    triangles = np.vstack([np.column_stack([a, a + 1, a + 7]), np.column_stack([a, a + 7, a + 6])])
    geometry, _ = built(Mesh(None, vertices, triangles, "wet_ground"))
    assert leaves(geometry).max() <= PLANAR + 1e-12
    assert len(geometry.triangles) == 50
    if noise == 0.0:
        assert len(geometry.face_normal) == 1


@given(st.integers(0, 2**32 - 1))
def test_faces_do_not_depend_on_where_the_mesh_lies(seed):
    rng = np.random.default_rng(seed)
    shape = shapes.box(np.array([3.0, 4.0, 5.0]))
    moved = shapes.moved(shapes.pose(rng.uniform(-500, 500, 3), rng.uniform(-3, 3, 3)), shape.vertices)
    faces = planar_faces(moved, shape.triangles, np.zeros(12, dtype=np.int64))
    assert len(faces.seed) == 6
    assert len({(faces.of[2 * i], faces.of[2 * i + 1]) for i in range(6)}) == 6
    assert (faces.of[::2] == faces.of[1::2]).all()
