"""URDF models, all joints at zero: a machine or a building that stands in the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers import shapes
from twin.world.importers.content import Content, Mesh, Tally
from twin.world.importers.files import read_xml, root_tag
from twin.world.importers.meshes import MeshPiece, radio_material
from twin.world.importers.models import Library, simple_shape


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like URDF."""
    return root_tag(head) == "robot"


def read(path: Path, visual: bool = False) -> Content:
    """Read a model: its collision shapes, or what is to be seen; each link is a thing.

    Raises:
        WorldError: a file is missing or can't be read, or links are not joined to a tree.
    """
    source, library = Content("URDF", None, Tally()), Library(path)
    robot = read_xml(path, source.tally)
    links = {element.get("name", ""): element for element in robot.findall("link")}
    for link, at in _link_poses(robot, links, path).items():
        source.tally.found += 1
        for element in links[link].findall("visual" if visual else "collision"):
            place = f"{path}: link {link}"
            matrix = at @ _origin(element, place)
            material = element.find("material")
            hint = material.get("name") if material is not None else None
            for part in _parts(element, library, path, place, source.tally):
                radio = radio_material(source.tally, hint, part.material)
                source.meshes.append(Mesh(link, shapes.moved(matrix, part.vertices), part.triangles, radio))
    return source


def _parts(element: Element, library: Library, path: Path, place: str, tally: Tally) -> list[MeshPiece]:
    found = []
    for geometry in element.findall("geometry/*"):
        if (simple := simple_shape(geometry, place)) is not None:
            found.append(MeshPiece("", simple.vertices, simple.triangles, None))
        elif geometry.tag == "mesh":
            scale = shapes.numbers(geometry.get("scale"), 3, 1.0, place)
            for part in library.parts(geometry.get("filename", ""), path):
                found.append(MeshPiece(part.name, part.vertices * scale, part.triangles, part.material))
        else:
            tally.skipped[f"geometry <{geometry.tag[:40]}>"] += 1
    return found


def _link_poses(robot: Element, links: Mapping[str, Element], path: Path) -> dict[str, F64]:
    """Return the pose (4, 4) of every link under its root."""
    joints = {}
    for joint in robot.findall("joint"):
        parent, child = joint.find("parent"), joint.find("child")
        if parent is None or child is None:
            raise WorldError(f"{path}: joint {joint.get('name')}: has no parent or no child")
        joints[child.get("link", "")] = (parent.get("link", ""), _origin(joint, f"{path}: joint {joint.get('name')}"))
    poses: dict[str, F64] = {}
    for name in links:
        chain = [name]  # from here up to a link whose pose is known, or to the root
        while (below := chain[-1]) not in poses and below in joints and len(chain) <= len(links):
            chain.append(joints[below][0])
        if chain[-1] not in links or len(chain) > len(links):
            raise WorldError(f"{path}: joints lead to {chain[-1]!r}; allowed: a tree of {', '.join(links)[:200]}")
        at = poses.setdefault(chain[-1], np.eye(4))
        for link in reversed(chain[:-1]):
            at = poses[link] = at @ joints[link][1]
    return {name: poses[name] for name in links}


def _origin(element: Element, place: str) -> F64:
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    return shapes.pose(*(shapes.numbers(origin.get(key), 3, 0.0, place) for key in ("xyz", "rpy")))
