"""Bodies of one piece: links on fixed joints become part of the link that carries them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from scipy.spatial.transform import Rotation

from twin.errors import ScenarioError
from twin.mechanism.tree import point_inertia, pose_of
from twin.mechanism.urdf import end_of, number_of, parse_urdf, tensor_of
from twin.numerics.kernels import cache_home
from twin.state import F64

_AXES = ("xx", "xy", "xz", "yy", "yz", "zz")


class _Piece(NamedTuple):
    """A link as a part of the root link: its place (3,) m and axes (3, 3) there."""

    link: Element
    place: F64
    turn: F64


def welded(path: Path) -> Path:
    """Return a URDF whose root link has all links on fixed joints as its own parts, kept in the cache folder.

    It is the file itself where there are none. Without this a camera on a drone would make it a mechanism; with it,
    mass, inertia and centre of mass are those of the whole (parallel axes), and shapes stay where they were.

    Raises:
        ScenarioError: the file can't be read as a URDF.
    """
    root = parse_urdf(path)
    pieces, fixed = _pieces(root)
    if not fixed:
        return path
    base = pieces[0].link
    shapes = [_moved(shape, piece) for piece in pieces[1:] for kind in ("visual", "collision")
              for shape in piece.link.findall(kind)]  # fmt: skip
    try:
        _set_inertial(base, pieces)
    except ValueError as error:
        raise ScenarioError(f"mass or inertia is not made of numbers: {error}", file=path) from error
    base.extend(shapes)
    for piece in pieces[1:]:
        root.remove(piece.link)
    for joint in fixed:
        root.remove(joint)
    _hang_others(root, base, pieces)
    for mesh in root.iter("mesh"):
        mesh.set("filename", _seen_from_cache(mesh.get("filename", ""), path))
    return _kept(path.stem, root)


def with_inertia(path: Path, mass: float | None, inertia: Sequence[float] | None) -> Path:
    """Return a URDF of one link with another mass [kg] or moments of inertia (3,) kg m2, kept in the cache folder.

    Raises:
        ScenarioError: it has more than one link, or no inertia to replace.
    """
    root = parse_urdf(path)
    links = root.findall("link")
    found = links[0].find("inertial") if len(links) == 1 else None
    weight, tensor = (None, None) if found is None else (found.find("mass"), found.find("inertia"))
    if weight is None or tensor is None:
        message = f"found {len(links)} links; allowed: a mass or inertia of its own for a body of one link that has one"
        raise ScenarioError(message, file=path)
    if mass is not None:
        weight.set("value", repr(float(mass)))
    if inertia is not None:
        values = np.diag(np.asarray(inertia, dtype=float))
        for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
            tensor.set(f"i{'xyz'[i]}{'xyz'[j]}", repr(float(values[i, j])))
    for mesh in root.iter("mesh"):
        mesh.set("filename", _seen_from_cache(mesh.get("filename", ""), path))
    return _kept(path.stem, root)


def _pieces(root: Element) -> tuple[list[_Piece], list[Element]]:
    """Return the root link and what is welded to it, and the joints that do so."""
    links = {link.get("name", ""): link for link in root.findall("link")}
    joints = root.findall("joint")
    children = {end_of(joint, "child") for joint in joints}
    top = [link for name, link in links.items() if name not in children]
    if len(top) != 1 or not children <= links.keys():
        return [], []  # no tree: who reads it says so
    pieces, fixed = [_Piece(top[0], np.zeros(3), np.eye(3))], list[Element]()
    for piece in pieces:  # grows
        for joint in joints:
            if joint.get("type") == "fixed" and end_of(joint, "parent") == piece.link.get("name"):
                place, turn = pose_of(joint)
                child = links[end_of(joint, "child")]
                pieces.append(_Piece(child, piece.place + piece.turn @ place, piece.turn @ turn))
                fixed.append(joint)
    return pieces, fixed


def _set_inertial(base: Element, pieces: Sequence[_Piece]) -> None:
    mass, moment, second = 0.0, np.zeros(3), np.zeros((3, 3))
    for piece in pieces:
        inertial = piece.link.find("inertial")
        if inertial is None:
            continue  # a frame without mass
        own = number_of(inertial.find("mass"), "value")
        place, turn = pose_of(inertial)
        centre, axes = piece.place + piece.turn @ place, piece.turn @ turn
        mass, moment = mass + own, moment + own * centre
        second += axes @ tensor_of(inertial.find("inertia")) @ axes.T + point_inertia(own, centre)
    centre = moment / mass if mass else moment
    second -= point_inertia(mass, centre)
    if (old := base.find("inertial")) is not None:
        base.remove(old)
    inertial = SubElement(base, "inertial")
    SubElement(inertial, "origin", xyz=_text(centre), rpy="0 0 0")
    SubElement(inertial, "mass", value=repr(float(mass)))
    entries = second[np.triu_indices(3)]
    SubElement(inertial, "inertia", {f"i{name}": repr(float(v)) for name, v in zip(_AXES, entries, strict=True)})


def _hang_others(root: Element, base: Element, pieces: Sequence[_Piece]) -> None:
    """Let joints that move hang on the base where they hung on a piece of it."""
    by_name = {piece.link.get("name"): piece for piece in pieces[1:]}
    for joint in root.findall("joint"):
        parent = joint.find("parent")
        if parent is not None and (piece := by_name.get(parent.get("link"))) is not None:
            parent.set("link", base.get("name", ""))
            _move(joint, piece)


def _moved(shape: Element, piece: _Piece) -> Element:
    copy = deepcopy(shape)
    _move(copy, piece)
    return copy


def _move(element: Element, piece: _Piece) -> None:
    """Bring what has an <origin> from a piece's frame to the root link's."""
    place, turn = pose_of(element)
    if (old := element.find("origin")) is not None:
        element.remove(old)
    turned = Rotation.from_matrix(piece.turn @ turn).as_euler("xyz")
    element.insert(0, Element("origin", xyz=_text(piece.place + piece.turn @ place), rpy=_text(turned)))


def _text(vector: F64) -> str:
    return " ".join(repr(float(x)) for x in vector)


def _folder() -> Path:
    return cache_home() / "urdf"


def _seen_from_cache(filename: str, path: Path) -> str:
    """Return a mesh's file name as it is from the cache folder; one that isn't found stays, and is refused later."""
    relative = filename.removeprefix("package://").removeprefix("model://")
    folder = path.resolve().parent
    for home in (folder, *folder.parents):
        if (home / relative).is_file():
            return os.path.relpath(home / relative, _folder().resolve())
    return filename


def _kept(name: str, root: Element) -> Path:
    text = tostring(root, encoding="unicode") + "\n"
    path = _folder() / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.urdf"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
    return path
