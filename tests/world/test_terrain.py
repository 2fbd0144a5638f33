"""Terrain: exact on planes, voids filled and counted, buildings stand on it."""

import json

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.importers import import_world
from twin.world.importers.terrain import read_terrain

SITE = np.array([[4.50, 52.50], [4.51, 52.51]])
GEOID = 43.0


def tile(folder, heights, name="N52E004.hgt"):
    path = folder / name
    path.write_bytes(heights[::-1].astype(">i2").tobytes())
    return path


def slope(side=1201):
    """Return heights that rise by 1 m a step to the east and 2 m a step to the north, (side, side)."""
    rows, columns = np.mgrid[:side, :side]
    return 100 + columns + 2 * rows


def on_slope(places, side=1201):
    east, north = (places - [4.0, 52.0]).T * (side - 1)
    return 100 + east + 2 * north + GEOID


def test_srtm_is_exact_on_a_plane(tmp_path):
    terrain = read_terrain(tile(tmp_path, slope()), SITE, 100.0, GEOID)
    places = np.random.default_rng(0).uniform(SITE[0], SITE[1], (500, 2))
    assert terrain.height(places) == pytest.approx(on_slope(places), abs=1e-6)
    assert terrain.voids == 0
    # Cut to the site and its margin, not the whole tile: 0.01 degrees are 12 steps.
    assert max(terrain.nodes.shape[:2]) <= 12 + 2 + 2 * 4


def test_voids_in_a_plane_are_filled_exactly_and_counted(tmp_path):
    heights = slope()
    heights[603:607, 605:608] = -32768
    terrain = read_terrain(tile(tmp_path, heights), SITE, 100.0, GEOID)
    assert terrain.voids == 12
    places = np.array([[4 + 606 / 1200, 52 + 604.5 / 1200]])
    assert terrain.height(places) == pytest.approx(on_slope(places), abs=1e-6)


def test_a_building_stands_on_its_terrain(tmp_path):
    ring = [[4.5051, 52.5051], [4.5053, 52.5051], [4.5053, 52.5052], [4.5051, 52.5052], [4.5051, 52.5051]]
    path = tmp_path / "site.geojson"
    path.write_text(json.dumps([{"polygon": ring, "height": 12}]))
    world, report = import_world(path, terrain=tile(tmp_path, slope()), geoid_height=GEOID)
    geometry = world.geometry
    mine = np.unique(geometry.triangles[geometry.face_object[geometry.triangle_face] == 0])
    heights = world.georeference.to_geodetic(geometry.vertices[mine])[:, 2]
    lowest = on_slope(np.array(ring)).min()
    assert heights.max() == pytest.approx(lowest + 12.0, abs=1e-3)
    assert heights.min() == pytest.approx(lowest - 1.0, abs=1e-3)
    # Above the roof a ray meets the roof, beside it the slope.
    beside = world.georeference.to_local(np.array([[4.5050, 52.5050, 3000.0]]))
    assert np.isfinite(world.height_below(beside)).all()
    assert report.used == 1


def test_terrain_meets_rays_where_it_should(tmp_path):
    path = tmp_path / "site.geojson"
    ring = [[*SITE[0]], [SITE[0, 0] + 0.0002, SITE[0, 1]], [*(SITE[0] + 0.0002)], [*SITE[0]]]
    path.write_text(json.dumps([{"polygon": ring, "height": 5}]))
    world, _ = import_world(path, terrain=tile(tmp_path, slope()), geoid_height=GEOID)
    from twin.world.bvh import closest_hits

    places = np.column_stack([np.array([[4.4995, 52.4995], [4.5005, 52.5004]]), [3000.0, 3000.0]])
    down = -world.georeference.up(places)
    _, t = closest_hits(world.bvh, world.georeference.to_local(places), down, 0.0, np.inf)
    # A chord of 90 m lies s^2 / 8R = 0.2 mm above the level surface; the cell's own curve adds as much.
    assert 3000.0 - t == pytest.approx(on_slope(places[:, :2]), abs=1e-3)


def test_geotiff(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="the extra twin[geotiff] is not installed")
    from rasterio.transform import from_origin

    path = tmp_path / "dem.tif"
    heights = np.full((60, 50), 7.0, dtype="float32") + np.arange(50, dtype="float32")  # 1 m a pixel to the east
    heights[10, 10] = -9999.0
    options = {"driver": "GTiff", "height": 60, "width": 50, "count": 1, "dtype": "float32", "crs": "EPSG:32631"}
    with rasterio.open(path, "w", **options, nodata=-9999.0, transform=from_origin(600_000, 5_820_000, 30, 30)) as file:
        file.write(heights, 1)
    from pyproj import Transformer

    lonlat = Transformer.from_crs("EPSG:32631", "OGC:CRS84", always_xy=True)
    places = np.array([lonlat.transform(600_000 + 15 + 30 * 10.25, 5_820_000 - 15 - 30 * 10.5),
                       lonlat.transform(600_000 + 15 + 30 * 30.5, 5_820_000 - 15 - 30 * 30.0)])  # fmt: skip
    terrain = read_terrain(path, places, 100.0, GEOID)
    assert terrain.voids == 1
    assert terrain.height(places) == pytest.approx([17.25 + GEOID, 37.5 + GEOID], abs=1e-4)
    with pytest.raises(WorldError, match="no vertical datum"):
        read_terrain(path, places, 100.0)


def test_a_truncated_geotiff_is_refused(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="the extra twin[geotiff] is not installed")
    from rasterio.transform import from_origin

    path = tmp_path / "dem.tif"
    options = {"driver": "GTiff", "height": 400, "width": 400, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", **options, transform=from_origin(4.4, 52.6, 0.0005, 0.0005)) as file:
        file.write(np.ones((400, 400), dtype="float32"), 1)
    for share in (0.1, 0.3):
        (tmp_path / "cut.tif").write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        with pytest.raises(WorldError, match="cut.tif: can't be read as GeoTIFF"):
            read_terrain(tmp_path / "cut.tif", SITE, 100.0, GEOID)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "allowed: 2884802 or 25934402"),
        (lambda path: path.write_bytes(np.full(1201 * 1201, -32768, ">i2").tobytes()), "no height known"),
        (lambda path: path.write_bytes(np.full(1201 * 1201, 30000, ">i2").tobytes()), "found heights such as 30000"),
        (lambda path: path.rename(path.with_name("hill.hgt")), "south-west corner"),
        (lambda path: path.rename(path.with_name("N10E004.hgt")), "the site with its margin needs"),
        (lambda path: path.rename(path.with_name("N52E004.xyz")), "not a terrain file"),
    ],
)
def test_bad_terrain(tmp_path, spoil, message):
    path = tile(tmp_path, slope())
    result = spoil(path)
    path = path if isinstance(result, int) else result
    with pytest.raises(WorldError, match=message):
        read_terrain(path, SITE, 100.0, GEOID)


def test_terrain_heights_need_their_geoid(tmp_path):
    from pyproj.transformer import TransformerGroup

    if TransformerGroup("EPSG:4326+5773", "EPSG:4979").best_available:
        pytest.skip("the EGM96 grid is installed here")
    with pytest.raises(WorldError, match="us_nga_egm96_15.tif.*--geoid-height"):
        read_terrain(tile(tmp_path, slope()), SITE, 100.0)


def test_a_local_site_has_no_terrain(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(WorldError, match="no place on the earth"):
        import_world(path, terrain=tile(tmp_path, slope()))


@pytest.mark.parametrize(("crs", "unit", "scale", "offset", "stored", "metres"), [
    ("EPSG:4326", None, 1.0, 0.0, 250, 250.0),
    ("EPSG:4326", None, 0.1, 0.0, 2500, 250.0),
    ("EPSG:4326", "m", 0.5, 50.0, 400, 250.0),
    ("EPSG:4326", "ft", 1.0, 0.0, 250, 76.2),
    ("EPSG:4326", "US survey foot", 1.0, 0.0, 250, 250 * 1200 / 3937),
    ("EPSG:4326+6360", None, 1.0, 0.0, 250, 250 * 1200 / 3937),  # NAVD88 in US survey feet
    ("EPSG:4326+6360", "m", 1.0, 0.0, 250, 250.0),
])  # fmt: skip
def test_scale_offset_and_unit_of_a_geotiff(tmp_path, crs, unit, scale, offset, stored, metres):
    rasterio = pytest.importorskip("rasterio", reason="the extra twin[geotiff] is not installed")
    path = tmp_path / "ground.tif"
    transform = rasterio.transform.from_origin(4.4, 52.6, 0.001, 0.001)
    with rasterio.open(path, "w", driver="GTiff", width=200, height=200, count=1, dtype="int16", crs=crs,
                       transform=transform) as file:  # fmt: skip
        file.write(np.full((200, 200), stored, dtype="int16"), 1)
        file.scales, file.offsets = (scale,), (offset,)
        if unit:
            file.units = (unit,)
    assert read_terrain(path, SITE, 100.0, 0.0).nodes[..., 2] == pytest.approx(metres)


def test_a_picture_or_an_unknown_unit_is_no_terrain(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="the extra twin[geotiff] is not installed")
    transform = rasterio.transform.from_origin(4.4, 52.6, 0.001, 0.001)
    for name, count, options, unit in (("rgb.tif", 3, {"photometric": "RGB"}, None), ("odd.tif", 1, {}, "furlong")):
        with rasterio.open(tmp_path / name, "w", driver="GTiff", width=200, height=200, count=count, dtype="uint8",
                           crs="EPSG:4326", transform=transform, **options) as file:  # fmt: skip
            file.write(np.full((count, 200, 200), 7, dtype="uint8"))
            if unit:
                file.units = (unit,)
        with pytest.raises(WorldError, match="a picture|found 'furlong'"):
            read_terrain(tmp_path / name, SITE, 100.0, 0.0)
