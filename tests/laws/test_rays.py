"""Laws of the ray-traced channel: path sets by hand, reciprocity, Doppler as the rate of phase, certificates."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.channel.search.hulls import Hull, box
from twin.channel.tracer import RayTracer
from twin.errors import ScenarioError
from twin.link import SPEED_OF_LIGHT, Arrays, Radio, Tones, Waves, beam_response, frequency_response
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder
from twin.world.opening import open_world

VACUUM = AtmosphereSpec(pressure=1e-6, vapour=0.0)
CARRIER = 3.5e9
EPS0 = 8.8541878128e-12


def soil(material, frequency):
    return 15.0 - 1j * 0.03 / (2 * np.pi * frequency * EPS0)


def stone(material, frequency):
    return 5.24 - 0.2j


def metal(material, frequency):
    """So good a conductor that its coefficients, -1 and 1, turn no phase as angles change."""
    return 1.0 - 1e16j


def spec(**more):
    return RayTracingSpec(**({"atmosphere": VACUUM, "rays": 20_000, "surfaces": {}} | more))


def ground(size=1000.0):
    builder = GeometryBuilder()
    builder.add_polygon([size * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "ground")
    return builder


def fixed(index, position, carrier=CARRIER, **more):
    return Radio(index=index, owner=index, body=None, mount=tuple(position), carrier=carrier, **more)


def on_body(index, body, carrier=CARRIER, **more):
    return Radio(index=index, owner=index, body=body, mount=(0.0, 0.0, 0.0), carrier=carrier, **more)


def bodies(position, velocity=None, orientation=None, turning=None):
    position = np.atleast_2d(np.asarray(position, dtype=float))
    n = len(position)
    zero = np.zeros((n, 3))
    return BodyState(
        position=position,
        orientation=np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)) if orientation is None else np.asarray(orientation),
        velocity=zero if velocity is None else np.asarray(velocity, dtype=float),
        angular_velocity=zero if turning is None else np.asarray(turning, dtype=float),
        joint_position=np.zeros(0),
        joint_velocity=np.zeros(0),
        joint_offset=np.zeros(n + 1, dtype=np.int64),
    )


@pytest.mark.parametrize(("distance", "gain_db"), [(100.0, -77.623), (1e3, -98.335), (1e4, -136.498)])
def test_two_rays_over_flat_ground(distance, gain_db):
    """3.5 GHz, 10 m and 1.5 m, eps 15, 0.03 S/m, TE: direct wave and wave from the ground, summed."""
    across = AntennaSpec(slant=np.pi / 2)
    radios = [fixed(0, (0, 0, 10.0), antenna=across), fixed(1, (distance, 0, 1.5), antenna=across)]
    links = RayTracer(ground(2e4).build(), radios, spec(), permittivity=soil).trace()
    assert np.diff(links.path_offset).tolist() == [2]
    response = frequency_response(links, np.array([CARRIER]), 0.0, 0.0, 0.0, 1)[0, 0]
    assert 20 * np.log10(abs(response)) == pytest.approx(gain_db, abs=5e-4)


def faces_of(links, link=0):
    """Return the sequences of faces of a link's paths."""
    rows = range(links.path_offset[link], links.path_offset[link + 1])
    return {tuple(links.path_face[p, : links.path_length[p]].tolist()) for p in rows}


def test_a_corridor_has_one_path_for_each_number_of_bounces_and_first_wall():
    """Two parallel walls: direct, 1 bounce (2), 2 bounces (2), 3 bounces (2); lengths by images."""
    builder = GeometryBuilder()
    thing = builder.add_object("walls")
    for y, sign in ((0.0, 1.0), (4.0, -1.0)):
        ring = np.array([[-50, y, 0], [50, y, 0], [50, y, 3], [-50, y, 3]], dtype=float)
        builder.add_polygon([ring[::-1] if sign > 0 else ring], "brick", thing)
    a, b = np.array([-10.0, 1.0, 1.5]), np.array([15.0, 2.5, 1.5])
    links = RayTracer(builder.build(), [fixed(0, a), fixed(1, b)], spec(), permittivity=stone).trace()
    images = [2.5, -2.5, 5.5, 2.5 - 8, 2.5 + 8, -2.5 - 8, 5.5 + 8]
    lengths = sorted(np.hypot(25.0, y - 1.0) for y in images)
    np.testing.assert_allclose(links.path_delay * SPEED_OF_LIGHT, lengths, rtol=1e-13)
    assert faces_of(links) == {(), (0,), (1,), (0, 1), (1, 0), (0, 1, 0), (1, 0, 1)}


def test_a_corner_gives_two_single_bounces_and_the_double_bounce():
    """Two walls at a right angle: of the two orders of the double bounce only one exists."""
    builder = GeometryBuilder()
    thing = builder.add_object("corner")
    builder.add_polygon([np.array([[0, 0, 0], [0, 30, 0], [0, 30, 9], [0, 0, 9]], dtype=float)], "brick", thing)
    builder.add_polygon([np.array([[30, 0, 0], [0, 0, 0], [0, 0, 9], [30, 0, 9]], dtype=float)], "brick", thing)
    a, b = (10.0, 4.0, 2.0), (6.0, 12.0, 2.0)
    links = RayTracer(builder.build(), [fixed(0, a), fixed(1, b)], spec(), permittivity=stone).trace()
    # The unfolded line from (10, 4) to (-6, -12) crosses y = 0 at x = 6, before x = 0.
    assert faces_of(links) == {(), (0,), (1,), (1, 0)}
    assert links.path_delay[-1] * SPEED_OF_LIGHT == pytest.approx(np.hypot(16.0, 16.0), rel=1e-14)


def two_buildings():
    builder = ground()
    for k, x in enumerate((-30.0, 10.0)):
        thing = builder.add_object(f"building {k}")
        builder.add_box((x, 0.0, 0.0), (x + 20.0, 10.0, 12.0), "brick", thing, floor=False)
    return builder.build()


def test_two_buildings_with_a_gap():
    """In the gap: direct, ground, and the two walls of the gap, once each. Behind a building: nothing."""
    geometry = two_buildings()
    through = [fixed(0, (0.0, -20.0, 2.0)), fixed(1, (0.0, 30.0, 2.0))]
    links = RayTracer(geometry, through, spec(order=1), permittivity=stone).trace()
    assert links.los[0]
    lengths = [50.0, np.hypot(50.0, 4.0), np.hypot(50.0, 20.0), np.hypot(50.0, 20.0)]
    np.testing.assert_allclose(links.path_delay * SPEED_OF_LIGHT, lengths, rtol=1e-13)
    hidden = [fixed(0, (20.0, -20.0, 2.0)), fixed(1, (20.0, 12.0, 2.0))]
    links = RayTracer(geometry, hidden, spec(order=3), permittivity=stone).trace()
    assert not links.los[0]
    assert links.path_gain_db[0] == -np.inf
    assert np.diff(links.path_offset).tolist() == [0]


def test_a_site_wall_between_two_transparent_ends_loses_what_the_slab_takes():
    """Concrete of 20 cm at normal incidence, 3.5 GHz: 19.02 dB (Recommendation ITU-R P.2040)."""
    builder = GeometryBuilder()
    thing = builder.add_object("wall")
    builder.add_polygon([np.array([[5, -9, -9], [5, 9, -9], [5, 9, 9], [5, -9, 9]], dtype=float)], "concrete", thing)

    def concrete(material, frequency):
        sigma = 0.0462 * (frequency / 1e9) ** 0.7822
        return 5.24 - 1j * sigma / (2 * np.pi * frequency * EPS0)

    plain = builder.build()
    thick = replace(plain, thickness=np.array([0.2]))
    through = {"concrete": SurfaceSpec(transparent=True)}
    said = {"concrete": SurfaceSpec(transparent=True, thickness=0.2)}
    radios = [fixed(0, (0, 0, 0)), fixed(1, (10, 0, 0))]
    friis = 20 * np.log10(SPEED_OF_LIGHT / CARRIER / (4 * np.pi * 10.0))
    # The thickness is the world's, unless the scenario says another.
    for geometry, surfaces in ((thick, through), (plain, said), (replace(plain, thickness=np.array([0.05])), said)):
        links = RayTracer(geometry, radios, spec(surfaces=surfaces), permittivity=concrete).trace()
        assert links.path_gain_db[0] - friis == pytest.approx(-19.02, abs=5e-3)
        assert not links.los[0]
        assert faces_of(links) == {(0,)}
    with pytest.raises(ScenarioError, match="needs a thickness"):
        RayTracer(plain, radios, spec(surfaces=through), permittivity=concrete)


class TestArrays:
    """An array is what its elements are one by one, each where it sits: of any device, however that is turned."""

    ANTENNAS = (
        AntennaSpec(rows=3, columns=2, spacing=(0.5, 0.7), slant=0.3, azimuth=0.5, downtilt=0.2, roll=0.4),
        AntennaSpec(pattern="tr38901", rows=2, columns=4, spacing=(0.6, 0.5), azimuth=-2.8, downtilt=-0.1),
    )

    def test_phases_are_those_of_elements_at_their_places(self):
        """A drone that pitches and yaws, and a mast: phases to 1e-4 rad, the curvature of waves from 20 km away.

        (8 cm)^2 / (2 x 20 km) is 2e-6 wavelengths of 8.6 cm.
        """
        turns = Rotation.from_euler("ZYX", [[0.7, -0.3, 0.2], [0.0, 0.0, 0.0]])
        places = np.array([[0.0, 0.0, 80.0], [15_000.0, 12_000.0, 30.0]])
        plane = ground().build()
        turned = [on_body(i, i, antenna=antenna) for i, antenna in enumerate(self.ANTENNAS)]
        pose = bodies(places, orientation=turns.as_quat())
        array = RayTracer(plane, turned, spec(order=0), permittivity=stone).trace(0, pose)
        wavelength = SPEED_OF_LIGHT / CARRIER
        for end, antenna in enumerate(self.ANTENNAS):
            mount = Rotation.from_euler("ZYX", [antenna.azimuth, antenna.downtilt, antenna.roll])
            vertical, across = wavelength * np.array(antenna.spacing)
            for axis, offset in enumerate(([0.0, 0.0, vertical], [0.0, across, 0.0])):
                moved = places.copy()
                moved[end] += turns[end].apply(mount.apply(offset))
                one, other = (
                    RayTracer(plane, [on_body(0, 0), on_body(1, 1)], spec(order=0), permittivity=stone)
                    .trace(0, bodies(p)).path_amplitude[0] for p in (places, moved)
                )  # fmt: skip
                expected = np.angle(other / one)
                difference = array.path_phase[end, 0, axis] - expected
                assert abs(np.angle(np.exp(1j * difference))) < 1e-4

    @pytest.mark.parametrize("name", ["pitch of a drone", "roll of a buoy"])
    def test_a_body_that_turns_is_an_antenna_that_is_mounted_so(self, name):
        """The element of TR 38.901 with its slant: to tilt the body or the mount is the same field, to 1e-12."""
        about = {"pitch of a drone": "y", "roll of a buoy": "x"}[name]
        angle = 0.4
        mounted = {"y": {"downtilt": angle}, "x": {"roll": angle}}[about]
        sector = AntennaSpec(pattern="tr38901", slant=0.6, rows=2, columns=2)
        geometry, other = two_buildings(), fixed(1, (4.0, 40.0, 3.0), antenna=self.ANTENNAS[0])
        turn = Rotation.from_euler(about, angle).as_quat().reshape(1, 4)
        by_body = RayTracer(geometry, [on_body(0, 0, antenna=sector), other], spec(), permittivity=stone).trace(
            0, bodies([1.0, -20.0, 9.0], orientation=turn)
        )
        by_mount = RayTracer(
            geometry, [on_body(0, 0, antenna=sector.model_copy(update=mounted)), other], spec(), permittivity=stone
        ).trace(0, bodies([1.0, -20.0, 9.0]))
        assert len(by_body.path_delay) > 3
        np.testing.assert_allclose(by_body.path_amplitude, by_mount.path_amplitude, rtol=1e-12)
        np.testing.assert_allclose(by_body.path_phase, by_mount.path_phase, atol=1e-12)


class TestReciprocity:
    ANTENNAS = (
        AntennaSpec(pattern="tr38901", slant=0.7, azimuth=0.4, downtilt=0.1, rows=4, columns=8),
        AntennaSpec(pattern="dipole", slant=0.2, azimuth=2.5, roll=0.3, rows=2, columns=2, spacing=(0.7, 0.6)),
    )

    @pytest.mark.parametrize("beam", ["broadside", "dft", "mrc"])
    def test_gain_and_paths_do_not_depend_on_the_direction(self, beam):
        geometry, ends = two_buildings(), [(1.0, -12.0, 9.0), (-2.0, 18.0, 2.0)]
        antennas = [a.model_copy(update={"beam": beam}) for a in self.ANTENNAS]
        found = []
        for order in ((0, 1), (1, 0)):
            radios = [fixed(i, ends[k], antenna=antennas[k]) for i, k in enumerate(order)]
            found.append(RayTracer(geometry, radios, spec(), permittivity=stone).trace())
        there, back = found
        assert len(there.path_delay) > 3
        assert there.path_gain_db[0] == pytest.approx(back.path_gain_db[0], abs=1e-9)
        np.testing.assert_allclose(there.path_amplitude, back.path_amplitude, rtol=1e-9)
        np.testing.assert_allclose(there.path_transfer, back.path_transfer.swapaxes(1, 2), atol=1e-9)
        np.testing.assert_allclose(there.path_departure, back.path_arrival, atol=1e-9)


def test_any_beam_of_a_link_is_a_sum_over_its_paths():
    """With the beams that the trace chose it is the response of the trace; each of them beats its neighbours."""
    antennas = [AntennaSpec(rows=4, columns=8), AntennaSpec(rows=2, columns=2)]
    radios = [fixed(0, (1.0, -12.0, 9.0), antenna=antennas[0]), fixed(1, (-2.0, 18.0, 2.0), antenna=antennas[1])]
    links = RayTracer(two_buildings(), radios, spec(), permittivity=stone).trace()
    arrays = np.array([[4, 8], [2, 2]], dtype=np.int32)
    found = np.zeros(5, dtype=np.complex128)

    def respond(beams):
        waves = Waves(amplitude=links.path_element, delay=links.path_delay, doppler=links.path_doppler)
        ends = Arrays(shape=arrays, phase=links.path_phase, beams=beams)
        tones = Tones(carrier=CARRIER, start_hz=-10e6, step_hz=5e6)
        beam_response(waves, ends, 0, len(links.path_delay), 0.0, tones, found)
        return found.copy()

    expected = frequency_response(links, np.array([CARRIER]), 0.0, -10e6, 5e6, 5)[0]
    chosen = respond(links.beam[0])
    np.testing.assert_allclose(chosen, expected, rtol=1e-12)
    other = (links.beam[0] + np.array([1, 0])) % np.array([32, 4])
    assert np.abs(respond(other.astype(np.int32))).mean() < np.abs(chosen).mean()


class TestDoppler:
    """The shift is the rate of phase: central differences over 20 us, in which second order is negligible."""

    STEP = 1e-5

    def rate(self, before, after):
        turned = np.angle(after.path_amplitude / before.path_amplitude)
        return turned / (2 * np.pi * 2 * self.STEP)

    def test_of_two_moving_ends(self):
        geometry = two_buildings()
        tracer = RayTracer(geometry, [on_body(0, 0), on_body(1, 1)], spec(), permittivity=metal)
        start, velocity = np.array([[1.0, -12, 9], [-2, 18, 2]]), np.array([[9.0, -4, 2], [-3, 14, 0.5]])
        frames = [tracer.trace(0, bodies(start + k * self.STEP * velocity, velocity)) for k in (-1, 0, 1)]
        assert len(frames[1].path_delay) > 3
        np.testing.assert_allclose(self.rate(frames[0], frames[2]), frames[1].path_doppler, rtol=1e-5, atol=1e-3)

    def test_of_a_moving_mirror(self):
        """A lorry's side comes nearer while it turns: only the path by way of it is shifted."""
        geometry, lorry = ground().build(), box(0, (12.0, 2.5, 4.0))
        radios = [fixed(0, (-20.0, 0, 3.0)), fixed(1, (20.0, 0, 3.0))]
        tracer = RayTracer(geometry, radios, spec(), hulls=[lorry], permittivity=metal)
        velocity, turning = np.array([[2.0, -15.0, 0.0]]), np.array([[0.0, 0.0, 0.3]])
        frames = []
        for k in (-1, 0, 1):
            t = k * self.STEP
            yaw = 0.3 * t
            pose = [[0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)]]
            frames.append(tracer.trace(0, bodies([[0.5, 30.0, 2.0]] + t * velocity, velocity, pose, turning)))
        middle = frames[1]
        assert middle.path_kind[:, 0].tolist() == [-1, 0, 3]
        np.testing.assert_allclose(self.rate(frames[0], frames[2]), middle.path_doppler, rtol=1e-5, atol=1e-3)
        assert middle.path_doppler[:2].tolist() == [0.0, 0.0]
        assert middle.path_doppler[2] > 100.0


def test_an_obstacle_is_seen_in_the_step_in_which_it_comes():
    hull = Hull(0, np.array([[-1, -1, -1], [1, -1, -1], [0, 1, -1], [0, 0, 2]], dtype=float))
    radios = [fixed(0, (-20.0, 0, 3.0)), fixed(1, (20.0, 0, 3.0))]
    tracer = RayTracer(ground().build(), radios, spec(), hulls=[hull], permittivity=stone)
    assert tracer.trace(0, bodies([0.0, 40.0, 3.0])).los[0]
    assert not tracer.trace(1, bodies([0.0, 0.0, 3.0])).los[0]
    assert tracer.trace(2, bodies([0.0, 40.0, 3.0])).los[0]


def test_turning_the_body_turns_the_antenna():
    """A dipole that lies down with its body is silent along its axis."""
    radios = [on_body(0, 0, antenna=AntennaSpec(pattern="dipole")), fixed(1, (50.0, 0.0, 0.0))]
    wall = GeometryBuilder()
    wall.add_polygon([np.array([[0, 0, -99], [1, 0, -99], [1, 1, -99]], dtype=float)], "brick")
    tracer = RayTracer(wall.build(), radios, spec(), permittivity=stone)
    upright = tracer.trace(0, bodies([0.0, 0.0, 0.0]))
    half = np.sqrt(0.5)
    lying = tracer.trace(1, bodies([0.0, 0.0, 0.0], orientation=[[0.0, half, 0.0, half]]))
    friis = 20 * np.log10(SPEED_OF_LIGHT / CARRIER / (4 * np.pi * 50.0))
    assert upright.path_gain_db[0] - friis == pytest.approx(10 * np.log10(1.6409223769), abs=1e-9)
    assert lying.path_gain_db[0] < friis - 100.0


class TestKineticSearch:
    """Certificates decide what is looked at, never what is found: the same tree, searched in full, agrees.

    Both trees grow by the same rays. A path may differ only where it exists within rounding: every set must be
    the same, and every delay to 1e-15 s (0.3 um).
    """

    def test_for_2000_steps_in_the_city(self):
        """A moving transmitter, 20 walkers and 4 lorries, steps from nothing to a metre: not one path differs."""
        city = Path(__file__).resolve().parents[2] / "worlds" / "city"
        if not (city / "world.toml").is_file():
            pytest.skip("the world city is not there")
        world, rng = open_world(city), np.random.default_rng(11)
        place = np.zeros((0, 3))
        while len(place) < 25:
            point = np.array([[*rng.uniform(-150, 150, 2), 200.0]])
            point[:, 2] = world.height_below(point) + 1.5
            place = np.vstack([place, point]) if point[0, 2] < 4.5 else place
        place[0, 2] += 20.0
        radios = [Radio(index=i, owner=min(i, 1), body=i, mount=(0.0, 0.0, 0.0), carrier=CARRIER) for i in range(21)]
        lorries = [box(21 + k, (8.0, 2.5, 3.5)) for k in range(4)]
        one, other = (
            RayTracer(world.geometry, radios, RayTracingSpec(mode=mode, rays=1_000, rays_per_metre=200), lorries)
            for mode in ("kinetic", "exhaustive")
        )
        velocity = rng.uniform(-1, 1, place.shape) * [1.0, 1.0, 0.05]
        paths = 0
        for step in range(2_000):
            place = place + rng.choice([0.0, 0.01, 0.1, 1.0], p=[0.1, 0.6, 0.25, 0.05]) * velocity
            place[:, 2] = np.maximum(place[:, 2], 1.0)
            velocity = np.where(np.abs(place) > 160.0, -np.sign(place) * np.abs(velocity), velocity)
            a, b = one.trace(step, bodies(place)), other.trace(step, bodies(place))
            np.testing.assert_array_equal(a.path_offset, b.path_offset, err_msg=f"step {step}")
            assert np.abs(a.path_delay - b.path_delay).max(initial=0.0) < 1e-15, f"step {step}"
            paths += len(a.path_delay)
        assert paths > 50_000

    def town(self):
        builder = ground(300.0)
        rng = np.random.default_rng(7)
        for x in range(4):
            for y in range(4):
                thing = builder.add_object(f"house {x} {y}")
                low = np.array([x * 30.0 - 60, y * 30.0 - 60, 0.0]) + [*rng.uniform(0, 6, 2), 0.0]
                high = low + [*rng.uniform(8, 20, 2), rng.uniform(5, 25)]
                builder.add_box(tuple(low), tuple(high), "brick", thing, floor=False)
        return builder.build()

    @pytest.mark.parametrize("moving_source", [False, True])
    def test_finds_what_the_full_search_finds(self, moving_source):
        rng = np.random.default_rng(3)
        start = np.array([[*rng.uniform(-70, 70, 2), rng.uniform(1, 30)] for _ in range(8)])
        source = on_body(0, 0) if moving_source else fixed(0, start[0], role="cell")
        radios = [source, *(on_body(i, i) for i in range(1, 8))]
        hulls = [box(8, (8.0, 3.0, 4.0)), box(9, (3.0, 3.0, 3.0))]
        tracers = [
            RayTracer(self.town(), radios, spec(mode=mode, rays=5_000), hulls=hulls, permittivity=stone)
            for mode in ("kinetic", "exhaustive")
        ]
        position = np.vstack([start, [[0.0, 0.0, 2.0], [20.0, 0.0, 2.0]]])
        velocity = rng.uniform(-1, 1, position.shape) * [1.0, 1.0, 0.1]
        paths = 0
        for step in range(150):
            scale = rng.choice([0.0, 0.01, 0.3, 3.0], p=[0.1, 0.5, 0.3, 0.1])
            position = position + scale * velocity
            position[:, 2] = np.maximum(position[:, 2], 0.5)
            velocity = np.where(np.abs(position) > 75.0, -np.sign(position) * np.abs(velocity), velocity)
            one, other = (tracer.trace(step, bodies(position)) for tracer in tracers)
            np.testing.assert_array_equal(one.path_offset, other.path_offset, err_msg=f"step {step}")
            np.testing.assert_allclose(one.path_delay, other.path_delay, rtol=0, atol=1e-15)
            np.testing.assert_array_equal(one.path_face, other.path_face)
            paths += len(one.path_delay)
        assert paths > 1000
