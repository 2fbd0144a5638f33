"""Rigid bodies, joints and contacts by PyBullet; forces by the dynamics of each group."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from twin.clock import Clock
from twin.errors import Findings, RunError, ScenarioError
from twin.mechanism.urdf import check_urdf
from twin.physics.added_mass import Waterborne
from twin.physics.bodies import BodyGroup, StatesInertia, Surroundings, rows_of
from twin.physics.bullet_world import BulletWorld, Points
from twin.physics.contacts import Contacts
from twin.physics.free_flight import fly_freely
from twin.physics.grip import Grips
from twin.physics.partition import Zones, agree, steps_of, worlds_of
from twin.protocols import Breakable, DrivesJoints
from twin.rotation import turn_all
from twin.state import F64, I64, BodyState, Commands, Event
from twin.units import time_text

GRAVITY = 9.81
"""m/s2, downwards"""
_INERTIA_TOLERANCE = 1e-3
_COMPARE = 64
"""Ticks after which a body that flies freely is asked for all the same, so that rounding can't add up."""


class BulletPhysics:
    """All bodies, group after group, in PyBullet worlds: bodies that can never touch each other share none.

    A fixed body is never beyond its reach, and one that moves about never beyond its zone, which ends the run if it
    leaves it; one without a zone may be anywhere.
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
        self._waterborne = Waterborne([(group.dynamics, len(group.names)) for group in groups])
        self.names = [name for group in groups for name in group.names]
        self.worlds: list[BulletWorld] = []
        self.clock = Clock(rate_hz)
        starts = np.cumsum([0, *(len(group.names) for group in groups)]).tolist()
        self._rows = {g.name: slice(starts[i], starts[i + 1]) for i, g in enumerate(groups)}
        self._drives = {g.name: g.dynamics if isinstance(g.dynamics, DrivesJoints) else None for g in groups}
        self._breakable = {name: (g.dynamics, row) for g in groups if isinstance(g.dynamics, Breakable)
                           for row, name in enumerate(g.names)}  # fmt: skip
        findings = Findings()
        for urdf in dict.fromkeys(group.spec.urdf for group in groups):
            with findings.attempt():
                check_urdf(urdf)
        with findings.attempt():
            if world_obj is not None and not world_obj.is_file():
                raise ScenarioError("the world's mesh isn't there", file=world_obj)
        for group in groups:
            with findings.attempt():
                steps_of(group, rate_hz)
        with findings.attempt():
            self._zones = Zones(groups)
        findings.settle()

    def close(self) -> None:
        """Release the PyBullet worlds."""
        for world in self.worlds:
            world.close()
        self.worlds = []

    def reset(self) -> BodyState:
        """Build the worlds, place all bodies at their starts and return their state at time 0."""
        self.close()  # after resetSimulation a second run may differ where other worlds are in the process
        self.clock = Clock(self.clock.rate_hz)
        self._place()
        counts = [len(self._home[row].joints[row]) for row in range(len(self.names))]
        self._jointed = [row for row, count in enumerate(counts) if count]
        self._joint_offset: I64 = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._effort = np.zeros(int(self._joint_offset[-1]))
        self._read_inertia()
        for group in self.groups:
            group.dynamics.reset()
        self._contacts = [Contacts(self.names, world.rows) for world in self.worlds]
        for contacts, world in zip(self._contacts, self.worlds, strict=True):
            contacts.start(world.touching())
        self._grips = Grips(self.groups, self._home, self.names)
        self._pose, self._motion = np.empty((len(self.names), 7)), np.empty((len(self.names), 6))
        self._ask(range(len(self.names)))
        self.bodies = self._state()
        return self.bodies

    def step(self, commands: Commands) -> tuple[BodyState, list[Event]]:
        """Advance by one tick under the held commands; return the new state and what began: contacts, grips.

        Raises:
            RunError: a body's state is no longer finite, or it left its zone.
        """
        if self.surroundings is not None:
            self.surroundings.update(self.clock.now, self.bodies)
        before, dt = self.bodies, 1 / self.clock.rate_hz
        wrench = np.zeros((len(self.names), 6))
        points: list[list[Any]] = [[] for _ in self.worlds]
        for beat in range(self._beats):
            if beat:
                self.bodies = self._state()
            self._advance(beat, commands, wrench, points)
        time = self.clock.tick()
        self._pose, self._motion = fly_freely(
            self._pose, self._motion, wrench, self._mass, self._inertia, self.gravity, dt
        )
        self._ask(self._not_free(points))
        self._bear_water(points, dt)
        self.bodies = self._state()
        self._zones.check(self.bodies.position, time)
        events = [
            event
            for contacts, new in zip(self._contacts, points, strict=True)
            for event in contacts.update(new, before, time)
        ]
        events += self._strike(events)
        return self.bodies, events + self._grips.update(commands, self.bodies, time)

    def _strike(self, contacts: Sequence[Event]) -> list[Event]:
        """Tell what can break of what hit it; return who broke."""
        return [
            Event(contact.time, "broken", name, f"hit {other}", contact.value)
            for contact in contacts
            for name, other in ((contact.robot, contact.detail), (contact.detail, contact.robot))
            if name in self._breakable and self._breakable[name][0].strike(self._breakable[name][1], contact.value)
        ]

    def _advance(self, beat: int, commands: Commands, wrench: F64, points: Sequence[list[Any]]) -> None:
        """Let those worlds step whose turn it is at this part of a tick; add their contact points."""
        due = [group for group in self.groups if self._is_due(self._steps[group.name], beat)]
        self._wrench(due, commands, wrench)
        self._drive_joints(due, commands)
        places, pairs = self._pose[:, :3].tolist(), wrench.reshape(-1, 2, 3).tolist()
        felt = set(np.flatnonzero(wrench.any(axis=1)).tolist())
        for world, found in zip(self.worlds, points, strict=True):
            if self._is_due(world.steps, beat):
                world.push(places, pairs, felt)
                found += world.step()
        if self._beats > 1:
            self._ask(self._always_asked)

    def _is_due(self, steps: int, beat: int) -> bool:
        """Tell whether what takes `steps` steps a tick takes one at this part of it."""
        return beat % (self._beats // steps) == 0

    def _place(self) -> None:
        """Make the worlds and put every body into its own: `_home` by row."""
        starts = [(g.spec, g.position[i], g.orientation[i]) for g in self.groups for i in range(len(g.names))]
        group_of = [group.name for group in self.groups for _ in group.names]
        self._home: dict[int, BulletWorld] = {}
        sets = worlds_of(self.groups)
        self._steps = agree(self.groups, sets, self.clock.rate_hz)
        self._beats = lcm(*self._steps.values())
        for rows in sets:
            world = BulletWorld(self.clock.rate_hz, self._steps[group_of[rows[0]]], self.gravity, self.world_obj)
            self.worlds.append(world)
            for row in rows:
                world.add(row, *starts[row])
                self._home[row] = world
        self._home = dict(sorted(self._home.items()))

    def _read_inertia(self) -> None:
        """Learn masses and inertias, and how Bullet's principal axes lie in the bodies' own axes."""
        info = [self._home[row].inertia(row) for row in range(len(self.names))]
        start = 0
        for group in self.groups:
            _check_inertia(group, *info[start][:2])
            start += len(group.names)
        alone = np.array([world.is_single(row) for row, world in self._home.items()], dtype=float)
        self._mass: F64 = np.array([row[0] for row in info], dtype=float) * alone
        self._inertia: F64 = np.array([row[1] for row in info], dtype=float).reshape(-1, 3)
        inverse = np.array([row[2] for row in info], dtype=float).reshape(-1, 4) * (-1.0, -1.0, -1.0, 1.0)
        self._to_body_axes = inverse if np.any(inverse[:, :3]) else None
        fixed = [group.spec.fixed for group in self.groups for _ in group.names]
        self._moving = np.flatnonzero(~np.array(fixed, dtype=bool)).tolist()
        self._always_asked = [row for row in self._moving if self._mass[row] == 0 or self._home[row].steps > 1]

    def _wrench(self, due: Sequence[BodyGroup], commands: Commands, wrench: F64) -> None:
        """Write (N, 6) what the dynamics of the groups that are due exert."""
        for group in due:
            rows = self._rows[group.name]
            state, dt = rows_of(self.bodies, rows.start, rows.stop), self._dt(group)
            wrench[rows] = group.dynamics.wrench(state, commands.values[group.name], dt)

    def _drive_joints(self, due: Sequence[BodyGroup], commands: Commands) -> None:
        """Let the drives of the joints of the groups that are due act in their coming step."""
        for group in due:
            if (dynamics := self._drives[group.name]) is None:
                continue
            rows = self._rows[group.name]
            state = rows_of(self.bodies, rows.start, rows.stop)
            effort = dynamics.joint_effort(state, commands.values[group.name], self._dt(group))
            self._effort[self._joint_offset[rows.start] : self._joint_offset[rows.stop]] = effort.ravel()
            for row, efforts in zip(range(rows.start, rows.stop), effort.tolist(), strict=True):
                self._home[row].drive(row, efforts)

    def _dt(self, group: BodyGroup) -> float:
        return 1 / (self.clock.rate_hz * self._steps[group.name])

    def _not_free(self, points: Sequence[Points]) -> list[int]:
        """Return the rows of bodies that touch something, have joints, or whose turn it is to be compared."""
        rows = {*self._always_asked, *self._moving[self.clock.ticks % _COMPARE :: _COMPARE], *self._grips.held}
        for world, new in zip(self.worlds, points, strict=True):
            rows.update(world.rows[body] for point in new for body in point[1:3] if body in world.rows)
        return sorted(rows)

    def _ask(self, rows: Sequence[int]) -> None:
        """Take pose and motion of these bodies from Bullet."""
        for world in self.worlds:
            if mine := [row for row in rows if row in world.bodies]:
                self._pose[mine], self._motion[mine] = world.motion(mine)

    def _bear_water(self, points: Sequence[Points], dt: float) -> None:
        """Let what Bullet's impulses moved have moved with its added mass."""
        for world, new in zip(self.worlds, points, strict=True):
            for row, motion in self._waterborne.moved(new, world.rows, self.bodies, self._motion, dt).items():
                world.set_motion(row, motion)
                self._motion[row] = motion

    def _state(self) -> BodyState:
        finite = np.isfinite(self._pose).all(axis=1) & np.isfinite(self._motion).all(axis=1)
        if not finite.all():
            name = self.names[int(np.flatnonzero(~finite)[0])]
            raise RunError(f"the state of {name} is no longer finite after {time_text(self.clock.now)}")
        joints = [value for row in self._jointed for value in self._home[row].joint_motion(row)]
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


def _check_inertia(group: BodyGroup, mass: float, inertia: F64) -> None:
    if not isinstance(group.dynamics, StatesInertia):
        return
    for name, value in {"mass": np.array(mass), "inertia": inertia}.items():
        stated = getattr(group.dynamics, name)
        if not np.allclose(value, stated, rtol=_INERTIA_TOLERANCE, atol=0):
            message = f"{name} of the URDF is {value}, but the parameters of {group.name} say {stated}"
            raise ScenarioError(message, file=group.spec.urdf)
