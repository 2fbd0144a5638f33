"""What the ray tracer makes of inputs at and beyond the edge, and what it promises of its output."""

from dataclasses import replace

import numpy as np
import pytest

from twin.channel.search.hulls import Hull, box
from twin.channel.tracer import RayTracer
from twin.errors import RunError, ScenarioError, WorldError
from twin.link import Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder
from twin.world.geometry import Geometry

CARRIER = 3.5e9
FRIIS_1M = 20 * np.log10(299_792_458.0 / CARRIER / (4 * np.pi))


def stone(material, frequency):
    return 5.24 - 0.2j


def spec(**more):
    air = AtmosphereSpec(pressure=1e-6, vapour=0.0)
    return RayTracingSpec(**({"atmosphere": air, "rays": 2_000, "surfaces": {}} | more))


def house_on_the_ground():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]], dtype=float)], "ground")
    builder.add_box((-5.0, -5.0, 0.0), (5.0, 5.0, 10.0), "brick", builder.add_object("house"), floor=False)
    return builder.build()


def fixed(index, position, **more):
    return Radio(
        index=index, owner=index, body=None, mount=tuple(map(float, position)), **({"carrier": CARRIER} | more)
    )


def trace(radios, geometry=None, hulls=(), bodies=None, **more):
    tracer = RayTracer(geometry or house_on_the_ground(), radios, spec(**more), hulls, permittivity=stone)
    return tracer.trace(0, bodies)


def one_body(position):
    one = np.zeros((1, 3))
    return BodyState(
        np.array([position], dtype=float), np.array([[0.0, 0, 0, 1]]), one, one, np.zeros(0), np.zeros(0),
        np.zeros(2, dtype=np.int64),
    )  # fmt: skip


class TestInputAtTheEdge:
    def test_a_device_on_a_wall_is_one_before_it(self):
        """In the plane of the wall to the last bit: what a radio 1 um in front of it receives, to 1e-4 dB."""
        other = fixed(1, (20, 3, 4))
        on, before = (trace([fixed(0, (5.0 + d, 1, 2)), other], order=0) for d in (0.0, 1e-6))
        assert on.los[0]
        assert on.path_gain_db[0] == pytest.approx(before.path_gain_db[0], abs=1e-4)
        behind = trace([fixed(0, (5.0 - 2e-4, 1, 2)), other], order=0)
        assert behind.path_gain_db[0] == -np.inf

    @pytest.mark.parametrize("mount", [(np.nan, 0.0, 2.0), (0.0, np.inf, 2.0)])
    def test_a_place_that_is_no_number_is_an_error(self, mount):
        with pytest.raises(ScenarioError, match="must be finite"):
            trace([fixed(0, mount), fixed(1, (30, 0, 2))])

    def test_a_device_inside_of_a_house_reaches_nothing_outside(self):
        links = trace([fixed(0, (0, 0, 2)), fixed(1, (20, 0, 2))], diffraction=True)
        assert links.path_gain_db[0] == -np.inf
        assert not links.los[0]

    def test_devices_at_one_place_have_a_gain_of_at_most_one(self):
        links = trace([fixed(0, (20, 0, 2)), fixed(1, (20, 0, 2))], order=0)
        assert links.path_gain_db[0] == pytest.approx(0.0, abs=1e-12)
        assert links.path_delay.tolist() == [0.0]

    def test_a_face_without_area_changes_nothing(self):
        g = house_on_the_ground()
        flat = np.array([[12.0, -3, 0], [12.0, 0, 3], [12.0, 3, 6]])
        more = Geometry(
            vertices=np.vstack([g.vertices, flat]),
            triangles=np.vstack([g.triangles, len(g.vertices) + np.arange(3)]).astype(np.int32),
            triangle_face=np.append(g.triangle_face, len(g.face_normal)).astype(np.int32),
            face_normal=np.vstack([g.face_normal, [1.0, 0, 0]]),
            face_offset=np.append(g.face_offset, 12.0),
            face_material=np.append(g.face_material, 0).astype(np.int32),
            face_object=np.append(g.face_object, 0).astype(np.int32),
            materials=g.materials,
            thickness=g.thickness,
            objects=g.objects,
            tags=g.tags,
            object_tags=g.object_tags,
        )
        radios = [fixed(0, (10, -9, 2)), fixed(1, (15, 9, 4))]
        np.testing.assert_array_equal(trace(radios, more).path_delay, trace(radios, g).path_delay)

    def test_a_bent_face_counts_as_its_triangles(self):
        """A roof with one corner 0.5 m too high is two mirrors; its paths still name the face."""
        g = house_on_the_ground()
        vertices = g.vertices.copy()
        roof = int(np.argmax(g.face_normal[:, 2] * g.face_offset))
        vertices[g.triangles[g.triangle_face == roof].max()] += [0.0, 0.0, 0.5]
        bent = replace(g, vertices=vertices)
        radios = [fixed(0, (-4.0, 0.5, 30.0)), fixed(1, (4.0, -0.5, 30.0))]
        corners = vertices[g.triangles[g.triangle_face == roof]]
        lengths = []
        for a, b, c in corners:  # images by hand
            n = np.cross(b - a, c - a) / np.linalg.norm(np.cross(b - a, c - a))
            start, end = (np.array(radio.mount) for radio in radios)
            image = start - 2 * ((start - a) @ n) * n
            t = ((a - image) @ n) / ((end - image) @ n)
            u, v = np.linalg.lstsq(np.column_stack([b - a, c - a]), image + t * (end - image) - a)[0]
            if u >= 0 and v >= 0 and u + v <= 1:
                lengths.append(np.linalg.norm(end - image))
        links = trace(radios, bent, order=1)
        off_roof = links.path_face[:, 0] == roof
        assert len(lengths) > 0
        np.testing.assert_allclose(links.path_delay[off_roof] * 299_792_458.0, sorted(lengths), rtol=1e-12)

    def test_a_position_that_is_no_number_is_an_error(self):
        radios = [fixed(0, (20, 0, 2)), Radio(index=1, owner=1, body=0, mount=(0.0, 0, 0), carrier=CARRIER)]
        with pytest.raises(RunError, match="radio 1 of node 1"):
            trace(radios, bodies=one_body((np.nan, 0, 0)))

    def test_a_body_that_is_not_there_is_an_error(self):
        radios = [fixed(0, (20, 0, 2)), Radio(index=1, owner=1, body=3, mount=(0.0, 0, 0), carrier=CARRIER)]
        with pytest.raises(RunError, match="radio 1 is on body 3, of 0 bodies"):
            trace(radios)
        with pytest.raises(RunError, match="hull 0 is on body 1, of 0 bodies"):
            trace([fixed(0, (20, 0, 2)), fixed(1, (30, 0, 2))], hulls=[box(1, (1.0, 1.0, 1.0))])

    @pytest.mark.parametrize("carrier", [0.49e9, 301e9])
    def test_a_carrier_outside_of_the_range_is_an_error(self, carrier):
        with pytest.raises(ScenarioError, match="allowed 0.5 GHz to 300 GHz"):
            trace([fixed(0, (20, 0, 2), carrier=carrier), fixed(1, (30, 0, 2), carrier=carrier)])

    def test_a_surface_of_which_nothing_is_made_is_an_error(self):
        with pytest.raises(ScenarioError, match="bricks"):
            trace([fixed(0, (20, 0, 2)), fixed(1, (30, 0, 2))], surfaces={"bricks": SurfaceSpec(thickness=0.1)})

    def test_a_flat_hull_is_an_error(self):
        flat = Hull(0, np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]))
        with pytest.raises(WorldError, match="hull 0 on body 0"):
            trace([fixed(0, (20, 0, 2)), fixed(1, (30, 0, 2))], hulls=[flat])


def test_the_weakest_paths_beyond_the_limit_are_dropped_and_their_power_is_told():
    radios = [fixed(0, (10, -9, 2)), fixed(1, (15, 9, 4))]
    everything, few = trace(radios, diffraction=True), trace(radios, diffraction=True, max_paths=3)
    power = np.sort(np.abs(everything.path_amplitude) ** 2)[::-1]
    assert len(power) > 5
    np.testing.assert_allclose(np.sort(np.abs(few.path_amplitude) ** 2)[::-1], power[:3], rtol=1e-12)
    assert few.dropped_db[0] == pytest.approx(10 * np.log10(power[3:].sum()), abs=1e-9)
    assert everything.dropped_db[0] == -np.inf


def test_links_of_which_paths_were_dropped_are_counted():
    radios = [fixed(0, (10, -9, 2)), fixed(1, (15, 9, 4))]
    for most, expected in ((3, {"links_beyond_max_paths": 2}), (64, {})):
        tracer = RayTracer(house_on_the_ground(), radios, spec(diffraction=True, max_paths=most), permittivity=stone)
        tracer.trace(0)
        tracer.trace(1)
        assert tracer.counts == expected


def test_no_path_is_there_twice_and_they_come_in_order_of_delay():
    links = trace([fixed(0, (10, -9, 2)), fixed(1, (15, 9, 4))], diffraction=True)
    assert (np.diff(links.path_delay) >= 0).all()
    points = np.round(np.column_stack([links.path_delay * 3e8, links.path_departure]), 6)
    assert len(np.unique(points, axis=0)) == len(points)


def test_carriers_share_the_geometry_and_not_the_fields():
    radios = []
    for owner, place in enumerate([(10, -9, 2), (15, 9, 4)]):
        for carrier in (3.5e9, 28e9, 140e9):
            radios.append(Radio(len(radios), owner, None, tuple(map(float, place)), carrier))
    links = trace(radios)
    assert len(links.a) == 3
    one, two, three = (slice(links.path_offset[k], links.path_offset[k + 1]) for k in range(3))
    np.testing.assert_array_equal(links.path_delay[one], links.path_delay[two])
    np.testing.assert_array_equal(links.path_delay[one], links.path_delay[three])
    direct = 20 * np.log10(np.abs(links.path_amplitude[[one.start, two.start]]))
    assert direct[0] - direct[1] == pytest.approx(20 * np.log10(8.0), abs=1e-4)  # rest of the air at 28 GHz


def test_spreads_of_two_equal_paths():
    """Direct path and the one by way of the ground, against the formulas for two."""
    links = trace([fixed(0, (20, 20, 1)), fixed(1, (60, 60, 1))], order=1)
    power, delay = np.abs(links.path_amplitude) ** 2, links.path_delay
    assert len(power) == 2
    share = power / power.sum()
    assert links.delay_spread[0] == pytest.approx(np.sqrt(share[0] * share[1]) * (delay[1] - delay[0]), rel=1e-9)
    assert links.k_factor_db[0] == pytest.approx(10 * np.log10(power[0] / power[1]), abs=1e-9)
    assert links.angular_spread[0] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_the_same_twice_is_the_same_to_the_last_bit():
    radios = [fixed(0, (10, -9, 2), antenna=AntennaSpec(rows=4, columns=4)), fixed(1, (15, 9, 4))]
    one, two = (trace(radios, diffraction=True) for _ in range(2))
    assert one.path_amplitude.tobytes() == two.path_amplitude.tobytes()
    assert one.path_vertex.tobytes() == two.path_vertex.tobytes()


def test_the_body_that_carries_a_radio_is_not_in_its_way():
    radios = [Radio(index=0, owner=0, body=0, mount=(0.0, 0, 0), carrier=CARRIER), fixed(1, (60, 0, 5))]
    assert trace(radios, hulls=[box(0, (2.0, 2.0, 2.0))], bodies=one_body((20.0, 0.0, 5.0))).los[0]
