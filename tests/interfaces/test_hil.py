"""What an autopilot is told: axes, units and places, against what physics and the standards say."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.interfaces.hil import HilEncoder, HilSpec, attitude, pressure
from twin.specs.sensor import NavigationNoise, NavigationSpec
from twin.state import Sample
from twin.world.georeference import GeoReference

HOME = GeoReference(8.545594, 47.397742, 488.0)
TO_NED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
TO_FRD = np.diag([1.0, -1.0, -1.0])
MS = 1_000_000


def sample(time=0, position=(0, 0, 0), velocity=(0, 0, 0), turn=None, rates=(0, 0, 0)):
    turn = turn or Rotation.identity()
    values = {"position": position, "velocity": velocity, "angular_velocity": rates, "orientation": turn.as_quat()}
    return Sample(time, {name: np.array(value, dtype=float) for name, value in values.items()})


def told(*samples, **settings):
    """Return the messages of the last sample by their names."""
    encoder = HilEncoder(HilSpec(**settings), NavigationSpec(noise=NavigationNoise(position=0.1)), HOME)
    for one in samples:
        messages = encoder.messages(one)
    return {message.get_type(): message for message in messages}


@pytest.mark.parametrize("turn", list(Rotation.random(5, rng=1)))
def test_attitude_is_that_of_the_same_body_in_the_other_axes(turn):
    w, x, y, z = attitude(turn.as_quat())
    assert Rotation.from_quat([x, y, z, w]).as_matrix() == pytest.approx(TO_NED @ turn.as_matrix() @ TO_FRD, abs=1e-12)


def test_at_rest_an_accelerometer_feels_its_support_and_on_its_side_too():
    rest = told(sample())["HIL_SENSOR"]
    assert (rest.xacc, rest.yacc, rest.zacc) == pytest.approx((0, 0, -9.81))
    rolled = told(sample(turn=Rotation.from_euler("x", 90, degrees=True)))["HIL_SENSOR"]  # the left side up
    assert (rolled.xacc, rolled.yacc, rolled.zacc) == pytest.approx((0, -9.81, 0))


def test_free_fall_is_felt_as_nothing_and_a_push_as_the_mean_over_the_time_since_the_sample_before():
    fall = told(sample(0), sample(4 * MS, velocity=(0, 0, -9.81 * 0.004)))["HIL_SENSOR"]
    assert (fall.xacc, fall.yacc, fall.zacc) == pytest.approx((0, 0, 0), abs=1e-9)
    north = Rotation.from_euler("z", 90, degrees=True)  # the nose to the north
    push = told(sample(0, turn=north), sample(20 * MS, velocity=(0, 0.06, 0), turn=north))["HIL_SENSOR"]
    assert (push.xacc, push.yacc, push.zacc) == pytest.approx((3.0, 0, -9.81))


def test_rates_and_magnetic_field_are_told_in_body_axes():
    tilt = Rotation.from_euler("zyx", [20, -30, 40], degrees=True)
    rates, field = np.array([0.1, -0.2, 0.3]), np.array([0.215, 0.012, 0.430])
    sensor = told(sample(turn=tilt, rates=rates))["HIL_SENSOR"]
    assert (sensor.xgyro, sensor.ygyro, sensor.zgyro) == pytest.approx(TO_FRD @ tilt.inv().apply(rates))
    to_body = (TO_NED @ tilt.as_matrix() @ TO_FRD).T
    assert (sensor.xmag, sensor.ymag, sensor.zmag) == pytest.approx(to_body @ field)


@pytest.mark.parametrize(("height", "hectopascal"), [(0, 1013.25), (1000, 898.76), (5000, 540.48), (10_000, 265.0)])
def test_pressure_is_that_of_the_standard_atmosphere(height, hectopascal):
    geopotential = 6_356_766 * height / (6_356_766 + height)  # ISO 2533 tabulates by geometric height
    assert pressure(geopotential) == pytest.approx(hectopascal, abs=0.06)


def test_the_place_is_that_of_the_world_and_velocities_point_north_east_down():
    gps = told(sample(position=(300, -400, 12), velocity=(-3, 4, 1)))["HIL_GPS"]
    lon, lat, height = HOME.to_geodetic(np.array([[300.0, -400.0, 12.0]]))[0]
    assert (gps.lat, gps.lon, gps.alt) == (round(lat * 1e7), round(lon * 1e7), round(height * 1e3))
    assert (gps.vn, gps.ve, gps.vd, gps.vel) == (400, -300, -100, 500)
    assert gps.cog == round(100 * np.degrees(2 * np.pi - np.arctan2(3, 4)))
    state = told(sample(position=(300, -400, 12), velocity=(-3, 4, 1)))["HIL_STATE_QUATERNION"]
    assert (state.lat, state.lon, state.vx, state.vy, state.vz) == (gps.lat, gps.lon, 400, -300, -100)


def test_gps_speaks_at_its_own_rate():
    encoder = HilEncoder(HilSpec(gps=5), NavigationSpec(), HOME)
    heard = [n for n in range(500) if encoder.messages(sample(n * 4 * MS))[0].get_type() == "HIL_GPS"]
    assert heard == list(range(0, 500, 50))


def test_the_autopilots_clock_never_shows_zero_and_goes_with_the_run():
    encoder = HilEncoder(HilSpec(), NavigationSpec(), HOME, warmup=2_000 * MS)
    times = [message.time_usec for time in (-2_000 * MS, 0, 4 * MS) for message in encoder.messages(sample(time))[-1:]]
    assert times == [1_000_000, 3_000_000, 3_004_000]
