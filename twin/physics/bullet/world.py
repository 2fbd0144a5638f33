"""One PyBullet world: bodies that may touch each other, what drives them, and what they hold."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import RunError, ScenarioError
from twin.mechanism.urdf import movable_joints
from twin.physics.quiet import captured
from twin.specs import BodySpec
from twin.state import F64

with captured() as _banner:
    import pybullet as bullet

log = logging.getLogger(__name__)

ROOT = -1
"""Bullet's index of a body's root link."""
_TIP = 1e-4  # m, radius
Points = Sequence[Sequence[Any]]
"""Contact points as PyBullet tells them."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What a link holds."""

    row: int
    link: int
    constraint: int
    place: tuple[float, float, float]  # m, of the held body's centre of mass in the link's inertial frame


class BulletWorld:
    """A PyBullet world without air resistance of Bullet's own, and the bodies in it by their row in the twin.

    Raises:
        ScenarioError: the world's mesh can't be loaded.
    """

    def __init__(self, rate_hz: int, gravity: float, mesh: Path | None) -> None:
        self.rate_hz = rate_hz  # of its steps
        self.scenery = mesh is not None
        self.clear = False  # nothing in it can touch anything, and Bullet doesn't step it
        self.moving: list[int] = []  # rows of bodies that aren't fixed, or have joints
        self.client = client = bullet.connect(bullet.DIRECT)
        self.bodies: dict[int, int] = {}  # row -> Bullet's id
        self.rows: dict[int, int] = {}  # and back
        self.joints: dict[int, list[int]] = {}  # Bullet's indices, in the order of the URDF
        self._held: dict[int, _Held] = {}  # by row of the gripper
        self._tip = -1  # shape that stands for the tip of a gripper
        self._pushed: list[int] = []  # rows of bodies that forces move
        bullet.setGravity(0, 0, -gravity, client)
        bullet.setTimeStep(1 / rate_hz, client)
        bullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, enableFileCaching=0, physicsClientId=client)
        if mesh is not None:
            self._load_mesh(mesh)

    def __reduce__(self) -> str:
        raise RunError("a world of Bullet can't be copied: the copy would share the bodies of this one")

    def close(self) -> None:
        """Release it."""
        bullet.disconnect(self.client)

    def add(self, row: int, spec: BodySpec, position: F64, orientation: F64) -> None:
        """Load the body of the twin's row `row`, its joints at their start and without Bullet's own motors.

        Raises:
            ScenarioError: Bullet can't load its URDF.
        """
        body = self._load(spec, position, orientation)
        self.bodies[row], self.rows[body] = body, row
        if not spec.fixed:
            self._pushed.append(row)
        infos = [bullet.getJointInfo(body, i, self.client) for i in range(bullet.getNumJoints(body, self.client))]
        index = {info[1].decode(): info[0] for info in infos}
        self.joints[row] = [index[joint.name] for joint in movable_joints(spec.urdf)]
        for joint, place in zip(self.joints[row], spec.joint_start().tolist(), strict=True):
            bullet.resetJointState(body, joint, place, physicsClientId=self.client)
            bullet.setJointMotorControl2(body, joint, bullet.VELOCITY_CONTROL, force=0, physicsClientId=self.client)
        if not spec.fixed or self.joints[row]:
            self.moving.append(row)

    def is_single(self, row: int) -> bool:
        """Tell whether a body is its root link alone, free to move."""
        return row in self._pushed and bullet.getNumJoints(self.bodies[row], self.client) == 0

    def is_fixed(self, row: int) -> bool:
        """Tell whether a body's root link never moves."""
        return row not in self._pushed

    def is_bolted(self) -> bool:
        """Tell whether all joints are on fixed bodies."""
        return not any(self.joints[row] for row in self._pushed)

    def mass(self, row: int) -> float:
        """Return the mass [kg] of a body's root link."""
        return float(bullet.getDynamicsInfo(self.bodies[row], ROOT, self.client)[0])

    def inertia(self, row: int) -> tuple[float, F64, F64]:
        """Return mass [kg] of all links, inertia (3,) kg m2 of the root link, and its axes (4,) xyzw in the body's."""
        body = self.bodies[row]
        links = range(ROOT, bullet.getNumJoints(body, self.client))
        info = [bullet.getDynamicsInfo(body, link, self.client) for link in links]
        return sum(link[0] for link in info), np.array(info[0][2], dtype=float), np.array(info[0][4], dtype=float)

    def extent(self, row: int) -> dict[str, float]:
        """Return for each link's name how far [m] its shapes reach from its frame at most; the root's is ""."""
        body, found = self.bodies[row], {}
        for link in range(ROOT, bullet.getNumJoints(body, self.client)):
            low, high = (np.array(corner) for corner in bullet.getAABB(body, link, self.client))
            if link == ROOT:
                name, at = "", bullet.getBasePositionAndOrientation(body, self.client)[0]
            else:
                name = bullet.getJointInfo(body, link, self.client)[12].decode()
                at = bullet.getLinkState(body, link, physicsClientId=self.client)[4]
            found[name] = float(np.linalg.norm(np.maximum(np.abs(low - at), np.abs(high - at))))
        return found

    def push(self, places: Sequence[Any], wrenches: Sequence[Any], felt: set[int]) -> None:
        """Let a force [N] at a place and a torque [N m], by row, act on the bodies `felt` in the coming step."""
        client, frame = self.client, bullet.WORLD_FRAME
        for row in self._pushed:
            if row in felt:
                (force, torque), body = wrenches[row], self.bodies[row]
                bullet.applyExternalForce(body, ROOT, force, places[row], frame, client)  # arrays cost 3 times more
                bullet.applyExternalTorque(body, ROOT, torque, frame, client)

    def drive(self, row: int, efforts: list[float]) -> None:
        """Let the drives of a body's joints act in the coming step."""
        bullet.setJointMotorControlArray(
            self.bodies[row], self.joints[row], bullet.TORQUE_CONTROL, forces=efforts, physicsClientId=self.client
        )

    def place(self, row: int, pose: F64, twist: F64, joint: F64, speed: F64) -> None:
        """Put a body at `pose` (7,) m with `twist` (6,) m/s and rad/s, its joints at `joint` with `speed` (J,)."""
        body, client = self.bodies[row], self.client
        if row in self._pushed:
            bullet.resetBasePositionAndOrientation(body, pose[:3].tolist(), pose[3:].tolist(), client)
            self.set_motion(row, twist)
        for index, at, rate in zip(self.joints[row], joint.tolist(), speed.tolist(), strict=True):
            bullet.resetJointState(body, index, at, rate, client)

    def shapes(self, row: int) -> list[int]:
        """Return the links of a body that have a shape; the root link is -1."""
        body = self.bodies[row]
        links = range(ROOT, bullet.getNumJoints(body, self.client))
        return [link for link in links if bullet.getCollisionShapeData(body, link, self.client)]

    def boxes(self, row: int, links: Sequence[int]) -> F64:
        """Return the boxes (links, 6) m round the shapes of links: low and high corner."""
        return _table([bullet.getAABB(self.bodies[row], link, self.client) for link in links], 6)

    def touching(self) -> Points:
        """Return all contact points, before the first step those of the start."""
        bullet.performCollisionDetection(self.client)
        points: Points = bullet.getContactPoints(physicsClientId=self.client)
        return points

    def step(self) -> Points:
        """Advance by one step; return the contact points."""
        bullet.stepSimulation(self.client)
        points: Points = bullet.getContactPoints(physicsClientId=self.client)
        return points

    def motion(self, rows: Sequence[int]) -> tuple[F64, F64]:
        """Return pose (k, 7) and motion (k, 6) of bodies."""
        bodies, client = [self.bodies[row] for row in rows], self.client
        pose = [bullet.getBasePositionAndOrientation(body, client) for body in bodies]
        return _table(pose, 7), _table([bullet.getBaseVelocity(body, client) for body in bodies], 6)

    def set_motion(self, row: int, motion: F64) -> None:
        """Give a body its velocity [m/s] and angular velocity [rad/s], (6,) in world axes."""
        bullet.resetBaseVelocity(self.bodies[row], motion[:3].tolist(), motion[3:].tolist(), self.client)

    def joint_motion(self, row: int) -> tuple[list[float], list[float]]:
        """Return positions and velocities of the joints of a body."""
        states = bullet.getJointStates(self.bodies[row], self.joints[row], self.client)
        return [state[0] for state in states], [state[1] for state in states]

    def nearest(self, row: int, tip: Sequence[float], reach: float) -> int | None:
        """Return the row of the free body whose surface is nearest to `tip` and within `reach` m of it, if any."""
        best: tuple[float, int] | None = None
        if self._tip < 0:
            self._tip = bullet.createCollisionShape(bullet.GEOM_SPHERE, radius=_TIP, physicsClientId=self.client)
        for other in self._pushed:
            if other == row:
                continue
            points = bullet.getClosestPoints(
                self.bodies[other], -1, reach, -1, -1, collisionShapeB=self._tip, collisionShapePositionB=tip,
                physicsClientId=self.client,
            )  # fmt: skip
            for point in points:
                if best is None or (point[8], other) < best:
                    best = point[8], other
        return None if best is None else best[1]

    def hold(self, row: int, link: str, held: int, force: float) -> None:
        """Join a free body to a link of another as it is now, by at most `force` [N]."""
        body, other, client = self.bodies[row], self.bodies[held], self.client
        index = self._link(body, link)
        place, axes = self._seen_from(body, index, other)
        constraint = bullet.createConstraint(
            body, index, other, -1, bullet.JOINT_FIXED, [0, 0, 0], place, [0, 0, 0], axes, [0, 0, 0, 1],
            physicsClientId=client,
        )  # fmt: skip
        bullet.changeConstraint(constraint, maxForce=force, physicsClientId=client)
        self._held[row] = _Held(held, index, constraint, place)

    def release(self, row: int) -> None:
        """Let go of what a body holds."""
        bullet.removeConstraint(self._held.pop(row).constraint, self.client)

    def held_by(self, row: int) -> int | None:
        """Return the row of what a body holds."""
        return self._held[row].row if row in self._held else None

    def slip(self, row: int) -> float:
        """Return how far [m] what a body holds has been pulled from where it was gripped."""
        held = self._held[row]
        place, _ = self._seen_from(self.bodies[row], held.link, self.bodies[held.row])
        return float(np.linalg.norm(np.subtract(place, held.place)))

    def _seen_from(self, body: int, link: int, other: int) -> Any:
        """Return place and orientation of another body's root link in a link's inertial frame."""
        state = bullet.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self.client)
        at, turn = bullet.invertTransform(state[0], state[1])
        return bullet.multiplyTransforms(at, turn, *bullet.getBasePositionAndOrientation(other, self.client))

    def _link(self, body: int, name: str) -> int:
        infos = (bullet.getJointInfo(body, i, self.client) for i in range(bullet.getNumJoints(body, self.client)))
        return int(next(info[0] for info in infos if info[12].decode() == name))

    def _load_mesh(self, mesh: Path) -> None:
        with captured() as printed:
            try:
                shape = bullet.createCollisionShape(
                    bullet.GEOM_MESH,
                    fileName=str(mesh),
                    flags=bullet.GEOM_FORCE_CONCAVE_TRIMESH,
                    physicsClientId=self.client,
                )
                loaded = shape >= 0 and bullet.createMultiBody(0, shape, physicsClientId=self.client) >= 0
            except bullet.error:
                loaded = False
        if not loaded:
            raise ScenarioError(f"Bullet can't load this mesh: {' '.join(printed)}", file=mesh)

    def _load(self, spec: BodySpec, position: F64, orientation: F64) -> int:
        urdf, body = spec.urdf, -1
        with captured() as printed:
            try:
                body = bullet.loadURDF(
                    str(urdf),
                    position.tolist(),
                    orientation.tolist(),
                    useFixedBase=spec.fixed,
                    flags=bullet.URDF_USE_INERTIA_FROM_FILE | bullet.URDF_IGNORE_VISUAL_SHAPES,
                    physicsClientId=self.client,
                )
            except bullet.error as error:
                printed.append(str(error))
        if body < 0 or any("issue extracting mesh" in line for line in printed):  # else it leaves the shape out
            raise ScenarioError(f"Bullet can't load this URDF: {' '.join(printed)}", file=urdf)
        for line in printed:
            log.warning("%s: %s", urdf, line)
        for link in range(ROOT, bullet.getNumJoints(body, self.client)):
            bullet.changeDynamics(body, link, linearDamping=0, angularDamping=0, physicsClientId=self.client)
        return int(body)


def _table(nested: Sequence[Sequence[Sequence[float]]], width: int) -> F64:
    """Return (len(nested), width): each entry's tuples one after another."""
    flat = chain.from_iterable(chain.from_iterable(nested))
    return np.fromiter(flat, dtype=np.float64, count=len(nested) * width).reshape(-1, width)
