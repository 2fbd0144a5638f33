"""Two arms at the edge: one takes parts up and carries them past, the other takes them over on the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NS,
    Action,
    Metres,
    Observation,
    Point,
    Posture,
    RadiansPerSecond,
    RobotSpec,
    ScenarioError,
    Seconds,
    Spec,
    Speed,
    inverse_kinematics,
    read_mechanism,
    tool_jacobian,
    tool_pose,
)

DOWN = np.diag([1.0, -1.0, -1.0])
"""Axes of a cup that looks down."""
TO_LEFT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Axes of a cup that looks along y; that of the other arm looks against it."""
TO_RIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_NEAR, _THERE = 0.02, 2e-3
"""rad from joints that count as being there; m by which a place may be missed"""


class HandOver:
    """Robot 2i gives, robot 2i + 1 of the entry takes; both are turned alike, the taker stands `apart` to the left.

    The giver carries a part along a line; the taker follows the giver's cup as joint readings tell it, closes in,
    and sucks. Each lets go or goes on when the vacuum switches say so. The taker looks ahead by `lead`, which makes up
    for the lag of its drives on an ideal network; what the network adds is not made up for.
    """

    runs_on = "edge"
    trigger = "100 Hz"
    service_time = "1 ms"

    class Parameters(Spec):
        """Places of the cup are in the giver's root link's axes, but `put`, which is in the taker's."""

        pick: tuple[Point, ...] = Field(min_length=1)  # the top of each part
        put: tuple[Point, ...] = Field(min_length=1)  # where the cup lets go of each of them
        line: tuple[Point, Point]  # of the giver's cup, from where it carries a part to where it gives up
        apart: Metres = Field(gt=0)
        part: Metres = Field(default=0.06, gt=0)  # its size from cup to cup
        hover: Metres = Field(default=0.12, gt=0)  # above parts, and from a part before it is taken over
        speed: Speed = Field(default=0.25, gt=0)  # along the line
        approach: Speed = Field(default=0.2, gt=0)
        turning: RadiansPerSecond = Field(default=1.2, gt=0)  # of each joint, between places
        align: Seconds = Field(default=0.4, ge=0)  # that the taker follows before it closes in
        lead: Seconds = Field(default=0.06, ge=0)

    partner: HandOver

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Plan the joints for all places.

        Raises:
            ScenarioError: there are no places, or the arm can't get to one of them.
        """
        body = spec.kind.body
        if body is None or spec.parameters is None:
            raise ScenarioError(f"{spec.name}: a hand-over needs `parameters`: pick, put, line and apart")
        self.p: HandOver.Parameters = spec.parameters
        self.name, gives = spec.name, spec.row % 2 == 0
        vacuum, mechanism = body.parameters["vacuum"], read_mechanism(body.urdf)
        self.tree, self.tool = mechanism.tree, mechanism.tool(vacuum["link"], tuple(vacuum["place"]))
        lower, upper = (body.vector(bound)[:7] for bound in ("lower", "upper"))
        self.rest = body.joint_start()
        self.posture = Posture(lower, upper, self.rest)
        self.axes = TO_LEFT if gives else TO_RIGHT
        self.start, self.end = (np.array(point) for point in self.p.line)
        # From the giver's cup to the taker's with a part between, each in its own arm's axes.
        self.beside = np.array([0.0, self.p.part - self.p.apart, 0.0])
        above = np.array([0.0, 0.0, self.p.hover])
        places = [np.array(top) + above for top in self.p.pick] if gives else [np.array(spot) for spot in self.p.put]
        ready = self.start if gives else self.start + self.beside + [0.0, self.p.hover, 0.0]
        self.places, self.stand_by = [self._plan(place, DOWN) for place in places], self._plan(ready, self.axes)
        self.joints, self.sucks, self.count = self.rest.copy(), 0.0, 0
        self.state, self.since, self.carried, self.before = ("fetch" if gives else "return"), 0, 0, 0
        self.cup, self.velocity, self.holds = self.start, np.zeros(3), False
        self.left, self.offset = self.cup, self.beside

    @staticmethod
    def meet(controllers: Sequence[HandOver]) -> None:
        """Let each know its partner: at the edge, it sees of it what its newest telemetry said."""
        for giver, taker in zip(controllers[::2], controllers[1::2], strict=True):
            giver.partner, taker.partner = taker, giver

    def act(self, observation: Observation) -> Action:
        """Return joints, suction and no brake."""
        sensed, now = observation.sensed, observation.time
        if sensed is None:
            return Action()
        q = sensed["joint_position"]
        self.cup, _ = tool_pose(self.tree, self.tool, q)
        self.velocity = tool_jacobian(self.tree, self.tool, q)[:3] @ sensed["joint_velocity"]
        self.holds = bool(sensed["vacuum"][0] >= 0.5)
        self.step, self.before, self.now = (now - self.before) / NS, now, now
        state = getattr(self, f"_{self.state}")((now - self.since) / NS)
        if state != self.state:
            self.state, self.since, self.left = state, now, self.cup
        command = np.concatenate([self.joints, [self.sucks, 0.0]])
        return Action(command, log={"state": STATES.index(self.state)})

    # What the giver does, and then the taker: each returns what is next; `held` [s] is for how long it does so.

    def _fetch(self, held: float) -> str:
        if self.count == len(self.places):
            self._go(self.rest)
            return "fetch"
        return "down" if self._go(self.places[self.count]) else "fetch"

    def _down(self, held: float) -> str:
        self.sucks = 1.0
        self._lower(held)
        return "lift" if self.holds else "down"

    def _lift(self, held: float) -> str:
        return "turn" if self._go(self.places[self.count]) else "lift"

    def _turn(self, held: float) -> str:
        self.carried = self.now
        return "carry" if self._go(self.stand_by) and self.partner.state == "ready" else "turn"

    def _carry(self, held: float) -> str:
        if self.partner.holds:
            return "give"
        return "carry" if self._pass() else "bring_back"

    def _give(self, held: float) -> str:
        self.sucks = 0.0
        self._pass()
        return "give" if self.holds else "leave"

    def _leave(self, held: float) -> str:
        self._reach(self.left - [0.0, min(self.p.hover, self.p.approach * held), 0.0], self.axes)
        if self.p.approach * held < self.p.hover:
            return "leave"
        self.count += 1
        return "fetch"

    def _bring_back(self, held: float) -> str:
        return "put_down" if self._go(self.places[self.count]) else "bring_back"

    def _put_down(self, held: float) -> str:
        self._lower(held)
        self.sucks = float(self.p.approach * held < self.p.hover)
        if self.sucks or self.holds:
            return "put_down"
        self.count += 1
        return "fetch"

    def _return(self, held: float) -> str:
        return "ready" if self._go(self.stand_by) else "return"

    def _ready(self, held: float) -> str:
        return "follow" if self.partner.state == "carry" else "ready"

    def _follow(self, held: float) -> str:
        """Come alongside, then close in; the cup sucks from the beginning."""
        self.sucks = 1.0
        closed = max(0.0, self.p.approach * (held - self.p.align))
        self._follow_by(self.beside + [0.0, max(0.0, self.p.hover - closed), 0.0])
        if self.holds:
            self.offset = self.cup - self.partner.cup
            return "hold"
        return "follow" if self.partner.state == "carry" else "retreat"

    def _hold(self, held: float) -> str:
        self._follow_by(self.offset)
        return "hold" if self.partner.holds else "retreat"

    def _retreat(self, held: float) -> str:
        self._reach(self.left + [0.0, min(self.p.hover, self.p.approach * held), 0.0], self.axes)
        if self.p.approach * held < self.p.hover:
            return "retreat"
        return "put" if self.holds else "return"

    def _put(self, held: float) -> str:
        return "let_go" if self._go(self.places[self.count]) else "put"

    def _let_go(self, held: float) -> str:
        self.sucks = 0.0
        if self.holds:
            return "let_go"
        self.count += 1
        return "return"

    def _pass(self) -> bool:
        """Go along the line; tell whether there is more of it."""
        way = self.end - self.start
        share = self.p.speed * (self.now - self.carried) / NS / float(np.linalg.norm(way))
        self._reach(self.start + min(share, 1.0) * way, self.axes)
        return share < 1.0

    def _follow_by(self, offset: F64) -> None:
        """Follow the partner's cup."""
        self._reach(self.partner.cup + self.partner.velocity * self.p.lead + offset, self.axes)

    def _lower(self, held: float) -> None:
        high = max(0.0, self.p.hover - self.p.approach * held)
        self._reach(np.array(self.p.pick[self.count]) + [0.0, 0.0, high], DOWN)

    def _go(self, joints: F64) -> bool:
        """Turn the joints towards those of a place; tell whether they are there."""
        most = self.p.turning * self.step
        self.joints = self.joints + np.clip(joints - self.joints, -most, most)
        return float(np.abs(joints - self.joints).max()) < _NEAR

    def _reach(self, place: F64, axes: F64) -> None:
        """Bring the cup straight to a place nearby."""
        self.joints = inverse_kinematics(
            self.tree, self.tool, self.posture, self.joints, place, axes, 10
        )

    def _plan(self, place: F64, axes: F64) -> F64:
        joints = inverse_kinematics(
            self.tree, self.tool, self.posture, self.rest, place, axes, 300
        )
        miss = float(np.linalg.norm(tool_pose(self.tree, self.tool, joints)[0] - place))
        if miss > _THERE:
            x, y, z = place
            raise ScenarioError(f"{self.name} can't get to ({x:g}, {y:g}, {z:g}) m: it misses by {miss * 100:.1f} cm")
        return joints


STATES = ("fetch", "down", "lift", "turn", "carry", "give", "leave", "bring_back", "put_down",
          "return", "ready", "follow", "hold", "retreat", "put", "let_go")  # fmt: skip
