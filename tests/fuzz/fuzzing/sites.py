"""Sites of two things, A and B, in every format that is imported; B is changed, so A must stay where it is."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzzing.harness import Target, Wrong
from fuzzing.mutations import bytes_changed, text_changed, tree_changed, xml_changed
from twin.world.importers import import_world

CUBE = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\nv 0 0 2\nv 2 0 2\nv 2 2 2\nv 0 2 2\n"
FACES = [(1, 4, 3, 2), (5, 6, 7, 8), (1, 2, 6, 5), (2, 3, 7, 6), (3, 4, 8, 7), (4, 1, 5, 8)]
A = (0.0, 0.0, 0.0, 2.0, 2.0, 2.0)
"""Bounds of A [m], low and high corner."""


@dataclass(frozen=True)
class Site:
    """A file with A before B, as text in three parts, and where A is."""

    name: str  # of the file
    head: str
    b: str
    tail: str
    a: tuple[float, ...] | None  # bounds (6,) m of the thing whose name begins with `called`
    called: str = "A"
    tolerance: float = 1e-6
    options: tuple[tuple[str, Any], ...] = ()
    beside: tuple[tuple[str, bytes], ...] = ()

    @property
    def text(self) -> str:
        """The whole file."""
        return self.head + self.b + self.tail


def obj() -> Site:
    faces = "".join("f " + " ".join(map(str, face)) + "\n" for face in FACES)
    more = "".join("f " + " ".join(str(i + 8) for i in face) + "\n" for face in FACES)
    b = CUBE.replace("v 2", "v 9").replace("v 0", "v 7") + "usemtl steel\n" + more
    return Site("a.obj", f"o A\n{CUBE}usemtl wood\n{faces}o B\n", b, "", A)


def sdf() -> Site:
    def model(name: str, x: int) -> str:
        return f"""<model name="{name}"><static>true</static><pose>{x} 1 1 0 0 0</pose><frame name="f"><pose>0 0 1 0 0 0</pose></frame>
 <link name="l"><pose relative_to="f">0 0 -1 0 0 0</pose><collision name="c"><geometry><box><size>2 2 2</size></box></geometry></collision>
 <visual name="v"><geometry><sphere><radius>1</radius></sphere></geometry></visual></link></model>
"""

    mesh = '<model name="C"><link name="l"><collision name="c"><geometry><mesh><uri>c.obj</uri><scale>1 1 1</scale></mesh></geometry></collision></link></model>'
    tail = "<include><uri>model://m</uri><name>inc</name><pose>0 20 0 0 0 0</pose></include></world></sdf>"
    inner = f'<sdf version="1.9"><model name="m">{model("x", 1)}</model></sdf>'
    return Site("a.sdf", '<sdf version="1.9"><world name="w">\n' + model("A", 1), model("B", 9) + mesh, tail, A,
                beside=(("c.obj", obj().text.encode()), ("m/model.sdf", inner.encode())))  # fmt: skip


def urdf() -> Site:
    box = '<origin xyz="1 1 1" rpy="0 0 0"/><geometry><box size="2 2 2"/></geometry>'
    head = f'<robot name="r"><link name="A"><collision>{box}</collision></link>\n'
    b = (
        f'<link name="B"><inertial><mass value="1"/></inertial><collision>{box}</collision><visual><geometry>'
        '<mesh filename="c.obj" scale="1 1 1"/></geometry></visual><collision><geometry><cylinder radius="1" length="2"/>'
        '</geometry></collision></link>\n<joint name="j" type="revolute"><parent link="A"/><child link="B"/>'
        '<origin xyz="5 0 0" rpy="0 0 1.57"/><axis xyz="0 0 1"/><limit lower="-1" upper="1" effort="5" velocity="1"/></joint>\n'
    )
    return Site("a.urdf", head, b, "</robot>", A, beside=(("c.obj", obj().text.encode()),))


def mitsuba() -> Site:
    def cube(name: str, x: int) -> str:
        return f"""<shape type="cube" id="{name}"><transform name="to_world"><translate x="{x}" y="1" z="1"/></transform>
 <ref id="mat-itu_brick"/></shape>
"""

    head = '<scene version="2.1.0"><default name="side" value="1"/><bsdf type="twosided" id="mat-itu_brick"/>\n'
    b = (
        cube("B", 9) + '<shape type="obj" id="C"><string name="filename" value="c.obj"/><transform name="to_world">'
        '<scale value="$side"/><rotate z="1" angle="90"/><translate x="30"/></transform></shape>\n'
    )
    return Site("a.xml", head + cube("A", 1), b, "</scene>", A, beside=(("c.obj", obj().text.encode()),))


def square(x: float, y: float) -> list[list[float]]:
    """Return a square of 20 m as longitude, latitude at 0, 0 (a degree there: 111,319 m east, 110,574 m north)."""
    east, north = 20 / 111_319.49, 20 / 110_574.39
    return [[x, y], [x + east, y], [x + east, y + north], [x, y + north], [x, y]]


GEO = (0.0, 0.0, 0.0, 20.0, 20.0, 12.0)
AT_ZERO = (("origin", "0,0,0"),)


def geojson() -> Site:
    def feature(x: float, **properties: Any) -> str:
        polygon = {"type": "Polygon", "coordinates": [square(x, 0.0)]}
        return json.dumps({"type": "Feature", "properties": properties, "geometry": polygon})

    head = '{"type": "FeatureCollection", "features": [\n' + feature(0.0, height=12) + ",\n"
    return Site(
        "a.geojson", head, feature(0.001, height=30, levels=9, min_height=1), "\n]}", GEO, "building_0", 0.02, AT_ZERO
    )


def lines() -> Site:
    site = geojson()
    return Site(
        "a.geojsonl", site.head.split("\n")[1].rstrip(",") + "\n", site.b + "\n", "", GEO, "building_0", 0.02, AT_ZERO
    )


def osm() -> Site:
    def way(number: int, x: float, tags: str) -> tuple[str, str]:
        nodes = "".join(f'<node id="{number + k}" version="1" lon="{lon:.9f}" lat="{lat:.9f}"/>\n'
                        for k, (lon, lat) in enumerate(square(x, 0.0)[:4]))  # fmt: skip
        refs = "".join(f'<nd ref="{number + k % 4}"/>' for k in range(5))
        return nodes, f'<way id="{number}" version="1">{refs}<tag k="building" v="yes"/>{tags}</way>\n'

    a, b = (
        way(111_110, 0.0, '<tag k="height" v="12"/>'),
        way(
            999_990,
            0.001,
            '<tag k="building:levels" v="4"/><tag k="height" v="30 m"/><tag k="roof:shape" v="gabled"/>',
        ),
    )
    return Site(
        "a.osm", '<osm version="0.6">\n' + a[0] + a[1], b[0] + b[1], "</osm>", GEO, "way/111110", 0.02, AT_ZERO
    )


BOUNDARIES = [[[k - 1 for k in face]] for face in FACES]


def cityjson() -> Site:
    corners = [[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0], [0, 0, 2], [2, 0, 2], [2, 2, 2], [0, 2, 2]]
    solid = {"type": "Solid", "lod": "2", "boundaries": [BOUNDARIES]}
    other = {"type": "Solid", "lod": "2.2", "boundaries": [[[[k + 8 for k in ring] for ring in face] for face in BOUNDARIES]],
             "semantics": {"surfaces": [{"type": "WallSurface"}, {"type": "Window"}], "values": [[0, 1, 0, 1, 0, 0]]}}  # fmt: skip
    vertices = json.dumps([*corners, *[[x + 7, y, z] for x, y, z in corners]])
    head = '{"type": "CityJSON", "version": "2.0", "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]}, "vertices": '
    head += f'{vertices}, "CityObjects": {{"A": {json.dumps({"type": "Building", "geometry": [solid]})}, "B": '
    b = json.dumps({"type": "Building", "attributes": {"height": 3}, "geometry": [other]})
    return Site("a.city.json", head, b, "}}", A)


def rmf() -> Site:
    head = """coordinate_system: cartesian_meters
levels:
  A:
    elevation: 0.0
    vertices: [[0, 0, 0, ""], [10, 0, 0, ""]]
    walls: [[0, 1, {texture_name: [1, glass]}]]
"""
    b = """  B:
    elevation: 4.0
    vertices: [[0, 0, 0, ""], [10, 0, 0, ""], [10, 10, 0, ""], [0, 10, 0, ""]]
    measurements: [[0, 1, {distance: [3, 10]}]]
    fiducials: [[0, 0, a], [10, 0, b]]
    walls: [[0, 1, {}], [1, 2, {}]]
    floors: [{vertices: [0, 1, 2, 3]}]
    doors: [[2, 3, {type: [1, hinged]}]]
    lanes: [[0, 2, {bidirectional: [4, true]}]]
"""
    return Site("a.building.yaml", head, b, "", (-0.05, -0.05, 0.0, 10.05, 0.05, 2.5), "A_wall_0")


TEXTS = (obj, sdf, urdf, mitsuba, geojson, lines, osm, cityjson, rmf)


def attempt(path: Path, site: Site, known: bool) -> None:
    """Import a site; where its A was left alone, A must be where it was or the file be refused.

    Raises:
        Wrong: A is elsewhere, or the report does not add up.
    """
    options = dict(site.options)
    world, report = import_world(path, options.pop("origin", "auto"), **options)
    if not 0 <= report.used <= report.found + 1:
        raise Wrong(f"used {report.used} of {report.found}")
    if not np.isfinite(world.geometry.vertices).all() or np.abs(world.geometry.vertices).max() > 150_000:
        raise Wrong(f"reaches {np.abs(world.geometry.vertices).max():g} m")
    world.collision_obj  # noqa: B018  the attribute must be there; the file is written at first use
    if not known or site.a is None:
        return
    geometry = world.geometry
    if site.called not in geometry.objects:
        raise Wrong(f"{site.called} is not among {geometry.objects[:5]}")
    owner = geometry.face_object[geometry.triangle_face] == geometry.objects.index(site.called)
    corners = geometry.vertices[geometry.triangles[owner]].reshape(-1, 3)
    found = np.array([*corners.min(axis=0), *corners.max(axis=0)])
    if np.abs(found - site.a).max() > site.tolerance:
        raise Wrong(f"{site.called} is at {found.round(3).tolist()}, not {site.a}")


def target(make: Callable[[], Site]) -> Target:
    """Return the target of a text format: B is changed, or anything, and then A is not asked for."""
    site = make()
    state = {"known": False}

    def change(chance: Random, folder: Path) -> str:
        for name, data in site.beside:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        state["known"] = chance.random() < 0.5
        if state["known"]:
            changed, done = text_changed(site.b, chance)
            text = site.head + changed + site.tail
        else:
            text, done = _anything(site, chance)
        (folder / site.name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return done

    def read(folder: Path) -> None:
        attempt(folder / site.name, site, state["known"])

    def warm(folder: Path) -> None:
        for name, data in site.beside:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        (folder / site.name).write_text(site.text)
        attempt(folder / site.name, site, True)

    return Target(f"world-{make.__name__}", change, read, 60, warm)


def _anything(site: Site, chance: Random) -> tuple[str | bytes, str]:
    ways = ["bytes", "text"]
    ways += ["tree"] if site.name.endswith("json") else ["xml"] if site.text.startswith("<") else []
    match chance.choice(ways):
        case "bytes":
            return bytes_changed(site.text.encode(), chance)
        case "tree":
            tree, done = tree_changed(json.loads(site.text), chance)
            return json.dumps(tree), done
        case "xml":
            return xml_changed(site.text, chance)
    return text_changed(site.text, chance)


# --- meshes and terrain in bytes


def stl() -> bytes:
    corners = np.array([line.split()[1:] for line in CUBE.splitlines()], dtype="<f4")
    triangles = [(a - 1, b - 1, c - 1) for q in FACES for a, b, c in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))]
    data = b"\0" * 80 + struct.pack("<I", 12)
    return data + b"".join(struct.pack("<3f", 0, 0, 0) + corners[list(t)].tobytes() + b"\0\0" for t in triangles)


def ply() -> bytes:
    corners = np.array([line.split()[1:] for line in CUBE.splitlines()], dtype="<f4")
    head = b"ply\nformat binary_little_endian 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
    head += b"element face 6\nproperty list uchar int vertex_indices\nend_header\n"
    return head + corners.tobytes() + b"".join(struct.pack("<B4i", 4, *(k - 1 for k in face)) for face in FACES)


def glb() -> bytes:
    corners = np.array([line.split()[1:] for line in CUBE.splitlines()], dtype="<f4")
    indices = np.array([k - 1 for q in FACES for k in (q[0], q[1], q[2], q[0], q[2], q[3])], dtype="<u2")
    data = corners.tobytes() + indices.tobytes()
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}], "buffers": [{"byteLength": len(data)}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 96}, {"buffer": 0, "byteOffset": 96, "byteLength": 72}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3"},
                      {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"}],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def dae() -> bytes:
    corners = " ".join(line[2:] for line in CUBE.splitlines())
    indices = " ".join(str(k - 1) for q in FACES for k in (q[0], q[1], q[2], q[0], q[2], q[3]))
    return f"""<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
 <asset><unit meter="1" name="u"/><up_axis>Z_UP</up_axis></asset>
 <library_geometries><geometry id="g" name="g"><mesh>
  <source id="p"><float_array id="a" count="24">{corners}</float_array><technique_common>
   <accessor source="#a" count="8" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
   <param name="Z" type="float"/></accessor></technique_common></source>
  <vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
  <triangles count="12"><input semantic="VERTEX" source="#v" offset="0"/><p>{indices}</p></triangles>
 </mesh></geometry></library_geometries>
 <library_visual_scenes><visual_scene id="s"><node id="n"><instance_geometry url="#g"/></node></visual_scene>
 </library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>""".encode()


def mesh_target() -> Target:
    """Return the target of meshes: bytes changed anywhere, text for those that are text."""
    seeds = {"a.stl": stl(), "a.ply": ply(), "a.glb": glb(), "a.dae": dae()}

    def change(chance: Random, folder: Path) -> str:
        name = chance.choice(list(seeds))
        data = seeds[name]
        if name == "a.dae" and chance.random() < 0.7:
            text, done = chance.choice([text_changed, xml_changed])(data.decode(), chance)
            data = text.encode("utf-8", "surrogatepass")
        else:
            data, done = bytes_changed(data, chance)
        (folder / name).write_bytes(data)
        return f"{name}: {done}"

    def read(folder: Path) -> None:
        (path,) = folder.iterdir()
        attempt(path, Site(path.name, "", "", "", None), False)

    def warm(folder: Path) -> None:
        for name, data in seeds.items():
            (folder / name).write_bytes(data)
            attempt(
                folder / name,
                Site(
                    name,
                    "",
                    "",
                    "",
                    A,
                    name.split(".")[0] if name[-3:] != "glb" else "a",
                    1e-5,
                ),
                name[-3:] != "glb",
            )

    return Target("mesh", change, read, 200, warm)


def terrain_target() -> Target:
    """Return the target of terrain: a GeoTIFF whose bytes are changed, under a building."""
    site = geojson()
    import rasterio

    def tif(path: Path) -> bytes:
        transform = rasterio.transform.from_origin(-0.01, 0.01, 0.0005, 0.0005)
        with rasterio.open(path, "w", driver="GTiff", width=60, height=60, count=1, dtype="int16", crs="EPSG:4326",
                           nodata=-9999, transform=transform) as file:  # fmt: skip
            file.write(np.full((60, 60), 100, dtype="int16"), 1)
        return path.read_bytes()

    def change(chance: Random, folder: Path) -> str:
        (folder / site.name).write_text(site.text)
        data, done = bytes_changed(tif(folder / "t.tif"), chance)
        (folder / "t.tif").write_bytes(data)
        return done

    def read(folder: Path) -> None:
        import_world(folder / site.name, terrain=folder / "t.tif", geoid_height=0.0)

    def warm(folder: Path) -> None:
        (folder / site.name).write_text(site.text)
        tif(folder / "t.tif")
        read(folder)

    return Target("terrain", change, read, 60, warm)


def targets() -> list[Target]:
    """Return all targets of sites."""
    return [*map(target, TEXTS), mesh_target(), terrain_target()]
