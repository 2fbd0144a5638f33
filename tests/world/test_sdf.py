"""SDF and URDF as the simulators' own models have them; expected places are worked out by hand from the format."""

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.importers import import_world
from twin.world.importers import sdf as sdf_importer

BOX = "<collision name='c'><geometry><box><size>{}</size></box></geometry></collision>"
CUBE = f"<static>1</static><link name='l'>{BOX.format('2 2 2')}</link>"
CRATE = f"<model name='crate'><pose>0 0 1 0 0 0</pose>{CUBE}</model>"
WEDGE = """solid w
 facet normal 0 0 0
  outer loop\n   vertex 0 0 0\n   vertex 0 1 0\n   vertex 2 0 0\n  endloop
 endfacet
 facet normal 0 0 0
  outer loop\n   vertex 0 0 0\n   vertex 2 0 0\n   vertex 0 0 1\n  endloop
 endfacet
 facet normal 0 0 0
  outer loop\n   vertex 0 0 0\n   vertex 0 0 1\n   vertex 0 1 0\n  endloop
 endfacet
 facet normal 0 0 0
  outer loop\n   vertex 2 0 0\n   vertex 0 1 0\n   vertex 0 0 1\n  endloop
 endfacet
endsolid w
"""


def world(*inside):
    return f"<sdf version='1.9'><world name='w'>{''.join(inside)}</world></sdf>"


@pytest.fixture
def boxes(tmp_path):
    """Import text; return the bounds (6,) m of each thing by its name, and the report."""

    def run(text, name="a.sdf", **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        made, report = import_world(path, **options)
        geometry = made.geometry
        owner, corners = geometry.face_object[geometry.triangle_face], geometry.vertices[geometry.triangles]
        found = {}
        for i, thing in enumerate(geometry.objects):
            mine = corners[owner == i]
            found[thing] = pytest.approx([*mine.min(axis=(0, 1)), *mine.max(axis=(0, 1))], abs=1e-6)
        return found, report

    return run


# --- frames


def test_poses_relative_to_links_and_frames_of_a_model(boxes):
    # sdformat#1064: the model stands at (5, 0, 0), turned by a quarter; arm at base * (2, 0, .5), lid at top
    found, _ = boxes(world(f"""<model name='shelf'><static>1</static><pose>5 0 0 0 0 1.5707963267948966</pose>
     <frame name='top'><pose>0 0 3 0 0 0</pose></frame><link name='base'/>
     <link name='arm'><pose relative_to='base'>2 0 0.5 0 0 0</pose>{BOX.format('1 1 1')}</link>
     <model name='lid'><pose relative_to='top'>1 0 0 0 0 0</pose><link name='l'>{BOX.format('1 1 1')}</link></model>
     </model>"""))
    assert found["shelf"] == [4.5, 0.5, 0.0, 5.5, 2.5, 3.5]


@pytest.mark.parametrize(("frames", "low"), [
    ("<frame name='dock'><pose>20 10 0 0 0 0</pose></frame>", [20, 9, 0]),
    ("<frame name='quay'><pose>10 0 0 0 0 0</pose></frame>"
     "<frame name='dock' attached_to='quay'><pose>10 10 0 0 0 0</pose></frame>", [20, 9, 0]),
    ("<frame name='dock' attached_to='pier::end'/><model name='pier'><pose>20 0 0 0 0 0</pose>"
     "<frame name='end'><pose>0 10 0 0 0 0</pose></frame></model>", [20, 9, 0]),
])  # fmt: skip
def test_models_relative_to_frames_of_the_world(boxes, frames, low):
    crate = f"<model name='crate'><pose relative_to='dock'>1 0 1 0 0 0</pose>{CUBE}</model>"
    assert boxes(world(frames, crate))[0]["crate"] == [*low, low[0] + 2, low[1] + 2, low[2] + 2]


def test_a_placement_frame_stands_where_the_pose_says(boxes, tmp_path):
    folder = tmp_path / "models/tagged"
    folder.mkdir(parents=True)
    (folder / "model.sdf").write_text(f"""<sdf version='1.9'><model name='tagged' placement_frame='foot'>
     <frame name='foot'><pose>0 0 -1 0 0 0</pose></frame><frame name='head'><pose>0 0 1 0 0 0</pose></frame>{CUBE}
     </model></sdf>""")
    include = "<include><uri>model://tagged</uri><name>{}</name><pose>{} 0 0 0 0 0</pose>{}</include>"
    placed = "<placement_frame>head</placement_frame>"
    found, _ = boxes(world(include.format("a", 3, ""), include.format("b", 13, placed)))
    assert found["a"] == [2, -1, 0, 4, 1, 2]
    assert found["b"] == [12, -1, -2, 14, 1, 0]


def test_a_merged_include_lends_its_frames(boxes, tmp_path):
    folder = tmp_path / "mast"
    folder.mkdir()
    (folder / "model.sdf").write_text("<sdf version='1.9'><model name='mast'><link name='top'><pose>0 0 9 0 0 0</pose>"
                                      "</link></model></sdf>")  # fmt: skip
    found, _ = boxes(world(f"""<model name='m'><include merge='true'><uri>model://mast</uri></include>
     <link name='lamp'><pose relative_to='top'>0 0 1 0 0 0</pose>{BOX.format('2 2 2')}</link></model>"""))
    assert found["m"] == [-1, -1, 9, 1, 1, 11]


@pytest.mark.parametrize(("frames", "message"), [
    ("", "a pose is relative to 'dock'; frames there: crate"),
    ("<frame name='dock' attached_to='dock'/>", "relative to itself"),
    ("<frame name='dock' attached_to='b'/><frame name='b' attached_to='dock'/>", "relative to itself"),
])  # fmt: skip
def test_frames_that_lead_nowhere(boxes, frames, message):
    with pytest.raises(WorldError, match=message):
        boxes(world(frames, f"<model name='crate'><pose relative_to='dock'/>{CUBE}</model>"))


@pytest.mark.parametrize(("pose", "high"), [
    ("<pose rotation_format='quat_xyzw'>1 2 3   0 0 0.7071067811865476 0.7071067811865476</pose>", [1.5, 4, 3.5]),
    ("<pose degrees='true'>1 2 3 0 0 90</pose>", [1.5, 4, 3.5]),
    ("<pose rotation_format='euler_rpy' degrees='true'>1 2 3 0 90 0</pose>", [1.5, 2.5, 5]),
    ("<pose rotation_format='quat_xyzw'/>", [2, 0.5, 0.5]),
])  # fmt: skip
def test_how_a_pose_may_be_written(boxes, pose, high):
    inside = f"<static>1</static>{pose}<link name='l'>{BOX.format('4 1 1')}</link>"
    found, _ = boxes(world(f"<model name='crate'>{inside}</model>"))
    assert found["crate"].expected[3:] == pytest.approx(high)


def test_a_quaternion_that_turns_nothing_is_refused(boxes):
    with pytest.raises(WorldError, match="allowed: a unit one"):
        boxes(world(f"<model name='m'><pose rotation_format='quat_xyzw'>0 0 0 0 0 0 0</pose>{CUBE}</model>"))


# --- the whole world


def test_a_world_that_says_where_it_lies(boxes):
    place = "<latitude_deg>47</latitude_deg><longitude_deg>8</longitude_deg><elevation>500</elevation>"
    found, report = boxes(world(f"<spherical_coordinates>{place}</spherical_coordinates>", CRATE))
    assert report.origin == (8.0, 47.0, 500.0)
    assert found["crate"] == [-1, -1, 0, 1, 1, 2]
    assert report.ground == 500.0  # the crate stands on it
    # gz-math: a heading turns the axes from north towards east, so what stands at x = 10 stands in the south
    turned = f"<spherical_coordinates>{place}<heading_deg>90</heading_deg></spherical_coordinates>"
    crate = CRATE.replace("0 0 1 0 0 0", "10 0 1 0 0 0")
    assert boxes(world(turned, crate))[0]["crate"] == [-1, -11, 0, 1, -9, 2]
    with pytest.raises(WorldError, match="found 'NED'; allowed: ENU"):
        boxes(world(f"<spherical_coordinates>{place}<world_frame_orientation>NED</world_frame_orientation>"
                    "</spherical_coordinates>", CRATE))  # fmt: skip
    with pytest.raises(WorldError, match="latitude 147"):
        boxes(world(f"<spherical_coordinates>{place.replace('47', '147')}</spherical_coordinates>", CRATE))


def test_local_metres_with_an_origin_stand_on_their_own_ground(boxes):
    for options, ground in (({}, 500.0), ({"ground": 499.0}, 499.0)):
        _, report = boxes(world(CRATE), origin="8,47,500", **options)
        assert report.ground == pytest.approx(ground)
        assert report.extent[0][2] == pytest.approx(ground - 500, abs=0.01)
    assert report.origin == (8.0, 47.0, 500.0)


def test_models_stand_where_the_state_saved_them(boxes):
    state = f"""<state world_name='w'><model name='crate'><pose>10 0 1 0 0 0</pose><scale>1 1 1</scale></model>
     <insertions><model name='new'><pose>0 30 1 0 0 0</pose>{CUBE}</model></insertions>
     <deletions><name>old</name></deletions></state>"""
    found, report = boxes(world(CRATE, CRATE.replace("crate", "old"), state))
    assert found.keys() == {"crate", "new"}
    assert found["crate"] == [9, -1, 0, 11, 1, 2]
    assert found["new"] == [-1, 29, 0, 1, 31, 2]
    assert report.repaired["model placed by the world's <state>"] == 1
    assert report.skipped == {"model that the world's <state> deletes": 1}


def test_two_models_of_one_name_keep_their_places(boxes):
    found, _ = boxes(world(CRATE, CRATE.replace("0 0 1", "5 0 1")))
    assert found["crate"] == [-1, -1, 0, 1, 1, 2]
    assert found["crate_1"] == [4, -1, 0, 6, 1, 2]


# --- one useless part


@pytest.mark.parametrize("there", [True, False])
def test_a_light_is_no_model_and_costs_nothing(boxes, tmp_path, there):
    if there:
        (tmp_path / "models/sun").mkdir(parents=True)
        (tmp_path / "models/sun/model.config").write_text("<model><sdf version='1.6'>model.sdf</sdf></model>")
        (tmp_path / "models/sun/model.sdf").write_text("<sdf version='1.6'><light type='directional' name='s'/></sdf>")
    fuel = "<include><uri>https://fuel.gazebosim.org/1.0/OpenRobotics/models/Ground Plane</uri></include>"
    found, report = boxes(world("<include><uri>model://sun</uri></include>", fuel, "<light name='lamp'/>", CRATE))
    assert found["crate"] == [-1, -1, 0, 1, 1, 2]
    assert report.skipped == {"<light>": 2}
    assert report.ground == 0.0


def test_shapes_beside_box_cylinder_and_sphere(boxes):
    shapes = {"capsule": "<radius>0.5</radius><length>2</length>", "ellipsoid": "<radii>1 2 3</radii>",
              "cone": "<radius>1</radius><length>2</length>", "polyline": "<height>1</height>"}  # fmt: skip
    found, report = boxes(world(*(
        f"<model name='{name}'><static>1</static><link name='l'><collision name='c'><geometry><{name}>{inside}</{name}>"
        "</geometry></collision></link></model>" for name, inside in shapes.items()
    )))  # fmt: skip
    assert found["capsule"] == [-0.5, -0.5, -1.5, 0.5, 0.5, 1.5]
    assert found["ellipsoid"] == [-1, -2, -3, 1, 2, 3]
    assert found["cone"].expected[2::3] == [-1, 1]
    assert report.skipped == {"geometry <polyline>": 1}


def test_the_volume_of_a_capsule_and_a_cone(boxes, tmp_path):
    def volume(inside):
        path = tmp_path / "v.sdf"
        path.write_text(world(f"<model name='m'><static>1</static><link name='l'><collision name='c'><geometry>{inside}"
                              "</geometry></collision></link></model>"))  # fmt: skip
        geometry = import_world(path)[0].geometry
        a, b, c = (geometry.vertices[geometry.triangles[geometry.face_object[geometry.triangle_face] == 0, k]]
                   for k in range(3))  # fmt: skip
        return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6

    cone = "<cone><radius>1</radius><length>3</length></cone>"
    assert volume(cone) == pytest.approx(np.pi, rel=1e-6)
    capsule = "<capsule><radius>1</radius><length>2</length></capsule>"
    assert volume(capsule) == pytest.approx(np.pi * (2 + 4 / 3), rel=0.03)  # its corners lie on the round one


# --- XML as simulators read it


@pytest.mark.parametrize("text", [
    "<sdf version='1.9'><!-- start it with: gz sim --headless-rendering -- -r --><world name='w'>{}</world></sdf>",
    "\n<?xml version='1.0'?>\n<sdf version='1.9'><world name='w'>{}</world></sdf>",
    "\ufeff<sdf version='1.9'><world name='w'>{}</world></sdf>",
    "<sdf version='1.9'><world name='w'><plugin name='p'><gz:thing ignition:a='1'/></plugin>{}</world></sdf>",
    "<sdf version='1.9'><!--" + "-" * 70_000 + "a -- --><!-- -- --><world name='w'>{}</world></sdf>",
    "<!-- " + "licence " * 3000 + "--><sdf version='1.9'><world name='w'>{}</world></sdf>",
])  # fmt: skip
def test_xml_that_simulators_read(boxes, text):
    found, report = boxes(text.format(CRATE))
    assert found["crate"] == [-1, -1, 0, 1, 1, 2]
    assert report.used == report.found == 1


@pytest.mark.parametrize("comment", ["<!-- -- " * 30_000, "<a>" * 100_000, "<a>" * 3_000 + "</a>" * 3_000])
def test_xml_that_is_none_is_refused_at_once(boxes, comment):
    with pytest.raises(WorldError, match="not valid XML"):
        boxes(f"<sdf version='1.9'>{comment}<world name='w'>{CRATE}</world></sdf>")


# --- bombs


def test_includes_of_includes_are_counted(boxes, tmp_path):
    for i in range(8):
        folder = tmp_path / f"m{i}"
        folder.mkdir()
        inside = f"<include><uri>model://m{i + 1}</uri></include>" * 10 if i < 7 else CUBE
        (folder / "model.sdf").write_text(f"<sdf version='1.9'><model name='m{i}'>{inside}</model></sdf>")
    with pytest.raises(WorldError, match="more than 10000 models, includes of includes counted"):
        boxes(world("<include><uri>model://m0</uri></include>"))


def test_shapes_are_counted(boxes, monkeypatch):
    monkeypatch.setattr(sdf_importer, "MAX_SHAPES", 3)
    with pytest.raises(WorldError, match="more than 3 shapes in all"):
        boxes(world(*[CRATE] * 4))


def test_frames_upon_frames_without_end(boxes):
    chain = "".join(f"<frame name='f{i}' attached_to='f{i + 1}'/>" for i in range(5000)) + "<frame name='f5000'/>"
    with pytest.raises(WorldError, match="nested too deeply"):
        boxes(world(chain, f"<model name='m'><pose relative_to='f0'/>{CUBE}</model>"))


# --- URDF


def urdf(*links, joints=""):
    return f"<robot name='r'>{''.join(links)}{joints}</robot>"


def test_urdf_names_with_quotes_and_odd_shapes(boxes):
    box = "<collision><geometry><box size='1 1 1'/></geometry></collision>"
    capsule = "<collision><origin xyz='0 0 1'/><geometry><capsule radius='0.2' length='1'/></geometry></collision>"
    odd = "<collision><geometry><banana size='2'/></geometry></collision>"
    found, report = boxes(urdf(f"<link name=\"driver's seat\">{box}{odd}</link>", f"<link name='b'>{capsule}</link>",
                               joints="<joint name='j' type='fixed'><parent link=\"driver's seat\"/><child link='b'/>"
                               "</joint>"), "r.urdf")  # fmt: skip
    assert found["driver's seat"] == [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5]
    assert found["b"] == [-0.2, -0.2, 0.3, 0.2, 0.2, 1.7]
    assert report.skipped == {"geometry <banana>": 1}


def test_a_long_chain_of_links(boxes):
    n = 3000
    links = "".join(f"<link name='l{i}'/>" for i in range(n))
    joints = "".join(f"<joint name='j{i}' type='fixed'><parent link='l{i}'/><child link='l{i + 1}'/>"
                     "<origin xyz='0 0 1'/></joint>" for i in range(n))  # fmt: skip
    last = f"<link name='l{n}'><collision><geometry><box size='1 1 1'/></geometry></collision></link>"
    assert boxes(urdf(links, last, joints=joints), "r.urdf")[0][f"l{n}"] == [-0.5, -0.5, n - 0.5, 0.5, 0.5, n + 0.5]


def test_meshes_beside_the_folder_of_a_package(boxes, tmp_path):
    link = "<link name='a'><collision><geometry><mesh filename='../meshes/wedge.stl'/></geometry></collision></link>"
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes/wedge.stl").write_text(WEDGE)
    assert boxes(urdf(link), "urdf/r.urdf")[0]["a"] == [0, 0, 0, 2, 1, 1]
    for odd in ("../../meshes/wedge.stl", "../meshes/../../wedge.stl"):
        with pytest.raises(WorldError, match="leads out of"):
            boxes(urdf(link.replace("../meshes/wedge.stl", odd)), "urdf/r.urdf")
    with pytest.raises(WorldError, match="leads out of"):
        boxes(urdf(link), "private/r.urdf")
    (tmp_path / "package.xml").write_text("<package/>")
    assert boxes(urdf(link), "private/r.urdf")[0]["a"] == [0, 0, 0, 2, 1, 1]


@pytest.mark.parametrize("name", ["", ".", "model://", "folder.stl"])
def test_a_folder_is_no_mesh(boxes, tmp_path, name):
    (tmp_path / "folder.stl").mkdir()
    with pytest.raises(WorldError, match=r"can't be read|not a mesh|which is"):
        mesh = f"<collision><geometry><mesh filename='{name}'/></geometry></collision>"
        boxes(urdf(f"<link name='a'>{mesh}</link>"), "r.urdf")
