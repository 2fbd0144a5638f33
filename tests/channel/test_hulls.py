"""Which moving hulls are looked at: those that are large beside the first Fresnel zone of a path."""

import numpy as np
import pytest

from twin.channel.search.hulls import Hull, box, hull_arrays, is_small, list_nearby, make_nearby, place
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import RayTracingSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder

CARRIER = 3e9
WAVELENGTH = SPEED_OF_LIGHT / CARRIER


def bodies(position):
    n = len(position)
    zero, none = np.zeros((n, 3)), np.zeros(0)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
    return BodyState(np.asarray(position, dtype=float), turn, zero, zero, none, none, np.zeros(n + 1, dtype=np.int64))


def far_below():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[0, 0, -999], [1, 0, -999], [1, 1, -999]], dtype=float)], "brick")
    return builder.build()


@pytest.mark.parametrize(("part", "blocks"), [(0.51, True), (0.49, False)])
def test_a_hull_blocks_from_half_the_radius_of_the_first_fresnel_zone_on(part, blocks):
    """Halfway between radios d apart the zone has the radius sqrt(wavelength d) / 2."""
    distance = 80.0
    half = part * np.sqrt(WAVELENGTH * distance) / 2 / np.sqrt(3.0)  # of the edge of a cube, by its corners
    radios = [Radio(i, i, None, (x, 0.0, 0.0), CARRIER) for i, x in enumerate((0.0, distance))]
    tracer = RayTracer(far_below(), radios, RayTracingSpec(order=0), [box(0, (2 * half,) * 3)])
    assert tracer.trace(0, bodies([(distance / 2, 0.0, 0.0)])).los[0] == (not blocks)


def test_no_hull_is_left_out_that_is_large_beside_the_zone():
    """Of every path between two places by way of any point of the hull, straight legs are the shortest."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-100, 100, (60, 3))
    hulls = hull_arrays([box(i, rng.uniform(0.1, 6.0, 3)) for i in range(30)], ["metal"])
    place(hulls, bodies(points[:30]))
    nearby = make_nearby(30, 30)
    list_nearby(hulls, WAVELENGTH, points[30:], nearby)
    large = 0
    for a in range(30):
        assert set(nearby.hull[a, : nearby.size[a]]) == set(np.flatnonzero(nearby.listed[a]))
        for b in range(30):
            for h in range(30):
                inside = points[h] + rng.uniform(-1, 1) * hulls.radius[h] * np.array([1.0, 0.0, 0.0])
                before, after = (np.linalg.norm(points[30 + k] - inside) for k in (a, b))
                if not is_small(hulls, h, WAVELENGTH, before, after):
                    large += 1
                    assert nearby.listed[a, h] or nearby.listed[b, h]
    assert large > 1000


def mirrored(hulls, a, b):
    """Return how many faces of hulls mirror point a into b, by their definition: O(faces^2), and no quick look."""
    count = 0
    for h in range(len(hulls.body)):
        n, d = (array[hulls.first[h] : hulls.first[h + 1]] for array in (hulls.normal, hulls.offset))
        side_a, side_b = n @ a - d, n @ b - d
        for f in np.flatnonzero((side_a > 0) & (side_b > 0)):
            image = b - 2 * side_b[f] * n[f]
            point = a + (side_a[f] / (side_a[f] + side_b[f])) * (image - a)
            others = np.arange(len(d)) != f
            count += bool((n[others] @ point <= d[others]).all())
    return count


def test_a_mirror_that_is_small_beside_the_zone_gives_no_path():
    radios = [Radio(i, i, None, (x, 0.0, 0.0), CARRIER) for i, x in enumerate((-50.0, 50.0))]

    def paths(size):
        mirror = Hull(0, box(0, (size, 0.02, size)).points)
        tracer = RayTracer(far_below(), radios, RayTracingSpec(order=0), [mirror])
        return np.diff(tracer.trace(0, bodies([(0.0, 20.0, 0.0)])).path_offset)[0]

    assert paths(6.0) == 2
    assert paths(0.3) == 1


@pytest.mark.parametrize("reach", [1.5, 6.0, 60.0])
def test_every_mirror_on_a_turned_hull_is_found(reach):
    """One radio anywhere, the other where points on and beside a face mirror it to: hits and near misses."""
    rng = np.random.default_rng(7)
    metal = [box(0, (1.6, 1.0, 0.4))]
    hulls, seen = hull_arrays(metal, ["metal"]), 0
    for _ in range(100):
        turn = rng.normal(size=4)
        state = bodies([(0.0, 0.0, 0.0)])
        state.orientation[0] = turn / np.linalg.norm(turn)
        place(hulls, state)
        f = rng.integers(len(hulls.offset))
        foot = rng.normal(size=3) * hulls.radius[0] / 3
        foot += (hulls.offset[f] - hulls.normal[f] @ foot) * hulls.normal[f]
        way = rng.normal(size=3)
        way *= np.sign(hulls.normal[f] @ way) / np.linalg.norm(way)
        back = 2.0 * (hulls.normal[f] @ way) * hulls.normal[f] - way
        ends = foot + way * rng.uniform(0.2, reach), foot + back * rng.uniform(0.2, reach)
        radios = [Radio(i, i, None, tuple(end), 300e9) for i, end in enumerate(ends)]
        links = RayTracer(far_below(), radios, RayTracingSpec(order=0), metal).trace(0, state)
        found = mirrored(hulls, *ends)
        assert np.count_nonzero(links.path_length == 1) == found
        seen += found
    assert 20 < seen < 100
