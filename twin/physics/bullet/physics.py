"""Rigid bodies, joints and contacts by PyBullet; forces by the dynamics of each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from twin.clock import NS, Clock
from twin.errors import Findings, RunError, ScenarioError
from twin.mechanism.urdf import check_urdf
from twin.numerics.rotation import turn_all
from twin.physics.added_mass import Waterborne
from twin.physics.bodies import BodyGroup, GroupRows, Motion, Surroundings, is_midway, parted
from twin.physics.bullet.checks import Strays, check_apart, check_base, check_inertia, check_loops, of_one_piece
from twin.physics.bullet.contacts import Contacts
from twin.physics.bullet.partition import Zones, rate_of, worlds_of
from twin.physics.bullet.unhindered import Unhindered
from twin.physics.bullet.watch import RETRY, Watch
from twin.physics.bullet.world import BulletWorld, Points
from twin.physics.grip import Grips
from twin.protocols import Breakable, DrivesJoints
from twin.state import F64, I64, BodyState, Commands, Event
from twin.units import time_text
from twin.world.bvh import Bvh

GRAVITY = 9.81
"""m/s2, downwards"""
_COMPARE = 64
"""Ticks after which a body that flies freely is asked for all the same, so that rounding can't add up."""


class BulletPhysics:
    """All bodies, group after group; PyBullet steps the worlds in which something may touch something.

    Bodies that can never touch each other share no world. A fixed body is never beyond its reach, and one that moves
    about never beyond its zone, which ends the run if it leaves it; one without a zone may be anywhere. What is in a
    world where nothing is near anything is moved without Bullet, to the same effect.
    What has a rate of its own steps several times per tick, or once in several: then at the end of its step, under the
    command that was held at the beginning, and until then it is seen where it was.
    The scenery is fixed in place: one concave mesh from an OBJ file, and its triangles as a hierarchy; without
    these, Bullet steps all worlds that have it. `reset` builds everything anew, since a restored state of Bullet isn't
    the same state.

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
        bvh: Bvh | None = None,
    ) -> None:
        self.world_obj, self.gravity = world_obj, gravity
        groups = self.groups = [of_one_piece(group) for group in groups]
        self.surroundings, self._bvh = surroundings, bvh
        self._waterborne = Waterborne([(group.dynamics, len(group.names)) for group in groups])
        self.names = [name for group in groups for name in group.names]
        self.worlds: list[BulletWorld] = []
        self.clock, self._half_tick = Clock(rate_hz), NS // (2 * rate_hz)
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
                rate_of(group, rate_hz)
                check_base(group)
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
        self._offset: I64 = np.cumsum([0, *counts]).astype(np.int64)
        self._effort = np.zeros(int(self._offset[-1]))
        mass, inertia = self._read_inertia()
        self._unhindered = Unhindered(self.groups, self._offset, mass, inertia, self.gravity)
        self._midway = {row for g in self.groups if is_midway(g.dynamics) for row in self._range(g)}
        ours = self._unhindered.arms | set(np.flatnonzero(mass).tolist())
        self._always_asked = {row for row, world in self._home.items() if row in world.moving and row not in ours}
        for group in self.groups:
            group.dynamics.reset()
        self._contacts = [Contacts(self.names, world.rows) for world in self.worlds]
        for contacts, world in zip(self._contacts, self.worlds, strict=True):
            points = world.touching()
            check_apart(points, world.rows, self.names)
            contacts.start(points)
        self._strays = Strays(self.names)
        self._grips = Grips(self.groups, self._home, self.names)
        n, joints = len(self.names), len(self._effort)
        self._now = Motion(np.empty((n, 7)), np.empty((n, 6)), np.empty(joints), np.empty(joints), np.zeros((n, 6)),
                           np.zeros(joints))  # fmt: skip
        for world in self.worlds:
            self._ask(world, list(world.bodies))
        self._watch = Watch(self.worlds, self._offset, self._unhindered.mechanisms, self._bvh)
        self._watch.begin(self._now)
        self._parts = {g.name: GroupRows.of(self._offset, self._rows[g.name]) for g in self.groups}
        self.bodies = self._state()
        return self.bodies

    def step(self, commands: Commands) -> tuple[BodyState, list[Event]]:
        """Advance by one tick under the held commands; return the new state and what began: contacts, grips.

        Raises:
            RunError: a body's state is no longer finite, or it left its zone.
        """
        if self.surroundings is not None:
            self.surroundings.update(self.clock.now + self._half_tick, self.bodies)
        gripping = [self._home[row] for row in self._grips.gripping(commands)]
        for world in gripping:
            self._watch.wake(world, self._now)
        before, first = self.bodies, self.clock.ticks * self._beats
        points: dict[int, list[Any]] = {}  # by the index of each world that steps
        for beat in range(first, first + self._beats):
            if beat > first:
                self.bodies = self._state()
            self._advance(beat, commands, points)
        time = self.clock.tick()
        self._bear_water(points)
        self.bodies = self._state()
        self._zones.check(self.bodies.position, time)
        events = [event for i, new in points.items() for event in self._contacts[i].update(new, before, time)]
        events += self._strike(events)
        events += self._grips.update(self.bodies, time)
        events += self._strays.look(self.bodies, time)
        if self.clock.ticks % RETRY == 0:
            quiet = [self.worlds[i] for i, found in points.items() if not found]
            self._watch.look_again([world for world in quiet if world not in gripping], self._now)
        return self.bodies, events

    def _strike(self, contacts: Sequence[Event]) -> list[Event]:
        """Tell what can break of what hit it; return who broke."""
        return [
            Event(contact.time, "broken", name, f"hit {other}", contact.value)
            for contact in contacts
            for name, other in ((contact.robot, contact.detail), (contact.detail, contact.robot))
            if name in self._breakable and self._breakable[name][0].strike(self._breakable[name][1], contact.value)
        ]

    def _advance(self, beat: int, commands: Commands, points: dict[int, list[Any]]) -> None:
        """Let those worlds end a step whose turn it is at this part of a tick; add their contact points."""
        for name, period in self._periods.items():
            if beat % period == 0:
                self._held[name] = commands.values[name]
        due = {i: world for i, world in enumerate(self.worlds) if (beat + 1) % self._world_periods[i] == 0}
        if not due:
            return
        wrench = self._exert([group for group in self.groups if (beat + 1) % self._periods[group.name] == 0])
        after = self._unhindered.step(self._now, wrench, self._effort, self._durations(tuple(due)))
        self._watch.look(self._now, after, list(due.values()))
        near = {i: world for i, world in due.items() if not world.clear}
        if near:
            places, pairs = self._now.pose[:, :3].tolist(), wrench.reshape(-1, 2, 3).tolist()
            felt = set(np.flatnonzero(wrench.any(axis=1)).tolist())
            efforts = self._effort.tolist()
        self._now = after
        points |= {i: points.get(i, []) for i in due}
        for i, world in near.items():
            world.push(places, pairs, felt)
            for row in world.moving:
                if world.joints[row]:
                    world.drive(row, efforts[self._offset[row] : self._offset[row + 1]])
            found = world.step()
            points[i] += found
            asked = self._not_free(world, found)
            for row in self._midway.intersection(world.moving).difference(asked):
                self._watch.place(world, row, after)
            self._ask(world, asked)

    def _range(self, group: BodyGroup) -> range:
        rows = self._rows[group.name]
        return range(rows.start, rows.stop)

    def _durations(self, worlds: tuple[int, ...]) -> F64:
        """Return how long (N,) s each body's step is when these worlds step, 0 for all others."""
        if worlds not in self._steps:
            stepping = [self.worlds[i] for i in worlds]
            self._steps[worlds] = np.array([1 / w.rate_hz if w in stepping else 0.0 for w in self._home.values()])
        return self._steps[worlds]

    def _place(self) -> None:
        """Make the worlds and put every body into its own: `_home` by row."""
        starts = [(g.spec, g.position[i], g.orientation[i]) for g in self.groups for i in range(len(g.names))]
        self._home: dict[int, BulletWorld] = {}
        for rate, rows in worlds_of(self.groups, self.clock.rate_hz):
            world = BulletWorld(rate, self.gravity, self.world_obj)
            self.worlds.append(world)
            for row in rows:
                world.add(row, *starts[row])
                self._home[row] = world
        self._home = dict(sorted(self._home.items()))
        self.rates = {group.name: self._home[self._rows[group.name].start].rate_hz for group in self.groups}
        all_beats = lcm(self.clock.rate_hz, *self.rates.values())
        self._beats = all_beats // self.clock.rate_hz  # of a tick: in each, some worlds step
        self._periods = {name: all_beats // rate for name, rate in self.rates.items()}
        self._world_periods = [all_beats // world.rate_hz for world in self.worlds]
        self._held: dict[str, F64] = {}  # commands of each group's present step
        self._steps: dict[tuple[int, ...], F64] = {}

    def _read_inertia(self) -> tuple[F64, F64]:
        """Return mass (N,) kg, 0 for what isn't a single free body, and inertia (N, 3) kg m2 about principal axes.

        Learn, too, how Bullet's principal axes lie in the bodies' own axes.
        """
        info = [self._home[row].inertia(row) for row in range(len(self.names))]
        start = 0
        for group in self.groups:
            check_inertia(group, *info[start][:2], self._home[start].mass(start))
            check_loops(group, self.rates[group.name], self.clock.rate_hz)
            start += len(group.names)
        alone = np.array([world.is_single(row) for row, world in self._home.items()], dtype=float)
        mass: F64 = np.array([row[0] for row in info], dtype=float) * alone
        inertia: F64 = np.array([row[1] for row in info], dtype=float).reshape(-1, 3)
        inverse = np.array([row[2] for row in info], dtype=float).reshape(-1, 4) * (-1.0, -1.0, -1.0, 1.0)
        self._to_body_axes = inverse if np.any(inverse[:, :3]) else None
        return mass, inertia

    def _exert(self, due: Sequence[BodyGroup]) -> F64:
        """Return (N, 6) what the dynamics of the groups that are due exert; note what their joints' drives do."""
        wrench = np.zeros((len(self.names), 6))
        for group in due:
            part, command = self._parts[group.name], self._held[group.name]
            dt = 1 / self.rates[group.name]
            midway = is_midway(group.dynamics)
            state = part.halfway(self.bodies, self._now, dt) if midway else part.state(self.bodies)
            wrench[part.rows] = group.dynamics.wrench(state, command, dt)
            if (drives := self._drives[group.name]) is not None:
                self._effort[part.joints] = drives.joint_effort(state, command, dt).ravel()
        return wrench

    def _not_free(self, world: BulletWorld, points: Points) -> list[int]:
        """Return the rows of bodies that Bullet moved: which touch, hold or are held, have a joint at its end.

        So are those that nothing else moves, and of those that move as Bullet has it whose turn it is to be compared.
        """
        rows = {*world.moving[self.clock.ticks % _COMPARE :: _COMPARE]} - self._midway
        rows |= (self._always_asked | self._grips.held | self._grips.busy) & world.bodies.keys()
        rows |= self._unhindered.at_an_end(world.moving, self._now.joint)
        rows.update(world.rows[body] for point in points for body in point[1:3] if body in world.rows)
        return sorted(rows)

    def _ask(self, world: BulletWorld, rows: Sequence[int]) -> None:
        """Take how these bodies of a world move from Bullet."""
        now = self._now
        now.pose[rows], now.twist[rows] = world.motion(rows)
        for row in rows:
            if world.joints[row]:
                joints = slice(int(self._offset[row]), int(self._offset[row + 1]))
                now.joint[joints], now.speed[joints] = world.joint_motion(row)
                now.joint_change[joints] = 0.0
        now.change[rows] = 0.0

    def _bear_water(self, points: Mapping[int, list[Any]]) -> None:
        """Let what Bullet's impulses moved have moved with its added mass."""
        for i, new in points.items():
            world = self.worlds[i]
            moved = self._waterborne.moved(new, world.rows, self.bodies, self._now.twist, 1 / world.rate_hz)
            for row, motion in moved.items():
                world.set_motion(row, motion)
                self._now.twist[row] = motion

    def _state(self) -> BodyState:
        now = self._now
        wrong, position, orientation, velocity, turning = parted(now.pose, now.twist)
        if wrong < len(self.names):
            name = self.names[wrong]
            raise RunError(f"the state of {name} is no longer finite after {time_text(self.clock.now)}")
        if self._to_body_axes is not None:
            orientation = turn_all(orientation, self._to_body_axes)
        return BodyState(
            position=position,
            orientation=orientation,
            velocity=velocity,
            angular_velocity=turning,
            joint_position=now.joint.copy(),
            joint_velocity=now.speed.copy(),
            joint_offset=self._offset,
            joint_effort=self._effort.copy(),
        )
