"""A URDF as arrays for kernels: one row per joint that moves, whatever is welded to its link included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from twin.errors import ScenarioError
from twin.mechanism.urdf import Joint, end_of, movable_joints, number_of, parse_urdf, tensor_of, vector_of
from twin.state import F64, I64, Bool

BASE = -1
"""Stands for the root link, where a joint is asked for."""


class Tree(NamedTuple):
    """Joints and their links; J joints in the order of the URDF; a link's frame is its joint's."""

    order: I64  # (J,) rows, parents before children
    parent: I64  # (J,) joint of the link before, or BASE
    place: F64  # (J, 3) m, in the frame of the link before
    turn: F64  # (J, 3, 3) to the frame of the link before, at 0
    axis: F64  # (J, 3) unit vector
    slides: Bool  # (J,)
    mass: F64  # (J,) kg
    centre: F64  # (J, 3) m, centre of mass
    inertia: F64  # (J, 3, 3) kg m2 about the centre of mass


class Frame(NamedTuple):
    """A place on a link: a tool."""

    joint: int  # whose link it is on, or BASE
    place: F64  # (3,) m in that link's frame
    turn: F64  # (3, 3) to that link's frame


@dataclass(frozen=True, slots=True, eq=False)
class Mechanism:
    """What a URDF says of how a robot moves."""

    path: Path
    joints: tuple[Joint, ...]
    tree: Tree
    links: Mapping[str, Frame]  # where each link of the URDF is
    base_centre: F64  # (3,) m, centre of mass of the root link from its frame, where a BodyState has it

    def tool(self, link: str, place: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Frame:
        """Return the frame of a link moved by `place` [m] in its own axes.

        Raises:
            ScenarioError: there is no such link.
        """
        if link not in self.links:
            message = f"has no link {link!r}; allowed: {', '.join(self.links)}"
            raise ScenarioError(message, file=self.path)
        found = self.links[link]
        return Frame(found.joint, found.place + found.turn @ np.array(place), found.turn)


def read_mechanism(path: Path) -> Mechanism:
    """Return the mechanism of a URDF.

    Raises:
        ScenarioError: the file can't be read as a URDF, or its links aren't one tree.
    """
    root, joints = parse_urdf(path), movable_joints(path)
    rows = {joint.name: row for row, joint in enumerate(joints)}
    above = {end_of(joint, "child"): joint for joint in root.iterfind("joint")}
    links = {link.get("name", ""): link for link in root.iterfind("link")}
    frames: dict[str, Frame] = {}
    n = len(joints)
    parent, place, turn = np.full(n, BASE), np.zeros((n, 3)), np.tile(np.eye(3), (n, 1, 1))
    axis, order = np.zeros((n, 3)), []
    for name in _parents_first(path, links, above):
        joint = above.get(name)
        if joint is None:
            frames[name] = Frame(BASE, np.zeros(3), np.eye(3))
            continue
        before = frames[end_of(joint, "parent")]
        here, turned = pose_of(joint)
        here, turned = before.place + before.turn @ here, before.turn @ turned
        row = rows.get(joint.get("name", ""))
        if row is None:
            frames[name] = Frame(before.joint, here, turned)
        else:
            parent[row], place[row], turn[row], axis[row] = before.joint, here, turned, _axis(path, joint)
            frames[name] = Frame(row, np.zeros(3), np.eye(3))
            order.append(row)
    mass, centre, inertia = _masses(links, frames, n)
    slides = np.array([not joint.turns for joint in joints], dtype=bool)
    tree = Tree(
        order=np.array(order, dtype=np.int64),
        parent=parent.astype(np.int64),
        place=place,
        turn=turn,
        axis=axis,
        slides=slides,
        mass=mass,
        centre=centre,
        inertia=inertia,
    )
    base = next(name for name in links if name not in above)
    return Mechanism(path, joints, tree, frames, vector_of(links[base].find("inertial/origin"), "xyz"))


def with_load(tree: Tree, frame: Frame, mass: float, inertia: float) -> Tree:
    """Return the tree with a load of `mass` [kg] at `frame`, of `inertia` [kg m2] round any axis through it."""
    row = frame.joint
    if row == BASE:
        return tree
    own, masses = tree.mass[row], tree.mass.copy()
    centres, tensors = tree.centre.copy(), tree.inertia.copy()
    masses[row] += mass
    centres[row] = (own * tree.centre[row] + mass * frame.place) / masses[row]
    tensors[row] += point_inertia(own, tree.centre[row] - centres[row])
    tensors[row] += point_inertia(mass, frame.place - centres[row]) + inertia * np.eye(3)
    return tree._replace(mass=masses, centre=centres, inertia=tensors)


def point_inertia(mass: float, arm: F64) -> F64:
    """Return the inertia (3, 3) kg m2 of a point mass at `arm` (3,) m."""
    return np.asarray(mass * ((arm @ arm) * np.eye(3) - np.outer(arm, arm)), dtype=np.float64)


def _parents_first(
    path: Path, links: Mapping[str, ElementTree.Element], above: Mapping[str, ElementTree.Element]
) -> list[str]:
    done: list[str] = []
    waiting = list(links)
    while waiting:
        ready = [name for name in waiting if name not in above or end_of(above[name], "parent") in done]
        if not ready or (not done and len(ready) > 1):
            raise ScenarioError("its links aren't one tree", file=path, key=f"<link name={waiting[0]!r}>")
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def pose_of(element: ElementTree.Element) -> tuple[F64, F64]:
    """Return place (3,) m and axes (3, 3) that an element's <origin> says."""
    origin = element.find("origin")
    return vector_of(origin, "xyz"), Rotation.from_euler("xyz", vector_of(origin, "rpy")).as_matrix()


def _axis(path: Path, joint: ElementTree.Element) -> F64:
    element = joint.find("axis")
    axis = np.array([1.0, 0.0, 0.0]) if element is None else vector_of(element, "xyz")
    size = float(np.linalg.norm(axis))
    if size == 0:
        raise ScenarioError("has no direction", file=path, key=f"<joint name={joint.get('name')!r}><axis>")
    return axis / size


def _masses(links: Mapping[str, ElementTree.Element], frames: Mapping[str, Frame], n: int) -> tuple[F64, F64, F64]:
    """Return mass, centre of mass and inertia about it of what each joint moves, welded links as one body."""
    mass, moment, second = np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3, 3))  # about the joint's frame
    for name, link in links.items():
        inertial, frame = link.find("inertial"), frames[name]
        if inertial is None or frame.joint == BASE:
            continue
        here, turned = pose_of(inertial)
        here, turned = frame.place + frame.turn @ here, frame.turn @ turned
        kilograms = number_of(inertial.find("mass"), "value")
        tensor = turned @ tensor_of(inertial.find("inertia")) @ turned.T
        mass[frame.joint] += kilograms
        moment[frame.joint] += kilograms * here
        second[frame.joint] += tensor + point_inertia(kilograms, here)
    centre = moment / np.where(mass > 0, mass, 1.0)[:, None]
    outer = np.einsum("i,jk->ijk", np.einsum("ij,ij->i", centre, centre), np.eye(3)) - np.einsum(
        "ij,ik->ijk", centre, centre
    )
    return mass, centre, second - mass[:, None, None] * outer
