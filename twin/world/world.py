"""A world: a folder with a world.toml, and the static geometry that it stands for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from twin.errors import LONGEST_NAME, WorldError, brief, is_name
from twin.numerics.kernels import cache_home
from twin.specs import Spec
from twin.specs.environment import EnvironmentSpec
from twin.state import F64
from twin.units import Metres
from twin.world.bvh import MISS, Bvh, build_bvh, closest_hits, heights_below
from twin.world.environment import Environment, changed
from twin.world.geometry import (
    GROUND,
    Geometry,
    atomic,
    removed_on_error,
    save_geometry,
    with_faces,
    write_obj,
)
from twin.world.georeference import GeoReference
from twin.world.materials import WATERS
from twin.world.rules import MaterialRule

GEOMETRY, COLLISION = "geometry.npz", "collision.obj"


def _name(text: str) -> str:
    if not is_name(text):
        allowed = f"up to {LONGEST_NAME} letters without / and \\, none of control"
        raise ValueError(f"found {brief(text)}; allowed: {allowed}")
    return text


Name = Annotated[str, AfterValidator(_name)]


class OriginSpec(Spec):
    """Where local coordinates begin."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    height: Metres = 0.0
    datum: Literal["WGS84"] = "WGS84"


class WorldSpec(Spec):
    """A world folder's world.toml."""

    schema_: Literal[1] = Field(alias="schema")
    name: Name
    description: str = ""
    source: str = GEOMETRY
    parameters: dict[str, Any] = {}
    origin: OriginSpec | None = None
    materials: tuple[MaterialRule, ...] = ()
    environment: EnvironmentSpec = EnvironmentSpec()
    provenance: dict[str, str | int | float] = {}


class World:
    """Static geometry with its place on the earth (None: local metres) and what is derived from it."""

    def __init__(
        self, name: str, geometry: Geometry, georeference: GeoReference | None, folder: Path | None = None,
        derived: Path | None = None, spec: WorldSpec | None = None,
    ) -> None:  # fmt: skip
        self.name, self.geometry, self.georeference = name, geometry, georeference
        self.folder = folder
        self.description = spec.description if spec else ""
        self.provenance = spec.provenance if spec else {}
        self._environment = spec.environment if spec else EnvironmentSpec()
        self._derived = derived

    @cached_property
    def digest(self) -> str:
        """Digest of geometry and place."""
        text = f"{self.geometry.digest()} {self.georeference}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def bvh(self) -> Bvh:
        """Hierarchy for rays; its triangles are those of the geometry."""
        return build_bvh(self.geometry.vertices, self.geometry.triangles)

    @cached_property
    def solid(self) -> Geometry:
        """All faces that stop a body: water does not."""
        water = np.array([name in WATERS for name in self.geometry.materials])
        wet = water[self.geometry.face_material]
        return with_faces(self.geometry, ~wet) if wet.any() else self.geometry

    def environment(self, seed: int, spec: EnvironmentSpec | None = None) -> Environment:
        """Return weather, wind and sea by world.toml, or by `spec` where it states a value; files lie in its folder.

        Raises:
            WorldError: a time series can't be used.
        """
        mine = self._environment
        return Environment(mine if spec is None else changed(mine, spec), self.folder or Path.cwd(), seed)

    def collision_obj(self) -> Path:
        """Return an OBJ file of all solid triangles, ground included, for the physics; written at first use."""
        path = (self._derived or cache_folder(self.digest)) / COLLISION
        if not path.is_file():
            write_obj(self.solid, path)
        return path

    def inside(self, points: F64) -> list[str | None]:
        """Return the name of what each point (n, 3) m is inside of ("ground" below it); None in the open."""
        origins = np.ascontiguousarray(points, dtype=np.float64)
        upwards = np.tile([0.0, 0.0, 1.0], (len(origins), 1))
        triangle, _ = closest_hits(self.solid_bvh, origins, upwards, 0.0, np.inf)
        face = np.where(triangle == MISS, MISS, self.solid.triangle_face[triangle])
        leaves = (face != MISS) & (self.solid.face_normal[face, 2] > 0)
        return [self._owner(f) if out else None for f, out in zip(face, leaves, strict=True)]

    def height_below(self, points: F64) -> F64:
        """Return z [m] of the surface, also of water, below each point (n, 3) m; nan where there is none."""
        return heights_below(self.bvh, np.ascontiguousarray(points, dtype=np.float64))

    @cached_property
    def solid_bvh(self) -> Bvh:
        """The hierarchy of all solid triangles, ground included."""
        same = self.solid is self.geometry
        return self.bvh if same else build_bvh(self.solid.vertices, self.solid.triangles)

    def _owner(self, face: int) -> str:
        owner = self.solid.face_object[face]
        return "ground" if owner == GROUND else self.geometry.objects[owner]


def save_world(
    world: World, folder: Path, provenance: Mapping[str, str | int | float] = {}, texts: Mapping[str, str] = {}
) -> None:
    """Write geometry.npz, collision.obj, `texts` by file name, and world.toml; nothing stays when one fails.

    Raises:
        WorldError: the folder holds a world already, or can't be written.
    """
    if (folder / "world.toml").exists():
        raise WorldError(f"{folder}: there is a world already; give another folder")
    texts = {**texts, "world.toml": _toml(world, provenance)}  # last, so that a folder with it is whole
    files = [folder / name for name in (GEOMETRY, COLLISION, *texts)]
    try:
        with removed_on_error(*files, folder, *folder.parents):
            save_geometry(world.geometry, folder / GEOMETRY)
            write_obj(world.solid, folder / COLLISION)
            for name, text in texts.items():
                with atomic(folder / name) as file:
                    file.write(text)
    except OSError as error:
        raise WorldError(f"{folder}: can't be written: {error.strerror or error}") from error


def _toml(world: World, provenance: Mapping[str, str | int | float]) -> str:
    def table(name: str, entries: Mapping[str, str | int | float]) -> Sequence[str]:
        return ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in entries.items())]

    lines = ["schema = 1", f"name = {json.dumps(world.name)}", f'source = "{GEOMETRY}"']
    if (place := world.georeference) is not None:
        lines += table("origin", {"longitude": place.longitude, "latitude": place.latitude, "height": place.height})
    if provenance:
        lines += table("provenance", provenance)
    return "\n".join(lines) + "\n"


def cache_folder(name: str) -> Path:
    """Return where what is built for a world is kept."""
    return cache_home() / "worlds" / name
