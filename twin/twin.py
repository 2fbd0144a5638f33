"""The loop: physics, channel, network and agents step together on one clock. Read this first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import mesa
import numpy as np

from twin.clock import Clock
from twin.errors import RunError
from twin.numerics.seeds import Seeds
from twin.protocols import Batch, Channel, Network, Physics, Sensing
from twin.robots.group import Due, Group
from twin.robots.robot import Robot
from twin.state import NEVER, Commands, Event, Frame, Packet, Truth


class Twin(mesa.Model):
    """Everything that moves, sends and decides, advanced tick by tick."""

    frame: Frame

    def __init__(self, clock: Clock, channel_rate: int, rng: np.random.Generator) -> None:
        super().__init__(rng=rng)
        self.clock, self.channel_rate = clock, channel_rate

    def connect(
        self,
        physics: Physics,
        channel: Channel,
        network: Network,
        robots: Sequence[Robot],
        groups: Sequence[Group],
        seeds: Seeds,
        sensing: Sensing | None = None,
    ) -> None:
        """Put the four worlds together; robots are in node order, groups in the order of their bodies."""
        self.sensing = sensing
        self.physics, self.channel, self.network = physics, channel, network
        self.robots, self.groups, self.seeds = robots, groups, seeds
        seeds.tell(self.random.seed)  # mesa's own; `rng` is one of theirs
        self.commands = Commands({group.name: group.initial_commands() for group in groups})
        self._started = False
        self._logs: list[tuple[int, int, str, float]] = []
        self._events: list[Event] = []  # of nodes without a body

    def reset(self) -> None:
        """Place the bodies, trace, and let everyone decide at time 0.

        Raises:
            RunError: it ran already; a twin runs once, and another run is another build.
        """
        if self._started:
            raise RunError("this twin ran already: build it anew for another run")
        self._started = True
        self.bodies = self.physics.reset()
        self.links = self.channel.trace(0, self.bodies)
        for robot in self.robots:
            if not robot.embodied:
                self.network.wake(robot.node, 0)
        self._interact(0, [])

    def __reduce__(self) -> str:
        raise RunError(
            "a twin can't be copied: its physics and the state of its kernels live outside of Python; "
            "fork the process, or build it anew and let `reseed` say from when on it draws otherwise"
        )

    def step(self) -> None:
        """Advance the twin by one physics tick: move, propagate, then sense, deliver, decide."""
        t = self.clock.tick()
        self.seeds.begin(t)
        self.bodies, events = self.physics.step(self.commands)  # commands held since the last tick
        if self.clock.due(self.channel_rate):
            self.links = self.channel.trace(t, self.bodies)
        if self.sensing is not None:
            self.network.send(self.sensing.look(t, self.bodies))
        self._interact(t, events)

    def frames(self, until: int) -> Iterator[Frame]:
        """Yield frame 0 and the frame after every tick up to `until` [ns].

        The last one also holds the packets still under way, so that every packet is told of once.
        """
        self.reset()
        while self.clock.now < until:
            yield self.frame
            self.step()
        yield replace(self.frame, packets=[*self.frame.packets, *self.network.queued()])

    def _interact(self, t: int, events: list[Event]) -> None:
        due, truth = self._due(), Truth(t, self.bodies, self.links)
        for group in due:
            if telemetry := group.sense(truth):
                self.network.send(telemetry)
        for batch in self.network.run(until=t, links=self.links):
            self._deliver(batch)  # nodes without a body answer in here
        for group in due:
            decisions = group.act(t)  # own sensors and own inbox only
            if len(decisions.rows):
                self.commands.hold(group.name, decisions.rows, decisions.commands)
            if decisions.messages:
                self.network.send(decisions.messages)
            events += decisions.events
            self._logs += decisions.logs
        events += self._events + self.network.events()
        logs, self._logs, self._events = self._logs, [], []
        modes, commands = [robot.mode for robot in self.robots], self.commands.held()
        cpis = () if self.sensing is None else self.sensing.told()
        self.frame = Frame(t, self.bodies, self.links, commands, modes, self.network.settled(), events, logs, cpis)

    def _deliver(self, batch: Batch) -> None:
        answering: dict[int, list[Packet]] = {node: [] for _, node in batch.wakes}
        for packet in batch.packets:
            robot = self.robots[packet.destination]
            if robot.embodied:
                robot.inbox.append(packet)
            else:
                answering.setdefault(robot.node, []).append(packet)
        for node in sorted(answering):
            reaction = self.robots[node].react(answering[node], batch.time)
            self.network.send(reaction.packets)
            self._logs += reaction.logs
            self._events += reaction.events
            if reaction.wake != NEVER:
                self.network.wake(node, reaction.wake)

    def _due(self) -> list[Due]:
        due = (group.due(self.clock.ticks) for group in self.groups)
        return [robots for robots in due if robots is not None]
