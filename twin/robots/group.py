"""The robots of one scenario entry form a group that senses and decides as one; those whose tick it is are due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.clock import periodic
from twin.numerics.kernels import kernel
from twin.protocols import Controller, Failsafe, Gauged, RobotSpec, Sensor, Stream, Tells
from twin.robots.decisions import NOTHING, all_logged, calm, decided, logged, overrule, stated, table_of, told
from twin.robots.observations import Observations
from twin.robots.robot import Robot
from twin.state import (
    CLIPPED,
    F64,
    I64,
    NEVER,
    NOMINAL,
    TELEMETRY,
    Action,
    Actions,
    Event,
    Observation,
    Packet,
    Sample,
    Truth,
)
from twin.units import time_text


@dataclass(slots=True)
class Decisions:
    """What robots of one group decided at one tick: `commands` (k, width) are of `rows` (k,)."""

    rows: I64
    commands: F64 = field(default_factory=lambda: np.empty((0, 0)))
    messages: list[Packet] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    logs: list[tuple[int, int, str, float]] = field(default_factory=list)


@dataclass(eq=False)
class Group:
    """Robots with bodies of one scenario entry: one kind, one controller class, one array of commands."""

    name: str
    robots: Sequence[Robot]
    bodies: I64  # (n,) their rows in BodyState
    sensor: Sensor
    period: int  # ticks from one control tick to the next
    phase: I64  # (n,) ticks
    offset: I64  # (n,) ns, at which telemetry leaves within a tick
    tick: int  # ns, of the clock
    controllers: Sequence[Controller] = ()  # on board, one a robot
    failsafes: Sequence[Failsafe] = ()
    edge: int | None = None  # node that telemetry goes to
    log_sensors: bool = False
    telemetry_size: Callable[[RobotSpec, Sample], int] | None = None
    gauged: Gauged | None = None
    streams: Sequence[Stream] = ()

    def __post_init__(self) -> None:
        sensors = (self.sensor, *(stream.sensor for stream in self.streams))
        self._telling = [sensor for sensor in sensors if isinstance(sensor, Tells)]
        body = self.robots[0].spec.kind.body
        assert body is not None, "a group is made of robots with bodies"
        self.lower, self.upper = body.vector("lower"), body.vector("upper")
        self.components = body.components
        count = len(self.robots)
        self.clipping, self.let_go = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        zeroes = self.edge is not None and self.robots[0].spec.kind.hold.then == "zero"
        self.zero = np.clip(np.zeros(len(self.lower)), self.lower, self.upper) if zeroes else None
        self.onboard = self.edge is None and len(self.controllers) > 0
        by_tick = [np.flatnonzero(self.phase % self.period == residue) for residue in range(self.period)]
        self._due = [Due(self, rows) if len(rows) else None for rows in by_tick]

    def due(self, tick: int) -> Due | None:
        """Return those robots whose control tick this is."""
        return self._due[tick % self.period]

    def told(self) -> list[Event]:
        """Return, and forget, what the sensors had to say since the last call."""
        return [event for sensor in self._telling for event in sensor.events()]

    def initial_commands(self) -> F64:
        """Return the commands that hold before the first ones, (robots, width)."""
        body = self.robots[0].spec.kind.body
        assert body is not None
        return np.tile(body.vector("initial"), (len(self.robots), 1))


class Due:
    """The robots of a group whose control tick it is."""

    def __init__(self, group: Group, rows: I64) -> None:
        self.group, self.name, self.rows = group, group.name, rows
        self.robots = [group.robots[row] for row in rows]
        self._bodies, self._offsets = group.bodies[rows], group.offset[rows].tolist()
        self._controllers = [group.controllers[row] for row in rows] if group.onboard else []
        self._failsafes = [group.failsafes[row] for row in rows] if group.failsafes else []
        self._names = [robot.name for robot in self.robots]
        for place, robot in enumerate(self.robots):
            robot.place = place

    def sense(self, truth: Truth) -> list[Packet]:
        """Read the sensors; return the telemetry, which leaves at each robot's own offset in the tick."""
        group, time = self.group, truth.time
        samples = group.sensor.read(truth, self._bodies, self.rows)
        for robot in self.robots:
            robot.readings = samples
        if group.edge is None:
            return []
        packets = self._pictures(group.edge, truth) if group.streams else []
        for robot, offset, sample in zip(self.robots, self._offsets, samples, strict=True):
            size = self._size(robot, sample)
            packets.append(robot.packet(group.edge, TELEMETRY, size, time + offset, sample.time, sample))
        return packets

    def _size(self, robot: Robot, sample: Sample) -> int:
        measure = self.group.telemetry_size
        if measure is None:
            return robot.spec.kind.telemetry
        return stated(measure(robot.spec, sample), robot.name, sample.time)

    def _pictures(self, edge: int, truth: Truth) -> list[Packet]:
        """Read what streams up to the next control tick; each reading is of now, and leaves when it is due."""
        group, packets = self.group, []
        for stream in group.streams:
            for beat in stream.beats(truth.time, truth.time + group.period * group.tick):
                samples = stream.sensor.read(truth, self._bodies, self.rows)
                leaves = periodic(beat, stream.rate) + stream.delay
                packets += [
                    robot.packet(edge, stream.kind, stream.size, leaves, sample.time, sample)
                    for robot, sample in zip(self.robots, samples, strict=True)
                ]
        return packets

    def act(self, time: int) -> Decisions:
        """Decide: failsafe, controller, limits; each robot from its own sensors and inbox only."""
        group = self.group
        events: list[Event] = []
        actions = self._actions(time, events)
        decisions = Decisions(self.rows[:0], events=events)
        if isinstance(actions, Actions) and not group.log_sensors:
            decisions.logs += all_logged(actions, self.robots, time)
            self._limit(time, list(range(len(self.robots))), actions.commands, decisions)
        else:
            self._tell(time, actions.each() if isinstance(actions, Actions) else actions, decisions)
        events += group.told()
        if group.gauged is not None:
            gauges = group.gauged.gauges().items()
            decisions.logs += [
                (time, robot.node, name, float(values[row]))
                for robot, row in zip(self.robots, self.rows, strict=True)
                for name, values in gauges
            ]
        return decisions

    def _tell(self, time: int, actions: Sequence[Action], decisions: Decisions) -> None:
        """Take what each robot sends, logs and tells, and its command."""
        for robot, offset, action in zip(self.robots, self._offsets, actions, strict=True):
            if action is not NOTHING:
                if action.messages:
                    decisions.messages += robot.post(action.messages, time + offset)
                decisions.logs += logged(action, robot.name, robot.node, time)
                decisions.events += told(action, robot.name, time)
            if self.group.log_sensors:
                decisions.logs += robot.rows(time)
        given = [i for i, action in enumerate(actions) if action.command is not None]
        if given:
            self._limit(time, given, [actions[i].command for i in given], decisions)

    def _actions(self, time: int, events: list[Event]) -> list[Action] | Actions:
        """Return what each robot was told to do by its failsafe, its controller on board, or the network."""
        heard = [robot.hear() for robot in self.robots]
        actions = [NOTHING if command is None else Action(command.payload) for command, _ in heard]
        if self.group.zero is not None:
            self._let_go(time, actions, events)
        if not self._failsafes and not self.group.onboard:
            return actions  # nobody looks at what they sense
        if not self._failsafes:
            for robot in self.robots:
                robot.heard = robot.answers = time
        observations = self._observed(time, [others for _, others in heard])
        nominal = list(range(len(actions)))
        if self._failsafes:
            quiet = calm(self._failsafes, observations)
            nominal = [i for i in nominal if quiet[i] or self._obeys(i, observations[i], actions, events)]
        if self.group.onboard and nominal:
            return self._control(nominal, observations, actions)
        return actions

    def _observed(self, time: int, inboxes: Sequence[tuple[Packet, ...]]) -> Observations:
        robots = self.robots
        heard, answers = [robot.heard for robot in robots], [robot.answers for robot in robots]
        return Observations(time, self._names, robots[0].readings, inboxes, heard, answers)

    def _let_go(self, time: int, actions: list[Action], events: list[Event]) -> None:
        """Bring to zero what robots were told too long ago, once; `hold` of their kind says when."""
        group, after = self.group, self.robots[0].spec.kind.hold.after
        for i, (robot, row) in enumerate(zip(self.robots, self.rows.tolist(), strict=True)):
            if actions[i].command is not None:
                group.let_go[row] = False
            elif not group.let_go[row] and robot.heard != NEVER and time - robot.heard >= after:
                group.let_go[row] = True
                actions[i] = Action(group.zero)
                silent = f"no command for {time_text(time - robot.heard)}"
                events.append(Event(time, "zeroed", robot.name, silent))

    def _obeys(self, i: int, observation: Observation, actions: list[Action], events: list[Event]) -> bool:
        """Tell whether a robot's mode is nominal; in any other one its failsafe acts."""
        robot = self.robots[i]
        mode, action = overrule(self._failsafes[i], observation)
        if mode != robot.mode:
            kind = "failsafe" if robot.mode == NOMINAL else "recovered" if mode == NOMINAL else "mode"
            events.append(Event(observation.time, kind, robot.name, f"{robot.mode} to {mode}"))
            robot.mode = mode
        if mode != NOMINAL:
            actions[i] = action
        return mode == NOMINAL

    def _control(
        self, nominal: list[int], observations: Observations, actions: list[Action]
    ) -> list[Action] | Actions:
        """Let the controllers on board act for those robots that obey them; return all actions."""
        found = decided([self._controllers[i] for i in nominal], observations.take(nominal))
        if isinstance(found, Actions) and len(nominal) == len(actions):
            for robot in self.robots:
                robot.heard = robot.answers = observations.time
            return found
        each = found.each() if isinstance(found, Actions) else found
        for i, action in zip(nominal, each, strict=True):
            actions[i] = action
            if action.command is not None:
                self.robots[i].heard = self.robots[i].answers = observations.time
        return actions

    def _limit(self, time: int, given: list[int], commands: Sequence[Any] | F64, decisions: Decisions) -> None:
        """Take the new commands of robots `given`, kept within their limits; say which are the first beyond them."""
        group = self.group
        rows = self.rows if len(given) == len(self.rows) else self.rows[given]
        table = table_of(commands, len(group.lower), [self._names[i] for i in given], time)
        decisions.rows, decisions.commands = rows, table
        if _within(table, group.lower, group.upper):
            group.clipping[rows] = False
            return
        decisions.commands = limited = np.minimum(np.maximum(table, group.lower), group.upper)
        beyond = np.abs(table - limited)
        excess = beyond.max(axis=1, initial=0.0)
        for k in np.flatnonzero((excess > 0) & ~group.clipping[rows]):
            detail = f"{group.components[int(beyond[k].argmax())]} beyond its limits"
            decisions.events.append(Event(time, "clipped", self._names[given[k]], detail, float(excess[k])))
        group.clipping[rows] = excess > 0
        for k in np.flatnonzero(excess):
            decisions.logs.append((time, self.robots[given[k]].node, CLIPPED, float(excess[k])))


@kernel
def _within(table: F64, lower: F64, upper: F64) -> bool:
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            if not lower[j] <= table[i, j] <= upper[j]:
                return False
    return True
