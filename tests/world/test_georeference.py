"""The geo-reference is a rigid frame: places come back, distances stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import WorldError
from twin.world.georeference import GeoReference

MUNICH = GeoReference(11.5905, 48.1545, 563.0)
METRES_PER_DEGREE = 111_320.0


def earth_centred(geodetic):
    """WGS 84 to earth-centred coordinates by the definition of the ellipsoid (NGA.STND.0036)."""
    a, f = 6378137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    lon, lat = np.radians(geodetic[:, 0]), np.radians(geodetic[:, 1])
    h = geodetic[:, 2]
    n = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    return np.stack([(n + h) * np.cos(lat) * np.cos(lon), (n + h) * np.cos(lat) * np.sin(lon),
                     (n * (1 - e2) + h) * np.sin(lat)], axis=-1)  # fmt: skip


def test_origin_is_zero_and_axes_point_east_north_up():
    step = 1e-5
    places = np.array([[11.5905, 48.1545, 563.0], [11.5905 + step, 48.1545, 563.0],
                       [11.5905, 48.1545 + step, 563.0], [11.5905, 48.1545, 564.0]])  # fmt: skip
    local = MUNICH.to_local(places)
    assert np.abs(local[0]).max() < 1e-9
    np.testing.assert_allclose(local[1] / np.linalg.norm(local[1]), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(local[2] / np.linalg.norm(local[2]), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(local[3], [0, 0, 1], atol=1e-9)


def test_distances_over_5_km_are_those_of_the_earth():
    rng = np.random.default_rng(1)
    degrees = 5000.0 / METRES_PER_DEGREE
    geodetic = np.column_stack([11.5905 + rng.uniform(-degrees, degrees, 500),
                                48.1545 + rng.uniform(-degrees, degrees, 500), rng.uniform(0, 800, 500)])  # fmt: skip
    local, truth = MUNICH.to_local(geodetic), earth_centred(geodetic)
    here = np.linalg.norm(local[:250] - local[250:], axis=1)
    np.testing.assert_allclose(here, np.linalg.norm(truth[:250] - truth[250:], axis=1), atol=1e-6, rtol=0)


@given(
    st.floats(-180, 180),
    st.floats(-89, 89),
    st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(-100, 1000)),
)
def test_local_points_come_back(longitude, latitude, point):
    place = GeoReference(longitude, latitude, 50.0)
    back = place.to_local(place.to_geodetic(np.array([point])))
    np.testing.assert_allclose(back[0], point, atol=1e-6)


def test_up_is_the_normal_of_the_ellipsoid():
    lon, lat = np.radians([11.61, 48.17])
    expected = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    low, high = np.array([[11.61, 48.17, 0.0]]), np.array([[11.61, 48.17, 1000.0]])
    rise = (earth_centred(high) - earth_centred(low))[0] / 1000
    np.testing.assert_allclose(rise, expected, atol=1e-9)
    up = MUNICH.up(low)[0]
    at_origin = MUNICH.up(np.array([[11.5905, 48.1545, 0.0]]))[0]
    lon0, lat0 = np.radians([11.5905, 48.1545])
    up0 = np.array([np.cos(lat0) * np.cos(lon0), np.cos(lat0) * np.sin(lon0), np.sin(lat0)])
    assert up @ at_origin == pytest.approx(expected @ up0, abs=1e-12)
    assert np.linalg.norm(up) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("origin", [(181.0, 0.0, 0.0), (0.0, 91.0, 0.0), (0.0, 0.0, 1e6), (np.nan, 0.0, 0.0)])
def test_a_place_that_is_nowhere_is_refused(origin):
    with pytest.raises(WorldError, match="allowed are"):
        GeoReference(*origin)
