"""A robot is identity, inbox and mode: any node of the twin, with a body or without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mesa
import numpy as np

from twin.clock import NS
from twin.errors import RunError, nearest
from twin.protocols import RobotSpec
from twin.state import COMMAND, NEVER, NOMINAL, TELEMETRY, Event, Message, Packet, Sample


@dataclass(slots=True)
class Reaction:
    """What a node without a body does in a stretch of time: packets, its next timer, values to log, events."""

    packets: list[Packet] = field(default_factory=list)
    wake: int = NEVER
    logs: list[tuple[int, int, str, float]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Robot(mesa.Agent):
    """Any node of the twin, with a body or without; a folder in agents/ may extend it."""

    def __init__(self, model: mesa.Model, spec: RobotSpec, node: int) -> None:
        super().__init__(model)
        self.spec, self.name, self.node = spec, spec.name, node
        self.inbox: list[Packet] = []
        self.mode = NOMINAL
        self.readings: Sequence[Sample] | None = None
        """Those of its group, among which its own is at `place`"""
        self.place = 0
        self._sensed: tuple[Sequence[Sample] | None, Sample | None] = None, None
        self.heard, self.answers = NEVER, NEVER
        self.embodied = spec.kind.body is not None
        self.nodes: Mapping[str, int] = {}
        self._sequences: defaultdict[tuple[int, str], int] = defaultdict(int)

    @property
    def sensed(self) -> Sample | None:
        """Its own newest sample."""
        readings, sample = self._sensed
        if readings is not self.readings:
            sample = None if self.readings is None else self.readings[self.place]
            self._sensed = self.readings, sample
        return sample

    def react(self, packets: Sequence[Packet], until: int) -> Reaction:
        """Answer deliveries up to `until` [ns]; nodes without a body act at the instant of arrival."""
        return Reaction()

    def rows(self, time: int) -> list[tuple[int, int, str, float]]:
        """Return the newest sensor sample value by value, and its age [s], as rows of the log."""
        sensed = self.sensed
        if sensed is None:
            return []
        values = {"age": np.array((time - sensed.time) / NS), **sensed.values}
        return [
            (time, self.node, f"sensed.{name}.{i}" if value.ndim else f"sensed.{name}", number)
            for name, value in values.items()
            for i, number in enumerate(value.ravel().tolist())
        ]

    def packet(
        self, destination: int, kind: str, size: int, created: int, stamp: int, payload: Any
    ) -> Packet:
        """Make the next packet of the flow from here to `destination`."""
        flow = destination, kind
        sequence = self._sequences[flow]
        self._sequences[flow] = sequence + 1
        return Packet(self.node, destination, kind, sequence, size, created, stamp, payload)

    def post(self, messages: Sequence[Message], created: int) -> list[Packet]:
        """Turn a controller's messages into packets.

        Raises:
            RunError: something else than a message, to a node that isn't there, of a kind of the loop's own, or
                without a size.
        """
        for message in messages:
            if not isinstance(message, Message):
                raise RunError(f"{self.name} sends {message!r}; allowed: twin.state.Message")
            if message.to not in self.nodes:
                there = ", ".join(self.nodes) + nearest(message.to, self.nodes)
                raise RunError(f"{self.name} sends to {message.to!r}; the scenario has: {there}")
            if message.kind in (COMMAND, TELEMETRY) or message.size < 1:
                found = f"kind {message.kind!r}, size {message.size}"
                raise RunError(f"{self.name} sends a message of {found}; allowed: another kind, 1 byte at least")
        return [self.packet(self.nodes[m.to], m.kind, m.size, created, created, m.payload) for m in messages]

    def hear(self) -> tuple[Packet | None, tuple[Packet, ...]]:
        """Empty the inbox; return the newest command among the packets, and the other ones."""
        if not self.inbox:
            return None, ()
        newest: Packet | None = None
        others: list[Packet] = []
        for packet in self.inbox:
            if packet.kind != COMMAND:
                others.append(packet)
            elif packet.stamp >= self.answers:
                newest, self.heard, self.answers = packet, packet.arrived, packet.stamp
        self.inbox.clear()
        return newest, tuple(others)
