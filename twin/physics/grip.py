"""What arms grip with: suction that holds the body it touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from pydantic import Field
from scipy.spatial.transform import Rotation

from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import Mechanism
from twin.numerics.kernels import kernel
from twin.specs import Point, Spec
from twin.state import F64, BodyState, Bool, Commands, Event
from twin.units import Metres, Newtons


class VacuumSpec(Spec):
    """A suction cup: its place on a link, how near it must be to a surface to hold it, and how strongly it does."""

    link: str
    place: Point = (0.0, 0.0, 0.0)
    reach: Metres = Field(default=0.01, gt=0)
    force: Newtons = Field(default=60.0, gt=0)  # beyond it, what it holds slips, and is torn off when out of reach


class Gripped(Protocol):
    """Bodies in a physics, as grippers see them."""

    def nearest(self, row: int, tip: Sequence[float], reach: float) -> int | None:
        """Return the row of the free body whose surface is nearest to `tip` and within `reach` m of it, if any."""

    def hold(self, row: int, link: str, held: int, force: float) -> None:
        """Join a free body to a link of another as it is now, by at most `force` [N]."""

    def release(self, row: int) -> None:
        """Let go of what a body holds."""

    def held_by(self, row: int) -> int | None:
        """Return the row of what a body holds."""

    def slip(self, row: int) -> float:
        """Return how far [m] what a body holds has been pulled from where it was gripped."""


class Grip:
    """The suction cups of a group's arms, as the physics asks for them.

    Raises:
        ScenarioError: the URDF has no such link.
    """

    def __init__(self, spec: VacuumSpec, mechanism: Mechanism, place: int, n: int) -> None:
        self.spec, self.tree = spec, mechanism.tree
        self.frame = mechanism.tool(spec.link, spec.place)
        self.base_centre = mechanism.base_centre
        self._place = place  # in the command
        self.on: Bool = np.zeros(n, dtype=bool)  # of each cup, whether it is to hold something
        self.holds: Bool = np.zeros(n, dtype=bool)  # between steps, which cups hold something

    def reset(self) -> None:
        """Switch it off."""
        self.on[:] = self.holds[:] = False

    def obey(self, command: F64) -> bool:
        """Switch suction on and off; it stays as it is while the brake is on. Tell whether any is on."""
        return _switch(command, self._place, self.on)

    def tip(self, joint_position: F64) -> tuple[F64, F64]:
        """Return place (3,) m and axes (3, 3) of a cup in the frame of its arm's root link."""
        at, turn = tool_pose(self.tree, self.frame, np.ascontiguousarray(joint_position))
        return at, turn


@kernel
def _switch(command: F64, place: int, on: Bool) -> bool:
    found = False
    for i in range(len(on)):
        if command[i, -1] < 0.5:
            on[i] = command[i, place] >= 0.5
        found = found or on[i]
    return found


class Grips:
    """Closes and opens the grippers of all groups, and tears off what is too heavy; events say which and what."""

    def __init__(self, groups: Sequence[Any], home: Mapping[int, Gripped], names: Sequence[str]) -> None:
        self._home, self._names = home, names
        self._groups: list[tuple[str, Grip, int, int]] = []
        start = 0
        for group in groups:
            grip, stop = getattr(group.dynamics, "grip", None), start + len(group.names)
            if grip is not None:
                self._groups.append((group.name, grip, start, stop))
            start = stop
        self._busy: dict[int, None] = {}  # rows of grippers
        self._held: dict[int, int] = {}  # row of a gripper -> row of what it holds

    @property
    def held(self) -> set[int]:
        """The rows of bodies that are held, by one gripper or by several."""
        return set(self._held.values())

    @property
    def busy(self) -> set[int]:
        """The rows of the grippers that hold something or try to."""
        return set(self._busy)

    def gripping(self, commands: Commands) -> list[int]:
        """Do what the commands want; return the rows of the grippers that hold something or try to."""
        rows = list(self._held)
        for name, grip, start, _ in self._groups:
            if grip.obey(commands.values[name]):
                rows += (start + np.flatnonzero(grip.on)).tolist()
        self._busy = dict.fromkeys(sorted(rows))
        return list(self._busy)

    def update(self, bodies: BodyState, time: int) -> list[Event]:
        """Grip and let go at `time` [ns]."""
        events: list[Event] = []
        for _, grip, start, stop in self._groups if self._busy else ():
            for row in range(start, stop):
                if row in self._busy and (event := self._update(grip, row, grip.on[row - start], bodies, time)):
                    events.append(event)
                    grip.holds[row - start] = row in self._held
        return events

    def _update(self, grip: Grip, row: int, wanted: bool, bodies: BodyState, time: int) -> Event | None:
        world, arm = self._home[row], self._names[row]
        held = world.held_by(row)
        if held is None:
            held = world.nearest(row, self._tip(grip, row, bodies), grip.spec.reach) if wanted else None
            if held is None:
                return None
            world.hold(row, grip.spec.link, held, grip.spec.force)
            self._held[row] = held
            return Event(time, "gripped", arm, self._names[held])
        slip = world.slip(row) if wanted else 0.0
        if wanted and slip <= grip.spec.reach:
            return None
        world.release(row)
        del self._held[row]
        return Event(time, "torn off" if wanted else "released", arm, self._names[held], slip)

    def _tip(self, grip: Grip, row: int, bodies: BodyState) -> list[float]:
        """Return where a cup is, world axes."""
        joints = slice(int(bodies.joint_offset[row]), int(bodies.joint_offset[row + 1]))
        at, _ = grip.tip(bodies.joint_position[joints])
        turn = Rotation.from_quat(bodies.orientation[row])
        place: list[float] = (bodies.position[row] + turn.apply(at - grip.base_centre)).tolist()
        return place
