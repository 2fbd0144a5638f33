"""Radio over the sea: Fresnel's water, Miller and Brown's roughness, crests that cut rays, and the round Earth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import airy, ive

from twin.channel.fields.sea import EARTH_RADIUS, SeaSurface, Tidal, at_level, sea_area
from twin.channel.fields.smooth_earth import knife_edge_db, smooth_earth_db
from twin.channel.freespace import FreeSpace
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import AntennaSpec, AtmosphereSpec, OverSeaSpec, RayTracingSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder
from twin.world.materials import water_permittivity
from twin.world.spectra import parametric
from twin.world.waves import Waves, make_waves, regular_wave

CARRIER = 3.5e9
WAVELENGTH = SPEED_OF_LIGHT / CARRIER
EMPTY = Waves(*[np.zeros(0)] * 6, 100.0)
FLAT = OverSeaSpec(earth_factor=1e9)  # an Earth so large that it is flat


class Still:
    """A test's sea: the same waves all the time, at a level that may rise."""

    def __init__(self, waves=EMPTY, rise=0.0):
        self.now, self.rise = waves, rise

    def waves(self, time):
        return self.now

    def tide(self, time):
        return self.rise * time / 1e9


def water(size=40e3):
    builder = GeometryBuilder()
    ring = size * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)
    builder.add_polygon([ring], "sea_water")
    return builder.build()


def radio(index, place, body=None, carrier=CARRIER, **more):
    return Radio(index=index, owner=index, body=body, mount=tuple(place), carrier=carrier, **more)


def bodies(position, orientation=None):
    n = len(position)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)) if orientation is None else np.array(orientation)
    zero = np.zeros((n, 3))
    return BodyState(np.array(position, dtype=float), turn, zero, zero, np.zeros(0), np.zeros(0),
                     np.zeros(n + 1, dtype=np.int64))  # fmt: skip


def surface(waves=EMPTY, spec=FLAT, rise=0.0, geometry=None):
    area = np.zeros((0, 3, 2)) if geometry is None else sea_area(geometry)
    return SeaSurface(Still(waves, rise), spec, area)


def trace(ends, over, carrier=CARRIER, **antenna):
    """Return the links between two points over a sea without air, so that gains are exact."""
    radios = [radio(i, end, carrier=carrier, antenna=AntennaSpec(**antenna)) for i, end in enumerate(ends)]
    air = AtmosphereSpec(pressure=1e-6, vapour=0.0)
    spec = RayTracingSpec(order=1, rays=2000, atmosphere=air, surfaces={})
    return RayTracer(water(), radios, spec, sea=over).trace()


def reflected(distance, low, high, deviation=0.0, carrier=CARRIER):
    """Return direct and reflected amplitude, vertical polarisation, and both lengths: Fresnel's TM by hand."""
    wavelength = SPEED_OF_LIGHT / carrier
    straight, bounced = math.hypot(distance, high - low), math.hypot(distance, high + low)
    sine, cosine = (high + low) / bounced, distance / bounced
    eps = water_permittivity(carrier, 293.15, 35.0)
    root = np.sqrt(eps - cosine**2)
    half = 0.5 * (4 * math.pi * deviation * sine / wavelength) ** 2
    tm = (eps * sine - root) / (eps * sine + root) * ive(0, half)
    free = [wavelength / (4 * math.pi * x) * np.exp(-2j * math.pi * x / wavelength) for x in (straight, bounced)]
    return free[0], free[1] * tm


def test_sea_water_at_28_ghz_is_that_of_p527():
    assert surface().permittivity(28e9) == pytest.approx(24.58 - 33.59j, abs=0.01)


@pytest.mark.parametrize("distance", [150.0, 1000.0, 8000.0])
def test_two_rays_over_a_calm_sea(distance):
    """Isotropic elements with vertical polarisation: amplitudes and lengths of both rays as by hand."""
    links = trace([(0, 0, 12.0), (distance, 0, 2.0)], surface())
    direct, mirrored = reflected(distance, 2.0, 12.0)
    assert links.path_length.tolist() == [0, 1]
    assert np.abs(links.path_amplitude) == pytest.approx(np.abs([direct, mirrored]), rel=1e-6)
    turned = links.path_amplitude[1] / links.path_amplitude[0] / (mirrored / direct)
    assert abs(turned - 1.0) < 1e-5  # 8 km are 93,000 wavelengths: rounding of the phase alone is 1e-10


def test_every_entry_of_sea_water_is_that_of_the_sea():
    """A world whose water is said twice, with two depths: either mirrors as the water of `channel.sea` does."""
    once, warm = water(), OverSeaSpec(earth_factor=1e9, temperature=303.15, salinity=20.0)
    ends, spec = [(0, 0, 12.0), (150.0, 0, 2.0)], RayTracingSpec(order=1, rays=2000)
    radios = [radio(i, end) for i, end in enumerate(ends)]
    found = []
    for entry in (0, 1):
        twice = replace(
            once,
            materials=("sea_water", "sea_water"),
            thickness=np.array([np.inf, 900.0]),
            face_material=np.full_like(once.face_material, entry),
        )
        found.append(RayTracer(twice, radios, spec, sea=surface(spec=warm)).trace().path_amplitude)
    assert len(found[0]) == 2
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("height", [0.02, 0.3, 1.5])
def test_a_rough_sea_keeps_of_the_reflection_what_miller_and_brown_say(height):
    """exp(-x) I0(x), x = (4 pi s sin / lambda)^2 / 2, of waves that don't reach up to the rays."""
    waves = make_waves([parametric(height, 6.0, 3.3, 0.0, 10.0, 120)], 50.0, 120, 1)
    deviation = math.sqrt(0.5 * np.sum(waves.amplitude**2))
    assert deviation == pytest.approx(height / 4, rel=1e-9)
    ends = [(0, 0, 30.0), (300.0, 0, 15.0)]
    calm, rough = trace(ends, surface()), trace(ends, surface(waves))
    x = 0.5 * (4 * math.pi * deviation * 45.0 / math.hypot(300.0, 45.0) / WAVELENGTH) ** 2
    share = rough.path_amplitude / calm.path_amplitude
    assert share == pytest.approx([1.0, ive(0, x)], rel=5e-7)  # the polynomials of I0 are good to 2e-7


def test_a_crest_cuts_a_ray_where_it_rises_above_it_and_costs_what_a_knife_edge_does():
    """One wave of 1 m: crests at x = 0, 40, 80, ...; rays 1 m up are cut, rays a hand higher are not."""
    wave = regular_wave(1.0, 1.0, 1000.0)
    wave = wave._replace(number=np.array([2 * math.pi / 40]), kx=np.array([2 * math.pi / 40]), ky=np.zeros(1))
    for height, clear in ((1.001, True), (0.9, False)):
        links = trace([(20.0, 0, height), (60.0, 0, height)], surface(wave))
        assert links.los.tolist() == [clear]
    free, cut = trace([(20.0, 0, 0.9), (60.0, 0, 0.9)], surface()), links
    v = 0.1 * math.sqrt(2 * 40.0 / (WAVELENGTH * 20.0 * 20.0))
    lost = 20 * math.log10(abs(free.path_amplitude[0]) / abs(cut.path_amplitude[0]))
    assert lost == pytest.approx(knife_edge_db(v), abs=0.02)  # looked at every 5 m
    assert cut.path_amplitude[1] == 0.0  # the reflection lies below the line that is cut


def test_a_knife_edge_takes_what_p526_says():
    assert knife_edge_db(0.0) == pytest.approx(6.03, abs=0.01)
    assert knife_edge_db(1.0) == pytest.approx(13.9, abs=0.05)


def shadow_share(height, looks=150):
    """Return how often two buoys with antennas 2 m over the water, 400 m apart, don't see each other."""
    waves = make_waves([parametric(height, 7.0, 3.3, 0.0, 10.0, 120)], 50.0, 120, 3)
    radios = [radio(i, (0.0, 0.0, 2.0), body=i) for i in range(2)]
    channel, cut = FreeSpace(radios, sea=surface(waves)), 0
    x = np.array([0.0, 400.0])
    for i in range(looks):
        time = i * 7 * 10**9  # a period apart
        angle = np.outer(x, waves.kx) - waves.frequency * time / 1e9 + waves.phase
        z = np.cos(angle) @ waves.amplitude  # long waves carry a buoy up and down
        links = channel.trace(time, bodies(np.column_stack([x, np.zeros(2), z])))
        cut += not links.los[0]
    return cut / looks


def test_an_antenna_of_2_m_loses_sight_more_often_in_higher_waves():
    """Far more than sampling can blur: 150 looks have a standard error of at most 0.041."""
    low, high = shadow_share(1.5), shadow_share(3.0)
    assert high - low > 4 * 0.041


def test_waves_do_not_run_through_a_quay():
    wave = regular_wave(1.0, 6.0, 1000.0)
    builder = GeometryBuilder()
    ring = np.array([[0, -500, 0], [900, -500, 0], [900, 500, 0], [0, 500, 0]], dtype=float)
    builder.add_polygon([ring], "sea_water")
    over = surface(wave, geometry=builder.build())
    for side, clear in ((1.0, False), (-1.0, True)):
        ends = [radio(0, (10.0 * side, 0, 0.5)), radio(1, (400.0 * side, 0, 0.5))]
        assert FreeSpace(ends, sea=over).trace(0, bodies(np.zeros((0, 3)))).los.tolist() == [clear]


def test_the_antenna_tilts_with_its_buoy():
    """A half-wave dipole that leans by t towards its partner: cos(90 deg sin t) / cos t of the field; both see it."""
    tilt = math.radians(50.0)
    radios = [radio(0, (0, 0, 0), body=0, antenna=AntennaSpec(pattern="dipole")), radio(1, (200.0, 0, 20.0))]
    spec = RayTracingSpec(order=0, rays=100, surfaces={})
    tracer = RayTracer(water(), radios, spec, sea=surface())
    at = [[0.0, 0.0, 20.0]]
    upright = tracer.trace(0, bodies(at))
    leaning = tracer.trace(0, bodies(at, [[0.0, math.sin(tilt / 2), 0.0, math.cos(tilt / 2)]]))
    wanted = math.cos(math.pi / 2 * math.sin(tilt)) / math.cos(tilt)
    assert abs(leaning.path_amplitude[0] / upright.path_amplitude[0]) == pytest.approx(wanted, rel=1e-9)


def fock_db(distance, low, high, radius):
    """Return the first mode of Fock's residue series over a sea that conducts perfectly to a low ray [dB]."""
    m = (math.pi * radius / WAVELENGTH) ** (1 / 3)
    x, y = m * distance / radius, 2 * math.pi / WAVELENGTH / m * np.array([low, high])
    root = 2.338107410459767 * np.exp(1j * math.pi / 3)

    def w(t):  # of Fock: sqrt(pi) (Bi + i Ai)
        ai, slope_ai, bi, slope_bi = airy(t)
        return bi + 1j * ai, slope_bi + 1j * slope_ai

    gains = w(root - y)[0] / w(root)[1]
    return -20 * math.log10(2 * math.sqrt(math.pi * x) * abs(np.exp(1j * x * root) * gains[0] * gains[1]))


@pytest.mark.parametrize(("distance", "low", "high"), [(40e3, 10.0, 20.0), (60e3, 20.0, 20.0), (80e3, 5.0, 60.0)])
def test_beyond_the_horizon_the_field_is_the_first_mode_round_a_smooth_earth(distance, low, high):
    """P.526 fits the mode by elementary functions; the fit is good to 2 dB of about 50."""
    radius = 4 / 3 * EARTH_RADIUS
    loss = smooth_earth_db(distance, low, high, WAVELENGTH, radius, water_permittivity(CARRIER, 293.15, 35.0))
    assert loss == pytest.approx(fock_db(distance, low, high, radius), abs=2.0)


def test_the_radio_horizon_is_that_of_four_thirds_of_the_earth():
    """sqrt(2 k a) (sqrt h1 + sqrt h2): 24.3 km for 2 m and 20 m; beyond it P.526's loss and no reflection."""
    horizon = math.sqrt(2 * 4 / 3 * EARTH_RADIUS) * (math.sqrt(2.0) + math.sqrt(20.0))
    assert horizon == pytest.approx(24_260, abs=10)
    over = surface(spec=OverSeaSpec())
    for share, clear in ((0.999, True), (1.001, False)):
        links = trace([(0, 0, 2.0), (share * horizon, 0, 20.0)], over)
        assert links.los.tolist() == [clear]
    loss = smooth_earth_db(share * horizon, 2.0, 20.0, WAVELENGTH, 4 / 3 * EARTH_RADIUS, over.permittivity(CARRIER))
    friis = WAVELENGTH / (4 * math.pi * math.hypot(share * horizon, 18.0))
    assert np.abs(links.path_amplitude) == pytest.approx([friis * 10 ** (-loss / 20), 0.0], rel=1e-6)


def test_an_evaporation_duct_carries_high_carriers_beyond_the_horizon():
    """20 m of duct trap from 3.6e11 / 20^1.5 Hz = 4.0 GHz on; antennas above it see most of the Earth's bulge."""
    duct = surface(spec=OverSeaSpec(duct_height=20.0))
    for carrier, low, high, clear in ((8e9, 2.0, 12.0, True), (3.5e9, 2.0, 12.0, False), (8e9, 60.0, 90.0, False)):
        far = 1.2 * math.sqrt(2 * 4 / 3 * EARTH_RADIUS) * (math.sqrt(low) + math.sqrt(high))
        ends = [radio(0, (0, 0, low), carrier=carrier), radio(1, (far, 0, high), carrier=carrier)]
        links = FreeSpace(ends, sea=duct).trace(0, bodies(np.zeros((0, 3))))
        assert links.los.tolist() == [clear], (carrier, low, high)


def test_the_tide_lifts_the_mirror():
    """Two rays over a sea that has risen by 1 m are those of antennas 1 m lower; less than 5 cm waits."""
    radios = [radio(0, (0, 0, 12.0)), radio(1, (300.0, 0, 3.0))]
    spec = RayTracingSpec(order=1, rays=2000, surfaces={})
    over = surface(rise=1.0)
    channel = Tidal(lambda geometry: RayTracer(geometry, radios, spec, sea=over), water(1e3), over.sea)
    lengths = []
    for time in (0, 40_000_000, 10**9):
        links = channel.trace(time, bodies(np.zeros((0, 3))))
        lengths.append(links.path_delay[1] * SPEED_OF_LIGHT)
    assert lengths == pytest.approx([math.hypot(300, 15), math.hypot(300, 15), math.hypot(300, 13)], rel=1e-12)
    assert channel.counts == {"searched_anew_by_tide": 1}


def test_only_water_rises_with_the_tide():
    builder = GeometryBuilder()
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
    builder.add_polygon([square], "sea_water")
    builder.add_polygon([square + [1.0, 0.0, 0.0]], "concrete")
    risen = at_level(builder.build(), 0.7)
    z = risen.vertices[risen.triangles][:, :, 2]
    assert np.unique(z[risen.triangle_face == 0]).tolist() == [0.7]
    assert np.unique(z[risen.triangle_face == 1]).tolist() == [0.0]
    assert risen.face_offset.tolist() == [0.7, 0.0]
