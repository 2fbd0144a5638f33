"""Hand measurements from buoy to buoy towards the shore; each buoy keeps them until the next one has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from twin.controller import NEVER, NS, Action, Bytes, DurationNs, Message, Observation, Packet, RobotSpec, Spec

REPORT, RECEIPT = "report", "receipt"
"""Kinds of the messages; a receipt's payload is the (origin, number) of the report that it confirms."""


@dataclass(frozen=True, slots=True)
class Report:
    """One measurement."""

    origin: int  # row of the buoy that measured
    number: int
    measured: int  # ns
    heave: float  # m


class Relay:
    """Robot i of a group hands its own and others' reports to robot i - 1; robot 0, at the shore, takes them in.

    A report stays in the store until its receipt comes, and goes out again every `patience`; what comes twice is
    confirmed twice and kept once. Robot 0 logs the age of each report at its arrival as `latency.<hops>` [s].
    """

    runs_on = "onboard"

    class Parameters(Spec):
        """How often to measure, sizes on air, and how long to wait for a receipt."""

        every: DurationNs = Field(default=NS, gt=0)
        size: Bytes = 60
        receipt: Bytes = 12
        patience: DurationNs = Field(default=NS // 2, gt=0)
        room: int = Field(default=1000, ge=1)  # reports in the store; beyond it the oldest is dropped

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Empty the store."""
        self.row, self.group = spec.row, spec.group
        self.parameters = spec.parameters or self.Parameters()
        self.store: dict[tuple[int, int], tuple[Report, int]] = {}  # with the time at which it last went out
        self.known: set[tuple[int, int]] = set()
        self.measured, self.number, self.dropped = NEVER, 0, 0

    def act(self, observation: Observation) -> Action:
        """Take in, measure, and pass on."""
        messages: list[Message] = []
        log: dict[str, float] = {}
        for packet in observation.inbox:
            if packet.kind == RECEIPT:
                self.store.pop(packet.payload, None)
            elif packet.kind == REPORT:
                self._take(packet, messages, log)
        self._measure(observation)
        if self.row:
            messages += self._send(observation.time)
            log |= {"stored": float(len(self.store)), "dropped": float(self.dropped)}
        return Action(messages=tuple(messages), log=log)

    def _take(self, packet: Packet, messages: list[Message], log: dict[str, float]) -> None:
        report: Report = packet.payload
        name = (report.origin, report.number)
        messages.append(Message(f"{self.group}-{self.row + 1}", name, self.parameters.receipt, RECEIPT))
        if name in self.known:
            return
        self.known.add(name)
        if self.row:
            self._keep(report)
        else:
            log[f"latency.{report.origin}"] = (packet.arrived - report.measured) / NS

    def _measure(self, observation: Observation) -> None:
        sensed, every = observation.sensed, self.parameters.every
        if self.row and sensed is not None and (self.measured == NEVER or sensed.time - self.measured >= every):
            self.measured = sensed.time
            self._keep(Report(self.row, self.number, sensed.time, float(sensed["position"][2])))
            self.number += 1

    def _keep(self, report: Report) -> None:
        self.store[report.origin, report.number] = (report, NEVER)
        if len(self.store) > self.parameters.room:
            del self.store[next(iter(self.store))]
            self.dropped += 1

    def _send(self, now: int) -> list[Message]:
        """Return what has not gone out yet, or too long ago to wait on for its receipt; the oldest first."""
        out = []
        for name, (report, sent) in self.store.items():
            if sent == NEVER or now - sent >= self.parameters.patience:
                self.store[name] = (report, now)
                out.append(Message(f"{self.group}-{self.row - 1}", report, self.parameters.size, REPORT))
        return out
