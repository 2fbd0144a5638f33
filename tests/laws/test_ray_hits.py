"""Ray hits: the hierarchy finds what testing every triangle finds, and what another engine finds; nothing leaks."""

import numpy as np
import pybullet
import pytest

from twin.world.builder import GeometryBuilder
from twin.world.bvh import MISS, SEGMENT_MARGIN, build_bvh, closest_hits, occluded_pairs
from twin.world.geometry import write_obj


def two_buildings():
    builder = GeometryBuilder()
    square = np.array([[-60, -60, 0], [60, -60, 0], [60, 60, 0], [-60, 60, 0]], dtype=float)
    builder.add_polygon([square], "ground")
    builder.add_box((-30, -10, 0), (-10, 15, 20), "concrete", builder.add_object("a"), floor=False)
    corner = np.array([[10, -10, 0], [40, -10, 0], [40, 0, 0], [20, 0, 0], [20, 20, 0], [10, 20, 0]], dtype=float)
    up = np.array([0.0, 0.0, 12.0])
    builder.add_prism([corner], up, "concrete", "concrete", builder.add_object("b"), floor=False)
    return builder.build()


def many_boxes(rng, n=200):
    builder = GeometryBuilder()
    for i in range(n):
        low = rng.uniform(-100, 100, 3)
        builder.add_box(low, low + rng.uniform(1, 20, 3), "concrete", builder.add_object(str(i)))
    return builder.build()


def hierarchy(geometry):
    return build_bvh(geometry.vertices, geometry.triangles)


def random_rays(rng, n, spread):
    direction = rng.normal(size=(n, 3))
    return rng.uniform(-spread, spread, (n, 3)), direction / np.linalg.norm(direction, axis=1, keepdims=True)


def brute_force(geometry, origin, direction):
    """Nearest t [m] of each ray over all triangles by Moeller and Trumbore (1997); inf for none."""
    a, b, c = (geometry.vertices[geometry.triangles[:, k]] for k in range(3))
    nearest = np.full(len(origin), np.inf)
    for i, (o, d) in enumerate(zip(origin, direction, strict=True)):
        p = np.cross(d, c - a)
        det = np.einsum("ij,ij->i", b - a, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = np.einsum("ij,ij->i", o - a, p) / det
            q = np.cross(o - a, b - a)
            v, t = q @ d / det, np.einsum("ij,ij->i", c - a, q) / det
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        if hit.any():
            nearest[i] = t[hit].min()
    return nearest


def test_hierarchy_agrees_with_every_triangle():
    rng = np.random.default_rng(3)
    geometry = many_boxes(rng)
    origin, direction = random_rays(rng, 1000, 120.0)
    triangle, t = closest_hits(hierarchy(geometry), origin, direction, 0.0, np.inf)
    expected = brute_force(geometry, origin, direction)
    np.testing.assert_array_equal(triangle == MISS, np.isinf(expected))
    np.testing.assert_allclose(t, expected, rtol=1e-9)
    hit = triangle != MISS
    face = geometry.triangle_face[triangle[hit]]
    point = origin[hit] + t[hit, None] * direction[hit]
    off = np.einsum("ij,ij->i", point, geometry.face_normal[face]) - geometry.face_offset[face]
    assert np.abs(off).max() < 1e-9


def test_occlusion_is_a_hit_between_the_ends():
    rng = np.random.default_rng(4)
    geometry = many_boxes(rng)
    a, direction = random_rays(rng, 1000, 120.0)
    length = rng.uniform(1, 150, len(a))
    expected = brute_force(geometry, a, direction) < length - SEGMENT_MARGIN
    found = occluded_pairs(hierarchy(geometry), a, a + length[:, None] * direction)
    np.testing.assert_array_equal(found, expected)


def test_occlusion_is_the_same_both_ways():
    rng = np.random.default_rng(5)
    bvh = hierarchy(many_boxes(rng))
    a, b = rng.uniform(-110, 110, (2, 5000, 3))
    np.testing.assert_array_equal(occluded_pairs(bvh, a, b), occluded_pairs(bvh, b, a))


def test_ends_on_faces_do_not_block():
    wall, roof = [-10.0, 0.0, 10.0], [-20.0, 0.0, 20.0]
    other, air = [10.0, 5.0, 10.0], [0.0, 0.0, 30.0]
    inside = [-20.0, 0.0, 5.0]
    a, b = np.array([wall, roof, roof, wall]), np.array([other, air, other, inside])
    np.testing.assert_array_equal(occluded_pairs(hierarchy(two_buildings()), a, b), [False, False, True, False])


@pytest.mark.parametrize("shift", [0.0, 1000.0, 123456.7])
def test_nothing_leaks_through_shared_edges_and_corners(shift):
    n = 24
    grid = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"), -1).reshape(-1, 2)
    rng = np.random.default_rng(6)
    vertices = np.column_stack([grid, rng.uniform(-0.3, 0.3, len(grid))]) + shift
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    triangles = np.vstack([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    bvh = build_bvh(vertices, triangles)
    inner = index[1:-1, 1:-1].ravel()
    edges = np.vstack([np.stack([inner, inner + 1], 1), np.stack([inner, inner + n + 1], 1)])
    along = rng.uniform(0, 1, (len(edges), 1))
    on_edges = vertices[edges[:, 0]] * (1 - along) + vertices[edges[:, 1]] * along
    targets = np.vstack([vertices[inner], on_edges])
    for origin in ([n / 2, n / 2, 40.0], [3.3, 7.7, 9.1], [n / 2, n / 2, -35.0]):
        start = np.array(origin) + shift
        triangle, _ = closest_hits(bvh, np.tile(start, (len(targets), 1)), targets - start, 0.0, np.inf)
        assert (triangle != MISS).all()


def test_rays_along_the_axes_and_in_the_planes_of_faces():
    down = np.array([[-30.0, -10, 50], [-20, 0, 50], [0, 0, 50], [15, 5, 50], [70, 0, 50]])
    bvh = hierarchy(two_buildings())
    triangle, t = closest_hits(bvh, down, np.tile([0.0, 0.0, -1.0], (5, 1)), 0.0, np.inf)
    np.testing.assert_array_equal(t, [30.0, 30.0, 50.0, 38.0, np.inf])
    assert triangle[-1] == MISS


def bullet_fractions(obj, start, end):
    """Fraction of each ray at its first hit by Bullet, inf for none."""
    client = pybullet.connect(pybullet.DIRECT)
    try:
        concave = pybullet.GEOM_FORCE_CONCAVE_TRIMESH
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_MESH, fileName=str(obj), flags=concave, physicsClientId=client
        )
        pybullet.createMultiBody(0, shape, physicsClientId=client)
        found = []
        for i in range(0, len(start), 1000):
            rays = start[i : i + 1000].tolist(), end[i : i + 1000].tolist()
            found += pybullet.rayTestBatch(*rays, physicsClientId=client)
    finally:
        pybullet.disconnect(client)
    return np.array([result[2] if result[0] >= 0 else np.inf for result in found])


def test_rays_agree_with_bullet(tmp_path):
    geometry = two_buildings()
    bvh = hierarchy(geometry)
    write_obj(geometry, tmp_path / "world.obj")
    start, end = np.random.default_rng(7).uniform([-55, -55, 0.5], [55, 55, 40], (2, 10_000, 3))
    triangle, t = closest_hits(bvh, start, end - start, 0.0, 1.0)
    fraction = bullet_fractions(tmp_path / "world.obj", start, end)
    # Bullet takes a ray past an edge for a hit within 1e-4 of the triangle's size: such a ray, moved by that
    # much (3 mm on a wall of 32 m), must hit here too.
    grazing = np.flatnonzero((triangle == MISS) != np.isinf(fraction))
    assert len(grazing) <= 3
    for i in grazing:
        assert triangle[i] == MISS
        around = start[i] + 0.003 * np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
        moved, _ = closest_hits(bvh, around, np.tile(end[i] - start[i], (27, 1)), 0.0, 1.0)
        assert (moved != MISS).any()
    both = (triangle != MISS) & ~np.isinf(fraction)
    assert both.sum() > 2000
    # Both compute in float64, so at coordinates up to 64 m they differ by some 1e-14 m, more at a grazing angle.
    distance = np.abs(t - fraction)[both] * np.linalg.norm(end - start, axis=1)[both]
    assert distance.max() < 1e-9
