"""Mitsuba scenes as Sionna RT has them: XML with PLY or OBJ meshes and radio materials; local metres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers import shapes
from twin.world.importers.content import Content, Mesh, Tally
from twin.world.importers.files import read_xml, root_tag, within
from twin.world.importers.meshes import is_ground, load_parts, radio_material

MAX_SUBSTITUTED = 10_000_000
_PARAMETER = re.compile(r"\$(\w+)")
_PIECE = re.compile(r"-(itu_\w+|wall|roof|[0-9a-f]{6})$")
_SQUARE = shapes.Shape(np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like a Mitsuba scene."""
    return root_tag(head) == "scene"


def read(path: Path, visual: bool = False) -> Content:
    """Read the shapes of a scene; pieces of one name (`X-wall`, `X-roof`, `X-itu_marble`) make one thing.

    Raises:
        WorldError: the XML or a mesh can't be read, or refers to a file outside of the scene's folder.
    """
    source = Content("Mitsuba", None, Tally())
    scene = read_xml(path, source.tally)
    _substitute(scene, path)
    for element in scene.iter("include"):
        raise WorldError(f"{path}: found <include {element.get('filename')}>; allowed: a scene in one file")
    materials = {bsdf.get("id", ""): _material_names(bsdf) for bsdf in scene.iter("bsdf")}
    things = set()
    for i, element in enumerate(_shapes(scene, source.tally)):
        identity = element.get("id") or element.get("name") or f"shape_{i}"
        name = _PIECE.sub("", identity.removeprefix("mesh-"))
        things.add(name)
        shape = _shape(element, path, source.tally)
        if shape is None:
            continue
        material = radio_material(source.tally, *_names(element, materials), identity)
        matrix = _to_world(element, f"{path}: shape {identity}")
        for part in shape:
            triangles = part.triangles if np.linalg.det(matrix[:3, :3]) > 0 else part.triangles[:, ::-1]
            vertices = shapes.moved(matrix, part.vertices)
            source.meshes.append(Mesh(None if is_ground(name) else name, vertices, triangles, material))
    source.tally.found = len(things)
    source.tally.used = sum(is_ground(name) for name in things)
    return source


def _substitute(scene: Element, path: Path) -> None:
    """Put the values of <default> in the place of $name, in all attributes.

    Raises:
        WorldError: a name has no default, or the values are too long.
    """
    values: dict[str, str] = {}
    size = 0

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise WorldError(f"{path}: found ${match[1]}; <default>s there: {', '.join(values) or 'none'}")
        return values[match[1]]

    for element in scene.iter():
        for key, text in element.attrib.items():
            if "$" in text:
                element.set(key, text := _PARAMETER.sub(value, text))
                size += len(text)
        if size > MAX_SUBSTITUTED:
            raise WorldError(f"{path}: its $parameters stand for more than {MAX_SUBSTITUTED} characters")
        if element.tag == "default":
            values[element.get("name", "")] = element.get("value", "")


def _shapes(parent: Element, tally: Tally) -> Iterator[Element]:
    """Yield the shapes that stand in the scene: also those of a merge, but not of a group, which instances show."""
    for element in parent.findall("shape"):
        kind = element.get("type")
        if kind == "merge":
            yield from _shapes(element, tally)
        elif kind != "shapegroup":
            yield element


def _shape(element: Element, path: Path, tally: Tally) -> list[shapes.Shape] | None:
    kind = element.get("type")
    if kind in ("ply", "obj"):
        name = _value(element, "string", "filename")
        if not name:
            raise WorldError(f"{path}: shape {element.get('id')}: names no file")
        return [shapes.Shape(part.vertices, part.triangles) for part in load_parts(within(path.parent, name, path))]
    if kind == "rectangle":
        return [_SQUARE]
    if kind == "cube":
        return [shapes.box(np.full(3, 2.0))]
    tally.skipped[f"shape of type {kind}"] += 1
    return None


def _material_names(bsdf: Element) -> list[str]:
    """Return what may tell a BSDF's material, the most telling first: its radio type, its id, those inside."""
    inner = [name for child in bsdf.findall("bsdf") for name in _material_names(child)]
    return [name for name in (_value(bsdf, "string", "type"), bsdf.get("id"), *inner) if name]


def _names(shape: Element, materials: dict[str, list[str]]) -> list[str]:
    """Return the names that may tell a shape's material."""
    inline = [name for bsdf in shape.findall("bsdf") for name in _material_names(bsdf)]
    referred = [name for ref in shape.findall("ref") for name in materials.get(ref.get("id", ""), [ref.get("id", "")])]
    return inline + referred


def _value(element: Element, kind: str, name: str) -> str | None:
    found = element.find(f"{kind}[@name='{name}']")
    return found.get("value") if found is not None else None


def _to_world(shape: Element, place: str) -> F64:
    """Return the product (4, 4) of a shape's transformations, the first one applied first."""
    matrix = np.eye(4)
    for transform in shape.findall("transform"):
        if transform.get("name") not in ("to_world", "toWorld"):  # the latter before Mitsuba 2
            raise WorldError(f"{place}: found <transform name={transform.get('name')!r}>; allowed: to_world")
        for step in transform:
            matrix = _step(step, place) @ matrix
    if abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        raise WorldError(f"{place}: its transformation makes it flat")
    return matrix


def _step(step: Element, place: str) -> F64:
    matrix = np.eye(4)
    default = 1.0 if step.tag == "scale" else 0.0
    axes = shapes.numbers(" ".join(step.get(axis, str(default)) for axis in "xyz"), 3, default, place)
    if (value := step.get("value")) and step.tag in ("translate", "scale", "rotate"):
        count = 1 if len(value.replace(",", " ").split()) == 1 else 3
        axes = shapes.numbers(value, count, default, place) * np.ones(3)
    if step.tag == "translate":
        matrix[:3, 3] = axes
    elif step.tag == "scale":
        matrix[:3, :3] = np.diag(axes)
    elif step.tag == "rotate":
        from scipy.spatial.transform import Rotation

        angle = np.radians(shapes.numbers(step.get("angle") or "none", 1, 0.0, place)[0])
        if not 0.0 < (size := float(np.linalg.norm(axes))) < np.inf:
            raise WorldError(f"{place}: found <rotate> about {axes.tolist()}; allowed: an axis x, y, z")
        matrix[:3, :3] = Rotation.from_rotvec(angle * axes / size).as_matrix()
    elif step.tag == "matrix":
        matrix = shapes.numbers(step.get("value") or "none", 16, 0.0, place).reshape(4, 4)
        if matrix[3].tolist() != [0.0, 0.0, 0.0, 1.0]:
            raise WorldError(f"{place}: found a matrix whose last row is {matrix[3].tolist()}; allowed: 0 0 0 1")
    else:
        raise WorldError(f"{place}: found <{step.tag}>; allowed: translate, scale, rotate, matrix")
    return matrix
