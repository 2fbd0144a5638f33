"""Mitsuba scenes and open-rmf maps in all the spellings that are about."""

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.importers import import_world


@pytest.fixture
def imported(tmp_path):
    """Import text; return the bounds (6,) m of each thing by its name, and the report."""

    def run(text, name, **options):
        path = tmp_path / name
        path.write_text(text)
        world, report = import_world(path, **options)
        geometry = world.geometry
        owner, corners = geometry.face_object[geometry.triangle_face], geometry.vertices[geometry.triangles]
        return {name: pytest.approx([*corners[owner == i].min(axis=(0, 1)), *corners[owner == i].max(axis=(0, 1))])
                for i, name in enumerate(geometry.objects)}, report  # fmt: skip

    return run


# --- Mitsuba


def scene(*inside):
    return f"<scene version='2.1.0'>{''.join(inside)}</scene>"


def cube(*steps, name="to_world"):
    return f"<shape type='cube' id='a'><transform name='{name}'>{''.join(steps)}</transform></shape>"


@pytest.mark.parametrize("name", ["to_world", "toWorld"])
def test_both_names_of_the_transformation(imported, name):
    found, _ = imported(scene(cube("<scale value='4'/><translate x='-20' z='4'/>", name=name)), "s.xml")
    assert found["a"] == [-24, -4, 0, -16, 4, 8]


def test_parameters_stand_for_their_defaults(imported):
    sized = "<scale x='$side' y='$side' z='$high'/><translate z='$high'/>"
    defaults = "<default name='side' value='10'/><default name='high' value='3'/>"
    found, _ = imported(scene(defaults, cube(sized)), "s.xml")
    assert found["a"] == [-10, -10, 0, 10, 10, 6]
    with pytest.raises(WorldError, match=r"found \$side; <default>s there: none"):
        imported(scene(cube(sized)), "s.xml")
    bomb = "<default name='a' value='" + "1" * 1000 + "'/>" + "".join(
        f"<default name='{b}' value='{f'${a}' * 100}'/>" for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(WorldError, match="stand for more than"):
        imported(scene(bomb, cube("<scale value='$g'/>")), "s.xml")


def test_shapes_in_shapes(imported):
    inner = cube("<translate x='5'/>")
    other = inner.replace("'a'", "'b'")
    group = f"<shape type='shapegroup' id='g'>{other}</shape>"
    instance = "<shape type='instance'><ref id='g'/></shape>"
    found, report = imported(scene(f"<shape type='merge'>{inner}</shape>", group, instance), "s.xml")
    assert found.keys() == {"a"}
    assert found["a"] == [4, -1, -1, 6, 1, 1]
    assert report.skipped == {"shape of type instance": 1}


@pytest.mark.parametrize(("step", "message"), [
    ("<rotate angle='90'/>", "found <rotate> about"),
    ("<rotate z='1'/>", "allowed: 1"),
    ("<scale value='1,5'/>", "allowed: 3"),
    ("<matrix/>", "allowed: 16"),
    ("<matrix value='1 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1'/>", "whose last row is"),
    ("<lookat origin='0,0,0'/>", "allowed: translate, scale, rotate, matrix"),
])  # fmt: skip
def test_steps_that_would_do_nothing_or_something_else(imported, step, message):
    with pytest.raises(WorldError, match=message):
        imported(scene(cube(step)), "s.xml")


def test_a_scene_of_several_files_or_an_unknown_transformation_is_refused(imported):
    with pytest.raises(WorldError, match="allowed: a scene in one file"):
        imported(scene("<include filename='b.xml'/>", cube()), "s.xml")
    with pytest.raises(WorldError, match="found <transform name='elsewhere'>"):
        imported(scene(cube(name="elsewhere")), "s.xml")


# --- open-rmf


GEO = """coordinate_system: {system}
levels:
  L1:
    elevation: 0.0
    vertices: [{vertices}]
    walls: [[0, 1, {{}}], [1, 2, {{}}]]
    lanes: [[0, 2, {{}}]]
"""
DEGREES = "[11.0, 48.0, 0, a], [11.001, 48.0, 0, b], [11.001, 48.0005, 0, c]"
MERCATOR = "[1224514.3987, 6106854.8349, 0, a], [1224625.7182, 6106854.8349, 0, b], [1224625.7182, 6106938.0193, 0, c]"


@pytest.mark.parametrize(("system", "vertices"), [("wgs84", DEGREES), ("web_mercator", MERCATOR)])
def test_maps_on_the_earth(imported, system, vertices):
    # a degree of longitude at 48 N is 74,625 m, of latitude 111,195 m: 74.6 m and 55.6 m, and the walls' ends of 5 cm
    found, report = imported(GEO.format(system=system, vertices=vertices), "a.building.yaml")
    low, high = (np.array(part) for part in (found["L1_wall_0"].expected[:3], found["L1_wall_0"].expected[3:]))
    assert high[0] - low[0] == pytest.approx(74.63 + 0.1, abs=0.05)
    assert found["L1_wall_1"].expected[4] - found["L1_wall_1"].expected[1] == pytest.approx(55.6 + 0.1, abs=0.05)
    assert report.origin == pytest.approx((11.0005, 48.00025, 0.0), abs=1e-6)


def test_a_map_on_the_earth_moves_with_its_origin(imported):
    found, report = imported(GEO.format(system="wgs84", vertices=DEGREES), "a.building.yaml", origin="11.001,48,5")
    assert report.origin == (11.001, 48.0, 5.0)
    assert found["L1_wall_1"].expected[:3] == pytest.approx([-0.05, -0.05, -5.0], abs=0.01)


TWO = """levels:
  L1:
    vertices: [[100, 100, 0, a], [300, 100, 0, b]]
    walls: [[0, 1, {{}}]]
    measurements: [[0, 1, {{distance: [3, 20.0]}}]]
    fiducials: [[100, 100, f1], [300, 200, f2]]
  L2:
    elevation: 4.0
    vertices: [[50, 50, 0, a], [150, 50, 0, b]]
    walls: [[0, 1, {{}}]]
    fiducials: [{fiducials}]
    measurements: []
{more}"""


@pytest.mark.parametrize("more", ["", "reference_level_name: L2\n"])
def test_the_scale_of_a_level_from_its_fiducials(imported, more):
    # 200 px of L1 are 20 m; 100 px of L2 are as long as 200 of L1
    found, _ = imported(TWO.format(fiducials="[50, 50, f1], [150, 100, f2]", more=more), "a.building.yaml")
    assert found["L2_wall_0"] == [9.95, -10.05, 4.0, 30.05, -9.95, 6.5]
    for fiducials in ("[50, 50, f1]", "", "[50, 50, f1], [50, 50, f2]"):
        with pytest.raises(WorldError, match="level L2: no usable measurement, so its scale is not known"):
            imported(TWO.format(fiducials=fiducials, more=more), "a.building.yaml")


@pytest.mark.parametrize(("text", "message"), [
    ("levels: " + "[" * 100_000, "levels inside each other"),
    ("levels: " + "{a: " * 100_000, "levels inside each other"),
    ("levels: &a [1]\nb: *a\n", "line 2: found an alias"),
    ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nlevels: {L: *b}\n", "found an alias"),
    ("levels: {L1: {vertices: [[" + "9" * 5000 + ", 0]]}}", "a.building.yaml"),
    ("levels: {L1: {vertices: [[0, 0], [0, 0]], measurements: [[0, 1, {distance: [3, 1]}]]}}", "division by zero"),
    ("levels: {L1: {vertices: []}}\ncoordinate_system: wgs84\n", "holds no vertex"),
    ("levels: {L1: {elevation: 0, elevation: 4}}", "line 1: found 'elevation' a second time"),
    ("levels: {L1: {vertices: [[0, 99]]}}\ncoordinate_system: wgs84\n", "a.building.yaml"),
])  # fmt: skip
def test_yaml_that_would_crash_or_flood(imported, text, message):
    with pytest.raises(WorldError, match=message):
        imported(text, "a.building.yaml")
