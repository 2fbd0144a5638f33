"""Which moving hulls are looked at: those that are large beside the first Fresnel zone of a path."""

import numpy as np
import pytest

from twin.channel.hulls import Hull, box, hull_arrays, is_small, list_nearby, make_nearby, place
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


def test_a_mirror_that_is_small_beside_the_zone_gives_no_path():
    radios = [Radio(i, i, None, (x, 0.0, 0.0), CARRIER) for i, x in enumerate((-50.0, 50.0))]

    def paths(size):
        mirror = Hull(0, box(0, (size, 0.02, size)).points)
        tracer = RayTracer(far_below(), radios, RayTracingSpec(order=0), [mirror])
        return np.diff(tracer.trace(0, bodies([(0.0, 20.0, 0.0)])).path_offset)[0]

    assert paths(6.0) == 2
    assert paths(0.3) == 1
