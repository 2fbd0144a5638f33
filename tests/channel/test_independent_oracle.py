"""Path sets against a search that shares nothing with the tracer: every sequence of faces, images, all triangles."""

from itertools import product

import numpy as np
import pytest

from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import RayTracingSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder


def yard():
    """Ground, three houses and a free-standing wall; no two of them touch but for the ground."""
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-40, -40, 0], [40, -40, 0], [40, 40, 0], [-40, 40, 0]], dtype=float)], "wet_ground")
    for k, (low, high) in enumerate(
        [((-25, -9, 0), (-9, 8, 9)), ((6, 11, 0), (23, 25, 14)), ((9, -24, 0), (21, -8, 6))]
    ):
        builder.add_box(low, high, "brick", builder.add_object(str(k)), floor=False)
    wall = np.array([[-12, 14, 0], [1, 17, 0], [1, 17, 4], [-12, 14, 4]], dtype=float)
    builder.add_polygon([wall], "brick", builder.add_object("wall"))
    return builder.build()


def crossings(corners, start, end):
    """Return the fractions of the segment at which it crosses triangles (T, 3, 3), inf where it doesn't."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    d = end - start
    p = np.cross(d, c - a)
    det = np.einsum("ij,ij->i", b - a, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("ij,ij->i", start - a, p) / det
        q = np.cross(start - a, b - a)
        v, t = q @ d / det, np.einsum("ij,ij->i", c - a, q) / det
        return np.where((u >= 0) & (v >= 0) & (u + v <= 1), t, np.inf)


def lengths(geometry, start, end, order):
    """Return the lengths of all specular paths of up to `order` reflections, shortest first."""
    corners = geometry.vertices[geometry.triangles]
    faces = range(len(geometry.face_normal))
    found = []
    for n in range(order + 1):
        for sequence in product(faces, repeat=n):
            if any(one == other for one, other in zip(sequence, sequence[1:], strict=False)):
                continue
            images = [start]
            for f in sequence:
                normal, image = geometry.face_normal[f], images[-1]
                images.append(image - 2 * (normal @ image - geometry.face_offset[f]) * normal)
            points = [end]
            for f, image in zip(sequence[::-1], images[:0:-1], strict=True):
                t = crossings(corners[geometry.triangle_face == f], points[-1], image)
                if not ((t > 0) & (t < 1)).any():
                    break
                points.append(points[-1] + t[(t > 0) & (t < 1)].min() * (image - points[-1]))
            else:
                points.append(start)
                legs = zip(points, points[1:], strict=False)
                hits = [crossings(corners, one, other) for one, other in legs]
                if not any(((t > 1e-6) & (t < 1 - 1e-6)).any() for t in hits):
                    found.append(np.linalg.norm(images[-1] - end))
    return np.array(sorted(found))


@pytest.mark.parametrize("mode", ["kinetic", "exhaustive"])
def test_paths_are_those_of_every_sequence_of_faces(mode):
    """A fixed radio and one that walks: lengths of all paths to 1 um; no path more, none less."""
    geometry, rng = yard(), np.random.default_rng(4)
    radios = [Radio(0, 0, None, (-3.0, 2.0, 7.0), 3.5e9), Radio(1, 1, 0, (0.0, 0.0, 0.0), 3.5e9)]
    tracer = RayTracer(geometry, radios, RayTracingSpec(order=2, rays=200_000, mode=mode))
    place, paths = np.array([2.0, -6.0, 1.5]), 0
    for step in range(12):
        place = place + rng.uniform(-0.8, 0.8, 3) * [1.0, 1.0, 0.1]
        zero = np.zeros((1, 3))
        none, turn = np.zeros(0), np.array([[0.0, 0.0, 0.0, 1.0]])
        body = BodyState(place[None], turn, zero, zero, none, none, np.zeros(2, dtype=np.int64))
        links = tracer.trace(step, body)
        expected = lengths(geometry, np.array(radios[0].mount), place, 2)
        np.testing.assert_allclose(links.path_delay * SPEED_OF_LIGHT, expected, rtol=0, atol=1e-6)
        paths += len(expected)
    assert paths > 50
