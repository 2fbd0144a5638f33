"""The robots of one scenario entry form a group that senses and decides as one; those whose tick it is are due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.clock import periodic
from twin.decisions import decide, logged, stated, table_of, told
from twin.protocols import Controller, Failsafe, Gauged, Sensor, Stream
from twin.robot import Robot
from twin.specs import RobotSpec
from twin.state import (
    CLIPPED,
    F64,
    I64,
    NOMINAL,
    TELEMETRY,
    Action,
    BodyState,
    Event,
    Observation,
    Packet,
    Sample,
)


@dataclass(slots=True)
class Decisions:
    """What robots of one group decided at one tick."""

    rows: list[int]
    actions: list[Action]
    messages: list[Packet] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    logs: list[tuple[int, int, str, float]] = field(default_factory=list)


class Group:
    """Robots with bodies of one scenario entry: one kind, one controller class, one array of commands."""

    def __init__(
        self,
        name: str,
        robots: Sequence[Robot],
        bodies: I64,
        sensor: Sensor,
        period: int,
        phase: I64,
        offset: I64,
        *,
        controllers: Sequence[Controller] = (),
        failsafes: Sequence[Failsafe] = (),
        edge: int | None = None,
        log_sensors: bool = False,
        telemetry_size: Callable[[RobotSpec, Sample], int] | None = None,
        gauged: Gauged | None = None,
        streams: Sequence[Stream] = (),
        tick: int = 0,
        happened: list[Event] | None = None,
    ) -> None:
        self.name, self.robots, self.bodies, self.sensor = name, robots, bodies, sensor
        self.period, self.phase, self.offset = period, phase, offset
        self.controllers, self.failsafes, self.edge = controllers, failsafes, edge
        self.log_sensors, self.telemetry_size, self.gauged = log_sensors, telemetry_size, gauged
        self.streams, self.tick = streams, tick  # ns, of the clock
        self.happened = [] if happened is None else happened  # what sensors have to say
        body = robots[0].spec.kind.body
        assert body is not None, "a group is made of robots with bodies"
        self.lower, self.upper = body.vector("lower"), body.vector("upper")
        self.components = body.components
        self.clipping = np.zeros(len(robots), dtype=bool)
        by_tick = [np.flatnonzero(phase % period == residue) for residue in range(period)]
        self._due = [Due(self, rows) if len(rows) else None for rows in by_tick]

    def due(self, tick: int) -> Due | None:
        """Return those robots whose control tick this is."""
        return self._due[tick % self.period]

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

    def sense(self, time: int, bodies: BodyState) -> list[Packet]:
        """Read the sensors; return the telemetry, which leaves at each robot's own offset in the tick."""
        group = self.group
        samples = group.sensor.read(time, bodies, group.bodies[self.rows], self.rows)
        for robot, sample in zip(self.robots, samples, strict=True):
            robot.sensed = sample
        if group.edge is None:
            return []
        return self._pictures(group.edge, time, bodies) + [
            robot.packet(
                group.edge,
                TELEMETRY,
                self._size(robot, sample),
                time + int(group.offset[row]),
                sample.time,
                sample,
            )
            for robot, row, sample in zip(self.robots, self.rows, samples, strict=True)
        ]

    def _size(self, robot: Robot, sample: Sample) -> int:
        measure = self.group.telemetry_size
        if measure is None:
            return robot.spec.kind.telemetry
        return stated(measure(robot.spec, sample), robot.name, sample.time)

    def _pictures(self, edge: int, time: int, bodies: BodyState) -> list[Packet]:
        """Read what streams up to the next control tick; each reading is of now, and leaves when it is due."""
        group, packets = self.group, []
        for stream in group.streams:
            for beat in stream.beats(time, time + group.period * group.tick):
                samples = stream.sensor.read(time, bodies, group.bodies[self.rows], self.rows)
                leaves = periodic(beat, stream.rate) + stream.delay
                packets += [
                    robot.packet(edge, stream.kind, stream.size, leaves, sample.time, sample)
                    for robot, sample in zip(self.robots, samples, strict=True)
                ]
        return packets

    def act(self, time: int) -> Decisions:
        """Decide: failsafe, controller, limits; each robot from its own sensors and inbox only."""
        observations, heard = self._observe(time)
        decisions = Decisions([int(row) for row in self.rows], [Action()] * len(self.rows))
        nominal = []
        for i, observation in enumerate(observations):
            if self._mode(i, observation, decisions) == NOMINAL:
                nominal.append(i)
            else:
                decisions.actions[i] = self.group.failsafes[self.rows[i]].act(observation)
        self._control(nominal, observations, heard, decisions)
        for i, robot in enumerate(self.robots):
            self._finish(i, robot, time, decisions)
            if self.group.log_sensors:
                decisions.logs += robot.readings(time)
        self._limit(time, decisions)
        decisions.events += self.group.happened
        self.group.happened.clear()
        if self.group.gauged is not None:
            gauges = self.group.gauged.gauges().items()
            decisions.logs += [
                (time, robot.node, name, float(values[row]))
                for robot, row in zip(self.robots, self.rows, strict=True)
                for name, values in gauges
            ]
        return decisions

    def _observe(self, time: int) -> tuple[list[Observation], list[Packet | None]]:
        if self.group.edge is None and not self.group.failsafes:
            for robot in self.robots:
                robot.heard, robot.answers = time, time
        pairs = [robot.observe(time) for robot in self.robots]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def _mode(self, i: int, observation: Observation, decisions: Decisions) -> str:
        if not self.group.failsafes:
            return NOMINAL
        robot = self.robots[i]
        mode: str = self.group.failsafes[self.rows[i]].update(observation)
        if mode != robot.mode:
            kind = "failsafe" if robot.mode == NOMINAL else "recovered" if mode == NOMINAL else "mode"
            decisions.events.append(Event(observation.time, kind, robot.name, f"{robot.mode} to {mode}"))
            robot.mode = mode
        return mode

    def _control(
        self,
        nominal: list[int],
        observations: list[Observation],
        heard: list[Packet | None],
        decisions: Decisions,
    ) -> None:
        if self.group.edge is not None:
            for i in nominal:
                packet = heard[i]
                decisions.actions[i] = Action(None if packet is None else packet.payload)
        elif self.group.controllers and nominal:
            controllers = [self.group.controllers[self.rows[i]] for i in nominal]
            actions = decide(controllers, [observations[i] for i in nominal])
            for i, action in zip(nominal, actions, strict=True):
                decisions.actions[i] = action
                if action.command is not None:
                    self.robots[i].heard = self.robots[i].answers = observations[i].time

    def _finish(self, i: int, robot: Robot, time: int, decisions: Decisions) -> None:
        action = decisions.actions[i]
        if action.messages:
            decisions.messages += robot.post(action.messages, time + int(self.group.offset[self.rows[i]]))
        decisions.logs += logged(action, robot.name, robot.node, time)
        decisions.events += told(action, robot.name, time)

    def _limit(self, time: int, decisions: Decisions) -> None:
        """Keep the new commands of all robots within their limits; say which are the first beyond them."""
        given = [i for i, action in enumerate(decisions.actions) if action.command is not None]
        if not given:
            return
        group, names = self.group, [self.robots[i].name for i in given]
        rows = self.rows[given]
        table = table_of([decisions.actions[i].command for i in given], len(group.lower), names, time)
        if ((table >= group.lower) & (table <= group.upper)).all():
            group.clipping[rows] = False
            return
        limited = np.minimum(np.maximum(table, group.lower), group.upper)
        beyond = np.abs(table - limited)
        excess = beyond.max(axis=1, initial=0.0)
        for k in np.flatnonzero((excess > 0) & ~group.clipping[rows]):
            detail = f"{group.components[int(beyond[k].argmax())]} beyond its limits"
            decisions.events.append(Event(time, "clipped", names[k], detail, float(excess[k])))
        group.clipping[rows] = excess > 0
        for k in np.flatnonzero(excess):
            decisions.logs.append((time, self.robots[given[k]].node, CLIPPED, float(excess[k])))
        for i, command in zip(given, limited, strict=True):
            decisions.actions[i] = Action(command)
