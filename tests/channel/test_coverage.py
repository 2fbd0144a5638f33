import numpy as np
import pytest

from twin.channel.coverage import Grid, Transmitter, coverage, grid_points, read_sites
from twin.channel.fields.msi import read_msi
from twin.channel.tracer import RayTracer
from twin.errors import ScenarioError
from twin.link import Radio
from twin.specs import AtmosphereSpec, RayTracingSpec
from twin.world.builder import GeometryBuilder

LINE = "name,x,y,z,azimuth,tilt,power\n"


def ground():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]], dtype=float)], "concrete")
    return builder.build()


def test_a_map_without_reflections_is_free_space():
    sites = [Transmitter("west", (-50.0, 0.0, 20.0), 40.0), Transmitter("east", (50.0, 0.0, 20.0), 40.0)]
    x, y = np.linspace(-80, 80, 17), np.linspace(-40, 40, 9)
    spec = RayTracingSpec(order=0, atmosphere=AtmosphereSpec(pressure=1e-6, vapour=0))
    found = coverage(ground(), sites, Grid(x, y, 2.0), 3.5e9, spec)
    distance = np.sqrt((x[None] + 50) ** 2 + y[:, None] ** 2 + 18.0**2)
    friis = 20 * np.log10(299_792_458.0 / 3.5e9 / (4 * np.pi * distance))
    np.testing.assert_allclose(found.path_gain_db[0], friis, atol=1e-9)
    assert found.best_server[4, 0] == 0 and found.best_server[4, -1] == 1
    np.testing.assert_allclose(found.rss_dbm, found.path_gain_db.max(axis=0) + 40.0, atol=1e-9)
    middle = found.sinr_db[:, 8]
    np.testing.assert_allclose(middle, 0.0, atol=1e-4)  # both as strong, noise 50 dB below


def hills(slope=0.3):
    """Return two houses on ground that rises to the east."""
    builder = GeometryBuilder()
    corners = np.array([[-90, -90], [90, -90], [90, 90], [-90, 90]], dtype=float)
    builder.add_polygon([np.column_stack([corners, slope * corners[:, 0]])], "concrete")
    for x in (-20.0, 30.0):
        low = (x, -10.0, slope * x - 10.0)
        builder.add_box(low, (x + 12.0, 15.0, slope * x + 20.0), "brick", builder.add_object(f"house {x}"), floor=False)
    return builder.build()


@pytest.mark.parametrize("diffraction", [False, True])
def test_neighbours_that_share_a_search_find_what_each_finds_alone(diffraction):
    """At one height above ground that rises: every point against the full search of all rows."""
    geometry, grid = hills(), Grid(np.arange(-70.0, 70.0, 7.0), np.arange(-60.0, 60.0, 8.0), 1.5)
    spec = RayTracingSpec(order=1 if diffraction else 2, diffraction=diffraction, rays=20_000)
    sites = [Transmitter("a", (-60.0, 5.0, 12.0)), Transmitter("b", (55.0, 40.0, 40.0))]
    found = coverage(geometry, sites, grid, 3.5e9, spec)
    points = grid_points(geometry, grid)
    np.testing.assert_allclose(points[:, 2], 0.3 * points[:, 0] + 1.5, atol=1e-9)
    radios = [Radio(i, 0, None, site.position, 3.5e9) for i, site in enumerate(sites)]
    radios += [Radio(2 + i, 1, None, tuple(p), 3.5e9) for i, p in enumerate(points)]
    full = spec.model_copy(update={"mode": "exhaustive", "max_paths": 10_000})
    links = RayTracer(geometry, radios, full).trace()
    expected = np.full((2, len(points)), np.nan)
    expected[links.a, links.b - 2] = links.path_gain_db
    np.testing.assert_allclose(found.path_gain_db.reshape(2, -1), expected, atol=1e-9)
    assert np.isfinite(expected).mean() > 0.7


def test_uncertainty_is_that_of_waves_in_random_phase():
    """Two waves as strong as each other: mean 2 p, deviation sqrt(2) p. One alone has none."""
    grid, site = Grid(np.array([60.0]), np.array([0.0]), 2.0), [Transmitter("a", (-60.0, 0.0, 2.0))]
    alone = coverage(ground(), site, grid, 3.5e9, RayTracingSpec(order=0))
    assert alone.uncertainty_db[0, 0] == 0.0
    both = coverage(ground(), site, grid, 3.5e9, RayTracingSpec(order=1))
    share = 10 ** (0.1 * (both.path_gain_db[0] - alone.path_gain_db[0])).item() - 1.0  # of the ground's wave
    expected = 10 * np.log10(1 + np.sqrt(2 * share) / (1 + share))
    assert both.uncertainty_db[0, 0] == pytest.approx(expected, abs=1e-6)


def test_what_is_indoors_is_left_out():
    sites = [Transmitter("one", (0.0, 0.0, 20.0))]
    spec = RayTracingSpec(order=0)
    found = coverage(
        ground(), sites, Grid(np.arange(3.0), np.arange(2.0), 2.0), 3.5e9, spec, outdoors=lambda p: p[:, 0] > 0.5
    )
    assert np.isnan(found.rss_dbm[:, 0]).all() and np.isfinite(found.rss_dbm[:, 1:]).all()


def test_sites_from_a_table(tmp_path):
    """Azimuth 90 is east, which is the direction x."""
    file = tmp_path / "sites.csv"
    file.write_text(LINE + "mast,1,2,30,90,6,46\n")
    (site,) = read_sites(file)
    assert site.position == (1.0, 2.0, 30.0) and site.power_dbm == 46.0
    assert site.antenna.azimuth == pytest.approx(0.0) and site.antenna.downtilt == pytest.approx(np.radians(6))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,x,y\na,1,2\n", "lacks the columns z, azimuth, tilt, power"),
        (LINE, "holds no site"),
        (LINE + "a,1,two,3,0,0,40\n", "line 2, y: found 'two'"),
        (LINE + "a,1,nan,3,0,0,40\n", "line 2, y: found 'nan'"),
    ],
)
def test_a_bad_table_is_an_error_with_its_place(tmp_path, text, message):
    file = tmp_path / "sites.csv"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=message):
        read_sites(file)


def msi(tmp_path, gain="GAIN 12.85 dBd"):
    rows = "\n".join(f"{k} {min(k, 360 - k) / 10}" for k in range(360))
    file = tmp_path / "antenna.msi"
    file.write_text(f"NAME test\nFREQUENCY 3500\n{gain}\nHORIZONTAL 360\n{rows}\nVERTICAL 360\n{rows}\n")
    return file


def test_an_msi_pattern(tmp_path):
    pattern = read_msi(msi(tmp_path))
    assert pattern.gain_dbi == pytest.approx(15.0)
    assert pattern.cuts_db[0, [0, 90, 180]].tolist() == [0.0, -9.0, -18.0]


@pytest.mark.parametrize(("change", "message"), [
    (("GAIN 12.85 dBd", ""), "lacks GAIN"),
    (("90 9.0\n", "90\n"), "found '90'"),
    (("VERTICAL", "SIDEWAYS"), "lacks VERTICAL"),
])  # fmt: skip
def test_a_bad_msi_pattern_is_an_error(tmp_path, change, message):
    file = msi(tmp_path)
    file.write_text(file.read_text().replace(*change, 1))
    with pytest.raises(ScenarioError, match=message):
        read_msi(file)
