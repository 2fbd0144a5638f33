"""Laws of what targets send back: radar equation, two rays, ellipsoid, Doppler, reciprocity, fluctuation."""

import numpy as np
import pytest

from twin.channel.rcs import MODELS, Scatterers, pattern_db
from twin.channel.returns import body_axes, legs_of, returns_of, target_radios
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, RcsSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder

CARRIER = 6e9
LENGTH = SPEED_OF_LIGHT / CARRIER
POINT = RcsSpec(model="point", mean=0.0)
TILTED = [[0.1, 0.2, 0.3, np.sqrt(1.0 - 0.14)]]


def bodies(position, velocity=None, orientation=None):
    position = np.atleast_2d(np.asarray(position, dtype=float))
    n = len(position)
    still = np.zeros((n, 3))
    return BodyState(
        position, np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)) if orientation is None else np.asarray(orientation),
        still if velocity is None else np.asarray(velocity, dtype=float), still, np.zeros(0), np.zeros(0),
        np.zeros(n + 1, dtype=np.int64),
    )  # fmt: skip


def conductor(material, frequency):
    """So good a conductor that its coefficients, -1 and 1, turn no phase as angles change."""
    return 1.0 - 1e16j


def ground(size):
    builder = GeometryBuilder()
    builder.add_polygon([size * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "ground")
    return builder.build()


def nothing():
    """A triangle far below everything: nothing to meet."""
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[0, 0, -1e5], [1, 0, -1e5], [1, 1, -1e5], [0, 1, -1e5]], dtype=float)], "ground")
    return builder.build()


class Radar:
    """Sites, and targets on bodies 0, 1, ...; `sites` are positions."""

    def __init__(self, geometry, sites, rcs=(POINT,), antenna=None, order=1, seed=7):
        antenna = antenna or AntennaSpec()
        radios = [Radio(i, i, None, tuple(p), CARRIER, antenna=antenna, role="cell") for i, p in enumerate(sites)]
        owners = [(len(sites) + t, t) for t in range(len(rcs))]
        radios += target_radios(len(radios), owners, CARRIER)
        self.sites, self.targets = range(len(sites)), [len(sites) + 2 * t for t in range(len(rcs))]
        vacuum = AtmosphereSpec(pressure=1e-6, vapour=0.0)
        spec = RayTracingSpec(order=order, max_paths=1_000_000, rays=20_000, atmosphere=vacuum)
        self.tracer = RayTracer(geometry, radios, spec, permittivity=conductor)
        self.scatterers = Scatterers(rcs, [f"target {t}" for t in range(len(rcs))], seed, LENGTH)

    def look(self, state, pairs=((0, 0),)):
        legs = legs_of(self.tracer.trace(0, state), self.sites, self.targets)
        turn = body_axes(state, np.arange(len(self.targets)))
        return returns_of(legs, np.array(pairs), self.scatterers, turn, LENGTH)


@pytest.mark.parametrize("distance", [50.0, 333.0, 5000.0])
def test_a_target_in_free_space_returns_what_the_radar_equation_says(distance):
    """P = lambda^2 sigma / ((4 pi)^3 R^4), delay 2 R / c, Doppler -2 v_r / lambda; 3 dBsm, 17 dBi of an antenna."""
    antenna = AntennaSpec(pattern="tr38901", azimuth=np.arctan2(0.8, 0.6))
    radar = Radar(nothing(), [(0, 0, 30.0)], [RcsSpec(model="point", mean=3.0)], antenna)
    found = radar.look(bodies((distance * 0.6, distance * 0.8, 30.0), velocity=[[3.0, -7.0, 2.0]]))
    gain = 10.0 ** (2 * 8.0 / 10.0)
    power = gain * LENGTH**2 * 10**0.3 / ((4.0 * np.pi) ** 3 * distance**4)
    assert len(found.delay) == 1
    assert abs(found.amplitude[0]) ** 2 == pytest.approx(power, rel=1e-12)
    assert found.delay[0] == pytest.approx(2.0 * distance / SPEED_OF_LIGHT, rel=1e-13)
    assert found.doppler[0] == pytest.approx(-2.0 * (3.0 * 0.6 - 7.0 * 0.8) / LENGTH, rel=1e-12)
    np.testing.assert_allclose(found.arrival[0], [0.6, 0.8, 0.0], atol=1e-14)


@pytest.mark.parametrize(("distance", "height"), [(800.0, 60.0), (1500.0, 87.0), (3000.0, 120.0)])
def test_two_rays_over_a_conductor_return_the_fourth_power_of_their_factor(distance, height):
    """Four returns of horizontal polarisation that sum to the radar equation times |F|^4, also in a null."""
    radar = Radar(ground(2e4), [(0, 0, 25.0)], antenna=AntennaSpec(slant=np.pi / 2))
    found = radar.look(bodies((distance, 0.0, height)))
    near, far = np.hypot(distance, height - 25.0), np.hypot(distance, height + 25.0)
    factor = 1.0 - near / far * np.exp(-2j * np.pi * (far - near) / LENGTH)
    power = LENGTH**2 / ((4.0 * np.pi) ** 3 * near**4) * abs(factor) ** 4
    assert len(found.delay) == 4
    assert sorted(found.bounces) == [0, 1, 1, 2]
    assert abs(found.amplitude.sum()) ** 2 == pytest.approx(power, rel=1e-6)


def test_equal_delays_of_two_sites_lie_on_an_ellipsoid():
    """Delay 2 a / c on it; Doppler 2 v cos(beta/2) / lambda along the bisector; 1 / (R1^2 R2^2)."""
    sites = np.array([(-300.0, 0.0, 30.0), (300.0, 0.0, 30.0)])
    radar = Radar(nothing(), sites)
    a, b = 500.0, 400.0
    for u in np.linspace(0.1, 3.0, 7):
        x = np.array([a * np.cos(u), 0.6 * b * np.sin(u), 30.0 + 0.8 * b * np.sin(u)])
        first, second = np.linalg.norm(sites - x, axis=1)
        i, s = (sites[0] - x) / first, (sites[1] - x) / second
        bisector = (i + s) / np.linalg.norm(i + s)
        found = radar.look(bodies(x, velocity=[17.0 * bisector]), [(0, 1)])
        assert found.delay[0] * SPEED_OF_LIGHT == pytest.approx(2.0 * a, rel=1e-13)
        assert found.doppler[0] == pytest.approx(2.0 * 17.0 * np.cos(0.5 * np.arccos(i @ s)) / LENGTH, rel=1e-12)
        # Twin's waves are vertical at both ends; a point keeps theta and phi about z.
        power = LENGTH**2 / ((4.0 * np.pi) ** 3 * first**2 * second**2)
        assert abs(found.amplitude[0]) ** 2 == pytest.approx(power, rel=1e-12)


def fading(rcs):
    """A site of slanted arrays beside another, a conductor below them, and a tilted target."""
    antenna = AntennaSpec(pattern="tr38901", azimuth=0.3, downtilt=0.1, rows=4, columns=8, slant=np.pi / 4)
    return Radar(ground(2e3), [(0, 0, 25.0), (200.0, 90.0, 35.0)], [rcs], antenna)


@pytest.mark.parametrize("model", ["uav-large", "uav-small", "agv"])
def test_returns_are_reciprocal(model):
    """Exchanging transmitter and receiver changes nothing, with lobes, fluctuation and cross-polarisation."""
    state = bodies((130.0, 40.0, 60.0), velocity=[[5.0, 3.0, 1.0]], orientation=TILTED)
    found = fading(RcsSpec(model=model)).look(state, [(0, 1), (1, 0)])
    there, back = found.pair == 0, found.pair == 1
    assert there.sum() == 4
    order = np.argsort(found.delay[there]), np.argsort(found.delay[back])
    for values in (found.amplitude, found.delay, found.doppler, found.rcs_db):
        np.testing.assert_allclose(values[there][order[0]], values[back][order[1]], rtol=1e-12)


def test_doppler_is_the_rate_of_phase_of_each_return():
    """By a finite difference of a microsecond, of a target that flies and doesn't turn."""
    radar, step = fading(RcsSpec(model="uav-large", fluctuation=False)), 1e-6
    velocity = np.array([5.0, 3.0, 1.0])
    now, then = (
        radar.look(bodies(np.array([130.0, 40.0, 60.0]) + k * step * velocity, [velocity], TILTED)) for k in (0, 1)
    )
    rate = np.angle(then.amplitude / now.amplitude) / (2.0 * np.pi * step)
    np.testing.assert_allclose(rate, now.doppler, atol=1e-4)  # of phases to 1e-10 rad
    assert np.abs(now.doppler).max() > 50.0


def test_targets_and_pairs_keep_apart():
    """Two targets seen by two sites: the return of each pair is that of the target alone."""
    sites, places = [(0, 0, 30.0), (400.0, 0, 30.0)], [(100.0, 50.0, 60.0), (250.0, -80.0, 40.0)]
    pairs = [(0, 0), (0, 1), (1, 1)]
    both = Radar(nothing(), sites, [POINT, POINT]).look(bodies(places), pairs)
    assert list(zip(both.pair, both.target, strict=True)) == [(k, t) for k in range(3) for t in range(2)]
    for t, place in enumerate(places):
        alone = Radar(nothing(), sites).look(bodies(place), pairs)
        np.testing.assert_array_equal(both.amplitude[both.target == t], alone.amplitude)


def directions(theta, phi):
    theta, phi = np.radians(theta), np.radians(phi)
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0.0 * phi], axis=-1)


@pytest.mark.parametrize(
    ("model", "theta", "phi", "level"),
    [
        ("uav-large", 90.0, 90.0, 7.43),
        ("uav-large", 90.0, 90.0 + 7.13 / 2, 4.43),  # half the width at 3 dB
        ("uav-large", 90.0 + 8.68 / 2, 270.0, 4.43),
        ("uav-large", 90.0, 44.0, 1.02 - 7.89),
        ("uav-large", 180.0, 0.0, 13.55),
        ("uav-large", 4.93 / 2, 0.0, 10.55),
        ("vehicle", 71.75, 0.0, 15.52),
        ("vehicle", 0.0, 0.0, 21.26),
        ("agv", 90.0, 180.0, 11.01),
        ("uav-small", 33.0, 44.0, -12.81),
        ("human", 90.0, 0.0, -1.37),
    ],
)
def test_lobes_are_those_of_the_tables(model, theta, phi, level):
    """Monostatic: peaks, 3 dB at half their widths, and floors of TR 38.901, tables 7.9.2.1-1 to -6."""
    towards = directions(np.array([theta]), np.array([phi]))
    assert pattern_db(MODELS[model], towards, towards)[0] == pytest.approx(level, abs=1e-9)


def test_bistatic_loss_of_a_lobe_and_of_a_point():
    """60 degrees apart about the left of a large UAV, and of a human (equations 7.9.2-3 and 7.9.2-2)."""
    i, s = directions(np.array([90.0]), np.array([60.0])), directions(np.array([90.0]), np.array([120.0]))
    lost = 6.05 * np.sin(1.33 * np.radians(30.0)) - 5.0 * np.log10(np.cos(np.radians(30.0)))
    assert pattern_db(MODELS["uav-large"], i, s)[0] == pytest.approx(7.43 - lost, abs=1e-9)
    assert pattern_db(MODELS["human"], i, s)[0] == pytest.approx(-1.37 - 3.0 * 0.5, abs=1e-9)


def faded(model, count, aspect, size=None):
    """Return 10 lg sigma_S (targets, aspects) of `count` targets of other names, and all matrices."""
    rcs = RcsSpec(model=model, size=size)
    scatterers = Scatterers([rcs] * count, [f"a{t}" for t in range(count)], 3, LENGTH)
    target = np.repeat(np.arange(count), len(aspect))
    towards = np.tile(aspect, (count, 1))
    level, matrix = scatterers.matrices(target, towards, towards)
    return (level - pattern_db(MODELS[model], towards, towards)).reshape(count, -1), matrix


def test_fluctuation_has_the_distribution_of_the_standard():
    """Mean power 1 (equation 7.9.2-1) and deviation 3.74 dB; XPR of 13.75 and 7.07 dB: within 4 standard errors.

    Over 600 targets, each at 6 aspects too far from each other to be alike.
    """
    aspect = directions(
        np.array([90.0, 90.0, 90.0, 30.0, 120.0, 150.0]), np.array([0.0, 100.0, 220.0, 10.0, 60.0, 300.0])
    )
    level, matrix = faded("uav-small", 600, aspect)
    error = 1.0 / np.sqrt(level.size)
    assert level.std() == pytest.approx(3.74, abs=4 * 3.74 * error / np.sqrt(2.0))
    spread = np.sqrt(np.exp((3.74 * np.log(10.0) / 10.0) ** 2) - 1.0)
    assert (10.0 ** (level / 10.0)).mean() == pytest.approx(1.0, abs=4 * spread * error)
    xpr = -20.0 * np.log10(np.abs(matrix[:, 0, 1]))
    assert xpr.mean() == pytest.approx(13.75, abs=4 * 7.07 * error)
    assert xpr.std() == pytest.approx(7.07, abs=4 * 7.07 * error / np.sqrt(2.0))
    np.testing.assert_allclose(np.abs(matrix[:, 0, 0]), 1.0, rtol=1e-12)


def test_fluctuation_fades_as_a_target_turns():
    """Correlation over aspect: 3 (sin x - x cos x) / x^3, x = 4 pi L / lambda times the angle, L = 1.6 m."""
    angle = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0])  # degrees
    level, _ = faded("uav-large", 1500, directions(np.full(7, 90.0), 20.0 + angle))
    fade = (level - level.mean()) / level.std()
    x = 4.0 * np.pi * 1.6 / LENGTH * 2.0 * np.sin(0.5 * np.radians(angle[1:]))
    expected = 3.0 * (np.sin(x) - x * np.cos(x)) / x**3
    found = (fade[:, :1] * fade[:, 1:]).mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=4.0 / np.sqrt(1500))


def test_a_target_keeps_its_draws_whoever_else_is_there():
    aspect = directions(np.array([80.0]), np.array([5.0]))
    rcs = RcsSpec(model="human")
    alone = Scatterers([rcs], ["a"], 3, LENGTH).matrices(np.array([0]), aspect, aspect)
    among = Scatterers([rcs, rcs], ["b", "a"], 3, LENGTH).matrices(np.array([1]), aspect, aspect)
    np.testing.assert_array_equal(alone[1], among[1])
    assert alone[0] == among[0]
