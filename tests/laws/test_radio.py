"""Laws of radio propagation, asserted with the values of closed forms."""

from pathlib import Path

import numpy as np
import pytest
from scipy import special

from twin.channel.fields.antennas import antenna_arrays, choose_beams, element_gain
from twin.channel.fields.atmosphere import gas_db_km, rain_coefficients, rain_db_km, roughness_factor
from twin.channel.fields.fields import fresnel, slab_reflection, slab_transmission
from twin.channel.fields.p676_lines import OXYGEN, WATER_VAPOUR
from twin.channel.freespace import FreeSpace
from twin.link import SPEED_OF_LIGHT, Radio, frequency_response
from twin.specs import AntennaSpec, AtmosphereSpec
from twin.state import BodyState


def bodies(*positions, velocity=(0.0, 0.0, 0.0)):
    n = len(positions)
    return BodyState(
        position=np.array(positions, dtype=float).reshape(n, 3),
        orientation=np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)),
        velocity=np.tile(np.array(velocity, dtype=float), (n, 1)),
        angular_velocity=np.zeros((n, 3)),
        joint_position=np.zeros(0),
        joint_velocity=np.zeros(0),
        joint_offset=np.zeros(n + 1, dtype=np.int64),
    )


def two_radios(carrier=3.5e9):
    return [
        Radio(index=0, owner=0, body=None, mount=(0.0, 0.0, 0.0), carrier=carrier),
        Radio(index=1, owner=1, body=0, mount=(0.0, 0.0, 0.0), carrier=carrier),
    ]


class TestFreeSpace:
    @pytest.mark.parametrize("carrier", [0.5e9, 3.5e9, 28e9, 140e9, 300e9])
    @pytest.mark.parametrize("distance", [1.0, 100.0, 12_345.0])
    def test_friis(self, carrier, distance):
        links = FreeSpace(two_radios(carrier)).trace(0, bodies((distance, 0.0, 0.0)))
        friis = 20 * np.log10(SPEED_OF_LIGHT / carrier / (4 * np.pi * distance))
        assert links.path_gain_db[0] == pytest.approx(friis, abs=1e-9)
        assert links.path_delay[0] == pytest.approx(distance / SPEED_OF_LIGHT, rel=1e-15)

    def test_phase_is_that_of_the_distance(self):
        wavelength = SPEED_OF_LIGHT / 3.5e9
        channel = FreeSpace(two_radios())
        whole = channel.trace(0, bodies((1000 * wavelength, 0.0, 0.0))).path_amplitude[0]
        quarter = channel.trace(0, bodies((1000.25 * wavelength, 0.0, 0.0))).path_amplitude[0]
        assert np.angle(whole) == pytest.approx(0.0, abs=1e-9)
        assert np.angle(quarter) == pytest.approx(-np.pi / 2, abs=1e-9)

    def test_doppler_is_the_rate_of_phase(self):
        """A node that leaves at 30 m/s: between two traces the kernels turn the phase as the motion does."""
        channel, step = FreeSpace(two_radios(28e9)), 1e-3
        before = channel.trace(0, bodies((200.0, 0.0, 0.0), velocity=(30.0, 0.0, 0.0)))
        after = channel.trace(1_000_000, bodies((200.0 + 30.0 * step, 0.0, 0.0), velocity=(30.0, 0.0, 0.0)))
        assert before.path_doppler[0] == pytest.approx(-30.0 * 28e9 / SPEED_OF_LIGHT, rel=1e-12)
        advanced = frequency_response(before, np.array([28e9]), step, 0.0, 0.0, 1)[0, 0]
        assert np.angle(advanced / after.path_amplitude[0]) == pytest.approx(0.0, abs=1e-6)

    def test_response_over_frequency_is_the_delay(self):
        links = FreeSpace(two_radios()).trace(0, bodies((300.0, 0.0, 0.0)))
        offsets = -50e6 + 1e6 * np.arange(101)
        found = frequency_response(links, np.array([3.5e9]), 0.0, offsets[0], 1e6, 101)[0]
        expected = links.path_amplitude[0] * np.exp(-2j * np.pi * offsets * links.path_delay[0])
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def permittivity(relative, conductivity, frequency):
    return relative - 1j * conductivity / (2 * np.pi * frequency * 8.8541878128e-12)


CONCRETE = permittivity(5.24, 0.0462 * 3.5**0.7822, 3.5e9)


class TestSurfaces:
    @pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, 1.5])
    @pytest.mark.parametrize("relative", [2.0, 5.24, 15.0])
    def test_what_is_not_reflected_by_a_lossless_half_space_goes_on(self, angle, relative):
        """|R|^2 + |T|^2 n cos(t) / cos(i) = 1, with T = 1 + R (TE) and (1 + R) / n (TM)."""
        cosine, index = np.cos(angle), np.sqrt(relative)
        ratio = index * np.sqrt(1 - np.sin(angle) ** 2 / relative) / cosine
        te, tm = fresnel(cosine, complex(relative))
        assert abs(te) ** 2 + abs(1 + te) ** 2 * ratio == pytest.approx(1.0, abs=1e-12)
        assert abs(tm) ** 2 + abs((1 + tm) / index) ** 2 * ratio == pytest.approx(1.0, abs=1e-12)

    @pytest.mark.parametrize("relative", [2.0, 5.24, 81.0])
    def test_brewster(self, relative):
        angle = np.arctan(np.sqrt(relative))
        te, tm = fresnel(np.cos(angle), complex(relative))
        assert abs(tm) < 1e-15
        assert abs(te) == pytest.approx((relative - 1) / (relative + 1), rel=1e-12)

    @pytest.mark.parametrize("angle", [0.0, 0.7, 1.3])
    def test_a_lossless_slab_keeps_the_energy(self, angle):
        slab = np.cos(angle), 5.24 + 0j, 0.2, 0.0857
        (te, tm), (through_te, through_tm) = slab_reflection(*slab), slab_transmission(*slab)
        assert abs(te) ** 2 + abs(through_te) ** 2 == pytest.approx(1.0, abs=1e-12)
        assert abs(tm) ** 2 + abs(through_tm) ** 2 == pytest.approx(1.0, abs=1e-12)

    def test_a_slab_of_air_is_not_there(self):
        air = 0.4, 1 + 0j, 0.2, 0.1
        np.testing.assert_allclose([*slab_reflection(*air), *slab_transmission(*air)], [0, 0, 1, 1], atol=1e-14)

    def test_concrete_of_20_cm_at_normal_incidence(self):
        """Recommendation ITU-R P.2040, 3.5 GHz: -8.04 dB back, -19.02 dB through."""
        slab = 1.0, CONCRETE, 0.2, SPEED_OF_LIGHT / 3.5e9
        for back in slab_reflection(*slab):
            assert 20 * np.log10(abs(back)) == pytest.approx(-8.04, abs=5e-3)
        for through in slab_transmission(*slab):
            assert 20 * np.log10(abs(through)) == pytest.approx(-19.02, abs=5e-3)

    @pytest.mark.parametrize("height", [1e-3, 0.02, 0.1, 1.0])
    def test_roughness_is_that_of_miller_and_brown(self, height):
        x = 0.5 * (4 * np.pi * height * 0.3 / 0.0857) ** 2
        assert roughness_factor(height, 0.3, 0.0857) == pytest.approx(special.ive(0, x), rel=5e-7)


class TestAtmosphere:
    DRY_1013 = AtmosphereSpec(pressure=101_325 + 100 * 7.5 * 288.15 / 216.7)  # 1013.25 hPa of dry air

    @pytest.mark.parametrize(("frequency", "loss"), [(28e9, 0.102), (60e9, 14.78)])
    def test_gas_at_sea_level(self, frequency, loss):
        assert gas_db_km(self.DRY_1013, frequency) == pytest.approx(loss, rel=5e-3)

    def test_pressure_is_that_of_dry_air_and_vapour_together(self):
        """P.676 at 140 GHz, 15 C, 7.5 g/m3 takes dry pressure: 1013.25 hPa of it, or of both together."""
        assert gas_db_km(AtmosphereSpec(), 140e9) == pytest.approx(0.9154, abs=5e-5)
        assert gas_db_km(self.DRY_1013, 140e9) == pytest.approx(0.9232, abs=5e-5)

    @pytest.mark.parametrize(("frequency", "loss"), [(28e9, 4.62), (60e9, 10.12)])
    def test_rain_of_25_mm_per_hour_horizontal(self, frequency, loss):
        assert rain_db_km(25.0, *rain_coefficients(frequency), 0.0, 1.0) == pytest.approx(loss, abs=5e-3)

    @pytest.mark.parametrize("frequency", [0.5, 3.5, 7.0, 15.0, 22.2, 28.0, 60.0, 118.75, 140.0, 183.3, 300.0])
    def test_gas_and_rain_agree_with_itur(self, frequency):
        gas = pytest.importorskip("itur.models.itu676", reason="itur is a test extra")
        rain = pytest.importorskip("itur.models.itu838", reason="itur is a test extra")
        air = AtmosphereSpec(pressure=98_000.0, temperature=295.0, vapour=11.0)
        dry = 980.0 - 11.0 * 295.0 / 216.7
        expected = gas.gamma_exact(frequency, dry, 11.0, 295.0).value
        assert gas_db_km(air, frequency * 1e9) == pytest.approx(expected, rel=1e-9)
        if frequency < 1.0:
            return
        expected = rain.rain_specific_attenuation(40.0, frequency, 20.0, 30.0).value
        found = rain_db_km(40.0, *rain_coefficients(frequency * 1e9), np.sin(np.radians(20)), np.cos(np.radians(60)))
        assert found == pytest.approx(expected, rel=1e-9)


    @pytest.mark.parametrize(("table", "name"), [(OXYGEN, "oxygen"), (WATER_VAPOUR, "water_vapour")])
    def test_every_line_is_that_of_itur(self, table, name):
        """Frequency and six coefficients of each line, to the last digit (itur 0.4.0: P.676-12, as in P.676-13)."""
        itur = pytest.importorskip("itur", reason="itur is a test extra")
        lines = Path(itur.__file__).parent / "data" / "676" / f"v12_lines_{name}.txt"
        np.testing.assert_array_equal(table, np.loadtxt(lines, delimiter=",", skiprows=1))


class TestAntennas:
    def gain(self, spec, direction):
        x, y, z = np.asarray(direction) / np.linalg.norm(direction)
        return element_gain(antenna_arrays([spec]), 0, x, y, z)

    def directivity(self, spec):
        """4 pi over the integral of the normalised power pattern, by Gauss-Legendre in cos(theta)."""
        nodes, weights = np.polynomial.legendre.leggauss(60)
        azimuths = 2 * np.pi * np.arange(90) / 90
        antennas = antenna_arrays([spec])
        total = 0.0
        for z, weight in zip(nodes, weights, strict=True):
            s = np.sqrt(1 - z * z)
            for phi in azimuths:
                total += weight * element_gain(antennas, 0, s * np.cos(phi), s * np.sin(phi), z) ** 2
        return total * 2 * np.pi / 90 / (4 * np.pi)

    def test_a_dipole_radiates_what_it_is_fed(self):
        assert self.directivity(AntennaSpec(pattern="dipole")) == pytest.approx(1.0, abs=1e-6)
        assert self.gain(AntennaSpec(pattern="dipole"), (1, 1, 0)) ** 2 == pytest.approx(1.6409, abs=1e-4)

    @pytest.mark.parametrize(
        ("direction", "gain_dbi"),
        [((1, 0, 0), 8.0), ((np.cos(0.5672), np.sin(0.5672), 0), 5.0), ((-1, 0, 0), -22.0), ((0, 0, 1), 8 - 23.006)],
    )
    def test_the_element_of_3gpp(self, direction, gain_dbi):
        """TR 38.901, table 7.3-1: 8 dBi, 3 dB less at 32.5 degrees, 30 dB less behind, 12 (90/65)^2 up."""
        gain = self.gain(AntennaSpec(pattern="tr38901"), direction)
        assert 20 * np.log10(gain) == pytest.approx(gain_dbi, abs=2e-3)

    @pytest.mark.parametrize("beam", ["dft", "mrc"])
    def test_an_array_of_n_elements_gains_n(self, beam):
        """A wave along a beam adds up in phase: 8 x 4 elements are 15.05 dB."""
        spec = AntennaSpec(rows=8, columns=4, beam=beam)
        antennas = antenna_arrays([spec, AntennaSpec()])
        phases = np.zeros((2, 1, 2))
        phases[0, 0] = [2 * np.pi * 3 / 8, -2 * np.pi / 4]
        gains, beams = np.zeros((2, 1), complex), np.zeros(2, np.int32)
        choose_beams(antennas, 0, 1, np.array([0.3 - 0.1j]), phases, gains, beams)
        assert abs(gains[0, 0]) ** 2 == pytest.approx(32.0, rel=1e-12)
        assert abs(gains[1, 0]) == pytest.approx(1.0, rel=1e-12)

    @pytest.mark.parametrize("spacing", [0.5, 0.8])
    def test_maximum_ratio_reaches_the_largest_singular_value(self, spacing):
        """Against the channel matrix written out element by element."""
        specs = [
            AntennaSpec(rows=2, columns=4, beam="mrc", spacing=(spacing, spacing)),
            AntennaSpec(rows=3, beam="mrc"),
        ]
        rng = np.random.default_rng(1)
        amplitude = rng.normal(size=3) * [1.0, 0.4, 0.2] + 1j * rng.normal(size=3) * [1.0, 0.4, 0.2]
        phases = rng.uniform(-3.0, 3.0, (2, 3, 2))
        gains, beams = np.zeros((2, 3), complex), np.zeros(2, np.int32)
        choose_beams(antenna_arrays(specs), 0, 1, amplitude, phases, gains, beams)
        sides = []
        for end, spec in enumerate(specs):
            rows = np.arange(spec.rows) - (spec.rows - 1) / 2
            columns = np.arange(spec.columns) - (spec.columns - 1) / 2
            phase = rows[:, None, None] * phases[end, :, 0] + columns[None, :, None] * phases[end, :, 1]
            sides.append(np.exp(1j * phase).reshape(-1, 3))
        matrix = sides[1] @ np.diag(amplitude) @ sides[0].T
        best = np.linalg.svd(matrix, compute_uv=False)[0]
        assert abs(np.sum(amplitude * gains[0] * gains[1])) == pytest.approx(best, rel=1e-3)
