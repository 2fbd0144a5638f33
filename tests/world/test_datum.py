"""Coordinate systems: heights are never left as they are for lack of a grid, and GCJ-02 is undone."""

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.datum import accuracy_note, area_note, from_wgs84, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02

METRES = np.array([95_000.0, 111_000.0])
"""Of a degree of longitude and latitude at 31 degrees north; more than enough for a bound."""

# Test points of googollee/eviltransform: WGS 84 and GCJ-02, longitude and latitude.
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]


@pytest.mark.parametrize(("wgs", "gcj"), PUBLISHED)
def test_gcj02_is_what_others_publish(wgs, gcj):
    # They take 6378137 m for the axis where the datum's is 6378245 m: 2e-5 of the offset of 500 m.
    assert np.abs((wgs84_to_gcj02(np.array([wgs])) - [gcj]) * METRES).max() < 0.02
    assert np.abs((gcj02_to_wgs84(np.array([gcj])) - [wgs]) * METRES).max() < 0.02


def test_gcj02_and_back_over_all_of_china():
    rng = np.random.default_rng(1)
    places = rng.uniform([75.0, 18.0], [135.0, 53.0], (1000, 2))
    assert np.abs((gcj02_to_wgs84(wgs84_to_gcj02(places)) - places) * 111_000).max() < 1e-4


def test_gcj02_is_a_crs_like_others():
    gcj = np.array([PUBLISHED[0][1]])
    assert np.abs((to_wgs84(gcj, "gcj02") - [PUBLISHED[0][0]]) * METRES).max() < 0.02


def test_a_vertical_transformation_that_lacks_its_grid_is_an_error_with_the_way_out():
    from pyproj.transformer import TransformerGroup

    if TransformerGroup("EPSG:7415", "EPSG:4979").best_available:
        pytest.skip("the grids of the Netherlands are installed here")
    with pytest.raises(WorldError, match=r"nl_nsgi_nlgeo2018.tif.*--geoid-height"):
        to_wgs84(np.array([[84900.0, 447600.0, 10.0]]), "EPSG:7415")


def test_a_given_geoid_height_is_added_to_the_height_and_moves_nothing_else():
    point = np.array([[84900.0, 447600.0, 10.0]])
    found = to_wgs84(point, "EPSG:7415", geoid_height=43.0)
    assert found[0, 2] == pytest.approx(53.0, abs=1e-9)
    assert found[:, :2] == pytest.approx(to_wgs84(point[:, :2], "EPSG:28992"), abs=1e-12)


def test_heights_in_feet_become_metres():
    # New York Long Island and NAVD88, both in US survey feet of 1200/3937 m.
    found = to_wgs84(np.array([[1_000_000.0, 200_000.0, 100.0]]), "EPSG:2263+6360", geoid_height=-32.0)
    assert found[0, 2] == pytest.approx(100.0 * 1200 / 3937 - 32.0, abs=1e-9)


def test_heights_without_a_vertical_datum_are_not_guessed():
    with pytest.raises(WorldError, match="no vertical datum; give --geoid-height"):
        to_wgs84(np.array([[84900.0, 447600.0, 10.0]]), "EPSG:28992")
    with pytest.raises(WorldError, match="no vertical datum; give --geoid-height"):
        to_wgs84(np.array([[121.5, 31.2, 10.0]]), "GCJ-02")


def test_ellipsoidal_heights_pass_unchanged():
    point = np.array([[4.36, 52.01, 47.5]])
    assert to_wgs84(point, "EPSG:4979") == pytest.approx(point, abs=1e-12)


def test_a_datum_of_unknown_shift_is_refused():
    with pytest.raises(WorldError, match="without guessing"):
        to_wgs84(np.array([[0.0, 0.0]]), "+proj=tmerc +lon_0=4 +ellps=bessel +type=crs")


def test_the_way_out_of_an_unknown_shift_speaks_of_heights_only_where_there_are_any():
    with pytest.raises(WorldError, match="give --crs OGC:CRS84") as flat:
        to_wgs84(np.array([[120.0, 31.0]]), "EPSG:4610")
    assert "geoid" not in str(flat.value)
    with pytest.raises(WorldError, match="give --geoid-height"):
        to_wgs84(np.array([[5e5, 3.46e6, 7.0]]), "EPSG:4549+5737")


def test_cgcs2000_is_wgs84():
    # The ellipsoids' flattenings differ by 3e-11, which moves nothing by more than 0.2 mm.
    place = np.array([[120.6, 31.3]])
    assert to_wgs84(place, "EPSG:4490") == pytest.approx(place, abs=1e-12)
    assert to_wgs84(np.array([[120.6, 31.3, 7.0]]), "EPSG:4480") == pytest.approx(np.array([[120.6, 31.3, 7.0]]))
    same_map = from_wgs84(place, "+proj=tmerc +lon_0=120 +x_0=500000 +datum=WGS84")
    assert np.abs(from_wgs84(place, "EPSG:4549") - same_map).max() < 1e-3
    assert "taken as WGS 84" in accuracy_note("EPSG:4549") and accuracy_note("EPSG:4326") is None


def test_projected_and_back():
    places = np.array([[4.36, 52.01], [4.37, 52.02]])
    # The way back starts at height zero, not at that of the Dutch ellipsoid: 0.4 mm.
    assert to_wgs84(from_wgs84(places, "EPSG:7415"), "EPSG:28992") == pytest.approx(places, abs=9e-9)


@pytest.mark.parametrize("crs", ["EPSG:999999", "nonsense", ""])
def test_unknown_crs(crs):
    with pytest.raises(WorldError, match="not a coordinate system that PROJ knows"):
        to_wgs84(np.zeros((1, 2)), crs)


def test_a_place_outside_of_the_area_of_use_is_told():
    assert "Netherlands" in area_note("EPSG:28992", np.array([120.0, 31.0]), np.array([120.1, 31.1]))
    assert area_note("EPSG:28992", np.array([4.3, 52.0]), np.array([4.4, 52.1])) is None
