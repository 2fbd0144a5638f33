"""SDF worlds and models (sdformat.org) with includes; our own parser, since a physics engine's may abort."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers import shapes
from twin.world.importers.files import read_xml, root_tag, within
from twin.world.importers.meshes import Part, radio_material
from twin.world.importers.models import Library, simple_shape
from twin.world.importers.source import Mesh, Source, Tally

MAX_DEPTH = 16
"""Includes inside includes; deeper ones include themselves."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like SDF."""
    return root_tag(head) == "sdf"


def read(path: Path, visual: bool = False) -> Source:
    """Read a world or a model: its collision shapes, or what is to be seen.

    Raises:
        WorldError: a file is missing or can't be read, or a pose is not understood.
    """
    reader = _Reader(Source("SDF", None, Tally()), Library(path), "visual" if visual else "collision")
    root = read_xml(path)
    for child in (*root.findall("world"), root):
        for element in child:
            reader.element(element, np.eye(4), path, None, 0)
    return reader.source


@dataclass(slots=True)
class _Reader:
    """Walks through models and collects their meshes under the names of the outermost ones."""

    source: Source
    library: Library
    kind: str
    _names: dict[str, int] = field(default_factory=dict)

    def element(self, element: Element, parent: F64, file: Path, owner: str | None, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise WorldError(f"{file}: more than {MAX_DEPTH} includes inside each other")
        if element.tag == "include":
            self.include(element, parent, file, owner, depth)
        elif element.tag == "model":
            self.model(element, parent @ _pose(element, file), file, owner, depth)
        elif element.tag in ("actor", "population", "road"):
            self.source.tally.skipped[f"<{element.tag}>"] += 1

    def include(self, element: Element, parent: F64, file: Path, owner: str | None, depth: int) -> None:
        uri = element.findtext("uri")
        if uri is None:
            raise WorldError(f"{file}: an <include> without <uri>")
        found = self.library.find(uri, file)
        found = _model_file(found) if found.is_dir() else found
        model = read_xml(found).find("model")
        if model is None:
            raise WorldError(f"{found}: holds no <model>")
        # The pose of the include replaces that of the model (SDF specification, <include>).
        placed = element if element.find("pose") is not None else model
        name = owner or self.name(element.findtext("name") or model.get("name") or found.parent.name)
        self.model(model, parent @ _pose(placed, file), found, name, depth)

    def model(self, model: Element, pose: F64, file: Path, owner: str | None, depth: int) -> None:
        owner = owner or self.name(model.get("name") or "model")
        if model.find("link") is not None and model.findtext("static", "false").strip() not in ("1", "true"):
            self.source.tally.assumed["model that could move taken as fixed"] += 1
        for link in model.findall("link"):
            at = pose @ _pose(link, file)
            for shape in link.findall(self.kind):
                self.shape(shape, at @ _pose(shape, file), file, owner)
        for child in model:
            self.element(child, pose, file, owner, depth + 1)

    def shape(self, shape: Element, pose: F64, file: Path, owner: str) -> None:
        place = f"{file}: {owner}: {self.kind} {shape.get('name', '')}"
        hint = shape.findtext("material/script/name")
        for element in shape.findall("geometry/*"):
            if (simple := simple_shape(element, place)) is not None:
                self.add(simple.vertices, Part("", simple.vertices, simple.triangles, None), pose, owner, hint)
            elif element.tag == "mesh":
                uri = element.findtext("uri")
                if uri is None:
                    raise WorldError(f"{place}: a <mesh> without <uri>")
                scale = shapes.numbers(element.findtext("scale"), 3, 1.0, place)
                wanted = element.findtext("submesh/name")
                for part in self.library.parts(uri, file):
                    if wanted is None or wanted.strip() == part.name:
                        self.add(part.vertices * scale, part, pose, owner, hint)
            elif element.tag == "plane":
                self.source.ground = float(pose[2, 3])
            else:
                self.source.tally.skipped[f"geometry <{element.tag}>"] += 1

    def add(self, vertices: F64, part: Part, pose: F64, owner: str, hint: str | None) -> None:
        material = radio_material(self.source.tally, hint, part.material, part.name)
        self.source.meshes.append(Mesh(owner, shapes.moved(pose, vertices), part.triangles, material))

    def name(self, wanted: str) -> str:
        """Return a name that no other model has."""
        count = self._names[wanted] = self._names.get(wanted, -1) + 1
        self.source.tally.found += 1
        return f"{wanted}_{count}" if count else wanted


def _pose(element: Element, file: Path) -> F64:
    pose = element.find("pose")
    if pose is None:
        return np.eye(4)
    place = f"{file}: pose of {element.get('name') or element.tag}"
    frame = pose.get("relative_to") or pose.get("frame")
    if frame not in (None, "", "world", "__model__"):
        raise WorldError(f"{place}: relative to {frame!r}; allowed: the model or link that it stands in")
    if pose.get("rotation_format", "euler_rpy") != "euler_rpy":
        raise WorldError(f"{place}: found rotation_format {pose.get('rotation_format')!r}; allowed: euler_rpy")
    values = shapes.numbers(pose.text, 6, 0.0, place)
    degrees = pose.get("degrees", "false").strip() in ("1", "true")
    return shapes.pose(values[:3], np.radians(values[3:]) if degrees else values[3:])


def _model_file(folder: Path) -> Path:
    """Return the SDF file of a model's folder, by model.config where it isn't model.sdf."""
    if (folder / "model.sdf").is_file():
        return folder / "model.sdf"
    config = folder / "model.config"
    if not config.is_file():
        raise WorldError(f"{folder}: holds neither model.sdf nor model.config")
    name = read_xml(config).findtext("sdf")
    if name is None:
        raise WorldError(f"{config}: names no <sdf> file")
    return within(folder, name.strip(), config)
