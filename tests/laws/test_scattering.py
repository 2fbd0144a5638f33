"""Laws of diffuse scattering: energy, reciprocity, Lambert's law, phases that stay, tiles that are small enough."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from twin.channel.fields.fields import fresnel
from twin.channel.fields.scattering import Rough, balance, scatter_field
from twin.channel.search.hulls import box
from twin.channel.search.planes import build_scene, flattened
from twin.channel.search.tiles import make_tiles, solid_angle
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder
from twin.world.opening import open_world

CITY = Path(__file__).resolve().parents[2] / "worlds/city"
VACUUM = AtmosphereSpec(pressure=1e-6, vapour=0.0)
CARRIER = 3.5e9
WAVELENGTH = SPEED_OF_LIGHT / CARRIER
STONE, METAL = 5.24 - 0.2j, 1.0 - 1e24j
UP = np.array([0.0, 0.0, 1.0])
SCATTERED = 4


def square(size, material="concrete"):
    builder = GeometryBuilder()
    builder.add_polygon([size * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) / 2], material)
    return builder.build()


def radio(index, position, body=None, **more):
    return Radio(index, index, body, tuple(map(float, position)), CARRIER, **more)


def tracer(geometry, radios, rough, permittivity=STONE, hulls=(), **more):
    settings = {"atmosphere": VACUUM, "rays": 2_000, "order": 1, "max_paths": 100_000} | more
    surfaces = {name: rough for name in geometry.materials}
    spec = RayTracingSpec(surfaces=surfaces, **settings)
    return RayTracer(geometry, radios, spec, hulls, permittivity=lambda material, frequency: permittivity)


def bodies(position, velocity=None):
    position = np.array(position, dtype=float)
    n, zero = len(position), np.zeros((len(position), 3))
    turn, none = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)), np.zeros(0)
    moves = zero if velocity is None else np.array(velocity, dtype=float)
    return BodyState(position, turn, moves, zero, none, none, np.zeros(n + 1, dtype=np.int64))


def direction(cosine, azimuth):
    across = np.sqrt(1.0 - cosine**2)
    return across * np.cos(azimuth), across * np.sin(azimuth), cosine


def scattered(waves, a, b, table, permittivity, alpha, crossed=0.0, turn=0.0):
    """Return what `waves` (2, 3) from the direction a are at the direction b."""
    field = np.array(waves, dtype=complex)
    face = Rough(
        permittivity=permittivity, thickness=np.inf, wavelength=WAVELENGTH, table=table,
        alpha=float(alpha), crossed=crossed, turn=turn,
    )  # fmt: skip
    scatter_field(field, a, b, UP, face)
    return field


def te_tm(a):
    te = np.cross(UP, a) / np.linalg.norm(np.cross(UP, a))
    return np.array([te, np.cross(te, a)])


@pytest.mark.parametrize("permittivity", [STONE, METAL])
@pytest.mark.parametrize(("alpha", "crossed"), [(0, 0.0), (4, 0.0), (4, 0.5), (20, 0.1)])
@pytest.mark.parametrize("cosine", [0.3, 0.6, 0.98])
def test_the_lobe_holds_what_fresnel_reflects(permittivity, alpha, crossed, cosine):
    """Of TE and of TM, at any angle, to 1e-4: quadrature over the hemisphere and over draws of the crossing axis."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    azimuths = 2 * np.pi * (np.arange(40) + 0.5) / 40
    table = balance(permittivity, np.inf, WAVELENGTH, alpha, crossed)
    a, total = direction(cosine, 0.0), np.zeros(2)
    for (node, weight), azimuth in product(zip(nodes, weights, strict=True), azimuths):
        b = direction(0.5 * (node + 1), azimuth)
        # The power is a polynomial of second order in the draw's cosine and sine: its mean is that of four.
        turns = np.arange(4) * np.pi / 2 if crossed else [0.0]
        for turn in turns:
            field = scattered(te_tm(a), a, b, table, permittivity, alpha, crossed, turn)
            share = 0.5 * weight * 2 * np.pi / 40 / len(turns)
            total += share * b[2] * (np.abs(field) ** 2).sum(axis=1)
    expected = np.abs(fresnel(cosine, permittivity)) ** 2
    np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-9)


def test_a_conductor_with_the_widest_lobe_obeys_lambert():
    """cos(in) cos(out) / pi, whatever the directions and the polarisation."""
    table = balance(METAL, np.inf, WAVELENGTH, 0, 0.0)
    for cosine, azimuth in product((0.01, 0.3, 1.0), (0.1, 2.0, 3.1)):
        a, b = direction(0.4, 0.0), direction(cosine, azimuth)
        power = (np.abs(scattered(te_tm(a), a, b, table, METAL, 0)) ** 2).sum(axis=1)
        np.testing.assert_allclose(power, 1 / np.pi, rtol=1e-9)


def test_the_lobe_points_where_a_mirror_would():
    """alpha 20, at equal elevations: where the azimuth is off, ((1 + cos psi) / 2)^20 of the peak is left."""
    table = balance(METAL, np.inf, WAVELENGTH, 20, 0.0)
    a = direction(0.6, 0.0)
    power = [(np.abs(scattered(te_tm(a), a, direction(0.6, t), table, METAL, 20)[0]) ** 2).sum() for t in (np.pi, 2.6)]
    cos_psi = 0.6**2 + 0.8**2 * np.cos(np.pi - 2.6)
    assert power[1] / power[0] == pytest.approx((0.5 * (1 + cos_psi)) ** 20, rel=1e-9)


@pytest.mark.parametrize("polarisation", [0, 1])
def test_what_is_reflected_and_what_is_scattered_make_the_power_of_fresnel(polarisation):
    """A plate of 1 m2 under a wave at 45 deg, S 0.6; scattered: over a hemisphere of 24 x 32 radios, 100 m away.

    The plate is seen over 1 / 40 rad, and |R|^2 changes by less than 0.1 of itself per 0.1 rad: 1 % is left.
    """
    nodes, weights = np.polynomial.legendre.leggauss(24)
    rows = list(product(range(24), range(32)))
    ends = [100.0 * np.array(direction(0.5 * (nodes[i] + 1), 2 * np.pi * (j + 0.5) / 32)) for i, j in rows]
    source = 40.0 * np.array(direction(np.sqrt(0.5), 0.0))
    radios = [radio(0, source), *(Radio(1 + k, 1, None, tuple(end), CARRIER) for k, end in enumerate(ends))]
    geometry = square(1.0)
    links = tracer(geometry, radios, SurfaceSpec(scattering=0.6), order=0).trace()
    rough = links.path_kind[:, 0] == SCATTERED
    owner = np.repeat(np.arange(len(ends)), np.diff(links.path_offset))[rough]
    across = links.path_transfer[rough][:, :, 1 - polarisation]  # theta is TM, phi is TE
    density = (np.abs(across) ** 2).sum(axis=1) / (links.path_delay[rough] * SPEED_OF_LIGHT) ** 2
    # Tiles have phases of their own: powers add up.
    power = np.bincount(owner, density, len(ends)) @ np.array([weights[i] * 0.5 * 2 * np.pi / 32 for i, _ in rows])
    te_and_tm = np.abs(fresnel(np.sqrt(0.5), STONE)) ** 2
    caught = sum(
        solid_angle(make_tiles(build_scene(geometry), np.ones(1, bool), 5.0), t, UP, source) for t in range(2)
    )
    assert power * 100.0**2 == pytest.approx(0.36 * te_and_tm[polarisation] * caught, rel=0.01)


def test_the_specular_path_keeps_the_rest():
    radios = [radio(0, (-20, 0, 10)), radio(1, (15, 3, 8))]
    smooth, rough = (tracer(square(200.0), radios, SurfaceSpec(scattering=s), order=1, tile=20.0) for s in (0.0, 0.6))
    one, other = (t.trace() for t in (smooth, rough))
    mirrored = [links.path_amplitude[links.path_kind[:, 0] == 0] for links in (one, other)]
    assert len(mirrored[0]) == 1
    np.testing.assert_allclose(mirrored[1], 0.8 * mirrored[0], rtol=1e-12)


class TestReciprocity:
    ENDS = ((-12.0, 1.0, 9.0), (7.0, -6.0, 4.0))

    @pytest.mark.parametrize(("alpha", "k_x"), [(0, 0.0), (4, 0.2), (15, 0.5)])
    def test_each_path_is_the_same_in_both_directions(self, alpha, k_x):
        """Amplitudes, with antennas that differ, and transfers, which are each other's transposes: to 1e-9."""
        antennas = [AntennaSpec(pattern="tr38901", slant=0.7, downtilt=0.4, rows=2, columns=2), AntennaSpec(slant=0.2)]
        rough = SurfaceSpec(scattering=0.5, alpha_r=alpha, k_x=k_x)
        found = []
        for order in ((0, 1), (1, 0)):
            radios = [radio(i, self.ENDS[k], antenna=antennas[k]) for i, k in enumerate(order)]
            found.append(tracer(square(60.0), radios, rough).trace())
        there, back = found
        assert len(there.path_delay) > 500
        scale = np.abs(there.path_amplitude).max()
        np.testing.assert_allclose(back.path_amplitude, there.path_amplitude, rtol=1e-9, atol=1e-12 * scale)
        np.testing.assert_allclose(back.path_transfer.swapaxes(1, 2), there.path_transfer, rtol=0, atol=1e-9)
        assert back.path_gain_db[0] == pytest.approx(there.path_gain_db[0], abs=1e-9)


class TestTiles:
    def tiles(self, size, tile):
        return make_tiles(build_scene(square(size)), np.ones(1, dtype=bool), tile)

    def test_they_make_the_face(self):
        tiles = self.tiles(60.0, 4.0)
        assert tiles.area.sum() == pytest.approx(3600.0, rel=1e-12)
        assert np.linalg.norm(np.diff(tiles.corners, axis=1), axis=2).max() <= 4.0

    @pytest.mark.parametrize("point", [(0.0, 0.0, 0.01), (0.0, 0.0, 7.0), (0.0, 0.0, 1e4)])
    def test_their_solid_angles_make_that_of_the_face(self, point):
        """A rectangle seen from above its middle: 4 atan(a^2 / (h sqrt(2 a^2 + h^2))), half edges a, at any height."""
        tiles = self.tiles(60.0, 4.0)
        seen = sum(solid_angle(tiles, t, UP, point) for t in range(len(tiles.area)))
        h = point[2]
        assert seen == pytest.approx(4 * np.arctan(900.0 / (h * np.sqrt(1800.0 + h * h))), rel=1e-9)

    def power(self, tile):
        radios = [radio(0, (-10, 0, 8)), radio(1, (12, 3, 6))]
        links = tracer(square(120.0), radios, SurfaceSpec(scattering=0.5), tile=tile).trace()
        return (np.abs(links.path_amplitude[links.path_kind[:, 0] == SCATTERED]) ** 2).sum()

    def test_half_of_their_size_changes_little(self):
        """Ends 6 m and 8 m above the ground: tiles of 5 m are within 2 % of 2.5 m, these within 0.5 % of 1.25 m.

        The midpoint rule is of second order: each halving leaves a quarter, and (5 / 6)^2 / 24 is 3 %.
        """
        coarse, middle, fine = (self.power(tile) for tile in (5.0, 2.5, 1.25))
        assert coarse == pytest.approx(middle, rel=0.02)
        assert middle == pytest.approx(fine, rel=0.005)

    def test_an_end_on_the_ground_gets_no_more_than_there_is(self):
        """Half of what an isotropic radio sends goes down; 2 cm above tiles of 5 m, S = 1 hands on no more of it."""
        links = tracer(square(60.0, "metal"), [radio(0, (0, 0, 0.02)), radio(1, (0, 0, 500))],
                       SurfaceSpec(scattering=1.0, alpha_r=0), METAL).trace()  # fmt: skip
        rough = links.path_kind[:, 0] == SCATTERED
        density = (np.abs(links.path_transfer[rough]) ** 2).sum(axis=1) / (links.path_delay[rough, None] * 3e8) ** 2
        # Lambert: intensity S^2 / pi of the half, straight up
        assert density.sum(axis=0) * 500.0**2 / (4 * np.pi) == pytest.approx(0.5 / np.pi, rel=0.01)

    def test_only_those_that_both_ends_see_scatter(self):
        builder = GeometryBuilder()
        builder.add_polygon([np.array([[-30, -30, 0], [30, -30, 0], [30, 30, 0], [-30, 30, 0]], dtype=float)], "ground")
        builder.add_polygon([np.array([[0, -31, -1], [0, 31, -1], [0, 31, 9], [0, -31, 9]], dtype=float)], "brick")
        geometry = builder.build()
        links = tracer(geometry, [radio(0, (-9, 0, 2)), radio(1, (-14, 9, 4)), radio(2, (9, 0, 2))],
                       SurfaceSpec(scattering=0.4)).trace()  # fmt: skip
        rough = links.path_kind[:, 0] == SCATTERED
        first, last = links.path_offset[0], links.path_offset[1]
        assert rough[first:last].sum() > 100
        assert (links.path_vertex[first:last][rough[first:last]][:, 0, 0] <= 0.0).all()
        assert not rough[last:].any()

    def test_the_weakest_beyond_the_limit_are_dropped_and_told(self):
        radios = [radio(0, (-10, 0, 8)), radio(1, (12, 3, 6))]
        rough = SurfaceSpec(scattering=0.5)
        everything, few = (tracer(square(120.0), radios, rough, max_paths=n).trace() for n in (100_000, 30))
        power = np.sort(np.abs(everything.path_amplitude) ** 2)[::-1]
        assert len(few.path_delay) == 30
        np.testing.assert_allclose(np.sort(np.abs(few.path_amplitude) ** 2)[::-1], power[:30], rtol=1e-12)
        assert few.dropped_db[0] == pytest.approx(10 * np.log10(power[30:].sum()), abs=1e-9)


def test_without_scattering_every_byte_stays():
    radios = [radio(0, (-10, 0, 8)), radio(1, (12, 3, 6))]
    plain, off = (tracer(square(120.0), radios, rough) for rough in (SurfaceSpec(), SurfaceSpec(alpha_r=9, k_x=0.4)))
    one, other = plain.trace(), off.trace()
    for name in ("path_amplitude", "path_delay", "path_transfer", "path_kind", "path_vertex", "path_gain_db"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_doppler_of_scattered_paths_is_the_rate_of_their_phases():
    """Phases of tiles stay while the ends move: central differences over 20 us."""
    start, velocity, step = np.array([[-10.0, 0, 8], [12, 3, 6]]), np.array([[9.0, -4, 2], [-3, 14, 0.5]]), 1e-5
    radios = [Radio(i, i, i, (0.0, 0.0, 0.0), CARRIER) for i in range(2)]
    channel = tracer(square(60.0, "metal"), radios, SurfaceSpec(scattering=0.5), METAL)
    before, now, after = (channel.trace(0, bodies(start + k * step * velocity, velocity)) for k in (-1, 0, 1))
    rough = now.path_kind[:, 0] == SCATTERED
    strong = np.abs(now.path_amplitude) > 0.1 * np.abs(now.path_amplitude[rough]).max()
    assert (rough & strong).sum() > 100
    rate = np.angle(after.path_amplitude / before.path_amplitude) / (4 * np.pi * step)
    np.testing.assert_allclose(rate[rough & strong], now.path_doppler[rough & strong], rtol=1e-5, atol=1e-3)


def test_kinetic_search_sees_the_tiles_that_the_full_one_sees():
    """Walkers about houses and a lorry, steps from nothing to 3 m: the same paths, to the last bit."""
    rng = np.random.default_rng(5)
    builder = GeometryBuilder()
    builder.add_polygon([90.0 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "concrete")
    for x, y in product((-50.0, -10.0, 30.0), repeat=2):
        high = (x + rng.uniform(10, 25), y + rng.uniform(10, 25), rng.uniform(5, 20))
        builder.add_box((x, y, 0.0), high, "brick", builder.add_object(f"{x} {y}"), floor=False)
    geometry = builder.build()
    radios = [radio(0, (0, -20, 25), role="cell"), *(Radio(i, i, i - 1, (0.0, 0.0, 0.0), CARRIER) for i in (1, 2, 3))]
    one, other = (
        tracer(geometry, radios, SurfaceSpec(scattering=0.4), STONE, [box(3, (8.0, 3.0, 4.0))], mode=mode, tile=10.0)
        for mode in ("kinetic", "exhaustive")
    )
    place = np.array([[-20.0, -20, 1.5], [22.0, 5, 1.5], [0.0, 25, 12], [5.0, -20, 2]])
    velocity, paths = rng.uniform(-1, 1, place.shape) * [1.0, 1.0, 0.05], 0
    for step in range(120):
        place = place + rng.choice([0.0, 0.01, 0.1, 3.0], p=[0.1, 0.6, 0.25, 0.05]) * velocity
        velocity = np.where(np.abs(place) > 60.0, -np.sign(place) * np.abs(velocity), velocity)
        a, b = one.trace(step, bodies(place)), other.trace(step, bodies(place))
        for name in ("path_offset", "path_kind", "path_face", "path_amplitude", "path_vertex"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=f"step {step}: {name}")
        paths += int((a.path_kind[:, 0] == SCATTERED).sum())
    assert paths > 10_000


def test_slivers_of_the_city_are_no_tiles():
    """A triangle whose corners lie in one line but for rounding has no normal: halved, it would have no area either."""
    geometry = open_world(CITY).geometry
    scene = build_scene(flattened(geometry))
    edges = scene.corners[:, 1:] - scene.corners[:, :1]
    area = 0.5 * np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    assert area.min() < 1e-9, "there is one"
    tiles = make_tiles(scene, np.ones(scene.surface.max() + 1, dtype=bool), 5.0)
    assert tiles.area.min() > 1e-3
    assert tiles.area.sum() == pytest.approx(area.sum(), rel=1e-9)
