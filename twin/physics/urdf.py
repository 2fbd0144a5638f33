"""Checks of a URDF before Bullet sees it: Bullet answers a broken file with a print and a made-up body."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from twin.errors import ScenarioError

_ENTRIES = ("xx", "xy", "xz", "yy", "yz", "zz")
MESH_FORMATS = (".obj", ".stl", ".dae")


def check_urdf(path: Path) -> None:
    """Refuse a URDF that is broken, names a mesh that isn't there, or has a link without mass to move.

    Raises:
        ScenarioError: names the file and the element.
    """
    root = _parse(path)
    links = root.findall("link")
    if not links:
        raise ScenarioError("has no <link>", file=path, key="<robot>")
    names = {link.get("name", "") for link in links}
    for link in links:
        _check_inertial(path, link)
        for kind in ("visual", "collision"):
            for mesh in link.iterfind(f"{kind}/geometry/mesh"):
                _check_mesh(path, link, kind, mesh.get("filename", ""))
    for joint in root.findall("joint"):
        for end in ("parent", "child"):
            element = joint.find(end)
            name = None if element is None else element.get("link")
            if name not in names:
                raise ScenarioError(
                    f"joins link {name!r}; links of this file: {', '.join(sorted(names))}",
                    file=path,
                    key=f"<joint name={joint.get('name')!r}><{end}>",
                )


def _parse(path: Path) -> ElementTree.Element:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"can't be read: {error}", file=path) from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can expand without bound
        raise ScenarioError("DOCTYPE and ENTITY declarations are not allowed", file=path)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ScenarioError(f"is not well-formed XML: {error}", file=path) from error
    if root.tag != "robot":
        raise ScenarioError(f"root element must be <robot>, found <{root.tag}>", file=path)
    return root


def _check_inertial(path: Path, link: ElementTree.Element) -> None:
    place = f"<link name={link.get('name')!r}>"
    inertial = link.find("inertial")
    if inertial is None:
        raise ScenarioError("has no <inertial>: its mass and inertia must be stated", file=path, key=place)
    for tag, attributes in {"mass": ["value"], "inertia": ["ixx", "iyy", "izz"]}.items():
        element = inertial.find(tag)
        for attribute in attributes:
            found = None if element is None else element.get(attribute)
            if not _is_amount(found):
                message = f"{attribute} must be a number of at least 0, found {found!r}"
                raise ScenarioError(message, file=path, key=f"{place}<inertial><{tag}>")
    _check_tensor(path, f"{place}<inertial><inertia>", inertial.find("inertia"))


def _check_tensor(path: Path, place: str, element: ElementTree.Element | None) -> None:
    """Refuse what Bullet would silently set to zero: an inertia that no body can have."""
    assert element is not None
    try:
        xx, xy, xz, yy, yz, zz = (float(element.get("i" + name, "0")) for name in _ENTRIES)
    except ValueError as error:
        raise ScenarioError(f"inertia is not made of numbers: {error}", file=path, key=place) from error
    least, middle, most = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if least < 0 or most > (least + middle) * (1 + 1e-9):
        message = f"no body has the principal inertias {least:.4g}, {middle:.4g}, {most:.4g}"
        raise ScenarioError(f"{message}: none may exceed the sum of the others", file=path, key=place)


def _is_amount(text: str | None) -> bool:
    try:
        return text is not None and 0 <= float(text) < math.inf
    except ValueError:
        return False


def _check_mesh(path: Path, link: ElementTree.Element, kind: str, filename: str) -> None:
    place = f"<link name={link.get('name')!r}><{kind}><geometry><mesh>"
    if Path(filename).suffix.lower() not in MESH_FORMATS:
        allowed = ", ".join(MESH_FORMATS)
        raise ScenarioError(f"mesh format of {filename!r} is not one of {allowed}", file=path, key=place)
    relative = filename.removeprefix("package://").removeprefix("model://")
    folder = path.resolve().parent
    if not any((base / relative).is_file() for base in (folder, *folder.parents)):
        raise ScenarioError(f"mesh {filename!r} is neither beside the file nor above it", file=path, key=place)
