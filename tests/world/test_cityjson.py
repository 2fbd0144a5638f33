"""CityJSON as cities publish it: axis order, no CRS, templates, feet."""

import json

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.datum import height_unit, to_wgs84
from twin.world.importers import import_world

CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=float)
FACES = [[[0, 2, 3, 1]], [[4, 5, 7, 6]], [[0, 1, 5, 4]], [[1, 3, 7, 5]], [[3, 2, 6, 7]], [[2, 0, 4, 6]]]
SOLID = {"type": "Solid", "lod": "2", "boundaries": [FACES]}
EPSG = "https://www.opengis.net/def/crs/EPSG/0/{}"


def block(low, size):
    return (np.array(low) + CORNERS * size).tolist()


@pytest.fixture
def imported(tmp_path):
    """Import a document of one or more buildings; return the bounds (6,) m of each thing, and the report."""

    def run(vertices, crs=None, objects=None, options=None, **more):
        objects = {"b": {"type": "Building", "geometry": [SOLID]}} if objects is None else objects
        document = {"type": "CityJSON", "version": "2.0", "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]},
                    "CityObjects": objects, "vertices": vertices, **more}  # fmt: skip
        if crs:
            document["metadata"] = {"referenceSystem": EPSG.format(crs)}
        path = tmp_path / "a.city.json"
        path.write_text(json.dumps(document))
        world, report = import_world(path, **(options or {}))
        geometry = world.geometry
        owner, corners = geometry.face_object[geometry.triangle_face], geometry.vertices[geometry.triangles]
        return {name: pytest.approx([*corners[owner == i].min(axis=(0, 1)), *corners[owner == i].max(axis=(0, 1))])
                for i, name in enumerate(geometry.objects)}, report  # fmt: skip

    return run


def test_degrees_without_a_crs_are_refused(imported):
    for low in ([-86.1, 39.7, 0], [39.7, -86.1, 0], [139.7, 35.6, 40]):
        with pytest.raises(WorldError, match="names no CRS and looks like degrees.*give --crs"):
            imported(block(low, [1e-4, 1e-4, 12]))


def test_projected_coordinates_without_a_crs_are_refused(imported):
    vertices = block([84_800, 447_500, 0], [20, 20, 9])
    with pytest.raises(WorldError, match=r"names no CRS and looks projected \(x 84800..84820"):
        imported(vertices)
    _, report = imported(vertices, options={"crs": "EPSG:28992", "geoid_height": 43.0})
    assert report.warnings == []  # of what isn't so
    assert report.origin[:2] == pytest.approx((4.36481, 52.01151), abs=1e-4)  # Delft, by rdinfo.kadaster.nl


def test_local_metres_are_said_to_be_taken(imported):
    _, report = imported(block([0, 0, 0], [20, 20, 9]))
    assert report.warnings == ["CityJSON names no CRS: taken as local metres; give --crs if it is wrong"]


@pytest.mark.parametrize(("crs", "low"), [("4979", [35.6, 139.7, 40]), ("6697", [35.6, 139.7, 40])])
def test_latitude_first_where_it_cannot_be_otherwise(imported, crs, low):
    found, report = imported(block(low, [1e-4, 2e-4, 12]), crs, options={"geoid_height": 36.0} if crs == "6697" else {})
    assert report.origin[:2] == pytest.approx((139.7001, 35.60005))
    assert report.repaired[f"latitude first, as {EPSG.format(crs)} declares"] == 1
    # a degree of latitude at 35.6 N is 110,960 m, of longitude 90,640 m
    size = np.array(found["b"].expected[3:5]) - found["b"].expected[:2]
    assert size == pytest.approx([2e-4 * 90_640, 1e-4 * 110_960], rel=1e-3)


def test_where_latitude_may_come_first_it_is_said_and_can_be_chosen(imported):
    vertices = block([48.0, 11.0, 560], [1e-4, 1e-4, 12])
    _, report = imported(vertices, "4979")
    assert report.origin[:2] == pytest.approx((48.00005, 11.00005))
    assert "declares latitude first" in report.warnings[0] and "--latitude-first" in report.warnings[0]
    _, report = imported(vertices, "4979", options={"latitude_first": True})
    assert report.origin[:2] == pytest.approx((11.00005, 48.00005))
    assert report.warnings == []


def test_walls_that_are_square_only_the_other_way_are_told_of_solids_too(imported):
    turn, objects, vertices = np.radians(30), {}, []
    for i in range(20):
        ends = (CORNERS[:, :2] * [20, 10]) @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        degrees = [60 + 0.001 * i, 25] + ends[:, ::-1] / [111_412, 55_800]  # latitude, longitude
        solid = {"type": "Solid", "lod": "1",
                 "boundaries": [[[[k + 8 * i for k in ring] for ring in face] for face in FACES]]}  # fmt: skip
        objects[f"b{i}"] = {"type": "Building", "geometry": [solid]}
        vertices += np.column_stack([degrees, 10 * CORNERS[:, 2]]).tolist()
    _, report = imported(vertices, "4979", objects)
    assert any("square only with longitude and latitude swapped" in warning for warning in report.warnings)
    _, report = imported(vertices, "4979", objects, {"latitude_first": True})
    assert not any("square" in warning for warning in report.warnings)


def test_an_instance_of_a_template(imported):
    scaled = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1]
    templates = {"templates": [SOLID], "vertices-templates": block([0, 0, 0], [2, 2, 4])}

    def mast(**changed):
        instance = {"type": "GeometryInstance", "template": 0, "boundaries": [8], "transformationMatrix": scaled}
        return {"mast": {"type": "OtherConstruction", "geometry": [{**instance, **changed}]},
                "base": {"type": "Building", "geometry": [SOLID]}}  # fmt: skip

    vertices = [*block([0, 0, 0], [10, 10, 5]), [30, 0, 0]]
    found, report = imported(vertices, objects=mast(), **{"geometry-templates": templates})
    assert found["mast"] == [30, 0, 0, 32, 2, 20]
    assert (report.found, report.used) == (2, 2)
    for changed in ({"template": 1}, {"boundaries": [99]}, {"boundaries": []}, {"transformationMatrix": [1, 2]},
                    {"template": "x"}, {"transformationMatrix": ["x"] * 16}):  # fmt: skip
        with pytest.raises(WorldError, match="city object 'mast'"):
            imported(vertices, objects=mast(**changed), **{"geometry-templates": templates})


def test_a_file_without_city_objects_says_so(imported):
    with pytest.raises(WorldError, match="holds no city object"):
        imported([], "28992", objects={})
    with pytest.raises(WorldError, match="allowed: numbers in threes"):
        imported([])


@pytest.mark.parametrize("number", [10**400, -(10**400), "x", None, [1]])
def test_corners_that_are_no_numbers(imported, number):
    vertices = block([0, 0, 0], [20, 20, 9])
    vertices[3][1] = number
    with pytest.raises(WorldError, match="vertices"):
        imported(vertices)


@pytest.mark.parametrize("height", [2e9, -2e9])
def test_heights_that_no_site_has(imported, height):
    with pytest.raises(WorldError, match=r"found a height of 2e\+09 m; allowed"):
        imported(block([0, 0, height], [20, 20, 9]))


# --- feet


def test_heights_in_the_unit_of_their_crs():
    # EPSG: 2263 is New York in US survey feet, 6360 NAVD88 height in the same; 25832 is in metres
    foot = 1200 / 3937
    assert [height_unit(crs) for crs in ("EPSG:2263", "EPSG:2263+6360", "EPSG:25832+7837", "EPSG:4326+5773")] == (
        pytest.approx([foot, foot, 1.0, 1.0])
    )
    place = np.array([[987_654.0, 201_234.0, 1000.0]])
    for crs in ("EPSG:2263", "EPSG:2263+6360"):
        assert to_wgs84(place, crs, 0.0)[0, 2] == pytest.approx(1000 * foot)


def test_buildings_in_feet_are_as_high_as_they_are(imported):
    found, report = imported(block([987_654, 201_234, 0], [100, 100, 100]), "2263", options={"geoid_height": -32.0})
    assert found["b"].expected[5] == pytest.approx(30.48, abs=0.01)
    assert any("heights are taken in its unit of 0.3048006 m" in warning for warning in report.warnings)
