"""Pick parts from a moving belt by the pictures of a camera, and put them into a bin."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NS,
    Action,
    Metres,
    Observation,
    Packet,
    Point,
    Posture,
    RobotSpec,
    ScenarioError,
    Seconds,
    Spec,
    Speed,
    inverse_kinematics,
    read_mechanism,
    tool_pose,
)

DOWN = np.diag([1.0, -1.0, -1.0])
"""Axes of a cup that looks down."""


class Pick:
    """wait -> follow -> descend -> lift -> carry -> wait, each picture and joint reading as old as it arrives.

    It looks ahead by the calibrated time `lead`, which is that of an ideal network: camera, half a period and
    the lag of the drives. What the network adds is not made up for, so the cup comes down behind the part.
    """

    runs_on = "edge"
    trigger = "100 Hz"
    service_time = "2 ms"

    class Parameters(Spec):
        """Heights are from the root link to the cup; places are in the root link's axes."""

        top: Metres  # of the parts on the belt
        reach: tuple[Metres, Metres]  # along the belt, between which a pick may begin
        home: Point
        bin: Point
        along: tuple[float, float] = (0.0, 1.0)  # direction of the belt
        lead: Seconds = Field(default=0.09, ge=0)
        hover: Metres = Field(default=0.1, gt=0)
        speed: Speed = Field(default=1.2, gt=0)  # of the cup
        near: Metres = Field(default=0.04, gt=0)  # sideways, at which it descends
        dwell: Seconds = Field(default=0.25, gt=0)  # on the part, before it lifts

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn the arm and wait."""
        if spec.parameters is None or spec.kind.body is None:
            raise ScenarioError(f"{spec.name}: picking needs `parameters`: top, reach, home and bin")
        self.parameters: Pick.Parameters = spec.parameters
        body = spec.kind.body
        vacuum = body.parameters["vacuum"]
        mechanism = read_mechanism(body.urdf)
        self.tree, self.tool = mechanism.tree, mechanism.tool(vacuum["link"], tuple(vacuum["place"]))
        lower, upper = (body.vector(bound)[:7] for bound in ("lower", "upper"))
        self.rest = body.joint_start()
        self.posture = Posture(lower, upper, self.rest)
        self.joints = self.rest.copy()
        self.along = np.append(np.array(self.parameters.along) / np.linalg.norm(self.parameters.along), 0.0)
        self.state, self.since = "wait", 0
        self.seen: tuple[int, F64] | None = None  # ns and place of the part that it follows
        self.target: tuple[F64, int] | None = None  # where the cup was sent last, and when [ns]
        self.velocity = np.zeros(3)  # of the belt, as pictures tell

    def act(self, observation: Observation) -> Action:
        """Return joints, suction and no brake."""
        if observation.sensed is None:
            return Action()
        for packet in observation.inbox:
            if packet.kind == "camera":
                self._look(packet)
        at, _ = tool_pose(self.tree, self.tool, observation.sensed["joint_position"])
        goal, suction = self._decide(observation.time, at)
        goal = self._straight(observation.time, at, goal)
        self.joints = inverse_kinematics(
            self.tree, self.tool, self.posture, self.joints, goal, DOWN, 10
        )
        return Action(np.concatenate([self.joints, [suction, 0.0]]), log={"state": _STATES.index(self.state)})

    def _straight(self, now: int, at: F64, goal: F64) -> F64:
        """Return the next place on the straight way to `goal`, at no more than the parameters' speed."""
        here, since = (at, now) if self.target is None else self.target
        step, most = goal - here, self.parameters.speed * (now - since) / NS
        size = float(np.linalg.norm(step))
        self.target = (here + step * min(1.0, most / max(size, 1e-9)), now)
        return self.target[0]

    def _look(self, packet: Packet) -> None:
        """Follow the part, or choose the next one that comes into reach."""
        places = packet.payload["parts"].reshape(-1, 3)
        places = places[np.isfinite(places).all(axis=1)]
        on_belt = places[np.abs(places[:, 2] - self.parameters.top) < 0.06]
        time = packet.payload.time
        if self.seen is None:
            if self.state == "wait":
                self._choose(time, on_belt)
            return
        before, place = self.seen
        elapsed = (time - before) / NS
        if not len(on_belt) or elapsed <= 0 or self.state not in ("wait", "follow", "descend"):
            return
        expected = place + self.velocity * elapsed
        found = on_belt[np.argmin(np.linalg.norm(on_belt - expected, axis=1))]
        if np.linalg.norm(found - expected) < 0.15:
            self.velocity += 0.1 * ((found - place) @ self.along / elapsed * self.along - self.velocity)
            self.seen = time, found

    def _choose(self, time: int, places: F64) -> None:
        way = places @ self.along
        first, last = self.parameters.reach
        there = [i for i in np.argsort(-way) if first - 0.5 <= way[i] <= last - 0.25]
        if there:
            self.seen = time, places[there[0]]

    def _ahead(self) -> F64:
        """Return where the part is taken to be when the arm gets there."""
        assert self.seen is not None
        return self.seen[1] + self.velocity * self.parameters.lead

    def _decide(self, now: int, at: F64) -> tuple[F64, float]:
        """Return where the cup should be and whether it sucks."""
        p, held = self.parameters, (now - self.since) / NS
        if self.state == "wait":
            if self.seen is not None and p.reach[0] <= self.seen[1] @ self.along <= p.reach[1]:
                self._enter("follow", now)
            return np.array(p.home), 0.0
        if self.state in ("follow", "descend"):
            return self._chase(now, at, held)
        if self.state == "lift":
            goal = self.place + np.array([0.0, 0.0, 0.25])
            if held > 0.5:
                self._enter("carry", now)
            return goal, 1.0
        goal = np.array(p.bin)
        if np.linalg.norm(at - goal) < 0.03:
            self.state = "drop" if self.state == "carry" else self.state
        if held > 1.6:
            self._enter("wait", now)
            self.seen = None
        return goal, float(self.state == "carry")

    def _chase(self, now: int, at: F64, held: float) -> tuple[F64, float]:
        p, goal = self.parameters, self._ahead()
        if goal @ self.along > p.reach[1] + 0.15:
            self._enter("wait", now)  # too late for this one
            self.seen = None
            return np.array(p.home), 0.0
        height = p.top + p.hover
        if self.state == "follow" and np.linalg.norm((at - goal)[:2]) < p.near and held > 0.3:
            self._enter("descend", now)
        if self.state == "descend":
            height = max(p.top, p.top + p.hover * (1 - held / 0.3))
            if held > 0.3 + p.dwell:
                self.place = np.append(goal[:2], p.top)
                self._enter("lift", now)
        return np.append(goal[:2], height), float(self.state in ("descend", "lift"))

    def _enter(self, state: str, now: int) -> None:
        self.state, self.since = state, now


_STATES = ("wait", "follow", "descend", "lift", "carry", "drop")
