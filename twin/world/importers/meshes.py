"""OBJ, STL, PLY, glTF and COLLADA files by trimesh, in metres with z up; what trimesh leaves to us is done here.

That is: claimed sizes are refused before anything is allocated, files that a mesh refers to stay in its folder,
the unit and the up axis of COLLADA and the y-up axes of glTF are turned into ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import WorldError
from twin.state import F64, I64
from twin.world.importers.content import Content, Mesh, Tally
from twin.world.importers.files import check_size, read_bytes, read_xml, root_tag, within
from twin.world.importers.names import DEFAULT, material_of

SUFFIXES = (".obj", ".stl", ".ply", ".gltf", ".glb", ".dae")
_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_X_UP = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
_UP = {"X_UP": _X_UP, "Y_UP": _Y_UP, "Z_UP": np.eye(3)}
_OBJ = re.compile(rb"^(v|vn|vt|mtllib|usemtl|o|g)[ \t]", re.MULTILINE)
_CHOICES: dict[str, dict[str, Any]] = {"obj": {"split_objects": True}}
_GROUND = re.compile(r"(^|[-_ ])(ground|floor|terrain|plane)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MeshPiece:
    """A piece of a mesh file: metres, z up."""

    name: str
    vertices: F64  # (V, 3) m
    triangles: I64  # (T, 3)
    material: str | None  # as the file calls it


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is a mesh in one of the formats."""
    return _kind(path, head) is not None


def read(path: Path, visual: bool = False) -> Content:
    """Read a mesh file: each of its pieces becomes a thing; local metres without a place on the earth."""
    source = Content(f"mesh ({_kind(path, _head(path))})", None, Tally())
    names = set()
    for part in load_parts(path):
        names.add(part.name)
        material = radio_material(source.tally, part.material, part.name)
        name = None if is_ground(part.name) else part.name
        source.meshes.append(Mesh(name, part.vertices, part.triangles, material))
    source.tally.found = len(names)
    source.tally.used = sum(map(is_ground, names))
    return source


def is_ground(name: str) -> bool:
    """Tell whether a piece of this name is the ground, not a thing on it."""
    return bool(_GROUND.search(name))


def radio_material(tally: Tally, *names: str | None) -> str:
    """Return the material that the first telling name stands for, else the default, which is counted."""
    material = material_of(*names)
    if material is None:
        tally.assumed[f"{DEFAULT} for materials of other names"] += 1
    return material or DEFAULT


def load_parts(path: Path) -> list[MeshPiece]:
    """Read all pieces of a mesh file.

    Raises:
        WorldError: it can't be read, claims more than it holds, has no triangle or a number that isn't finite.
    """
    check_size(path)
    kind = _kind(path, _head(path))
    if kind is None:
        raise WorldError(f"{path}: not a mesh; known: {', '.join(SUFFIXES)}")
    data = read_bytes(path)
    turn, unit = _axes(path, kind)
    _check_claims(path, kind, data)
    parts = []
    for name, mesh, pose in _load(path, kind, data):
        vertices, triangles = np.asarray(mesh.vertices, dtype=float), np.asarray(mesh.faces, dtype=np.int64)
        _check(path, vertices, triangles)
        vertices = vertices @ pose[:3, :3].T + pose[:3, 3]
        if np.linalg.det(pose[:3, :3]) < 0:
            triangles = triangles[:, ::-1]
        material = getattr(getattr(mesh.visual, "material", None), "name", None)
        name = name.removesuffix(f"_{material}") if kind == "obj" else name
        parts.append(MeshPiece(name, vertices @ turn.T * unit, triangles, material))
    if not any(len(part.triangles) for part in parts):
        raise WorldError(f"{path}: holds no triangle")
    return parts


def _load(path: Path, kind: str, data: bytes) -> list[tuple[str, Any, F64]]:
    """Return name, mesh and pose (4, 4) of every piece that is placed in the file's scene."""
    import trimesh

    class Beside:
        def __getitem__(self, name: str) -> bytes:
            if kind == "obj":
                return materials
            file = within(path.parent, name, path)
            if file.suffix.lower() != ".bin":
                raise ValueError(f"{name} is not needed")
            check_size(file)
            return read_bytes(file)

        get = __getitem__

    resolver: Any = Beside()
    if kind == "obj":
        data, materials = _with_named_materials(data)
    try:
        loaded = trimesh.load_scene(
            BytesIO(data), file_type=kind, resolver=resolver, process=False, **_CHOICES.get(kind, {})
        )
        pieces = []
        for node in loaded.graph.nodes_geometry:
            pose, geometry = loaded.graph[node]
            mesh = loaded.geometry[geometry]
            if hasattr(mesh, "faces"):
                name = path.stem if len(loaded.geometry) == 1 and kind != "obj" else str(geometry)
                pieces.append((name, mesh, np.asarray(pose)))
    except WorldError:
        raise
    except Exception as error:  # the readers of foreign formats raise whatever their parsing trips over
        raise WorldError(f"{path}: can't be read as {kind}: {type(error).__name__}: {error}") from error
    return pieces


def _with_named_materials(data: bytes) -> tuple[bytes, bytes]:
    """Return an OBJ file's text and a library of all materials that it names, as trimesh forgets others' names."""
    names: dict[bytes, None] = {}

    def named(line: re.Match[bytes]) -> bytes:
        name = line[1].strip()
        if name:
            names[name] = None
        return b"usemtl " + name

    data = re.sub(rb"^usemtl[ \t]([^\r\n]*)", named, data, flags=re.MULTILINE)
    text = b"mtllib materials\n" + re.sub(rb"^mtllib[^\n]*", b"", data, flags=re.MULTILINE)
    return text, b"\n".join(b"newmtl " + name for name in names)


def _check(path: Path, vertices: F64, triangles: I64) -> None:
    if vertices.shape[1:] != (3,) or triangles.shape[1:] != (3,):
        raise WorldError(f"{path}: found corners {vertices.shape} and triangles {triangles.shape}; allowed: threes")
    if not np.isfinite(vertices).all():
        raise WorldError(f"{path}: holds a coordinate that is not a finite number")
    if triangles.size and not (triangles.min() >= 0 and triangles.max() < len(vertices)):
        raise WorldError(f"{path}: a triangle refers to corner {triangles.max()} of {len(vertices)}")


def _kind(path: Path, head: bytes) -> str | None:
    """Return the format by content; binary STL has no mark, so there the suffix decides."""
    suffix = path.suffix.lower()
    if head[:4] in (b"ply\n", b"ply\r"):
        return "ply"
    if head[:4] == b"glTF":
        return "glb"
    if root_tag(head) == "COLLADA":
        return "dae"
    if head.lstrip()[:1] == b"{" and (suffix == ".gltf" or re.search(rb'"(accessors|bufferViews)"\s*:', head)):
        return "gltf"
    if suffix == ".stl" or (head[:5] == b"solid" and b"facet" in head):
        return "stl"
    return "obj" if _OBJ.search(head) and b"\0" not in head else None


def _head(path: Path) -> bytes:
    return read_bytes(path, 4096)


def _axes(path: Path, kind: str) -> tuple[F64, float]:
    """Return the rotation (3, 3) to z up and the length of the file's unit in metres."""
    if kind in ("gltf", "glb"):
        return _Y_UP, 1.0
    if kind != "dae":
        return np.eye(3), 1.0
    asset = read_xml(path).find("{*}asset")
    unit = asset.find("{*}unit") if asset is not None else None
    up = (asset.findtext("{*}up_axis") if asset is not None else None) or "Y_UP"
    try:
        metre = float(unit.get("meter", "1")) if unit is not None else 1.0
        if not 0 < metre < np.inf:
            raise ValueError(f"unit of {metre} m")
        return _UP[up.strip()], metre
    except (ValueError, KeyError) as error:
        raise WorldError(f"{path}: asset: found {error}; allowed: up_axis {', '.join(_UP)}, unit > 0 m") from error


def _check_claims(path: Path, kind: str, data: bytes) -> None:
    """Refuse counts that the file's size can't hold, before a reader allocates for them."""
    claims: list[int] = []
    if kind == "ply":
        header = data[: max(data.find(b"end_header", 0, 1 << 20), 0)]
        claims = [int(count) for count in re.findall(rb"^element[ \t]+\S+[ \t]+(\d{1,18})", header, re.MULTILINE)]
    elif kind == "stl" and not (data[:5] == b"solid" and b"facet" in data[:4096]):
        claims = [50 * int.from_bytes(data[80:84], "little")]
    elif kind in ("gltf", "glb"):
        claims = _gltf_claims(path, data)
    if claims and max(claims) > len(data):
        raise WorldError(f"{path}: claims {max(claims)} elements or bytes; it holds only {len(data)} bytes")


def _gltf_claims(path: Path, data: bytes) -> list[int]:
    text = data[20 : 20 + int.from_bytes(data[12:16], "little")] if data[:4] == b"glTF" else data
    try:
        document = json.loads(text)
        accessors = document.get("accessors", [])
        empty = [int(accessor["count"]) for accessor in accessors if "bufferView" not in accessor]
        return [*empty, *(int(accessor.get("sparse", {}).get("count", 0)) for accessor in accessors)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WorldError(f"{path}: not valid glTF: {error!r}") from error
