"""The URDF of a multirotor from what its robot.toml says of it: a hub on legs, an arm and a disc for each rotor."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from math import atan2, hypot
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pydantic import ConfigDict, Field

from twin.errors import ScenarioError
from twin.numerics.kernels import cache_home
from twin.specs.base import Point, Spec
from twin.specs.toml_text import validate
from twin.units import Kilograms, Metres

_COLOURS = {"carbon": "0.15 0.15 0.17 1", "shell": "0.85 0.87 0.90 1",
            "front": "0.90 0.35 0.10 0.6", "rear": "0.25 0.30 0.35 0.6"}  # fmt: skip


class _Rotor(Spec):
    model_config = ConfigDict(extra="ignore")
    position: Point


class _Layout(Spec):
    """The part of a multirotor's parameters that gives it a shape; its dynamics judges the whole."""

    model_config = ConfigDict(extra="ignore")
    mass: Kilograms = Field(gt=0)
    inertia: tuple[float, float, float]
    rotors: tuple[_Rotor, ...] = Field(min_length=1)
    rotor_radius: Metres = Field(gt=0)


def made_urdf(name: str, parameters: Mapping[str, Any], file: Path) -> Path:
    """Return the URDF of a multirotor with these `body.parameters` of `file`, kept in the cache folder.

    Raises:
        ScenarioError: they give it no shape.
    """
    layout = validate(_Layout, dict(parameters), file=file, key="body.parameters")
    if max(hypot(*rotor.position[:2]) for rotor in layout.rotors) == 0.0:
        raise ScenarioError("all rotors are at one place", file=file, key="body.parameters.rotors")
    text = multirotor_urdf(name, layout)
    path = cache_home() / "urdf" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.urdf"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
    return path


def multirotor_urdf(name: str, layout: _Layout) -> str:
    """Return the text of the URDF: body axes x forward, y left, z up from the centre of mass."""
    robot = Element("robot", name=name)
    for colour, rgba in _COLOURS.items():
        SubElement(SubElement(robot, "material", name=colour), "color", rgba=rgba)
    link = SubElement(robot, "link", name="base")
    inertial = SubElement(link, "inertial")
    SubElement(inertial, "mass", value=repr(layout.mass))
    xx, yy, zz = map(repr, layout.inertia)
    SubElement(inertial, "inertia", ixx=xx, ixy="0", ixz="0", iyy=yy, iyz="0", izz=zz)
    arm = max(hypot(*rotor.position[:2]) for rotor in layout.rotors)
    feet = min(rotor.position[2] for rotor in layout.rotors) - 0.5 * arm
    _add(link, "visual", _box((0.6 * arm, 0.5 * arm, 0.22 * arm)), colour="shell")
    _add(link, "collision", _box((0.6 * arm, 0.6 * arm, 0.11 * arm - feet)), (0.0, 0.0, 0.055 * arm + 0.5 * feet))
    for side in (-0.26 * arm, 0.26 * arm):
        _add(link, "visual", _box((0.6 * arm, 0.03 * arm, -feet)), (0.0, side, 0.5 * feet), colour="carbon")
    for rotor in layout.rotors:
        _add_rotor(link, rotor.position, layout.rotor_radius, arm)
    indent(robot)
    return tostring(robot, encoding="unicode") + "\n"


def _add_rotor(link: Element, place: Point, radius: float, arm: float) -> None:
    x, y, z = place
    length, yaw = hypot(x, y), atan2(y, x)
    _add(link, "visual", _box((length, 0.08 * arm, 0.06 * arm)), (x / 2, y / 2, z - 0.06 * arm), yaw, "carbon")
    for kind, height in (("visual", 0.03 * arm), ("collision", 0.1 * arm)):
        disc = Element("cylinder", radius=repr(radius), length=repr(height))
        _add(link, kind, disc, place, colour=("front" if x > 0 else "rear") if kind == "visual" else "")


def _box(size: tuple[float, float, float]) -> Element:
    return Element("box", size=" ".join(map(repr, size)))


def _add(
    link: Element, kind: str, shape: Element, place: Point = (0.0, 0.0, 0.0), yaw: float = 0.0, colour: str = ""
) -> None:
    part = SubElement(link, kind)
    SubElement(part, "origin", xyz=" ".join(map(repr, place)), rpy=f"0 0 {yaw!r}")
    SubElement(part, "geometry").append(shape)
    if colour:
        SubElement(part, "material", name=colour)
