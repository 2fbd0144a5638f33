"""Static geometry: planar faces cut into triangles, one source for rays and for physics."""

from __future__ import annotations

import hashlib
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from twin.errors import WorldError
from twin.state import F64, I32, Bool

GROUND = -1
"""Stands in `face_object` for a face that belongs to no building or thing."""

_LIMIT = 1 << 30
"""Largest array, in bytes, that is read from a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Planar faces in world ENU metres; V vertices, T triangles, F faces.

    A face is planar, its triangles wind counter-clockwise seen from outside; its plane: normal . x = offset.
    """

    vertices: F64  # (V, 3) m
    triangles: I32  # (T, 3) vertex indices
    triangle_face: I32  # (T,) face of each triangle
    face_normal: F64  # (F, 3) unit, outward
    face_offset: F64  # (F,) m
    face_material: I32  # (F,) index into materials
    face_object: I32  # (F,) building or thing that the face belongs to; -1 for the ground
    materials: tuple[str, ...]  # (M,) names: concrete, glass, ...; one name twice in two thicknesses
    thickness: F64  # (M,) m of the slab that a face of the material is; inf: it fills all behind the face
    objects: tuple[str, ...]  # (O,) names of buildings and things
    tags: tuple[str, ...]  # what the source says of objects, each once: "building=church"
    object_tags: I32  # (n, 2) index into objects, index into tags

    def bounds(self) -> tuple[F64, F64]:
        """Return the lowest and the highest corner of the bounding box, each (3,) m."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)

    def digest(self) -> str:
        """Return a digest of all that the geometry holds."""
        digest = hashlib.sha256()
        for name, array in _arrays(self).items():
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]


@contextmanager
def atomic(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` that takes its place at the end, or vanishes on an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        with temporary.open(mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def removed_on_error(*paths: Path) -> Iterator[None]:
    """Remove, in this order, those files and empty folders that weren't there before, should the block fail."""
    new = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            if not path.is_dir():
                path.unlink(missing_ok=True)
            elif not any(path.iterdir()):
                path.rmdir()
        raise


def save_geometry(geometry: Geometry, path: Path) -> None:
    """Write a geometry as npz, the same bytes for the same geometry."""
    with atomic(path, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **_arrays(geometry))


def load_geometry(path: Path) -> Geometry:
    """Read a geometry written by `save_geometry`.

    Raises:
        WorldError: not such a file, an array is missing, or larger than it says, or an index leads nowhere.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {field.name: _member(archive, field.name) for field in fields(Geometry)}
    except _UNREADABLE as error:
        raise WorldError(f"{path}: not a readable geometry file: {error}") from error
    for name, array in arrays.items():
        if name not in _TEXTS:
            if array.dtype.kind in "iu" and array.size and not (-1 <= array.min() and array.max() < 2**31):
                raise WorldError(f"{path}: {name}: holds {array.min()}..{array.max()}; allowed: indices")
            arrays[name] = array.astype(np.float64 if name in _FLOATS else np.int32, copy=False)
    materials, objects, tags = (tuple(map(str, arrays.pop(name))) for name in _TEXTS)
    return checked(Geometry(**arrays, materials=materials, objects=objects, tags=tags), str(path))


def checked(geometry: Geometry, place: str) -> Geometry:
    """Return the geometry if its parts fit together.

    Raises:
        WorldError: a shape, an index or a number is wrong.
    """
    g, n_vertices, n_triangles = geometry, len(geometry.vertices), len(geometry.triangles)
    n_faces, n_materials = len(geometry.face_normal), len(geometry.materials)
    shapes = {"vertices": (n_vertices, 3), "triangles": (n_triangles, 3), "triangle_face": (n_triangles,),
              "face_normal": (n_faces, 3), "face_offset": (n_faces,), "face_material": (n_faces,),
              "face_object": (n_faces,), "thickness": (n_materials,),
              "object_tags": (len(g.object_tags), 2)}  # fmt: skip
    ranges = {"triangles": (0, n_vertices), "triangle_face": (0, n_faces),
              "face_material": (0, n_materials), "face_object": (GROUND, len(g.objects)),
              "object_tags": (0, max(len(g.objects), len(g.tags)))}  # fmt: skip
    for name, shape in shapes.items():
        array = getattr(g, name)
        if array.shape != shape:
            raise WorldError(f"{place}: {name}: found shape {array.shape}, expected {shape}")
        if array.dtype.kind == "f" and name != "thickness" and not np.isfinite(array).all():
            raise WorldError(f"{place}: {name}: holds a number that is not finite")
        low, high = ranges.get(name, (0, 0))
        if name in ranges and array.size and not (low <= array.min() and array.max() < high):
            raise WorldError(f"{place}: {name}: found {array.min()}..{array.max()}, allowed {low}..{high - 1}")
    if n_vertices and not (reach := float(np.abs(g.vertices).max())) <= MAX_REACH:
        raise WorldError(f"{place}: vertices: found {reach:g} m; allowed: within {MAX_REACH:g} m of the origin")
    if not (g.thickness > 0).all():
        raise WorldError(f"{place}: thickness: found {g.thickness.min()} m; allowed: greater than 0")
    if g.object_tags.size and not (g.object_tags < (len(g.objects), len(g.tags))).all():
        raise WorldError(f"{place}: object_tags: holds an index that leads nowhere")
    if not n_triangles:
        raise WorldError(f"{place}: holds no triangle")
    return geometry


def with_faces(geometry: Geometry, keep: Bool) -> Geometry:
    """Return the geometry with only the faces that `keep` (F,) names; vertices, materials and objects stay."""
    kept = keep[geometry.triangle_face]
    number = np.cumsum(keep, dtype=np.int32) - 1
    return replace(
        geometry,
        triangles=geometry.triangles[kept],
        triangle_face=number[geometry.triangle_face[kept]],
        face_normal=geometry.face_normal[keep],
        face_offset=geometry.face_offset[keep],
        face_material=geometry.face_material[keep],
        face_object=geometry.face_object[keep],
    )


def lifted(geometry: Geometry, faces: Bool, rise: float) -> Geometry:
    """Return the geometry with those `faces` (F,) `rise` metres higher; the others keep their places."""
    moved = faces[geometry.triangle_face]
    used, index = np.unique(geometry.triangles[moved], return_inverse=True)
    triangles = geometry.triangles.copy()
    triangles[moved] = len(geometry.vertices) + index.reshape(-1, 3)
    return replace(
        geometry,
        vertices=np.concatenate([geometry.vertices, geometry.vertices[used] + np.array([0.0, 0.0, rise])]),
        triangles=triangles,
        face_offset=geometry.face_offset + np.where(faces, geometry.face_normal[:, 2] * rise, 0.0),
    )


def write_obj(geometry: Geometry, path: Path) -> None:
    """Write all triangles as one Wavefront OBJ, for a physics engine."""
    with atomic(path) as file:
        file.writelines("v {:.6f} {:.6f} {:.6f}\n".format(*vertex) for vertex in geometry.vertices.tolist())
        file.writelines("f {} {} {}\n".format(*triangle) for triangle in (geometry.triangles + 1).tolist())


def _arrays(geometry: Geometry) -> dict[str, NDArray[Any]]:
    return {field.name: np.asarray(getattr(geometry, field.name)) for field in fields(Geometry)}


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array; its header must claim no more than the file holds, and that no more than the limit."""
    info = archive.getinfo(f"{name}.npy")
    kind = "U" if name in _TEXTS else "f" if name in _FLOATS else "i"
    with archive.open(info) as file:
        npy.read_magic(file)
        shape, _, dtype = npy.read_array_header_1_0(file)
        if not shape:
            raise ValueError(f"{name} is a single value")
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if size > _LIMIT or size + file.tell() != info.file_size:
            raise ValueError(f"{name} claims {size} bytes, the file holds {info.file_size}")
        if dtype.kind != kind and size:
            raise ValueError(f"{name} holds {dtype}")
    with archive.open(info) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array


_UNREADABLE = (
    OSError, KeyError, ValueError, EOFError, RuntimeError, SyntaxError, TypeError, ArithmeticError, struct.error,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile and NumPy raise on broken archives: an unsupported compression is a RuntimeError."""
MAX_REACH = 200_000.0
"""Metres; no site reaches as far from its origin."""
_FLOATS = ("vertices", "face_normal", "face_offset", "thickness")
_TEXTS = ("materials", "objects", "tags")
