"""Rigid bodies, joints and contacts by PyBullet; forces by the dynamics of each group."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from twin.clock import Clock
from twin.errors import Findings, RunError, ScenarioError
from twin.mechanism.urdf import check_urdf, movable_joints
from twin.physics.contacts import Contacts
from twin.physics.free_flight import fly_freely
from twin.physics.quiet import captured
from twin.physics.rotation import turn_all
from twin.protocols import DrivesJoints, Dynamics
from twin.specs import BodySpec
from twin.state import F64, I64, BodyState, Commands, Event

with captured() as _banner:
    import pybullet as bullet

log = logging.getLogger(__name__)

GRAVITY = 9.81
"""m/s2, downwards"""
_BASE = -1
_INERTIA_TOLERANCE = 1e-3
_COMPARE = 64
"""Ticks after which a body that flies freely is asked for all the same, so that rounding can't add up."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyGroup:
    """Bodies of one kind that one dynamics moves: n robots of one entry of a scenario."""

    name: str  # of the commands that drive it
    spec: BodySpec
    dynamics: Dynamics
    position: F64  # (n, 3) m, where the URDF's root link starts
    orientation: F64  # (n, 4) quaternion xyzw
    names: Sequence[str]  # (n,)


class Surroundings(Protocol):
    """Tells dynamics what is round their bodies (air, ground, water) before each step."""

    def update(self, time: int, bodies: BodyState) -> None:
        """Take the bodies' places at `time` [ns]."""


@runtime_checkable
class StatesInertia(Protocol):
    """A dynamics that is told mass and inertia itself: they must be those of the URDF."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2 about the body axes


class BulletPhysics:
    """All bodies in one PyBullet world without air resistance of Bullet's own; group after group, in order.

    The world is fixed in place: one concave mesh from an OBJ file. `reset` builds everything anew, since a
    restored state of Bullet isn't the same state.

    Raises:
        ScenarioError: a URDF or the world's mesh is missing, broken or contradicts the dynamics' parameters.
    """

    def __init__(
        self,
        rate_hz: int,
        groups: Sequence[BodyGroup],
        world_obj: Path | None = None,
        gravity: float = GRAVITY,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.groups, self.world_obj, self.gravity = groups, world_obj, gravity
        self.surroundings = surroundings
        self.names = [name for group in groups for name in group.names]
        self._drives = {g.name: g.dynamics if isinstance(g.dynamics, DrivesJoints) else None for g in groups}
        self._urdfs = [group.spec.urdf for group in groups for _ in group.names]
        self.clock = Clock(rate_hz)
        findings = Findings()
        for urdf in dict.fromkeys(group.spec.urdf for group in groups):
            with findings.attempt():
                check_urdf(urdf)
        with findings.attempt():
            if world_obj is not None and not world_obj.is_file():
                raise ScenarioError("the world's mesh isn't there", file=world_obj)
        findings.settle()
        self._client = -1

    def close(self) -> None:
        """Release the PyBullet world."""
        if self._client >= 0:
            bullet.disconnect(self._client)
            self._client = -1

    def reset(self) -> BodyState:
        """Build the world, place all bodies at their starts and return their state at time 0."""
        self.close()  # after resetSimulation a second run may differ where other worlds are in the process
        self._client = bullet.connect(bullet.DIRECT)
        self.clock = Clock(self.clock.rate_hz)
        self._configure()
        if self.world_obj is not None:
            self._load_world(self.world_obj)
        self._bodies = [self._load_body(group, row) for group in self.groups for row in range(len(group.names))]
        self._joints = self._find_joints()
        counts = [len(joints) for joints in self._joints]
        self._joint_offset: I64 = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._effort = np.zeros(int(self._joint_offset[-1]))
        self._release_joints()
        self._read_inertia()
        for group in self.groups:
            self._check_inertia(group)
            group.dynamics.reset()
        self._rows = {body: row for row, body in enumerate(self._bodies)}
        self._contacts = Contacts(self.names, self._rows)
        bullet.performCollisionDetection(self._client)
        self._contacts.start(bullet.getContactPoints(physicsClientId=self._client))
        self._pose, self._motion = np.empty((len(self._bodies), 7)), np.empty((len(self._bodies), 6))
        self._ask(range(len(self._bodies)))
        self.bodies = self._state()
        return self.bodies

    def step(self, commands: Commands) -> tuple[BodyState, list[Event]]:
        """Advance by one tick under the held commands; return the new state and the contacts that began.

        Raises:
            RunError: a body's state is no longer finite.
        """
        if self.surroundings is not None:
            self.surroundings.update(self.clock.now, self.bodies)
        wrench, dt = self._wrench(commands), 1 / self.clock.rate_hz
        self._apply(wrench)
        self._drive_joints(commands)
        bullet.stepSimulation(self._client)
        time = self.clock.tick()
        points = bullet.getContactPoints(physicsClientId=self._client)
        self._pose, self._motion = fly_freely(
            self._pose, self._motion, wrench, self._mass, self._inertia, self.gravity, dt
        )
        self._ask(self._not_free(points))
        before, self.bodies = self.bodies, self._state()
        return self.bodies, self._contacts.update(points, before, time)

    def _configure(self) -> None:
        client = self._client
        bullet.setGravity(0, 0, -self.gravity, client)
        bullet.setTimeStep(1 / self.clock.rate_hz, client)
        bullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, enableFileCaching=0, physicsClientId=client)

    def _load_world(self, mesh: Path) -> None:
        with captured() as printed:
            try:
                shape = bullet.createCollisionShape(
                    bullet.GEOM_MESH,
                    fileName=str(mesh),
                    flags=bullet.GEOM_FORCE_CONCAVE_TRIMESH,
                    physicsClientId=self._client,
                )
                loaded = shape >= 0 and bullet.createMultiBody(0, shape, physicsClientId=self._client) >= 0
            except bullet.error:
                loaded = False
        if not loaded:
            raise ScenarioError(f"Bullet can't load this mesh: {' '.join(printed)}", file=mesh)

    def _load_body(self, group: BodyGroup, row: int) -> int:
        urdf, body = group.spec.urdf, -1
        with captured() as printed:
            try:
                body = bullet.loadURDF(
                    str(urdf),
                    group.position[row].tolist(),
                    group.orientation[row].tolist(),
                    useFixedBase=group.spec.fixed,
                    flags=bullet.URDF_USE_INERTIA_FROM_FILE,
                    physicsClientId=self._client,
                )
            except bullet.error as error:
                printed.append(str(error))
        if body < 0 or any("issue extracting mesh" in line for line in printed):  # else it leaves the shape out
            raise ScenarioError(f"Bullet can't load this URDF: {' '.join(printed)}", file=urdf)
        for line in printed:
            log.warning("%s: %s", urdf, line)
        for link in range(_BASE, bullet.getNumJoints(body, self._client)):
            bullet.changeDynamics(body, link, linearDamping=0, angularDamping=0, physicsClientId=self._client)
        return int(body)

    def _find_joints(self) -> list[list[int]]:
        """Return Bullet's index of each movable joint, body by body, in the order of their URDFs."""
        found = []
        for body, urdf in zip(self._bodies, self._urdfs, strict=True):
            infos = [bullet.getJointInfo(body, i, self._client) for i in range(bullet.getNumJoints(body, self._client))]
            index = {info[1].decode(): info[0] for info in infos}
            found.append([index[joint.name] for joint in movable_joints(urdf)])
        return found

    def _release_joints(self) -> None:
        """Switch off the motors that Bullet gives every joint to hold it still."""
        for body, joints in zip(self._bodies, self._joints, strict=True):
            for joint in joints:
                bullet.setJointMotorControl2(
                    body, joint, bullet.VELOCITY_CONTROL, force=0, physicsClientId=self._client
                )

    def _read_inertia(self) -> None:
        """Learn masses and inertias, and how Bullet's principal axes lie in the bodies' own axes."""
        info = [bullet.getDynamicsInfo(body, _BASE, self._client) for body in self._bodies]
        alone = np.array([not joints for joints in self._joints], dtype=float)
        self._mass: F64 = np.array([row[0] for row in info], dtype=float) * alone
        self._inertia: F64 = np.array([row[2] for row in info], dtype=float).reshape(-1, 3)
        inverse = np.array([row[4] for row in info], dtype=float).reshape(-1, 4) * (-1.0, -1.0, -1.0, 1.0)
        self._to_body_axes = inverse if np.any(inverse[:, :3]) else None
        self._always_asked = np.flatnonzero(self._mass == 0).tolist()

    def _check_inertia(self, group: BodyGroup) -> None:
        if not isinstance(group.dynamics, StatesInertia):
            return
        body = self._bodies[self.names.index(group.names[0])]
        links = range(_BASE, bullet.getNumJoints(body, self._client))
        info = [bullet.getDynamicsInfo(body, link, self._client) for link in links]
        found = {"mass": np.array(sum(link[0] for link in info)), "inertia": np.array(info[0][2])}
        for name, value in found.items():
            stated = getattr(group.dynamics, name)
            if not np.allclose(value, stated, rtol=_INERTIA_TOLERANCE, atol=0):
                message = f"{name} of the URDF is {value}, but the parameters of {group.name} say {stated}"
                raise ScenarioError(message, file=group.spec.urdf)

    def _wrench(self, commands: Commands) -> F64:
        """Return (N, 6): what the dynamics of all groups exert."""
        dt, start, wrenches = 1 / self.clock.rate_hz, 0, [np.empty((0, 6))]
        for group in self.groups:
            state = rows_of(self.bodies, start, start + len(group.names))
            wrenches.append(group.dynamics.wrench(state, commands.values[group.name], dt))
            start += len(group.names)
        return np.concatenate(wrenches)

    def _apply(self, wrench: F64) -> None:
        client, frame = self._client, bullet.WORLD_FRAME
        places, pairs = self._pose[:, :3].tolist(), wrench.reshape(-1, 2, 3).tolist()
        for body, place, (force, torque) in zip(self._bodies, places, pairs, strict=True):
            bullet.applyExternalForce(body, _BASE, force, place, frame, client)  # lists: arrays cost 3 times more
            bullet.applyExternalTorque(body, _BASE, torque, frame, client)

    def _drive_joints(self, commands: Commands) -> None:
        """Let the drives of all joints act in the coming step."""
        start, dt = 0, 1 / self.clock.rate_hz
        for group in self.groups:
            stop = start + len(group.names)
            if (dynamics := self._drives[group.name]) is not None:
                state = rows_of(self.bodies, start, stop)
                effort = dynamics.joint_effort(state, commands.values[group.name], dt)
                joints = slice(self._joint_offset[start], self._joint_offset[stop])
                self._effort[joints] = effort.ravel()
                for body, forces in zip(range(start, stop), effort.tolist(), strict=True):
                    bullet.setJointMotorControlArray(
                        self._bodies[body], self._joints[body], bullet.TORQUE_CONTROL, forces=forces,
                        physicsClientId=self._client,
                    )  # fmt: skip
            start = stop

    def _not_free(self, points: Sequence[Sequence[Any]]) -> list[int]:
        """Return the rows of bodies that touch something, have joints, or whose turn it is to be compared."""
        rows = {*self._always_asked, *range(self.clock.ticks % _COMPARE, len(self._bodies), _COMPARE)}
        rows.update(self._rows[body] for point in points for body in point[1:3] if body in self._rows)
        return sorted(rows)

    def _ask(self, rows: Sequence[int]) -> None:
        """Take pose and motion of these bodies from Bullet."""
        if rows:
            bodies, client = [self._bodies[row] for row in rows], self._client
            pose = [bullet.getBasePositionAndOrientation(body, client) for body in bodies]
            self._pose[rows] = _table(pose, 7)
            self._motion[rows] = _table([bullet.getBaseVelocity(body, client) for body in bodies], 6)

    def _state(self) -> BodyState:
        finite = np.isfinite(self._pose).all(axis=1) & np.isfinite(self._motion).all(axis=1)
        if not finite.all():
            name = self.names[int(np.flatnonzero(~finite)[0])]
            raise RunError(f"the state of {name} is no longer finite after {self.clock.now} ns")
        joints = [
            joint[:2]
            for body, indices in zip(self._bodies, self._joints, strict=True)
            if indices
            for joint in bullet.getJointStates(body, indices, self._client)
        ]
        joint = np.array(joints, dtype=float).reshape(-1, 2)
        orientation = self._pose[:, 3:].copy()
        if self._to_body_axes is not None:
            orientation = turn_all(orientation, self._to_body_axes)
        return BodyState(
            position=self._pose[:, :3].copy(),
            orientation=orientation,
            velocity=self._motion[:, :3].copy(),
            angular_velocity=self._motion[:, 3:].copy(),
            joint_position=joint[:, 0].copy(),
            joint_velocity=joint[:, 1].copy(),
            joint_offset=self._joint_offset,
            joint_effort=self._effort.copy(),
        )


def rows_of(bodies: BodyState, start: int, stop: int) -> BodyState:
    """Return bodies start:stop as a state of their own."""
    offset = bodies.joint_offset[start : stop + 1]
    joints = slice(int(offset[0]), int(offset[-1]))
    return BodyState(
        bodies.position[start:stop],
        bodies.orientation[start:stop],
        bodies.velocity[start:stop],
        bodies.angular_velocity[start:stop],
        bodies.joint_position[joints],
        bodies.joint_velocity[joints],
        offset - offset[0],
        bodies.joint_effort[joints],
    )


def _table(nested: Sequence[Sequence[Sequence[float]]], width: int) -> F64:
    """Return (len(nested), width): each entry's tuples one after another."""
    flat = chain.from_iterable(chain.from_iterable(nested))
    return np.fromiter(flat, dtype=np.float64, count=len(nested) * width).reshape(-1, width)
