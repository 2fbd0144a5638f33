"""Checks of a URDF before Bullet sees it: Bullet answers a broken file with a print and a made-up body."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

import numpy as np

from twin.errors import ScenarioError, brief
from twin.state import F64
from twin.xml_text import parse_xml

_ENTRIES = ("xx", "xy", "xz", "yy", "yz", "zz")
_CORNERS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
_VECTORS = {"xyz": 3, "rpy": 3, "size": 3, "scale": 3}
_SCALARS = dict.fromkeys(("radius", "length", "value", *(f"i{name}" for name in _ENTRIES)), 1)
_MEASURED = ("cylinder", "sphere", "capsule", "mass", "inertia")
"""Elements whose attributes of these names are numbers."""
MESH_FORMATS = (".obj", ".stl", ".dae")
_TURNING, _SLIDING = ("revolute", "continuous"), ("prismatic",)


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint that moves, and its limits; an infinite one is none."""

    name: str
    turns: bool  # rad, rad/s, N m; else it slides: m, m/s, N
    lower: float
    upper: float
    velocity: float
    effort: float
    damping: float = 0.0  # N m s/rad or N s/m


def check_urdf(path: Path) -> None:
    """Refuse a URDF that is broken, names a mesh that isn't there, or has a link without mass to move.

    Raises:
        ScenarioError: names the file and the element.
    """
    root = parse_urdf(path)
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
        _check_joint(path, root, joint)
        for end in ("parent", "child"):
            element = joint.find(end)
            name = None if element is None else element.get("link")
            if name not in names:
                raise ScenarioError(
                    f"joins link {name!r}; links of this file: {', '.join(sorted(names))}",
                    file=path,
                    key=f"<joint name={joint.get('name')!r}><{end}>",
                )


def _check_joint(path: Path, root: ElementTree.Element, joint: ElementTree.Element) -> None:
    """Refuse a kind of joint that nothing here moves, and a joint that moves nothing with mass."""
    kind, place = joint.get("type", ""), f"<joint name={joint.get('name')!r}>"
    if kind not in (*_TURNING, *_SLIDING, "fixed"):
        allowed = ", ".join((*_TURNING, *_SLIDING, "fixed"))
        raise ScenarioError(f"found type {kind!r}; allowed: {allowed}", file=path, key=place)
    if kind == "fixed":
        return
    behind, mass = [end_of(joint, "child")], 0.0
    for name in behind:  # grows
        mass += sum(number_of(link.find("inertial/mass"), "value") for link in root.findall("link")
                    if link.get("name") == name)  # fmt: skip
        behind += [end_of(other, "child") for other in root.findall("joint")
                   if end_of(other, "parent") == name and end_of(other, "child") not in behind]  # fmt: skip
    if mass == 0.0:
        raise ScenarioError(f"moves nothing that has a mass: {', '.join(behind)}", file=path, key=place)


def movable_joints(path: Path) -> tuple[Joint, ...]:
    """Return the joints that turn or slide, in the order of the file, which is theirs in a BodyState.

    Raises:
        ScenarioError: the file can't be read as a URDF, or a limit is missing or not a number.
    """
    joints = parse_urdf(path).findall("joint")
    return tuple(_joint(path, joint) for joint in joints if joint.get("type") in (*_TURNING, *_SLIDING))


def _joint(path: Path, joint: ElementTree.Element) -> Joint:
    name, limit, friction = joint.get("name", ""), joint.find("limit"), joint.find("dynamics")
    if limit is None and joint.get("type") != "continuous":
        raise ScenarioError("has no <limit>", file=path, key=f"<joint name={name!r}>")
    values = {"lower": -math.inf, "upper": math.inf, "velocity": math.inf, "effort": math.inf}
    for key in values:
        if limit is None or (joint.get("type") == "continuous" and key in ("lower", "upper")):
            continue
        values[key] = _number(path, name, limit, key)  # lower and upper default to 0
    damping = 0.0 if friction is None else _number(path, name, friction, "damping")
    return Joint(name, joint.get("type") in _TURNING, **values, damping=damping)


def _number(path: Path, joint: str, element: ElementTree.Element, key: str) -> float:
    text = element.get(key, "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        message = f"{key} must be a number, found {brief(text)}"
        raise ScenarioError(message, file=path, key=f"<joint name={joint!r}><{element.tag}>")
    return value


def collision_points(path: Path) -> F64:
    """Return corners (n, 3) m of boxes round the root link's collision shapes, from its centre of mass.

    Cylinders and spheres count as the boxes round them; meshes are left out. Empty without such shapes.

    Raises:
        ScenarioError: the file can't be read as a URDF.
    """
    from scipy.spatial.transform import Rotation  # a fifth of a second, and most who import this have no use for it

    root = parse_urdf(path)
    children = {child.get("link") for child in root.iterfind("joint/child")}
    link = next(link for link in root.findall("link") if link.get("name") not in children)
    centre = vector_of(link.find("inertial/origin"), "xyz")
    points = [np.empty((0, 3))]
    for collision in link.iterfind("collision"):
        half = _half_size(collision.find("geometry"))
        if half is not None:
            origin = collision.find("origin")
            turn = Rotation.from_euler("xyz", vector_of(origin, "rpy"))
            points.append(turn.apply(_CORNERS * half) + vector_of(origin, "xyz") - centre)
    return np.concatenate(points)


def _half_size(geometry: ElementTree.Element | None) -> F64 | None:
    for shape in () if geometry is None else geometry:
        if shape.tag == "box":
            return vector_of(shape, "size") / 2
        radius = float(shape.get("radius", 0.0))
        if shape.tag == "sphere":
            return np.full(3, radius)
        if shape.tag == "cylinder":
            return np.array([radius, radius, float(shape.get("length", 0.0)) / 2])
    return None


def vector_of(element: ElementTree.Element | None, name: str) -> F64:
    """Return the three numbers of an attribute such as `xyz`, zeros where it isn't."""
    text = None if element is None else element.get(name)
    return np.array([float(part) for part in (text or "0 0 0").split()])


def number_of(element: ElementTree.Element | None, name: str) -> float:
    """Return the number that an attribute is, 0 where it isn't there."""
    return 0.0 if element is None else float(element.get(name, "0"))


def tensor_of(element: ElementTree.Element | None) -> F64:
    """Return the tensor (3, 3) kg m2 of an <inertia>."""
    xx, xy, xz, yy, yz, zz = (number_of(element, f"i{name}") for name in _ENTRIES)
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def end_of(joint: ElementTree.Element, end: str) -> str:
    """Return the name of the link at a joint's "parent" or "child" end."""
    element = joint.find(end)
    return "" if element is None else element.get("link", "")


def parse_urdf(path: Path) -> ElementTree.Element:
    """Return the <robot> of a URDF.

    Raises:
        ScenarioError: the file can't be read, isn't XML, or its root is another element.
    """
    try:
        root, _ = parse_xml(path.read_bytes())
    except OSError as error:
        raise ScenarioError(f"can't be read: {error.strerror or error}", file=path) from error
    except (ExpatError, ValueError, LookupError) as error:
        raise ScenarioError(f"is not well-formed XML: {error}", file=path) from error
    if root.tag != "robot":
        raise ScenarioError(f"root element must be <robot>, found <{root.tag}>", file=path)
    _check_numbers(path, root)
    return root


def _check_numbers(path: Path, root: ElementTree.Element) -> None:
    """Refuse attributes of links and joints that aren't as many finite numbers as they should be."""
    for part in (*root.findall("link"), *root.findall("joint")):
        for element in part.iter():
            wanted = {**_VECTORS, **(_SCALARS if element.tag in _MEASURED else {})}
            for name in wanted.keys() & element.attrib.keys():
                try:
                    values = [float(number) for number in element.attrib[name].split()]
                except ValueError:
                    values = []
                if len(values) != wanted[name] or not np.isfinite(values).all():
                    count = "a finite number" if wanted[name] == 1 else f"{wanted[name]} finite numbers"
                    message = f"{name}: found {brief(element.attrib[name])}; allowed: {count}"
                    place = f"<{part.tag} name={part.get('name')!r}><{element.tag}>"
                    raise ScenarioError(message, file=path, key=place)


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
