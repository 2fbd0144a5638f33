"""Every format on a small site whose geometry is known, and on the real files."""

import json
import struct

import numpy as np
import pytest

from twin.errors import WorldError
from twin.world.bvh import closest_hits
from twin.world.describe import object_tops, triangle_areas
from twin.world.georeference import GeoReference
from twin.world.importers import import_to_folder, import_world

CUBE = """o {name}
v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\nv 0 0 2\nv 2 0 2\nv 2 2 2\nv 0 2 2
usemtl {material}
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def things(world):
    """Return the bounds (2, 3) m of each thing by its name."""
    geometry = world.geometry
    owner = geometry.face_object[geometry.triangle_face]
    corners = geometry.vertices[geometry.triangles]
    return {
        name: np.array([corners[owner == i].min(axis=(0, 1)), corners[owner == i].max(axis=(0, 1))])
        for i, name in enumerate(geometry.objects)
    }


def volume(world):
    """Return the volume of all things, which must be closed but for floors at z = 0."""
    geometry = world.geometry
    mine = geometry.triangles[geometry.face_object[geometry.triangle_face] >= 0]
    a, b, c = (geometry.vertices[mine[:, k]] for k in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


# --- a map of the Chinese datum


def test_gcj02_input_can_be_declared(tmp_path):
    # Test point of googollee/eviltransform: Shanghai in GCJ-02 and in WGS 84, half a kilometre apart.
    gcj, wgs = np.array([121.531541859215, 31.17530398364597]), np.array([121.5272106, 31.1774276])
    ring = [gcj.tolist(), (gcj + [0.001, 0]).tolist(), (gcj + [0.001, 0.001]).tolist(), (gcj + [0, 0.001]).tolist()]
    path = write(tmp_path / "site.json", json.dumps([{"polygon": ring, "height": 20}]))
    world, report = import_world(path, crs="gcj02")
    corner = world.georeference.to_local(np.array([[*wgs, 0.0]]))
    assert np.linalg.norm(world.geometry.vertices - corner, axis=1).min() < 0.05
    assert report.crs == "gcj02"
    wrong, _ = import_world(path)
    here, there = world.georeference, wrong.georeference
    assert 400 < np.linalg.norm(here.to_local(np.array([[there.longitude, there.latitude, 0.0]]))) < 600


# --- plain meshes


def test_obj_in_metres_with_its_materials(tmp_path):
    world, report = import_world(write(tmp_path / "hall.obj", CUBE.format(name="hall", material="Steel_Sheet")))
    assert (report.format, report.found, report.used) == ("mesh (obj)", 1, 1)
    assert things(world)["hall"].tolist() == [[0, 0, 0], [2, 2, 2]]
    assert world.geometry.materials == ("medium_dry_ground", "metal")
    assert len(world.geometry.face_normal) == 6 + 1
    assert volume(world) == pytest.approx(8.0)


def collada(unit, up, corners="0 0 0 100 0 0 0 200 0 0 0 300"):
    return f"""<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
 <asset><unit meter="{unit}" name="u"/><up_axis>{up}</up_axis></asset>
 <library_geometries><geometry id="g" name="g"><mesh>
  <source id="p"><float_array id="a" count="12">{corners}</float_array><technique_common>
   <accessor source="#a" count="4" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
   <param name="Z" type="float"/></accessor></technique_common></source>
  <vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
  <triangles count="4"><input semantic="VERTEX" source="#v" offset="0"/><p>0 2 1 0 1 3 1 2 3 0 3 2</p></triangles>
 </mesh></geometry></library_geometries>
 <library_visual_scenes><visual_scene id="s"><node id="n"><instance_geometry url="#g"/></node></visual_scene>
 </library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>"""


@pytest.mark.parametrize(
    ("up", "size"), [("Z_UP", [1.0, 2.0, 3.0]), ("Y_UP", [1.0, 3.0, 2.0]), ("X_UP", [2.0, 3.0, 1.0])]
)
def test_collada_unit_and_up_axis(tmp_path, up, size):
    world, _ = import_world(write(tmp_path / "corner.dae", collada("0.01", up)))
    low, high = things(world)["corner"]
    assert high - low == pytest.approx(size)
    assert volume(world) == pytest.approx(1.0)  # a third of half the box, outward whatever is up


def test_binary_stl_and_ply(tmp_path):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], dtype="<f4")
    faces = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]
    stl = b"\0" * 80 + struct.pack("<I", 4)
    for face in faces:
        stl += struct.pack("<3f", 0, 0, 0) + corners[list(face)].tobytes() + b"\0\0"
    ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
    ply += b"property float z\nelement face 4\nproperty list uchar int vertex_indices\nend_header\n" + corners.tobytes()
    ply += b"".join(struct.pack("<B3i", 3, *face) for face in faces)
    for name, data in (("a.stl", stl), ("a.ply", ply)):
        (tmp_path / name).write_bytes(data)
        world, _ = import_world(tmp_path / name)
        assert volume(world) == pytest.approx(1.0)


def test_gltf_is_turned_from_y_up(tmp_path):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], dtype="<f4")
    faces = np.array([0, 2, 1, 0, 1, 3, 1, 2, 3, 0, 3, 2], dtype="<u2")
    (tmp_path / "a.bin").write_bytes(corners.tobytes() + faces.tobytes())
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"uri": "a.bin", "byteLength": 72}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 48},
                        {"buffer": 0, "byteOffset": 48, "byteLength": 24}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
                      {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}],
    }  # fmt: skip
    world, _ = import_world(write(tmp_path / "a.gltf", json.dumps(document)))
    low, high = things(world)["a"]
    assert high - low == pytest.approx([1.0, 3.0, 2.0])
    assert volume(world) == pytest.approx(1.0)


def test_local_metres_can_be_given_a_place(tmp_path):
    path = write(tmp_path / "hall.obj", CUBE.format(name="hall", material="wood"))
    world, report = import_world(path, "11.5,48.1,500")
    assert world.georeference == GeoReference(11.5, 48.1, 500.0)
    assert report.origin == (11.5, 48.1, 500.0)


def test_a_floor_that_the_mesh_brings_never_coincides_with_level_ground(tmp_path):
    floor = "o slab\nv 0 0 0\nv 9 0 0\nv 9 9 0\nv 0 9 0\nusemtl concrete\nf 1 2 3 4\n"
    world, report = import_world(write(tmp_path / "hall.obj", floor))
    assert report.ground == pytest.approx(-0.05)
    assert world.height_below(np.array([[4.0, 4.0, 3.0], [20.0, 4.0, 3.0]])) == pytest.approx([0.0, -0.05])


# --- Mitsuba


def test_mitsuba_scene(tmp_path):
    write(tmp_path / "meshes/a.obj", CUBE.format(name="a", material="x"))
    scene = """<scene version="2.1.0">
 <bsdf type="itu-radio-material" id="outside"><string name="type" value="marble"/></bsdf>
 <bsdf type="twosided" id="mat-itu_wood"><bsdf type="diffuse"/></bsdf>
 <shape type="obj" id="mesh-Rathaus-wall"><string name="filename" value="meshes/a.obj"/>
  <transform name="to_world"><scale x="2" y="1" z="1"/><rotate z="1" angle="90"/><translate x="10"/></transform>
  <ref id="outside" name="bsdf"/></shape>
 <shape type="obj" id="mesh-Rathaus-roof"><string name="filename" value="meshes/a.obj"/>
  <transform name="to_world"><translate x="8" z="2"/></transform><ref id="mat-itu_wood" name="bsdf"/></shape>
 <shape type="rectangle" id="mesh-ground"><transform name="to_world"><scale value="50"/></transform></shape>
 <shape type="sphere" id="ball"/>
</scene>"""
    world, report = import_world(write(tmp_path / "scene.xml", scene))
    assert world.geometry.objects == ("Rathaus",)
    assert things(world)["Rathaus"] == pytest.approx(np.array([[8.0, 0, 0], [10, 4, 4]]), abs=1e-12)
    assert set(world.geometry.materials) == {"medium_dry_ground", "marble", "wood"}
    assert (report.skipped, report.found, report.used) == ({"shape of type sphere": 1}, 3, 2)
    assert volume(world) == pytest.approx(16.0 + 8.0)


# --- SDF, URDF


MODEL = """<sdf version="1.6"><model name="crate"><static>1</static><pose>0 0 1 0 0 0</pose><link name="l">
 <pose>1 0 0 0 0 1.5707963267948966</pose>
 <collision name="c"><geometry><box><size>2 1 1</size></box></geometry></collision>
 <visual name="v"><geometry><mesh><uri>model://crate/meshes/crate.dae</uri><scale>1 1 2</scale></mesh></geometry>
 <material><script><name>Gazebo/Wood</name></script></material></visual></link></model></sdf>"""


@pytest.fixture
def warehouse(tmp_path):
    write(tmp_path / "models/crate/model.sdf", MODEL)
    write(tmp_path / "models/crate/meshes/crate.dae", collada("0.01", "Z_UP"))
    return write(
        tmp_path / "worlds/hall.world",
        """<sdf version="1.6"><world name="w">
 <include><uri>model://crate</uri></include>
 <include><uri>model://crate</uri><name>other</name><pose>10 0 0.5 0 0 0</pose></include>
 <model name="nested"><pose>0 20 0 0 0 3.141592653589793</pose><include><uri>model://crate</uri></include></model>
 <model name="floor"><static>true</static><link name="l"><collision name="c"><geometry><plane/></geometry></collision>
 </link></model></world></sdf>""",
    )


def test_sdf_poses_and_includes(warehouse):
    world, report = import_world(warehouse)
    found = things(world)
    assert found["crate"] == pytest.approx(np.array([[0.5, -1.0, 0.5], [1.5, 1.0, 1.5]]))
    # The pose of an include replaces the model's.
    assert found["other"] == pytest.approx(np.array([[10.5, -1.0, 0.0], [11.5, 1.0, 1.0]]))
    assert found["nested"] == pytest.approx(np.array([[-1.5, 19.0, 0.5], [-0.5, 21.0, 1.5]]))
    assert (report.found, report.used, report.ground) == (4, 3, 0.0)


def test_sdf_can_take_what_is_to_be_seen(warehouse):
    world, _ = import_world(warehouse, visual=True)
    low, high = things(world)["crate"]
    assert high - low == pytest.approx([2.0, 1.0, 6.0])  # turned by a quarter, twice as high
    assert "wood" in world.geometry.materials


def test_urdf_joints_at_zero(tmp_path):
    robot = """<robot name="crane"><link name="base"><collision><geometry><box size="2 2 4"/></geometry>
  <origin xyz="0 0 2"/></collision></link><link name="arm"><collision><geometry><cylinder radius="0.5" length="6"/>
  </geometry><origin xyz="3 0 0" rpy="0 1.5707963267948966 0"/></collision></link>
  <joint name="j" type="revolute"><parent link="base"/><child link="arm"/>
  <origin xyz="0 0 4" rpy="0 0 1.5707963267948966"/></joint></robot>"""
    world, report = import_world(write(tmp_path / "crane.urdf", robot))
    found = things(world)
    assert found["base"] == pytest.approx(np.array([[-1.0, -1, 0], [1, 1, 4]]))
    assert found["arm"][:, 1] == pytest.approx([0.0, 6.0])
    assert (report.found, report.used) == (2, 2)


# --- CityJSON


def cityjson(**more):
    vertices = [[x, y, z] for z in (0, 3000) for x, y in ((0, 0), (4000, 0), (4000, 5000), (0, 5000))]
    sides = [[[3, 2, 1, 0]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]
    semantics = {"surfaces": [{"type": "WallSurface"}, {"type": "Window"}], "values": [[0, 0, 1, 0, 0, None]]}
    return {
        "type": "CityJSON", "version": "2.0", "vertices": vertices,
        "transform": {"scale": [0.001] * 3, "translate": [84900.0, 447600.0, 1.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/7415"},
        "CityObjects": {
            "b": {"type": "Building", "children": ["p"],
                  "geometry": [{"type": "Solid", "lod": "1", "boundaries": [sides[:2]]}]},
            "p": {"type": "BuildingPart", "parents": ["b"],
                  "geometry": [{"type": "Solid", "lod": "2", "boundaries": [sides], "semantics": semantics}]},
            "r": {"type": "Road", "geometry": [{"type": "MultiSurface", "lod": "1", "boundaries": [sides[0]]}]},
            "t": {"type": "SolitaryVegetationObject", "geometry": []},
        },
        **more,
    }  # fmt: skip


def test_cityjson_takes_the_parts_with_more_detail(tmp_path):
    path = write(tmp_path / "tile.city.json", json.dumps(cityjson()))
    world, report = import_world(path, geoid_height=43.0)
    assert world.geometry.objects == ("b",)
    assert (report.found, report.used, report.skipped) == (2, 1, {"SolitaryVegetationObject": 1})
    area = dict.fromkeys(world.geometry.materials, 0.0)
    for face, size in zip(world.geometry.triangle_face, triangle_areas(world.geometry), strict=True):
        area[world.geometry.materials[world.geometry.face_material[face]]] += size
    assert area["glass"] == pytest.approx(4.0 * 3.0, rel=2e-4)  # RD's scale is 0.9999 there
    low, high = things(world)["b"]
    assert high - low == pytest.approx([4.0, 5.0, 3.0], abs=0.08)  # turned by 0.8 degrees: 5 m sin 0.8 = 0.07
    geodetic = world.georeference.to_geodetic(high[None])
    assert geodetic[0, 2] == pytest.approx(1.0 + 3.0 + 43.0, abs=1e-3)


def test_cityjson_without_a_crs_is_local(tmp_path):
    document = cityjson(metadata={})
    document["transform"]["translate"] = [0, 0, 0]
    _, report = import_world(write(tmp_path / "tile.json", json.dumps(document)))
    assert report.crs == "local metres"
    assert "names no CRS" in report.warnings[0]


# --- OpenStreetMap


OSM = """<osm version="0.6">
 {nodes}
 <way id="1">{outer}<tag k="building" v="yes"/><tag k="height" v="20 m"/><tag k="building:material" v="brick"/>
  <tag k="roof:material" v="copper"/></way>
 <way id="2">{east}</way> <way id="3">{hole}</way>
 <relation id="4"><member type="way" ref="2" role="outer"/><member type="way" ref="3" role="inner"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="office"/><tag k="building:levels" v="4"/>
  <tag k="roof:height" v="3"/></relation>
 <way id="5">{north}<tag k="building" v="yes"/><tag k="height" v="50"/></way>
 <way id="6">{north}<tag k="building:part" v="yes"/><tag k="height" v="30"/><tag k="building:min_level" v="2"/></way>
 <way id="7"><nd ref="1"/><nd ref="2"/><tag k="building" v="yes"/></way>
 <way id="8">{far}<tag k="building" v="yes"/><tag k="height" v="tall"/></way>
</osm>"""


@pytest.fixture
def town(tmp_path):
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    nodes, ways = [], {}

    def square(name, x, y, side):
        first = len(nodes) + 1
        for dx, dy in ((0, 0), (side, 0), (side, side), (0, side)):
            nodes.append(f'<node id="{len(nodes) + 1}" version="1" lon="{24.9 + x + dx}" lat="{60.1 + y + dy}"/>')
        ways[name] = "".join(f'<nd ref="{first + i % 4}"/>' for i in range(5))

    square("outer", 0, 0, 0.001)
    square("east", 0.002, 0, 0.001)
    square("hole", 0.00225, 0.00025, 0.0005)
    square("north", 0, 0.002, 0.001)
    square("far", 0.002, 0.002, 0.001)
    return write(tmp_path / "town.osm", OSM.format(nodes="".join(nodes), **ways))


def test_osm_heights_holes_parts_and_materials(town):
    world, report = import_world(town)
    found = things(world)
    tops = {name: bounds[1, 2] for name, bounds in found.items()}
    assert tops == pytest.approx({"way/1": 20.0, "way/6": 30.0, "way/8": 9.0, "relation/4": 15.0}, abs=0.01)
    assert found["way/6"][0, 2] == pytest.approx(6.0, abs=0.01)
    assert set(world.geometry.materials) == {"medium_dry_ground", "brick", "metal", "concrete"}
    assert report.skipped == {
        "outline that does not close (cut off at the extract's edge?)": 1,
        "building replaced by its parts": 1,
            }
    assert report.found == report.used + sum(report.skipped.values())
    geometry = world.geometry
    office = geometry.objects.index("relation/4")
    flat = (geometry.face_object == office) & (geometry.face_normal[:, 2] > 0.9)
    roof = triangle_areas(geometry)[flat[geometry.triangle_face]].sum()
    low, high = found["relation/4"]
    assert roof == pytest.approx(0.75 * np.prod((high - low)[:2]), rel=1e-4)


# --- open-rmf


RMF = """
coordinate_system: reference_image
levels:
  L1:
    elevation: 0
    vertices: [[0, 0, 0, ""], [200, 0, 0, ""], [200, 100, 0, ""], [0, 100, 0, ""]]
    fiducials: [[0, 0, a], [200, 0, b]]
    measurements: [[0, 1, {distance: [3, 10]}]]
    walls: [[0, 1, {texture_name: [1, glass]}], [1, 2, {}]]
    doors: [[2, 3, {type: [1, hinged]}]]
    lanes: [[0, 2, {bidirectional: [4, true]}]]
    models: [{name: chair, x: 1, y: 1}]
  L2:
    elevation: 4
    vertices: [[50, 50, 0, ""], [50, 150, 0, ""], [0, 150, 0, ""]]
    fiducials: [[50, 50, a], [50, 150, b]]
    measurements: [[0, 1, {distance: [3, 10]}]]
    walls: [[0, 1, {}]]
    floors: [{vertices: [0, 1, 2], parameters: {}}]
"""


def test_rmf_scale_levels_and_lanes(tmp_path):
    path = write(tmp_path / "office.building.yaml", RMF)
    report = import_to_folder(path, tmp_path / "office")
    from twin.world.opening import open_world

    world = open_world(tmp_path / "office")
    found = things(world)
    # 200 pixels are 10 m; pixels count downwards.
    assert found["L1_wall_0"] == pytest.approx(np.array([[-0.05, -0.05, 0], [10.05, 0.05, 2.5]]), abs=1e-9)
    assert found["L1_wall_1"][:, 1] == pytest.approx([-5.05, 0.05])
    # The upper level is drawn turned and in another scale; its two fiducials lie above those below.
    assert found["L2_wall_0"] == pytest.approx(np.array([[-0.05, -0.05, 4], [10.05, 0.05, 6.5]]), abs=1e-9)
    assert found["L2_floor_0"][:, 2] == pytest.approx([3.8, 4.0])
    assert (report.lanes, report.skipped) == (1, {"door (left open)": 1, "model (not part of the file)": 1})
    lanes = (tmp_path / "office/lanes.csv").read_text().splitlines()
    assert lanes[0] == "x0,y0,z0,x1,y1,z1,both_ways"
    assert [float(value) for value in lanes[1].split(",")] == [0.0, 0.0, 0.0, 10.0, -5.0, 0.0, 1.0]


# --- real files


def test_delft_corners_come_back_within_a_millimetre(shared_data):
    """A corner of Delft, by PROJ alone, against the world's; there and back."""
    from pyproj import Transformer

    path = shared_data / "city/delft.city.json"
    document = json.loads(path.read_text())
    world, report = import_world(path, geoid_height=43.5)
    assert report.found == 217 and report.used == 217
    name, entry = next((k, v) for k, v in document["CityObjects"].items() if v["type"] == "Building")
    index = np.unique(np.array(entry["geometry"][0]["boundaries"]).ravel())
    transform = document["transform"]
    corners = np.array(document["vertices"])[index] * transform["scale"] + transform["translate"]
    lon, lat = Transformer.from_crs("EPSG:28992", "OGC:CRS84", always_xy=True).transform(corners[:, 0], corners[:, 1])
    expected = np.column_stack([lon, lat, corners[:, 2] + 43.5])
    geometry = world.geometry
    owner = geometry.face_object[geometry.triangle_face] == geometry.objects.index(name)
    mine = geometry.vertices[np.unique(geometry.triangles[owner])]
    local = world.georeference.to_local(expected)
    nearest = mine[np.linalg.norm(mine[:, None] - local[None], axis=2).argmin(axis=0)]
    back = world.georeference.to_geodetic(nearest)
    assert np.abs((back - expected) * [68_700.0, 111_300.0, 1.0]).max() < 1e-3


def test_delft_heights_between_buildings_are_those_of_the_file(shared_data):
    document = json.loads((shared_data / "city/delft.city.json").read_text())
    world, _ = import_world(shared_data / "city/delft.city.json", geoid_height=43.5)
    z = np.array(document["vertices"])[:, 2] * document["transform"]["scale"][2] + document["transform"]["translate"][2]
    heights = world.georeference.to_geodetic(world.geometry.vertices)[:, 2] - 43.5
    # Level ground lies 5 cm below the file's lowest surface, and up to 2 cm above its own level.
    assert heights.min() > z.min() - 0.05 - 1e-6
    assert heights.max() == pytest.approx(z.max(), abs=1e-3)


def test_helsinki(shared_data):
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    world, report = import_world(shared_data / "city/helsinki.osm.pbf")
    assert report.found == report.used + sum(report.skipped.values())
    assert 500 < report.used < 579
    assert object_tops(world.geometry).max() < 100


def test_warehouse_is_as_large_as_it_is_said_to_be(shared_data):
    world, report = import_world(shared_data / "factory/small_warehouse/worlds/small_warehouse.world")
    assert report.found == report.used == 26
    walls = things(world)["aws_robomaker_warehouse_WallB_01_001"]
    assert walls[1, :2] - walls[0, :2] == pytest.approx([14.0, 20.9], abs=0.1)


def test_rays_meet_the_roof_of_what_was_imported(tmp_path):
    path = write(tmp_path / "hall.obj", CUBE.format(name="hall", material="wood"))
    world, _ = import_world(path)
    _, t = closest_hits(world.bvh, np.array([[1.0, 0.5, 10.0]]), np.array([[0.0, 0.0, -1.0]]), 0.0, np.inf)
    assert t[0] == pytest.approx(8.0, abs=1e-12)


def test_readers_are_chosen_by_content_not_by_name(tmp_path):
    write(tmp_path / "models/crate/model.sdf", MODEL)
    path = write(tmp_path / "site.txt", MODEL)
    assert import_world(path)[1].format == "SDF"
    with pytest.raises(WorldError, match="not a format that can be imported; known: osm, cityjson"):
        import_world(write(tmp_path / "site.osm", "hello"))
