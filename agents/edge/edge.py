"""An edge server: one queue with c servers, controllers that run when their service starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapreplace
from time import perf_counter_ns

import mesa

from twin.controller import (
    COMMAND,
    MEASURED,
    NEVER,
    TELEMETRY,
    Action,
    Controller,
    Event,
    Observation,
    Packet,
    Reaction,
    Robot,
    RobotSpec,
    Sample,
    ServiceTime,
    checked,
    decide,
    logged,
    periodic,
    stated,
    told,
)


@dataclass
class Job:
    """A controller that serves one robot from here."""

    spec: RobotSpec
    node: int
    controller: Controller
    service_time: ServiceTime
    triggered: bool  # by arrivals
    width: int  # of its commands
    runs: int = 0
    waiting: bool = False
    sensed: Sample | None = None
    inbox: list[Packet] = field(default_factory=list)


@dataclass
class Timer:
    """The controllers that run at one rate [Hz]."""

    rate: int
    jobs: list[Job] = field(default_factory=list)
    beats: int = 0
    beat: int = 0  # ns, when it beats next

    def advance(self) -> None:
        """Wait for the next beat."""
        self.beats += 1
        self.beat = periodic(self.beats, self.rate)


class Edge(Robot):
    """First come, first served by `servers` equal servers; an answer leaves when its service ends."""

    def __init__(self, model: mesa.Model, spec: RobotSpec, node: int) -> None:
        super().__init__(model, spec, node)
        assert spec.kind.server is not None, "robot.toml of an edge has a [server] table"
        self.free_at = [0] * spec.kind.server.servers  # ns, of each server: a heap, since they are equal
        self.jobs: dict[int, Job] = {}
        self.timers: dict[int, Timer] = {}  # by rate
        self.queue: deque[Job] = deque()

    def host(
        self, spec: RobotSpec, node: int, controller: Controller, service_time: ServiceTime, rate: int | None
    ) -> None:
        """Take in the controller of the robot at `node`: its service time; a timer's rate [Hz] or None."""
        width = 0 if spec.kind.body is None else spec.kind.body.width
        self.jobs[node] = job = Job(spec, node, controller, service_time, rate is None, width)
        if rate is not None:
            self.timers.setdefault(rate, Timer(rate)).jobs.append(job)

    def react(self, packets: Sequence[Packet], until: int) -> Reaction:
        """Live through all instants up to `until` in order: arrivals, beats of timers, starts of service."""
        reaction = Reaction()
        arrivals = deque(packets)
        while True:
            time = self._next(arrivals)
            if time == NEVER or time > until:
                reaction.wake = time
                return reaction
            while arrivals and arrivals[0].arrived == time:
                self._arrive(arrivals.popleft(), reaction)
            self._beat(time)
            self._serve(time, reaction)

    def _next(self, arrivals: deque[Packet]) -> int:
        times = [timer.beat for timer in self.timers.values()]
        if arrivals:
            times.append(arrivals[0].arrived)
        if self.queue:
            times.append(self.free_at[0])
        return min(times, default=NEVER)

    def _arrive(self, packet: Packet, reaction: Reaction) -> None:
        job = self.jobs.get(packet.source)
        listeners = self._listeners(packet)
        for listener in listeners:
            listener.inbox.append(packet)
        if job is None:
            if not listeners:
                what = f"a {packet.kind} of a robot without a controller here"
                reaction.events.append(Event(packet.arrived, "unheard", self.name, what))
            return
        if packet.kind != TELEMETRY:
            job.inbox.append(packet)
        elif job.sensed is None or packet.stamp >= job.sensed.time:
            job.sensed = packet.payload
        if job.triggered and job.sensed is not None:
            self._enqueue(job)

    def _listeners(self, packet: Packet) -> list[Job]:
        """Return the jobs whose controllers hear messages of other robots, and of this one."""
        if packet.kind == TELEMETRY:
            return []
        hearing = ((job, getattr(job.controller, "hears", ())) for job in self.jobs.values())
        return [job for job, names in hearing if any(self.nodes.get(name) == packet.source for name in names)]

    def _beat(self, time: int) -> None:
        for timer in self.timers.values():
            if timer.beat == time:
                timer.advance()
                for job in timer.jobs:
                    if job.sensed is not None:
                        self._enqueue(job)

    def _enqueue(self, job: Job) -> None:
        if not job.waiting:
            job.waiting = True
            self.queue.append(job)

    def _serve(self, time: int, reaction: Reaction) -> None:
        started: dict[type[Controller], list[tuple[Job, int]]] = {}  # with the time at which the answer leaves
        while self.queue and self.free_at[0] <= time:
            job = self.queue.popleft()
            job.waiting = False
            duration = job.service_time.draw(job.runs)
            job.runs += 1
            if job.service_time.measured:
                leaves = self._serve_measured(job, time, duration, reaction)
            else:
                assert duration is not None
                leaves = time + duration
                started.setdefault(type(job.controller), []).append((job, leaves))
            heapreplace(self.free_at, leaves)
        for served in started.values():
            observations = [self._observe(job, time) for job, _ in served]
            actions = decide([job.controller for job, _ in served], observations)
            for (job, leaves), observation, action in zip(served, observations, actions, strict=True):
                self._answer(job, leaves, observation, action, reaction)

    def _serve_measured(self, job: Job, time: int, recorded: int | None, reaction: Reaction) -> int:
        """Run one controller by the wall clock, or by what that said before; log it; return when the answer leaves."""
        observation = self._observe(job, time)
        start = perf_counter_ns()
        (action,) = decide([job.controller], [observation])
        took = perf_counter_ns() - start if recorded is None else recorded
        reaction.logs.append((time, job.node, MEASURED, float(took)))
        self._answer(job, time + took, observation, action, reaction)
        return time + took

    def _observe(self, job: Job, time: int) -> Observation:
        inbox: tuple[Packet, ...] = ()
        if job.inbox:
            inbox, job.inbox = tuple(job.inbox), []
        return Observation(time, job.spec.name, job.sensed, inbox)

    def _answer(
        self, job: Job, leaves: int, observation: Observation, action: Action, reaction: Reaction
    ) -> None:
        time, name = observation.time, job.spec.name
        if action.command is not None:
            assert observation.sensed is not None
            command = checked(action.command, job.width, name, time)
            size = job.spec.kind.command if action.size is None else stated(action.size, name, time)
            stamp = observation.sensed.time
            reaction.packets.append(self.packet(job.node, COMMAND, size, leaves, stamp, command))
        reaction.events += told(action, name, time)
        if action.messages:
            reaction.packets += self.post(action.messages, leaves)
        reaction.logs += logged(action, self.name, job.node, time)
