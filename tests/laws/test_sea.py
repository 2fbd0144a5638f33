"""Waves as linear theory has them, and seas with the figures that they were asked for."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import t as student

from twin.errors import WorldError
from twin.physics.bullet.physics import GRAVITY as BULLETS
from twin.specs.environment import EnvironmentSpec
from twin.world.environment import Environment
from twin.world.measured_sea import read_spectra, read_spectrum
from twin.world.sea import Seaway, towards
from twin.world.spectra import (
    GRAVITY,
    Spectrum,
    breaking,
    bretschneider,
    fully_developed_period,
    jonswap,
    parametric,
    pierson_moskowitz,
)
from twin.world.waves import elevation, make_waves, regular_wave, turn_waves, wave_number
from twin.world.waves import kinematics as motion
from twin.world.waves import surface as slopes

SPOTTER = Path(__file__).resolve().parents[3] / "shared/data/sea/ws_spotter_20210929.csv"


def surface(waves, time, x, y):
    swing = np.empty((len(waves.amplitude), 2))
    turn_waves(waves, time, x, y, swing)
    return slopes(waves, swing)


def kinematics(waves, time, x, y, height, lowest, step, out):
    swing = np.empty((len(waves.amplitude), 2))
    turn_waves(waves, time, x, y, swing)
    motion(waves, swing, height, lowest, step, out, np.empty(6))


def sea(**settings):
    return EnvironmentSpec.model_validate({"sea": settings})


def moment(density, n, highest=20.0):
    return quad(lambda f: f**n * float(density(f)), 1e-3, highest, limit=2000, points=(0.1, 0.125, 0.15))[0]


@pytest.fixture
def spotter():
    if not SPOTTER.is_file():
        pytest.skip("the Spotter's file (../shared/data/sea) is not on this machine")
    return read_spectra(SPOTTER)


def test_waves_and_bodies_are_under_one_gravity():
    assert GRAVITY == BULLETS


@pytest.mark.parametrize("depth", [0.5, 5.0, 30.0, 4000.0])
def test_linear_dispersion(depth):
    w = 2 * np.pi / np.geomspace(0.5, 300.0, 200)
    k = wave_number(w, depth)
    assert np.abs(GRAVITY * k * np.tanh(k * depth) / w**2 - 1).max() < 1e-12


def test_period_ratios_of_jonswap():
    """Te/Tp 0.903, Tz/Tp 0.779 up to 16 peak frequencies; without end that of DNV-RP-C205, 3.5.5.4; gamma 1 exactly."""
    tp, g = 8.0, 3.3
    m = {n: moment(lambda f: jonswap(f, 2.0, tp, g), n) for n in (-1, 0, 2)}
    whole = 0.6673 + 0.05037 * g - 0.006230 * g**2 + 0.0003341 * g**3
    assert np.sqrt(m[0] / m[2]) / tp == pytest.approx(whole, abs=1e-3)
    assert np.sqrt(m[0] / moment(lambda f: jonswap(f, 2.0, tp, g), 2, 2.0)) / tp == pytest.approx(0.779, abs=1e-3)
    assert m[-1] / m[0] / tp == pytest.approx(0.903, abs=1e-3)
    b = {n: moment(lambda f: bretschneider(f, 2.0, tp), n) for n in (-1, 0, 2)}
    # m_n = A/4 B^(n/4 - 1) Gamma(1 - n/4), B = 1.25 fp^4: m0/m2 = 1 / sqrt(pi B); the tail f^-3 ends at 20 Hz
    assert np.sqrt(b[0] / b[2]) / tp == pytest.approx((1.25 * np.pi) ** -0.25, rel=2e-3)
    assert 4 * np.sqrt(b[0]) == pytest.approx(2.0, rel=1e-6)
    assert b[-1] / b[0] / tp == pytest.approx(0.906402477055477 * 1.25**-0.25, rel=1e-6)  # Gamma(5/4)


def test_a_pierson_moskowitz_sea_has_the_equilibrium_tail_of_phillips():
    """S(w) -> 0.0081 g^2 / w^5, thus S(f) -> 0.0081 g^2 (2 pi)^-4 f^-5, whatever its height."""
    for height in (0.5, 2.0, 9.0):
        f = 10.0 / fully_developed_period(height)
        tail = 0.0081 * GRAVITY**2 / ((2 * np.pi) ** 4 * f**5)
        assert pierson_moskowitz(f, height) == pytest.approx(tail * np.exp(-1.25e-4), rel=1e-12)


def test_records_have_the_height_asked_for_within_its_confidence_interval():
    """Variance of a long record is unbiased over random phases: 20 seeds, 99.9 % by Student's t."""
    height, period, times = 2.0, 8.0, np.arange(0.0, 3600.0, 0.5)
    system, squares = parametric(height, period, 3.3, 0.0, 10.0, 120), []
    for seed in range(20):
        w = make_waves([system], 30.0, 120, seed)
        record = np.cos(np.outer(times, -w.frequency) + w.phase) @ w.amplitude
        squares.append(np.mean(record**2))
    half = student.ppf(0.9995, 19) * np.std(squares, ddof=1) / np.sqrt(20)
    assert abs(np.mean(squares) - height**2 / 16) < half
    assert half < 0.05 * height**2 / 16  # the interval says something


def test_the_same_seed_gives_the_same_sea_and_another_one_another():
    system = parametric(1.0, 6.0, 3.3, 0.0, 10.0, 50)
    a, b, c = (make_waves([system], 20.0, 50, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not np.array_equal(a.phase, c.phase)


def test_spread_has_the_first_moment_of_cos_2s():
    """E exp(i angle) = s / (s + 1); 4000 draws, five standard errors of at most 1 / sqrt(4000)."""
    for s in (0.0, 1.0, 10.0):
        w = make_waves([parametric(1.0, 6.0, 3.3, 0.5, s, 4000)], 1e4, 4000, 3)
        got = np.mean((w.kx + 1j * w.ky) / w.number) * np.exp(-0.5j)
        assert abs(got - s / (s + 1)) < 5 / np.sqrt(4000)


def test_waves_that_come_from_the_west_travel_east():
    assert np.exp(1j * towards(np.radians(270.0))) == pytest.approx(1.0)
    assert np.exp(1j * towards(np.radians(0.0))) == pytest.approx(-1j)


def test_water_moves_as_the_potential_flow_of_the_surface():
    """Finite depth: div u = 0, curl u = 0, a = du/dt, w = d(eta)/dt at z = 0 and 0 at the bottom (one wave each)."""
    depth, h = 7.0, 1e-4
    wave = regular_wave(1e-7, 5.0, depth, 0.6)  # so low that stretching doesn't show

    def at(time=1.3, x=2.0, y=3.0, z=-2.0):
        out = np.empty((1, 6))
        kinematics(wave, time, x, y, surface(wave, time, x, y)[0], z, 0.0, out)
        return out[0] / 1e-7

    def slope(**moved):
        (name, value), here = *moved.items(), dict(time=1.3, x=2.0, y=3.0, z=-2.0)
        return (at(**{name: here[name] + value}) - at(**{name: here[name] - value})) / (2 * value)

    dx, dy, dz, dt = slope(x=h), slope(y=h), slope(z=h), slope(time=h)
    assert dx[0] + dy[1] + dz[2] == pytest.approx(0.0, abs=1e-6)
    assert [dy[0] - dx[1], dz[0] - dx[2], dz[1] - dy[2]] == pytest.approx([0, 0, 0], abs=1e-6)
    assert at()[3:] == pytest.approx(dt[:3], abs=1e-6)
    rise = (surface(wave, 1.3 + h, 2.0, 3.0)[0] - surface(wave, 1.3 - h, 2.0, 3.0)[0]) / (2 * h) / 1e-7
    assert at(z=0.0)[2] == pytest.approx(rise, abs=1e-6)
    assert at(z=-depth)[2] == pytest.approx(0.0, abs=1e-6)


def test_layers_move_as_the_mean_of_their_wet_part():
    """20 layers, each by a Gauss rule of 8 points; above the surface the water moves as at it."""
    wave = make_waves([parametric(1.5, 7.0, 3.3, 0.3, 10.0, 60)], 15.0, 60, 5)
    height, many, one = surface(wave, 9.0, 4.0, -3.0)[0], np.empty((20, 6)), np.empty((1, 6))
    kinematics(wave, 9.0, 4.0, -3.0, height, -4.1, 0.25, many)
    for j in range(20):
        low, high = (min(-4.1 + 0.25 * (j + edge), 0.0) for edge in (0, 1))
        mean = np.zeros(6)
        for place, weight in zip(*np.polynomial.legendre.leggauss(8), strict=True):
            kinematics(wave, 9.0, 4.0, -3.0, height, 0.5 * (low + high + place * (high - low)), 0.0, one)
            mean += 0.5 * weight * one[0]
        assert many[j] == pytest.approx(mean, rel=1e-9, abs=1e-11)


def test_slopes_are_those_of_the_elevation():
    wave, h = make_waves([parametric(1.5, 7.0, 3.3, 0.3, 10.0, 60)], 15.0, 60, 5), 1e-5
    points, out = np.array([[h, 0], [-h, 0], [0, h], [0, -h]]), np.empty(4)
    elevation(wave, 4.0, points, out)
    assert surface(wave, 4.0, 0.0, 0.0)[1:] == pytest.approx([(out[0] - out[1]) / (2 * h), (out[2] - out[3]) / (2 * h)])


def test_spectrum_in_is_spectrum_out_for_all_spotter_spectra(spotter):
    """Every band keeps its variance, and the height is the one that the buoy itself reported, within 0.5 %."""
    with SPOTTER.open(encoding="utf-8") as file:
        rows = [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    assert len(spotter) == 179
    for system, row in zip(spotter, rows, strict=True):
        waves = make_waves([system], 80.0, 120, 1)
        assert waves.significant_height == pytest.approx(float(row["Significant Wave Height (m)"]), rel=5e-3)
        bands = np.searchsorted(system.lower, waves.frequency / (2 * np.pi), side="right") - 1
        got = np.bincount(bands, 0.5 * waves.amplitude**2, len(system.variance))
        assert got == pytest.approx(system.variance, rel=1e-12)
        mean = np.sum(system.variance * system.spreading / (1 + system.spreading) * np.exp(1j * system.direction))
        wanted = np.radians(270.0 - float(row["Mean Direction (deg)"]))
        assert abs(np.angle(mean * np.exp(-1j * wanted))) < np.radians(0.1)


def test_ndbc_files_are_read_with_their_directions(tmp_path):
    head = "#YY  MM DD hh mm Sep_Freq  < spec_1 (freq_1) spec_2 (freq_2) ... >\n"
    (tmp_path / "a.data_spec").write_text(head + "2024 05 01 00 00 9.999 0.000 (0.033) 4.000 (0.043) 1.000 (0.063)\n")
    (tmp_path / "a.swdir").write_text("#h\n2024 05 01 00 00 999.0 (0.033) 270.0 (0.043) 180.0 (0.063)\n")
    (tmp_path / "a.swr1").write_text("#h\n2024 05 01 00 00 999.0 (0.033) 0.50 (0.043) 0.75 (0.063)\n")
    (system,) = read_spectra(tmp_path / "a.data_spec")
    assert system.variance == pytest.approx([0.0, 4 * 0.015, 1 * 0.02])
    assert system.spreading[1:] == pytest.approx([1.0, 3.0])
    assert np.exp(1j * system.direction[1:]) == pytest.approx([1.0, 1j])  # from the west; from the south


DENSITIES = [0.0, 0.0, 0.124, 0.338, 0.736, 1.282, 1.790, 2.000, 1.282, 0.124, 0.0, 0.0]
BANDS = [0.033, 0.037, 0.043, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.15, 0.2]


@pytest.mark.parametrize("mark", ["999.00", "99.00", "9999.0", "MM", "nan"])
@pytest.mark.parametrize("band", [0, 2, 11])
def test_a_band_that_was_not_measured_is_filled_in_and_said(tmp_path, caplog, mark, band):
    # wavespectra#70 and #85: one such band made waves of 10 m out of those of 1 m
    def height(densities):
        pairs = " ".join(f"{density} ({f})" for density, f in zip(densities, BANDS, strict=True))
        (tmp_path / "a.data_spec").write_text(f"2024 05 01 03 00 9.999 {pairs}\n")
        return 4 * np.sqrt(read_spectra(tmp_path / "a.data_spec")[0].variance.sum())

    whole = height([f"{density:.3f}" for density in DENSITIES])
    assert not caplog.text
    missing = [mark if i == band else f"{density:.3f}" for i, density in enumerate(DENSITIES)]
    assert height(missing) == pytest.approx(whole, rel=0.01)
    assert "filled in from their neighbours: 1" in caplog.text


def test_a_row_without_enough_bands_costs_only_itself(tmp_path):
    path = tmp_path / "a.data_spec"
    good, bad = ("2024 05 01 {:02d} 00 9.999 " + " ".join(f"{d} ({f})" for f in BANDS) + "\n" for d in ("1.0", "MM"))
    path.write_text(bad.format(0) + good.format(1))
    assert read_spectrum(path, 1).variance.sum() > 0
    for row, message in ((0, "12 of 12 bands were not measured"), (2, "there is no spectrum 2: found 2")):
        with pytest.raises(WorldError, match=message):
            read_spectrum(path, row)


def test_a_long_line_that_is_no_spectrum_is_refused_at_once(tmp_path):
    path = tmp_path / "a.data_spec"
    path.write_text("2024 05 01 00 00 9.999 " + "x" * 1_000_000 + "\n")
    with pytest.raises(WorldError, match="expected 'value"):
        read_spectra(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2024 05 01 00 00 9.999 1.0 (0.05) 2.0 (0.04)", "don't rise"),
        ("2024 05 01 00 00 9.999 nan (0.04) 2.0 (0.05)", "1 of 2 bands were not measured"),
        ("2024 05 01 00 00 9.999 1e400 (0.04) 2.0 (0.05)", "isn't finite"),
        ("2024 05 01 00 00 9.999 -1.0 (0.04) 2.0 (0.05)", "negative variance"),
        ("2024 05 01 00 00 9.999 x (0.04) 2.0 (0.05)", "expected 'value"),
        ("2024 05 01", "expected 'YY"),
    ],
)
def test_a_spectrum_that_can_not_be_is_refused_by_file_and_place(tmp_path, line, says):
    path = tmp_path / "bad.data_spec"
    path.write_text(line + "\n")
    with pytest.raises(WorldError, match=says) as caught:
        read_spectra(path)
    assert str(path) in str(caught.value)


def test_a_csv_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("time,height\n0,1\n")
    with pytest.raises(WorldError, match="f_0"):
        read_spectra(path)


@pytest.mark.parametrize(("height", "period"), [(1.0, -3.0), (1.0, 0.0), (-1.0, 5.0), (float("nan"), 5.0)])
def test_height_and_period_that_can_not_be(height, period):
    with pytest.raises(WorldError, match="expected"):
        parametric(height, period, 3.3, 0.0, 10.0, 20)


def test_bands_that_overlap_are_refused():
    one = np.ones(2)
    with pytest.raises(WorldError, match="band 0 .* overlaps"):
        Spectrum(np.array([0.1, 0.2]), np.array([0.3, 0.4]), one, one, one)


def test_a_sea_beyond_breaking_is_warned_of(tmp_path, caplog):
    assert not breaking(1.2, 6.0, 20.0)
    assert "steepness" in breaking(4.0, 5.0, 100.0)
    assert "break in 2 m" in breaking(1.7, 12.0, 2.0)
    Seaway(Environment(sea(significant_height=4.0, peak_period=5.0), tmp_path, 1), tmp_path, 1)
    assert "beyond breaking" in caplog.text


def test_swell_and_wind_sea_add_up_and_the_tide_lifts_both(tmp_path):
    swell = {"significant_height": 1.6, "peak_period": 14.0}
    settings = sea(significant_height=1.2, peak_period=6.0, swell=swell, tide=0.7)
    seaway = Seaway(Environment(settings, tmp_path, 1), tmp_path, 1)
    assert seaway.waves(0).significant_height == pytest.approx(2.0)  # 1.2^2 + 1.6^2 = 2^2
    place = np.array([[3.0, 4.0, 0.0]])
    wave = surface(seaway.waves(0), 2.0, 3.0, 4.0)[0]
    assert seaway.elevation(2 * 10**9, place) == pytest.approx([wave + 0.7])


@pytest.mark.parametrize("packed", [False, True])
def test_a_year_of_the_ndbcs_archive_is_read_with_its_directions_and_spreads(tmp_path, packed):
    """Hs = 4 sqrt(sum S df) by hand; waves come from 270 degrees, which is towards the east, and r1 = 0.75 is s = 3."""
    head = "#YY  MM DD hh mm   .0400   .0500   .0700\n"
    tables = {"w": "2020 01 01 00 00 1.00 4.00 2.00\n2020 01 01 01 00 MM MM MM\n2020 01 01 02 00 2.0 2.0 2.0\n",
              "d": "2020 01 01 00 00 270 270 180\n", "j": "2020 01 01 00 00 0.75 0.75 0.5\n"}  # fmt: skip
    suffix = ".txt.gz" if packed else ".txt"
    for letter, text in tables.items():
        with (gzip.open if packed else open)(tmp_path / f"46042{letter}2020{suffix}", "wt") as file:
            file.write(head + text)
    spectrum = read_spectrum(tmp_path / f"46042w2020{suffix}", 0)
    assert spectrum.significant_height == pytest.approx(4 * np.sqrt(1 * 0.01 + 4 * 0.015 + 2 * 0.02))
    assert spectrum.direction == pytest.approx([0.0, 0.0, np.pi / 2])
    assert spectrum.spreading == pytest.approx([3.0, 3.0, 1.0])
    assert read_spectrum(tmp_path / f"46042w2020{suffix}", 2).variance.sum() > 0
    with pytest.raises(WorldError, match="3 of 3 bands were not measured"):
        read_spectrum(tmp_path / f"46042w2020{suffix}", 1)


def test_an_archive_that_is_none_is_refused(tmp_path):
    path = tmp_path / "46042w2020.txt"
    path.write_text("what is this\n")
    with pytest.raises(WorldError, match=r"46042w2020.txt:1: expected 'YY MM DD hh \[mm\]' and frequencies"):
        read_spectra(path)
    path.write_text("YY MM DD hh .04 .05\n99 01 01 00 1.0\n")
    with pytest.raises(WorldError, match=":2: found 1 numbers for 2 frequencies"):
        read_spectra(path)


def test_bands_hold_in_the_mean_the_energy_fed_in_and_a_single_record_scatters_about_it():
    """Components of a band beat: a record of 30 minutes holds more or less, the mean over seeds what was fed in."""
    width, count = 0.01, 40
    lower = 0.03 + width * np.arange(20)
    middle = lower + width / 2
    system = Spectrum(lower, lower + width, jonswap(middle, 2.0, 9.0) * width, np.zeros(20), np.full(20, np.inf))
    band = (middle > 0.085) & (middle < 0.125)
    fed, t, shares = system.variance[band].sum(), np.arange(0.0, 1800.0, 0.5), []
    for seed in range(count):
        waves = make_waves([system], 1000.0, 200, seed)
        hertz = waves.frequency / 2 / np.pi
        inside = (hertz >= lower[band][0]) & (hertz < lower[band][-1] + width)
        assert 0.5 * np.sum(waves.amplitude[inside] ** 2) == pytest.approx(fed, rel=1e-12)
        one = waves.amplitude[inside][:, None] * np.cos(
            waves.phase[inside][:, None] - waves.frequency[inside][:, None] * t
        )
        shares.append(one.sum(axis=0).var() / fed)
    scatter = np.std(shares)
    assert 0.02 < scatter < 0.3
    assert np.mean(shares) == pytest.approx(1.0, abs=4 * scatter / np.sqrt(count))
