"""GeoJSON in, world out: real cities, and every kind of bad input."""

import json

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.bvh import closest_hits
from twin.world.georeference import GeoReference
from twin.world.importers import import_to_folder, import_world
from twin.world.opening import open_world

SQUARE = [[120.6, 31.3], [120.6002, 31.3], [120.6002, 31.3002], [120.6, 31.3002], [120.6, 31.3]]


def feature(coordinates, kind="Polygon", **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


@pytest.fixture
def write(tmp_path):
    def to_file(*features, **more):
        path = tmp_path / "site.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **more}))
        return path

    return to_file


@pytest.fixture(scope="module")
def suzhou():
    from pathlib import Path

    path = Path(__file__).resolve().parents[2].parent / "shared/data/city/suzhou_buildings.geojson"
    if not path.is_file():
        pytest.skip("real inputs (../shared/data) are not on this machine")
    return json.loads(path.read_text()), *import_world(path)


def test_suzhou_is_used_whole(suzhou):
    _, world, report = suzhou
    assert (report.found, report.used, report.skipped, report.repaired) == (3076, 3076, {}, {})
    assert len(world.geometry.objects) == 3076
    assert world.georeference.longitude == pytest.approx(120.6072, abs=1e-3)


def test_corners_of_suzhou_come_back_within_a_millimetre(suzhou):
    document, world, _ = suzhou
    corners, tops = [], []
    for entry in document["features"]:
        rings = entry["geometry"]["coordinates"]
        rings = rings[0] if entry["geometry"]["type"] == "MultiPolygon" else rings
        corners += [position[:2] for position in rings[0][:-1]]
        tops += [entry["properties"]["height"]] * (len(rings[0]) - 1)
    expected = world.georeference.to_local(np.column_stack([corners, tops]))
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(world.geometry.vertices).query(expected)
    assert distance.max() < 1e-3
    back = world.georeference.to_geodetic(world.geometry.vertices[nearest])
    metres = (back - np.column_stack([corners, tops])) * [95_200.0, 110_900.0, 1.0]
    assert np.abs(metres).max() < 1e-3


def test_roofs_of_suzhou_are_at_their_heights(suzhou):
    import shapely

    document, world, _ = suzhou
    footprints = [shapely.geometry.shape(entry["geometry"]) for entry in document["features"]]
    inner = shapely.point_on_surface(footprints[::10])
    height = np.array([entry["properties"]["height"] for entry in document["features"]])
    point, around = shapely.STRtree(footprints).query(inner, predicate="within")
    highest = np.zeros(len(inner))  # where footprints overlap, the higher roof is met
    np.maximum.at(highest, point, height[around])
    places = np.column_stack([shapely.get_coordinates(inner), np.full(len(inner), 300.0)])
    origin = world.georeference.to_local(places)
    down = -world.georeference.up(places)
    _, t = closest_hits(world.bvh, origin, down, 0.0, np.inf)
    roof = world.georeference.to_geodetic(origin + t[:, None] * down)[:, 2]
    assert np.abs(roof - highest).max() < 1e-3


def test_ground_of_suzhou_is_level_and_above_every_base(suzhou):
    _, world, _ = suzhou
    geometry = world.geometry
    on_ground = np.unique(geometry.triangles[geometry.face_object[geometry.triangle_face] < 0])
    height = world.georeference.to_geodetic(geometry.vertices[on_ground])[:, 2]
    assert 0.0 <= height.min() + 1e-6 and height.max() < 0.021


def test_manhattan_says_what_it_could_not_use(shared_data):
    world, report = import_world(shared_data / "city" / "manhattan_buildings.json")
    assert report.found == 999
    assert report.used + sum(report.skipped.values()) == report.found
    invalid = ("self-intersection", "ring self-intersection")
    assert sum(report.repaired[r] for r in invalid) + report.skipped["outline encloses no area"] == 26
    assert len(world.geometry.objects) == report.used


def test_holes_parts_and_bases(write):
    hole = [[120.60005, 31.30005], [120.60005, 31.30015], [120.60015, 31.30015], [120.60015, 31.30005],
            [120.60005, 31.30005]]  # fmt: skip
    shifted = [[x + 0.001, y] for x, y in SQUARE]
    path = write(
        feature([SQUARE, hole], height=10),
        feature([[SQUARE], [shifted]], "MultiPolygon", height="12.5 m", min_height=3),
        feature([shifted], **{"building:levels": 4}),
    )
    world, report = import_world(path)
    assert (report.used, report.assumed) == (3, {"height of 3 m a storey": 1})
    area = np.prod(world.georeference.to_local(np.array([[*SQUARE[2], 0.0]]))[0, :2]
                   - world.georeference.to_local(np.array([[*SQUARE[0], 0.0]]))[0, :2])  # fmt: skip
    roofs = world.geometry.face_object[world.geometry.triangle_face] == 0
    triangles = world.geometry.triangles[roofs & (world.geometry.face_normal[world.geometry.triangle_face, 2] > 0.9)]
    a, b, c = (world.geometry.vertices[triangles[:, k]] for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2 == pytest.approx(area * 0.75, rel=1e-4)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (feature([SQUARE], height=5, min_height=8), "top not above base"),
        (feature(SQUARE[0], "Point", height=5), "not a polygon (Point)"),
        (feature([SQUARE[:2]], height=5), "outline encloses no area"),
        (feature([], height=5), "outline encloses no area"),
        (feature([[["a", 1]]], height=5), "coordinates are not rings of numbers"),
        (feature([[[120.6, 31.3], [120.6 + 1e-7, 31.3], [120.6, 31.3 + 1e-7]]], height=5), "outline smaller than 1 m2"),
        ({"type": "Feature", "properties": None, "geometry": None}, "not a polygon (None)"),
        ("nonsense", "not a polygon (None)"),
    ],
)
def test_what_is_skipped_is_counted_by_its_reason(write, bad, reason):
    _, report = import_world(write(feature([SQUARE], height=10), bad))
    assert (report.found, report.used, report.skipped) == (2, 1, {reason: 1})


@pytest.mark.parametrize(
    ("properties", "top", "left_aside"),
    [
        ({"height": -1}, 9.0, "height zero or negative left aside"),
        ({"height": 0, "levels": 5}, 15.0, "height zero or negative left aside"),
        ({"height": 9999, "levels": 2}, 6.0, "height above 1000 m left aside"),
        ({"height": "tall", "levels": 2}, 6.0, "height that can't be read left aside"),
        ({"height": "nan"}, 9.0, "height that can't be read left aside"),
        ({"height": True}, 9.0, "height that can't be read left aside"),
        ({"height": [12]}, 9.0, "height that can't be read left aside"),
        ({"height": 10**100}, 9.0, "height above 1000 m left aside"),
        ({"height": 12, "min_height": -1}, 12.0, "min_height zero or negative left aside"),
        ({"height": "~12", "building_height": 14}, 14.0, "height that can't be read left aside"),
        ({"height": None, "num_floors": 4}, 12.0, None),
        ({"height": "", "levels": 2}, 6.0, None),
    ],
)
def test_a_value_that_is_not_known_costs_only_itself(write, properties, top, left_aside):
    # microsoft/GlobalMLBuildingFootprints: -1 stands for "not known"; shapefiles have 9999
    world, report = import_world(write(feature([SQUARE], **properties)))
    assert (report.found, report.used) == (1, 1)
    assert report.repaired == ({left_aside: 1} if left_aside else {})
    assert world.geometry.vertices[:, 2].max() == pytest.approx(top, abs=0.01)


@pytest.mark.parametrize("before", ["", "\x1e"])
def test_one_feature_a_line(tmp_path, before):
    path = tmp_path / "site.geojsonl"
    lines = [before + json.dumps(feature([[[x + 0.001 * i, y] for x, y in SQUARE]], height=5 + i)) for i in range(3)]
    path.write_text("\n".join(lines) + "\n")
    world, report = import_world(path)
    assert (report.found, report.used) == (3, 3)
    assert world.geometry.vertices[:, 2].max() == pytest.approx(7.0, abs=0.01)
    path.write_text("\n".join([*lines, '{"type": "Feature"']))
    with pytest.raises(WorldError, match="geojsonl:4: not valid JSON"):
        import_world(path)


def test_a_collection_may_have_its_features_on_lines(tmp_path):
    path = tmp_path / "site.geojson"
    lines = ['{"type": "FeatureCollection", "features": [', json.dumps(feature([SQUARE], height=5)) + ",",
             json.dumps(feature([[[x + 0.001, y] for x, y in SQUARE]], height=6)), "]}"]  # fmt: skip
    path.write_text("\n".join(lines))
    assert import_world(path)[1].used == 2


def test_a_self_crossing_ring_is_repaired(write):
    bow_tie = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]
    world, report = import_world(write(feature([bow_tie], height=10)))
    assert (report.used, report.repaired) == (1, {"self-intersection": 1})
    assert world.geometry.objects == ("building_0",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b'{"type": "FeatureCollection", "features": [', "not valid JSON"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "NaN is not a number"),
        (b'{"type": "Topology"}', "expected a FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": []}', "nothing usable"),
        (b"\x89PNG\r\n\x1a\n", "not a format"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_file_that_is_no_site_is_refused_and_nothing_written(tmp_path, content, message):
    path = tmp_path / "site.geojson"
    path.write_bytes(content)
    with pytest.raises(WorldError, match=message):
        import_to_folder(path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "document",
    [
        feature([SQUARE], height=10),
        {"type": "Polygon", "coordinates": [SQUARE]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
    ],
)
def test_one_feature_or_polygon_is_a_site_too(tmp_path, document):
    path = tmp_path / "site.geojson"
    path.write_text(json.dumps(document))
    world, report = import_world(path)
    assert (report.found, report.used, world.geometry.objects) == (1, 1, ("building_0",))


def test_maps_of_gcj02_outside_of_china_are_warned_of(write):
    _, at_home = import_world(write(feature([SQUARE], height=5)), crs="gcj02")
    _, abroad = import_world(write(feature([[[x - 109, y + 17] for x, y in SQUARE]], height=5)), crs="gcj02")
    assert at_home.warnings == []
    assert len(abroad.warnings) == 1 and "gcj02 is for China; found longitude 11.58" in abroad.warnings[0]


def test_cgcs2000_is_taken_as_wgs84_and_told(write):
    plain, _ = import_world(write(feature([SQUARE], height=5)))
    world, report = import_world(write(feature([SQUARE], height=5)), crs="EPSG:4490")
    assert world.digest == plain.digest
    assert len(report.warnings) == 1 and "CGCS2000 is taken as WGS 84" in report.warnings[0]


def test_terrain_alone_is_no_site_but_has_its_option(tmp_path):
    path = tmp_path / "N31E120.hgt"
    path.write_bytes(bytes(2 * 1201**2))
    with pytest.raises(WorldError, match="terrain goes with --terrain"):
        import_world(path)


def test_swapped_longitude_and_latitude_are_named(write):
    swapped = [[y, x] for x, y in SQUARE]
    with pytest.raises(WorldError, match="longitude and latitude swapped"):
        import_world(write(feature([swapped], height=5)))


def test_a_declared_crs_is_obeyed(write):
    from pyproj import Transformer

    east, north = Transformer.from_crs("OGC:CRS84", "EPSG:32651").transform(*np.array(SQUARE).T)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32651"}}
    place = GeoReference(120.6, 31.3, 0.0)
    projected, _ = import_world(write(feature([np.column_stack([east, north]).tolist()], height=5), crs=crs), place)
    plain, _ = import_world(write(feature([SQUARE], height=5)), place)
    np.testing.assert_allclose(projected.geometry.vertices[4:], plain.geometry.vertices[4:], atol=1e-3)
    with pytest.raises(WorldError, match="EPSG:99999"):
        import_world(write(feature([SQUARE], height=5)), crs="EPSG:99999")


def test_an_imported_world_opens_as_it_was(write, tmp_path):
    path = write(feature([SQUARE], height=10))
    report = import_to_folder(path, tmp_path / "site", origin="120.6,31.3,12")
    world = open_world(tmp_path / "site")
    assert world.georeference == GeoReference(120.6, 31.3, 12.0)
    assert len(world.geometry.triangles) == report.triangles
    assert world.collision_obj() == tmp_path / "site" / "collision.obj"
    assert world.provenance["used"] == 1
    assert world.digest == import_world(path, GeoReference(120.6, 31.3, 12.0))[0].digest
    with pytest.raises(WorldError, match="a world already"):
        import_to_folder(path, tmp_path / "site")


def test_properties_become_tags_that_rules_ask_for(write, tmp_path):
    shifted = [[x + 0.001, y] for x, y in SQUARE]
    church = {"building": "church", "height": 30, "listed": True, "parts": [1], "note": "x" * 300}
    report = import_to_folder(write(feature([SQUARE], **church), feature([shifted], height=30)), tmp_path / "site")
    file = tmp_path / "site/world.toml"
    rule = '[[materials]]\nmaterial = "brick"\nthickness = "60 cm"\ntag = "building=church"\nsurface = "wall"\n'
    file.write_text(file.read_text() + rule)
    geometry = open_world(tmp_path / "site").geometry
    note = "note=" + "x" * 195
    assert [geometry.tags[i] for i in geometry.object_tags[geometry.object_tags[:, 0] == 0, 1]] == [
        "building=church", "height=30", "listed=true", note]  # fmt: skip
    assert report.repaired == {"tag longer than 200 characters cut off": 1}
    brick = geometry.materials.index("brick")
    assert geometry.thickness[brick] == 0.6
    made_of_it = geometry.face_material == brick
    assert set(geometry.face_object[made_of_it]) == {0} and made_of_it.sum() == 4


@pytest.mark.parametrize("origin", ["here", "1", "1,2,3,4", "500,20"])
def test_an_origin_that_is_no_place_is_refused(write, origin):
    with pytest.raises(WorldError, match="origin: found"):
        import_world(write(feature([SQUARE], height=10)), origin)
