import numpy as np

from twin.channel.search.clearance import path_clearance, segment_distance
from twin.channel.search.images import make_work
from twin.channel.search.planes import build_scene
from twin.world.builder import GeometryBuilder


def test_distance_of_segments_is_that_of_their_nearest_points():
    rng = np.random.default_rng(2)
    part = np.linspace(0.0, 1.0, 201)
    for _ in range(200):
        a, b, c, d = rng.uniform(-1, 1, (4, 3))
        one, other = (p + part[:, None] * (q - p) for p, q in ((a, b), (c, d)))
        sampled = np.linalg.norm(one[:, None] - other[None], axis=2).min()
        # Samples are within half a step, 1 / 400 of up to 3.5 m, of the nearest points.
        exact = segment_distance(tuple(a), tuple(b), c, d)
        assert exact <= sampled + 1e-12
        assert exact >= sampled - 2 * 3.5 / 400


def test_parallel_and_crossing_segments():
    a, b = (0.0, 0.0, 0.0), (2.0, 0.0, 0.0)
    assert segment_distance(a, b, np.array([1.0, 3.0, 0.0]), np.array([5.0, 3.0, 0.0])) == 3.0
    assert segment_distance(a, b, np.array([5.0, 4.0, 0.0]), np.array([9.0, 4.0, 0.0])) == 5.0
    assert segment_distance(a, b, np.array([1.0, -1.0, 0.0]), np.array([1.0, 1.0, 0.0])) == 0.0


def test_clearance_is_the_distance_of_what_is_beside_a_path():
    """A straight path over the ground, past a house: less than the height, and than the way to the house."""

    def clearance(height, gap):
        builder = GeometryBuilder()
        square = np.array([[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]], dtype=float)
        builder.add_polygon([square], "ground")
        builder.add_box((-5.0, gap, 0.0), (5.0, gap + 9.0, 9.0), "brick", builder.add_object("house"), floor=False)
        ends = np.array([-30.0, 0.0, height]), np.array([30.0, 0.0, height])
        return path_clearance(build_scene(builder.build()), *ends, np.zeros(1, dtype=np.int32), 0, make_work(1))

    for height, gap in ((0.5, 7.0), (3.0, 0.4), (0.3, 0.2)):
        least = min(height, gap)
        assert 0.98 * least - 0.004 <= clearance(height, gap) < least
    assert clearance(20.0, 20.0) > 0.9  # as far as is looked
