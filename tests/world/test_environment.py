"""Weather, wind and sea: series, the profile, and gusts with the spectrum that they claim."""

import numpy as np
import pytest
from pydantic import ValidationError

from twin.clock import NS
from twin.errors import WorldError
from twin.specs.environment import EnvironmentSpec, SeriesSpec
from twin.world.environment import Environment, vapour_density
from twin.world.series import Series, make_series
from twin.world.wind import add_gusts, make_turbulence


def environment(tmp_path, seed=1, **tables):
    return Environment(EnvironmentSpec(**tables), tmp_path, seed)


def test_a_series_is_straight_between_its_samples():
    series = Series(np.array([10.0, 20.0, 40.0]), np.array([1.0, 3.0, 3.0]))
    assert [series.at(t * NS) for t in (0, 10, 15, 20, 50)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert [series.integral(t * NS) for t in (0, 10, 15, 20, 50)] == [-10.0, 0.0, 7.5, 20.0, 110.0]


def test_reference_air_holds_7_5_grams_of_vapour():
    assert vapour_density(288.15, 101_325.0, 0.585) == pytest.approx(7.5, abs=0.05)
    assert vapour_density(373.15, 101_325.0, 1.0) == pytest.approx(598.0, rel=0.02)  # steam tables, at the boil


def test_weather_follows_a_csv_file(tmp_path):
    (tmp_path / "weather.csv").write_text("time,rain,temperature\n0,0,280\n60,30,290\n")
    series = {"file": "weather.csv", "column": "rain"}
    found = environment(tmp_path, rain=series, temperature="281 K", time_of_day="23 h").weather(90 * 60 * NS)
    assert (found.rain, found.temperature, found.time_of_day) == (30.0, 281.0, 1800.0)


def test_time_of_day_may_be_a_series_of_its_own(tmp_path):
    (tmp_path / "clock.csv").write_text("time,day\n0,86000\n100,87000\n")
    found = environment(tmp_path, time_of_day={"file": "clock.csv", "column": "day"})
    assert [found.weather(t * NS).time_of_day for t in (0, 20, 90)] == pytest.approx([86_000.0, 86_200.0, 500.0])


def test_bearings_turn_the_shorter_way(tmp_path):
    (tmp_path / "wind.csv").write_text("time,from\n0,6.1\n10,0.3\n")  # past north
    wind = environment(tmp_path, wind={"speed": 5.0, "bearing": {"file": "wind.csv", "column": "from"}}).wind
    middle = 6.1 + (0.3 + 2 * np.pi - 6.1) / 2
    expected = -5 * np.array([np.sin(middle), np.cos(middle), 0.0])
    assert wind.velocity(5 * NS, np.array([[0.0, 0, 10]]))[0] == pytest.approx(expected)


def test_gusts_may_rise_from_nothing(tmp_path):
    (tmp_path / "wind.csv").write_text("time,gusts\n0,0\n10,0.2\n")
    wind = {"speed": 10.0, "gust_intensity": {"file": "wind.csv", "column": "gusts"}}
    point, air = np.array([[3.0, 4.0, 10.0]]), environment(tmp_path, wind=wind).wind
    assert air.velocity(0, point)[0] == pytest.approx([0.0, -10.0, 0.0], abs=1e-12)
    full = environment(tmp_path, wind={"speed": 10.0, "gust_intensity": 0.2}).wind
    assert air.velocity(10 * NS, point) == pytest.approx(full.velocity(10 * NS, point))


def test_a_series_is_bound_to_the_range_of_the_constant(tmp_path):
    (tmp_path / "w.csv").write_text("time,humidity\n0,0.5\n60,50\n")
    with pytest.raises(WorldError, match="w.csv: humidity: found 50; .*less than or equal to 1"):
        environment(tmp_path, humidity={"file": "w.csv", "column": "humidity"})


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("time,rain\n0,1\n", "rian", "did you mean 'rain'"),
        ("rain\n1\n", "rain", "no column 'time'"),
        ("time,rain\n0,wet\n", "rain", "found 'wet'"),
        ("time,rain\n0,nan\n", "rain", "not finite"),
        ("time,rain\n5,1\n5,2\n", "rain", "rising"),
        ("time,rain\n", "rain", "at least one row"),
        ("time,rain\n0\n", "rain", "found None"),
    ],
)
def test_a_wrong_csv_file_is_named(tmp_path, text, column, message):
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(WorldError, match=message):
        make_series(SeriesSpec(file="w.csv", column=column), tmp_path)


def test_a_csv_file_outside_of_the_folder_is_refused(tmp_path):
    with pytest.raises(WorldError, match="leads out"):
        make_series(SeriesSpec(file="../w.csv", column="rain"), tmp_path)


@pytest.mark.parametrize("tables", [{"rain": -1}, {"humidity": 2}, {"wind": {"speed": "3 kg"}}, {"fog": 1}])
def test_an_impossible_environment_is_refused(tables):
    with pytest.raises(ValidationError):
        EnvironmentSpec(**tables)


def test_wind_blows_from_its_bearing_with_a_logarithmic_profile(tmp_path):
    air = environment(tmp_path, wind={"speed": "8 m/s", "bearing": "270 deg", "roughness": "10 cm"}).wind
    points = np.array([[0.0, 0, 10], [5, 5, 100], [0, 0, 0.1], [0, 0, -3]])
    found = air.velocity(7 * NS, points)
    expected = 8 * np.array([1.0, np.log(1000) / np.log(100), 0.0, 0.0])
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found[:, 1:], 0.0, atol=1e-12)


def test_gusts_are_carried_by_the_mean_wind(tmp_path):
    wind = {"speed": 10.0, "bearing": "180 deg", "gust_intensity": 0.2}
    air = environment(tmp_path, wind=wind).wind
    here = air.velocity(0, np.array([[3.0, 4.0, 10.0]]))
    later = air.velocity(5 * NS, np.array([[3.0, 54.0, 10.0]]))
    np.testing.assert_allclose(here, later, atol=1e-9)


def test_gusts_depend_on_the_seed_and_on_no_other_point(tmp_path):
    wind = {"speed": 10.0, "gust_intensity": 0.2}
    points = np.array([[0.0, 0, 10], [50.0, 20, 40]])
    both = environment(tmp_path, wind=wind).wind.velocity(NS, points)
    np.testing.assert_array_equal(environment(tmp_path, wind=wind).wind.velocity(NS, points[1:]), both[1:])
    assert not np.array_equal(environment(tmp_path, seed=2, wind=wind).wind.velocity(NS, points), both)


def test_gusts_are_incompressible():
    field = make_turbulence(1, 60.0)
    assert np.abs(np.einsum("ki,ki->k", field.wave, field.amplitude)).max() < 1e-12


def test_gusts_have_the_correlation_of_the_dryden_spectrum():
    """Along the separation exp(-r/L), across it (1 - r / 2L) exp(-r/L), from the mean over all modes.

    A mode contributes |a_i|^2 cos(k . r) / 2; over all N modes of 40 seeds the mean of a product bounded by 6 has a
    standard error below 6 / 2 / sqrt(N) = 0.03.
    """
    length, distances = 60.0, np.array([0.0, 10.0, 30.0, 60.0, 120.0])
    along, across = np.zeros(5), np.zeros(5)
    for seed in range(40):
        field = make_turbulence(seed, length)
        turn = np.cos(distances[:, None] * field.wave[:, 0])
        along += (turn * field.amplitude[:, 0] ** 2 / 2).sum(axis=1) / 40
        across += (turn * field.amplitude[:, 2] ** 2 / 2).sum(axis=1) / 40
    r = distances / length
    np.testing.assert_allclose(along, np.exp(-r), atol=0.03)
    np.testing.assert_allclose(across, (1 - r / 2) * np.exp(-r), atol=0.03)


def test_the_kernel_sums_the_modes():
    field = make_turbulence(3, 40.0)
    points = np.random.default_rng(1).uniform(-100, 100, (5, 3))
    air = np.zeros((5, 3))
    add_gusts(points, field.wave, field.amplitude, field.phase, 1.5, air)
    expected = 1.5 * np.cos(points @ field.wave.T + field.phase) @ field.amplitude
    np.testing.assert_allclose(air, expected, atol=1e-9)


def test_the_sea_is_none_or_what_was_said(tmp_path):
    assert environment(tmp_path).sea(0) is None
    sea = environment(tmp_path, sea={"significant_height": "1.5 m", "peak_period": "7 s", "current": "1 kn"}).sea(0)
    assert (sea.significant_height, sea.peak_period, sea.peak_enhancement) == (1.5, 7.0, 3.3)
    assert sea.current == pytest.approx(1852 / 3600)
