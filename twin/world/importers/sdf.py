"""SDF worlds and models (sdformat.org) with includes; our own parser, since a physics engine's may abort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers import shapes
from twin.world.importers.content import Content, Mesh, Tally
from twin.world.importers.files import read_xml, root_tag, within
from twin.world.importers.meshes import MeshPiece, radio_material
from twin.world.importers.models import Library, simple_shape
from twin.world.importers.sdf_frames import Placed, Scope
from twin.world.importers.sdf_world import States, spherical_coordinates, turned

MAX_DEPTH = 16
"""Models inside each other; more of them include themselves."""
MAX_MODELS, MAX_SHAPES = 10_000, 100_000
"""Of a whole import, includes of includes counted each time."""
_BUILTIN = {"sun": "light", "ground_plane": "plane"}
"""What Gazebo brings itself, so that worlds name it without a file."""
_NOT_BUILT = (
    "gui", "physics", "scene", "plugin", "audio", "state", "spherical_coordinates", "name", "uri", "pose", "static",
    "link", "joint", "frame", "model", "include", "self_collide", "allow_auto_disable", "enable_wind", "gripper",
    "model_state", "world", "placement_frame", "magnetic_field", "gravity",
)  # fmt: skip
"""Elements that are taken, or that say nothing about what stands where; others are counted."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like SDF."""
    return root_tag(head) == "sdf"


def read(path: Path, visual: bool = False) -> Content:
    """Read a world or a model: its collision shapes, or what is to be seen.

    Raises:
        WorldError: a file is missing or can't be read, or a pose is not understood.
    """
    source = Content("SDF", None, Tally())
    reader = _Reader(source, Library(path), "visual" if visual else "collision")
    root = read_xml(path, source.tally)
    for container in (*root.findall("world"), root):
        reader.world(container, path)
    return source


class _Model(NamedTuple):
    """A model where it is used."""

    name: str
    element: Element
    file: Path
    scope: Scope
    models: list[_Model]


@dataclass(slots=True)
class _Reader:
    """Walks through models and collects their meshes under the names of the outermost ones."""

    source: Content
    library: Library
    kind: str
    _models: int = 0
    _shapes: int = 0
    _names: dict[str, int] = field(default_factory=dict)

    def world(self, container: Element, file: Path) -> None:
        states = States.of(container)
        scope = Scope(file)
        models = self.collect(container, scope, 0)
        for element in states.inserted:
            if element.tag == "model":
                models.append(self.placed(element, scope, 0))
        frame = np.eye(4)
        for element in container.findall("spherical_coordinates"):
            self.source.place, heading = spherical_coordinates(element, file)
            frame = turned(heading)
        for model in models:
            if model.name in states.deleted:
                self.source.tally.skipped["model that the world's <state> deletes"] += 1
                continue
            if (said := states.poses.get(model.name)) is None:
                at = scope.placed(scope.items[model.name], model.name)
            else:
                at = scope.pose(said, model.name, None)
            self.model(model, frame @ at, self.name(model.name))
        self.source.tally.repaired.update(states.counted)

    def collect(self, container: Element, scope: Scope, depth: int) -> list[_Model]:
        """Enter all that a world or model holds into its scope; return the models among it."""
        if depth > MAX_DEPTH:
            raise WorldError(f"{scope.file}: more than {MAX_DEPTH} models or includes inside each other")
        models = []
        for element in container:
            name, pose = element.get("name", ""), element.find("pose")
            if element.tag in ("link", "frame", "joint"):
                base = {"frame": element.get("attached_to"), "joint": element.findtext("child")}.get(element.tag)
                scope.add(name, Placed(pose, base and base.strip()))
            elif element.tag == "model":
                models.append(self.placed(element, scope, depth))
            elif element.tag == "include":
                models += self.include(element, scope, depth)
            elif element.tag not in _NOT_BUILT:
                self.source.tally.skipped[f"<{element.tag[:40]}>"] += 1
        return models

    def placed(self, element: Element, scope: Scope, depth: int) -> _Model:
        """Enter a model into the scope that it stands in."""
        return self.enter(element, scope, scope.file, depth, element.get("name") or "model", element)

    def include(self, element: Element, scope: Scope, depth: int) -> Iterator[_Model]:
        file = scope.file
        uri = element.findtext("uri")
        if uri is None:
            raise WorldError(f"{file}: an <include> without <uri>")
        builtin = _BUILTIN.get(uri.strip().rstrip("/").rpartition("/")[2].lower().replace(" ", "_"))
        if builtin and not self.library.has(uri, file):
            if builtin == "plane":
                self.source.ground = float(scope.pose(element.find("pose"), uri, None)[2, 3])
            else:
                self.source.tally.skipped[f"<{builtin}>"] += 1
            return
        found = self.library.find(uri, file)
        found = _model_file(found, self.library) if found.is_dir() else found
        root = self.library.xml(found)
        model = root.find("model")
        if model is None:
            others = [child.tag for child in root if child.tag in ("light", "actor")]
            if not others:
                raise WorldError(f"{found}: holds no <model>")
            self.source.tally.skipped[f"<{others[0]}>"] += 1
            return
        # The pose of the include replaces that of the model (SDF specification, <include>).
        said = element if element.find("pose") is not None else model
        name = element.findtext("name") or model.get("name") or found.parent.name
        entered = self.enter(model, scope, found, depth, name.strip(), said, element.findtext("placement_frame"))
        if element.get("merge", "false").strip() in ("1", "true"):
            for inside in entered.scope.items:
                scope.add(inside, Placed(None, f"{entered.name}::{inside}"))
        yield entered

    def enter(
        self, model: Element, scope: Scope, file: Path, depth: int, name: str, said: Element,
        placement: str | None = None,
    ) -> _Model:  # fmt: skip
        """Enter a model of a file into a scope, under a name that no other there has; `said` holds its pose."""
        self._models += 1
        if self._models > MAX_MODELS:
            raise WorldError(f"{file}: more than {MAX_MODELS} models, includes of includes counted; allowed: that many")
        unique, count = name, 0
        while unique in scope.items:
            count += 1
            unique = f"{name}_{count}"
        inner = Scope(file)
        placement = placement or model.get("placement_frame")
        scope.add(unique, Placed(said.find("pose"), None, inner, placement and placement.strip()))
        return _Model(unique, model, file, inner, self.collect(model, inner, depth + 1))

    def model(self, model: _Model, pose: F64, owner: str) -> None:
        element, scope = model.element, model.scope
        if element.find("link") is not None and element.findtext("static", "false").strip() not in ("1", "true"):
            self.source.tally.assumed["model that could move taken as fixed"] += 1
        for link in element.findall("link"):
            at = pose @ scope.pose(link.find("pose"), link.get("name") or "link", None)
            for shape in link.findall(self.kind):
                self.shape(shape, self.within_link(shape, link, pose, at, scope), model.file, owner)
        for inner in model.models:
            self.model(inner, pose @ scope.placed(scope.items[inner.name], inner.name), owner)

    def within_link(self, shape: Element, link: Element, model: F64, at: F64, scope: Scope) -> F64:
        """Return the pose of a shape: relative to its link, or to a frame of the model that it names."""
        pose = shape.find("pose")
        if pose is not None and (pose.get("relative_to") or pose.get("frame")) not in (None, "", link.get("name")):
            result: F64 = model @ scope.pose(pose, shape.get("name") or shape.tag, None)
            return result
        own = Scope(scope.file)
        own.add(link.get("name", ""), Placed(None))
        relative: F64 = at @ own.pose(pose, shape.get("name") or shape.tag, None)
        return relative

    def shape(self, shape: Element, pose: F64, file: Path, owner: str) -> None:
        place = f"{file}: {owner}: {self.kind} {shape.get('name', '')}"
        hint = shape.findtext("material/script/name")
        for element in shape.findall("geometry/*"):
            if (simple := simple_shape(element, place)) is not None:
                self.add(simple.vertices, MeshPiece("", simple.vertices, simple.triangles, None), pose, owner, hint)
            elif element.tag == "mesh":
                self.mesh(element, pose, file, owner, hint, place)
            elif element.tag == "plane":
                self.source.ground = float(pose[2, 3])
            elif element.tag != "empty":
                self.source.tally.skipped[f"geometry <{element.tag[:40]}>"] += 1

    def mesh(self, element: Element, pose: F64, file: Path, owner: str, hint: str | None, place: str) -> None:
        uri = element.findtext("uri")
        if uri is None:
            raise WorldError(f"{place}: a <mesh> without <uri>")
        scale = shapes.numbers(element.findtext("scale"), 3, 1.0, place)
        wanted = (element.findtext("submesh/name") or "").strip()
        centred = element.findtext("submesh/center", "false").strip() in ("1", "true")
        parts = [part for part in self.library.parts(uri, file) if not wanted or wanted == part.name]
        if not parts:
            self.source.tally.skipped["<submesh> that its mesh doesn't have"] += 1
        for part in parts:
            vertices = part.vertices
            if wanted and centred and len(vertices):
                vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
            self.add(vertices * scale, part, pose, owner, hint)

    def add(self, vertices: F64, part: MeshPiece, pose: F64, owner: str, hint: str | None) -> None:
        self._shapes += 1
        if self._shapes > MAX_SHAPES:
            raise WorldError(f"{owner}: more than {MAX_SHAPES} shapes in all; allowed: that many")
        material = radio_material(self.source.tally, hint, part.material, part.name)
        self.source.meshes.append(Mesh(owner, shapes.moved(pose, vertices), part.triangles, material))

    def name(self, wanted: str) -> str:
        """Return a name that no other model has."""
        count = self._names[wanted] = self._names.get(wanted, -1) + 1
        self.source.tally.found += 1
        return f"{wanted}_{count}" if count else wanted


def _model_file(folder: Path, library: Library) -> Path:
    """Return the SDF file of a model's folder, by model.config where it isn't model.sdf."""
    if (folder / "model.sdf").is_file():
        return folder / "model.sdf"
    config = folder / "model.config"
    if not config.is_file():
        raise WorldError(f"{folder}: holds neither model.sdf nor model.config")
    name = library.xml(config).findtext("sdf")
    if name is None:
        raise WorldError(f"{config}: names no <sdf> file")
    return within(folder, name.strip(), config)
