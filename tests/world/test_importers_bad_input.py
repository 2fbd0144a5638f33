"""Bad input of every format: a clear message, and nothing half-written."""

import copy
import json
import struct
from random import Random

import numpy as np
import pytest
import yaml

from twin.errors import WorldError
from twin.world.importers import files as importer_files
from twin.world.importers import import_to_folder, import_world

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">{entities}]>
<{root}>&z;</{root}>"""
ENTITIES = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghiz", strict=True))
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
SCENE = '<scene version="2.1.0"><shape type="ply" id="a"><string name="filename" value="{}"/></shape></scene>'
MODEL = (
    '<sdf version="1.6"><model name="m"><static>1</static><link name="l"><pose>{pose}</pose><collision name="c">'
    "<geometry>{geometry}</geometry></collision></link></model></sdf>"
)
BOX = "<box><size>1 1 1</size></box>"
SQUARE = [[120.6, 31.3], [120.6002, 31.3], [120.6002, 31.3002], [120.6, 31.3002], [120.6, 31.3]]


@pytest.fixture
def refused(tmp_path):
    """Import a file that must be refused; return the message."""

    def check(name, content, **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        folder = tmp_path / "world"
        with pytest.raises(WorldError) as caught:
            import_to_folder(path, folder, **options)
        assert not folder.exists() or not any(folder.iterdir())
        return str(caught.value)

    return check


# --- any format


@pytest.mark.parametrize("name", [
    "a.geojson", "a.city.json", "a.osm", "a.osm.pbf", "a.xml", "a.world", "a.urdf", "a.obj", "a.stl", "a.ply", "a.dae",
    "a.gltf", "a.glb", "a.building.yaml",
])  # fmt: skip
def test_empty_file(refused, name):
    assert "the file is empty" in refused(name, b"")


def test_missing_file(tmp_path):
    with pytest.raises(WorldError, match="can't be read: No such file"):
        import_world(tmp_path / "nothing.geojson")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(WorldError, match="can't be read"):
        import_world(tmp_path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(refused, monkeypatch):
    monkeypatch.setattr(importer_files, "MAX_BYTES", 100)
    assert "allowed: at most" in refused("a.geojson", b"[" + b" " * 200 + b"]")


def test_noise(refused):
    assert "not a format that can be imported" in refused("noise.bin", bytes(range(1, 256)) * 20)


# --- XML


@pytest.mark.parametrize("root", ["sdf", "robot", "scene"])
def test_entity_bombs_are_refused(refused, root):
    assert "DOCTYPE" in refused("bomb.xml", BOMB.format(root=root, entities=ENTITIES))


@pytest.mark.parametrize("root", ["sdf", "robot", "scene"])
def test_external_entities_are_refused(refused, root):
    assert "DOCTYPE" in refused("outside.xml", f"{OUTSIDE}<{root}>&e;</{root}>")


def test_entity_bombs_in_collada_and_osm_are_refused(refused):
    assert "DOCTYPE" in refused("bomb.dae", BOMB.format(root="COLLADA", entities=ENTITIES))
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    assert "entities" in refused("bomb.osm", BOMB.format(root="osm", entities=ENTITIES))


@pytest.mark.parametrize(
    "text", ["<sdf><model", "<robot><link></robot>", "<scene>\x00</scene>", "<COLLADA><asset><unit"]
)
def test_truncated_xml(refused, text):
    assert "not valid XML" in refused("a.xml", text)


# --- references to other files


@pytest.mark.parametrize("name", ["../secret.ply", "/etc/passwd", "meshes/../../secret.ply"])
def test_scenes_stay_in_their_folder(refused, name):
    assert "leads out of" in refused("scene.xml", SCENE.format(name))


@pytest.mark.parametrize("uri", ["model://../../secret/a.dae", "../secret.dae", "file:///../../../etc/passwd"])
def test_models_stay_in_their_folders(refused, uri):
    assert "leads out of" in refused(
        "m.sdf", MODEL.format(pose="", geometry=f"<mesh><uri>{uri}</uri></mesh>")
    )


def test_a_link_that_leaves_the_folder_is_refused(refused, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}_secret.ply"
    outside.write_text("ply")
    (tmp_path / "a.ply").symlink_to(outside)
    assert "leads out of" in refused("scene.xml", SCENE.format("a.ply"))


def test_a_missing_mesh_says_where_it_was_looked_for(refused, tmp_path):
    message = refused("m.sdf", MODEL.format(pose="", geometry="<mesh><uri>model://crane/a.dae</uri></mesh>"))
    assert "'model://crane/a.dae'" in message and str(tmp_path) in message and "GZ_SIM_RESOURCE_PATH" in message
    assert "can't be read" in refused("scene.xml", SCENE.format("meshes/none.ply"))


def test_a_world_that_includes_itself(refused, tmp_path):
    model = '<sdf version="1.6"><model name="m"><include><uri>model://m</uri></include></model></sdf>'
    (tmp_path / "m").mkdir()
    (tmp_path / "m/model.sdf").write_text(model)
    assert "includes inside each other" in refused("a.sdf", model)


def test_gltf_buffers_stay_in_their_folder(refused):
    document = {"asset": {"version": "2.0"}, "buffers": [{"uri": "../../etc/passwd", "byteLength": 10}],
                "bufferViews": [], "accessors": []}  # fmt: skip
    assert "leads out of" in refused("a.gltf", json.dumps(document))


# --- claimed sizes and truncation


def peak_mb():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PLY = (
    b"ply\nformat binary_little_endian 1.0\nelement vertex %d\nproperty float x\nproperty float y\nproperty float z\n"
    b"element face %d\nproperty list uchar int vertex_indices\nend_header\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", PLY % (170_000_000, 1) + b"0" * 100),
        ("a.ply", PLY % (3, 2_000_000_000) + b"0" * 100),
        ("a.stl", b"\0" * 80 + struct.pack("<I", 40_000_000) + b"0" * 100),
        (
            "a.gltf",
            json.dumps({"asset": {"version": "2.0"}, "accessors": [{"count": 170_000_000, "componentType": 5126}]}),
        ),
    ],
)
def test_claims_of_two_gigabytes_are_refused_before_anything_is_allocated(refused, name, content):
    before = peak_mb()
    assert "it holds only" in refused(name, content)
    assert peak_mb() - before < 200


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_truncated_meshes(refused, keep):
    corners = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    ply = PLY % (3, 1) + corners + struct.pack("<B3i", 3, 0, 1, 2)
    refused("a.ply", ply[: int(keep * len(ply))])
    stl = b"\0" * 80 + struct.pack("<I", 1) + struct.pack("<3f", 0, 0, 1) + corners + b"\0\0"
    refused("a.stl", stl[: int(keep * len(stl))])


def test_truncated_pbf(refused, shared_data):
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    data = (shared_data / "city/helsinki.osm.pbf").read_bytes()
    assert "can't be read as OpenStreetMap" in refused("a.osm.pbf", data[: len(data) // 2])


def test_truncated_osm_xml(refused):
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    assert "can't be read as OpenStreetMap" in refused("a.osm", '<osm version="0.6"><node id="1" lat="1')


def test_osm_claims_of_two_gigabytes_and_places_that_are_no_numbers(refused):
    pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
    before = peak_mb()
    header = struct.pack(">I", 2_000_000_000) + b"\x0a\x09OSMHeader" + b"0" * 50
    assert "can't be read as OpenStreetMap" in refused("a.osm.pbf", header)
    assert peak_mb() - before < 200
    node = '<osm version="0.6"><node id="1" version="1" lon="nan" lat="60"/></osm>'
    assert "a.osm" in refused("a.osm", node)


def test_truncated_glb(refused):
    text = json.dumps({"asset": {"version": "2.0"}}).encode()
    whole = struct.pack("<4sII", b"glTF", 2, 2_000_000_000) + struct.pack("<I4s", 2_000_000_000, b"JSON") + text
    for keep in (10, 30, len(whole)):
        assert "a.glb" in refused("a.glb", whole[:keep])


def test_truncated_json(refused, shared_data):
    data = (shared_data / "city/delft.city.json").read_bytes()
    assert "not valid JSON" in refused("a.city.json", data[:500_000], geoid_height=43.0)


# --- numbers


@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "one"])
def test_coordinates_that_are_no_numbers(refused, number):
    refused("a.obj", f"v 0 0 0\nv 1 0 0\nv 0 {number} 0\nf 1 2 3\n")
    message = refused("m.sdf", MODEL.format(pose=f"0 0 {number} 0 0 0", geometry=BOX))
    assert "allowed: 6" in message and "numbers" in message
    assert "allowed" in refused(
        "m.sdf", MODEL.format(pose="", geometry=f"<box><size>1 1 {number}</size></box>")
    )
    assert "not valid JSON" in refused("a.geojson", '[{"polygon": [[NaN, 1], [2, 2], [3, 3]]}]')


def test_indices_that_lead_nowhere(refused):
    refused("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    document = {"type": "CityJSON", "vertices": [[0, 0, 0]], "CityObjects": {
        "b": {"type": "Building", "geometry": [{"type": "MultiSurface", "boundaries": [[[0, 1, 2]]]}]}}}  # fmt: skip
    assert "surface that encloses no area" in refused("a.json", json.dumps(document))
    scale = "vertices: [[0, 0], [9, 0]], measurements: [[0, 1, {distance: [3, 1]}]]"
    walls = f"levels: {{L1: {{{scale}, walls: [[0, 7, {{}}]]}}}}"
    assert "level L1" in refused("a.building.yaml", walls)


@pytest.mark.parametrize("corner", ["nan", "inf"])
def test_corners_that_are_no_numbers_in_every_text_format(refused, corner):
    scale = "measurements: [[0, 1, {distance: [3, 1]}]]"
    assert "finite" in refused("a.building.yaml", f"levels: {{L1: {{vertices: [[0, 0], [9, .{corner}]], {scale}}}}}")
    link = f'<robot><link name="a"><collision><origin xyz="0 0 {corner}"/><geometry><box size="1 1 1"/></geometry>'
    assert "allowed" in refused("a.urdf", link + "</collision></link></robot>")
    shift = f'<transform name="to_world"><translate x="{corner}"/></transform>'
    assert "allowed" in refused("s.xml", f'<scene><shape type="cube" id="a">{shift}</shape></scene>')
    ply = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    ply += f"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 {corner} 0\n3 0 1 2\n"
    assert "finite" in refused("a.ply", ply)


def test_urdf_meshes_are_found_or_told_and_stay_in_their_folder(refused):
    link = '<robot><link name="a"><collision><geometry><mesh filename="{}"/></geometry></collision></link></robot>'
    assert "not there" in refused("a.urdf", link.format("meshes/none.stl"))
    assert "leads out of" in refused("a.urdf", link.format("../../etc/passwd"))


@pytest.mark.parametrize("size", ["0 1 1", "-1 1 1", "1 1"])
def test_sizes_of_shapes(refused, size):
    assert "allowed" in refused("m.sdf", MODEL.format(pose="", geometry=f"<box><size>{size}</size></box>"))


def test_a_mesh_without_area(refused):
    # The only triangle has no area, so all that is left is the ground around it.
    assert "nothing usable" in refused("a.obj", "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")


# --- places


def test_longitude_and_latitude_swapped(refused):
    swapped = [[y, x] for x, y in SQUARE]
    assert "longitude and latitude swapped" in refused("a.json", json.dumps([{"polygon": swapped, "height": 9}]))


@pytest.mark.parametrize("latitude", [25.0, 48.0, 60.0, -35.0])
def test_swapped_coordinates_are_warned_of_where_the_place_does_not_tell(tmp_path, latitude):
    """Rectangles turned by 30 degrees are square only the right way round."""
    sides = np.array([[0, 0], [20, 0], [20, 12], [0, 12]]) @ np.array([[0.866, 0.5], [-0.5, 0.866]])
    shape = sides / 111_320 / [np.cos(np.radians(latitude)), 1.0]
    rings = [(np.array([11.5 + i / 500, latitude]) + shape) for i in range(12)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"polygon": ring.tolist(), "height": 9} for ring in rings]))
    assert import_world(path)[1].warnings == []
    path.write_text(json.dumps([{"polygon": ring[:, ::-1].tolist(), "height": 9} for ring in rings]))
    assert "swapped" in import_world(path)[1].warnings[-1]


def test_degrees_taken_for_metres_and_metres_for_degrees(refused):
    metres = [[620_000.0, 3_460_000.0], [620_030.0, 3_460_000.0], [620_030.0, 3_460_030.0]]
    assert "metres of another CRS (--crs)" in refused("a.json", json.dumps([{"polygon": metres, "height": 9}]))


def test_a_wrong_crs_is_warned_of(tmp_path):
    path = tmp_path / "a.json"
    metres = [[620_000.0, 460_000.0], [620_030.0, 460_000.0], [620_030.0, 460_030.0]]
    path.write_text(json.dumps([{"polygon": metres, "height": 9}]))
    _, report = import_world(path, crs="EPSG:32633")
    assert report.warnings == []
    _, report = import_world(path, crs="EPSG:28992")
    assert "is for" in report.warnings[-1] and "another CRS" in report.warnings[-1]


def test_a_site_as_large_as_a_country(refused):
    far = [[x + 3, y] for x, y in SQUARE]
    text = json.dumps([{"polygon": SQUARE, "height": 9}, {"polygon": far, "height": 9}])
    assert "allowed: 100 km" in refused("a.json", text)


@pytest.mark.parametrize("origin", ["here", "1", "1,2,3,4", "200,0", "0,95"])
def test_origins(refused, origin):
    assert "origin" in refused("a.json", json.dumps([{"polygon": SQUARE, "height": 9}]), origin=origin)


# --- structure

DOCUMENTS = {
    "a.geojson": {"type": "FeatureCollection", "crs": {"properties": {"name": "EPSG:4326"}}, "features": [
        {"type": "Feature", "properties": {"height": 5}, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}]},
    "a.city.json": {
        "type": "CityJSON", "version": "2.0", "vertices": [[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]],
        "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]}, "metadata": {},
        "CityObjects": {"b": {"type": "Building", "children": ["p"]}, "p": {"type": "BuildingPart", "parents": ["b"],
            "geometry": [{"type": "Solid", "lod": "1", "boundaries": [[[[0, 1, 3]], [[0, 2, 1]], [[1, 2, 3]]]],
                "semantics": {"surfaces": [{"type": "Window"}], "values": [[0, 0, None]]}}]}}},
    "a.building.yaml": {"levels": {"L1": {"elevation": 0, "vertices": [[0, 0, 0, ""], [9, 0, 0, ""], [9, 9, 0, ""]],
        "measurements": [[0, 1, {"distance": [3, 10]}]], "walls": [[0, 1, {"texture_name": [1, "glass"]}]],
        "fiducials": [[0, 0, "a"]], "floors": [{"vertices": [0, 1, 2]}], "lanes": [[0, 2, {}]],
        "doors": [[1, 2, {}]]}}},
}  # fmt: skip
NONSENSE = (None, -1, 0, {}, [], 1e308, "", True, 10**20, "x", 2.5, [[]], [None], {"a": 1})


def places(tree, path=()):
    """Yield the way to every node of nested tables and lists."""
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield (*path, key)
        yield from places(tree[key], (*path, key))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nonsense_at_any_place_is_used_or_told_and_never_breaks_the_import(tmp_path, name):
    path, random = tmp_path / name, Random(7)
    used = 0
    for way in places(DOCUMENTS[name]):
        document = copy.deepcopy(DOCUMENTS[name])
        node = document
        for key in way[:-1]:
            node = node[key]
        node[way[-1]] = random.choice(NONSENSE)
        path.write_text((yaml.safe_dump if path.suffix == ".yaml" else json.dumps)(document))
        try:
            used += import_world(path)[1].used
        except WorldError as error:
            assert str(path) in str(error) or "crs" in str(error)
    assert used > 0


# --- formats that say something else


def test_sdf_that_is_not_understood_is_not_guessed(refused):
    text = MODEL.format(pose="", geometry=BOX).replace("<pose>", '<pose relative_to="arm">')
    assert "relative to 'arm'" in refused("m.sdf", text)


def test_mitsuba_transformations_that_are_not_understood(refused, tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    shape = '<scene><shape type="obj"><string name="filename" value="a.obj"/><transform name="to_world">{}</transform>'
    assert "found <lookat>" in refused("s.xml", shape.format("<lookat/>") + "</shape></scene>")
    assert "makes it flat" in refused("s.xml", shape.format('<scale z="0"/>') + "</shape></scene>")


def test_urdf_joints_in_a_circle(refused):
    joints = "".join(
        f'<joint name="{a}"><parent link="{a}"/><child link="{b}"/></joint>' for a, b in (("x", "y"), ("y", "x"))
    )
    assert "allowed: a tree" in refused("a.urdf", f'<robot><link name="x"/><link name="y"/>{joints}</robot>')


def test_maps_without_a_scale(refused):
    text = "levels: {L1: {vertices: [[0, 0], [9, 0]], walls: [[0, 1, {}]]}}"
    assert "no usable measurement" in refused("a.building.yaml", text)
    assert "not valid YAML" in refused("a.building.yaml", "levels: {L1: [")
    assert "coordinate_system" in refused("a.building.yaml", "coordinate_system: mars\nlevels: {L1: {}}")


def test_yaml_code_is_not_run(refused):
    assert "not valid YAML" in refused("a.building.yaml", "levels: !!python/object/apply:os.getcwd []")


def test_a_scene_of_shapes_that_are_not_known(refused):
    assert "1 x shape of type sphere" in refused("s.xml", '<scene><shape type="sphere"/></scene>')
