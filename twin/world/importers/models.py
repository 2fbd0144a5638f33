"""Where robot models (SDF, URDF) keep their meshes, and their geometry elements as triangles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.world.importers import shapes
from twin.world.importers.files import read_xml, within
from twin.world.importers.meshes import MeshPiece, load_parts

SEARCH_VARIABLES = ("GZ_SIM_RESOURCE_PATH", "GAZEBO_MODEL_PATH", "ROS_PACKAGE_PATH")
"""Environment variables with further folders of models, as the simulators use them."""


PACKAGED = ("urdf", "sdf", "xacro", "robots", "worlds", "models")
"""Names of folders that are parts of a package, beside its meshes."""
MARKS = ("package.xml", "model.config")
"""Files that mark the folder of a package or model."""


class Library:
    """Finds models and meshes by URI around a file; each mesh is read once."""

    def __init__(self, source: Path) -> None:
        self._source = source.resolve()
        self._parts: dict[Path, list[MeshPiece]] = {}
        self._xml: dict[Path, Element] = {}

    def roots(self) -> Iterator[Path]:
        """Yield the folders in which models are looked for."""
        folder = self._source.parent
        for near in (folder, folder.parent, folder.parent.parent):
            yield near
            yield near / "models"
        for variable in SEARCH_VARIABLES:
            yield from (Path(part) for part in os.environ.get(variable, "").split(os.pathsep) if part)

    def find(self, uri: str, referrer: Path) -> Path:
        """Return the file or folder of `model://`, `package://`, `file://` or a relative name.

        Raises:
            WorldError: there is none, or it leads out of the folders that are searched.
        """
        scheme, separator, name = uri.strip().partition("://")
        if not separator:
            found = _beside(uri.strip(), referrer)
            if found.exists():
                return found
            raise WorldError(f"{referrer}: refers to {uri!r}, which is not there ({found})")
        if scheme not in ("model", "package", "file"):
            raise WorldError(f"{referrer}: found {uri!r}; allowed: model://, package://, file:// or a relative name")
        roots = list(self.roots())
        for root in roots:
            found = within(root, name.lstrip("/"), referrer)
            if found.exists():
                return found
        places = ", ".join(str(root) for root in roots if root.is_dir())
        raise WorldError(
            f"{referrer}: refers to {uri!r}, which is in none of {places}; set {SEARCH_VARIABLES[0]} to its folder"
        )

    def has(self, uri: str, referrer: Path) -> bool:
        """Tell whether `find` finds something."""
        try:
            return self.find(uri, referrer).exists()
        except WorldError:
            return False

    def xml(self, path: Path) -> Element:
        """Return the root of an XML file."""
        if path not in self._xml:
            self._xml[path] = read_xml(path)
        return self._xml[path]

    def parts(self, uri: str, referrer: Path) -> list[MeshPiece]:
        """Return the pieces of the mesh that a URI names."""
        path = self.find(uri, referrer)
        if path not in self._parts:
            self._parts[path] = load_parts(path)
        return self._parts[path]


def _beside(name: str, referrer: Path) -> Path:
    """Return what a relative name stands for, within the file's folder or the package that the folder is part of.

    `package/urdf/robot.urdf` may so refer to `../meshes/arm.stl`, as most packages have it.
    """
    folder = referrer.resolve().parent
    if name.startswith("../") and (folder.name in PACKAGED or any((folder.parent / mark).is_file() for mark in MARKS)):
        return within(folder.parent, f"{folder.name}/{name}", referrer)
    return within(referrer.parent, name, referrer)


def simple_shape(element: Element, place: str) -> shapes.Shape | None:
    """Return an SDF or URDF box, cylinder, sphere, capsule, ellipsoid or cone; None if it is something else."""

    def value(name: str, count: int) -> np.ndarray:
        text = element.get(name) or element.findtext(name)
        if text is None:
            raise WorldError(f"{place}: <{element.tag}> has no {name}")
        found = shapes.numbers(text, count, 0.0, place)
        if not (found > 0).all():
            raise WorldError(f"{place}: <{element.tag}> {name}: found {text.strip()!r}; allowed: greater than zero")
        return found

    if element.tag == "box":
        return shapes.box(value("size", 3))
    if element.tag == "cylinder":
        return shapes.cylinder(value("radius", 1)[0], value("length", 1)[0])
    if element.tag == "sphere":
        return shapes.sphere(value("radius", 1)[0])
    if element.tag == "capsule":
        return shapes.capsule(value("radius", 1)[0], value("length", 1)[0])
    if element.tag == "ellipsoid":
        return shapes.ellipsoid(value("radii", 3))
    if element.tag == "cone":
        return shapes.cone(value("radius", 1)[0], value("length", 1)[0])
    return None
