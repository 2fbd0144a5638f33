"""A sea that follows time series: its height, period and bearing are those of the time, and it never jumps."""

import numpy as np
import pytest
from scipy.stats import t as student

from twin.clock import NS
from twin.errors import WorldError
from twin.specs.environment import EnvironmentSpec
from twin.world.environment import Environment
from twin.world.sea import Seaway, towards
from twin.world.spectra import share_of_bands

STORM = "time,hs,tp,bearing\n0,1,6,6.1\n1800,3,9,0.4\n3600,2,12,1.2\n"  # turns past north


@pytest.fixture
def seaway(tmp_path):
    (tmp_path / "sea.csv").write_text(STORM)

    def make(*names, seed=1, csv=STORM, **more):
        (tmp_path / "sea.csv").write_text(csv)
        columns = {"significant_height": "hs", "peak_period": "tp", "bearing": "bearing"}
        series = {name: {"file": "sea.csv", "column": columns[name]} for name in names}
        spec = EnvironmentSpec.model_validate({"sea": {"depth": 50.0} | series | more})
        return Seaway(Environment(spec, tmp_path, seed), tmp_path, seed)

    return make


ALL = ("significant_height", "peak_period", "bearing")


def at(seconds):
    return round(seconds * NS)


def test_the_components_always_have_the_height_of_the_series(seaway):
    """sqrt(8 sum a^2) is Hs(t), to rounding; period and bearing change meanwhile."""
    sea = seaway(*ALL)
    wanted = {0: 1.0, 450.3: 1.0 + 2 * 450.3 / 1800, 1800: 3.0, 2700.7: 3.0 - 900.7 / 1800, 9999: 2.0}
    for seconds, height in wanted.items():
        assert sea.waves(at(seconds)).significant_height == pytest.approx(height, rel=1e-12)


def test_a_record_has_the_height_of_its_time(seaway):
    """Variance over 10 minutes at two times, unbiased over phases: 20 seeds, 99.9 % by Student's t.

    The mean of Hs(t)^2 / 16 over a window is exact for the interpolated series.
    """
    for middle in (600.0, 3000.0):
        times = middle + np.arange(-300.0, 300.0, 2.0)
        errors = []
        for seed in range(20):
            sea = seaway(*ALL, seed=seed)
            here = np.array([sea.elevation(at(t), np.zeros((1, 2)))[0] for t in times])
            wanted = np.mean([sea.state(at(t)).significant_height ** 2 / 16 for t in times])
            errors.append(np.mean(here**2) / wanted - 1)
        half = student.ppf(0.9995, 19) * np.std(errors, ddof=1) / np.sqrt(20)
        assert abs(np.mean(errors)) < half < 0.5


def test_the_surface_never_jumps(seaway):
    """No faster than sum a w + sum |da/dt|: over 1 us at samples of the series, at whole seconds and in between."""
    sea, places = seaway(*ALL), np.array([[0.0, 0.0], [3000.0, -2000.0]])
    for seconds in (1, 1000.5, 1800, 1801, 3600):
        before, after = at(seconds) - 1000, at(seconds) + 1000
        rise = np.abs(sea.elevation(after, places) - sea.elevation(before, places)).max()
        waves, later = sea.waves(before), sea.waves(after)
        swing = np.sum(np.maximum(waves.amplitude, later.amplitude) * waves.frequency) * 2e-6
        growth = np.abs(later.amplitude - waves.amplitude).sum()
        assert rise <= swing + growth + 1e-12
        # The spectrum itself moves in minutes: amplitudes together by far less than a metre a second.
        assert growth < 0.1 * 2e-6


def test_frequencies_ways_and_phases_are_kept(seaway):
    sea = seaway(*ALL)
    first, last = sea.waves(0), sea.waves(at(3600))
    for name in ("frequency", "number", "kx", "ky", "phase"):
        np.testing.assert_array_equal(getattr(first, name), getattr(last, name))
    assert first.amplitude.tolist() != last.amplitude.tolist()


def test_the_spectrum_is_the_jonswap_sea_of_the_time(seaway):
    """Shares of four bands: exactly those of Tp while ways stay, else the mean of 40 seeds by Student's t."""
    edges = np.geomspace(0.5 / 12, 5 / 6, 121)
    for seconds, period in ((0, 6.0), (1800, 9.0), (2700, 10.5), (3600, 12.0)):
        wanted = share_of_bands(edges, period, 3.3).reshape(4, 30).sum(axis=1)
        straight = seaway("significant_height", "peak_period").waves(at(seconds)).amplitude ** 2
        np.testing.assert_allclose(straight.reshape(4, 30).sum(axis=1) / straight.sum(), wanted, atol=1e-12)
        squares = np.array([seaway(*ALL, seed=seed).waves(at(seconds)).amplitude ** 2 for seed in range(40)])
        shares = squares.reshape(40, 4, 30).sum(axis=2) / squares.sum(axis=1, keepdims=True)
        half = student.ppf(0.9995, 39) * shares.std(axis=0, ddof=1) / np.sqrt(40)
        assert (np.abs(shares.mean(axis=0) - wanted) < half + 0.01).all()


def test_waves_travel_where_the_series_says(seaway):
    """E exp(i angle) = s / (s + 1) towards the mean: 40 seeds, 99.9 % by Student's t, east and north.

    That the whole is brought to its height leaves a bias of the order of one component's share, 1 / 120.
    """
    for seconds, bearing in ((0, 6.1), (900, 6.1 + (0.4 + 2 * np.pi - 6.1) / 2), (3600, 1.2)):
        found = []
        for seed in range(40):
            waves = seaway(*ALL, seed=seed).waves(at(seconds))
            way = (waves.kx + 1j * waves.ky) / waves.number
            found.append(np.sum(waves.amplitude**2 * way) / np.sum(waves.amplitude**2))
        strays = np.array(found) * np.exp(-1j * towards(bearing)) - 10 / 11
        for part in (strays.real, strays.imag):
            assert abs(part.mean()) < student.ppf(0.9995, 39) * part.std(ddof=1) / np.sqrt(40) + 0.01


def test_only_the_height_may_change_and_swell_stays(seaway):
    swell = {"significant_height": 1.5, "peak_period": 14.0}
    sea = seaway("significant_height", swell=swell)
    assert sea.waves(0).significant_height == pytest.approx(np.hypot(1.0, 1.5))
    assert sea.waves(at(1800)).significant_height == pytest.approx(np.hypot(3.0, 1.5))


def test_a_sea_may_rise_from_calm(seaway):
    sea = seaway("significant_height", csv="time,hs\n0,0\n600,2\n")
    assert not sea.elevation(0, np.zeros((1, 2))).any()
    assert sea.waves(at(300)).significant_height == pytest.approx(1.0)


def test_a_pierson_moskowitz_sea_gets_longer_as_it_gets_higher(seaway):
    sea = seaway("significant_height", spectrum="pierson-moskowitz")
    energy = [np.argmax(sea.waves(at(t)).amplitude) for t in (0, 1800)]
    assert sea.waves(0).frequency[energy[0]] > 1.5 * sea.waves(0).frequency[energy[1]]  # as the root of the height
    with pytest.raises(WorldError, match="always higher than 0"):
        seaway("significant_height", csv="time,hs\n0,0\n600,2\n", spectrum="pierson-moskowitz")


def test_a_change_within_few_waves_is_warned_of(seaway, caplog):
    seaway("significant_height")
    assert not caplog.records
    seaway("significant_height", csv="time,hs\n0,1\n30,3\n")
    assert "changes by" in caplog.text
    seaway("significant_height", csv="time,hs\n0,1\n600,9\n")
    assert "beyond breaking" in caplog.text


@pytest.mark.parametrize(
    ("name", "csv", "says"),
    [
        ("significant_height", "time,hs\n0,1\n60,-1\n", "greater than or equal to 0"),
        ("peak_period", "time,tp\n0,8\n60,0\n", "greater than or equal to 0.5"),
    ],
)
def test_a_series_that_leaves_the_range_of_the_constant_is_refused(seaway, name, csv, says):
    with pytest.raises(WorldError, match=f"sea.csv: .*{says}"):
        seaway(name, csv=csv)
