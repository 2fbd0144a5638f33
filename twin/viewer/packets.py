"""Packets under way: where each of them is at an instant, and what it waits for."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import COMMAND, F64, NEVER, Hop, Packet

DELIVERED = "delivered"
TELEMETRY = "telemetry"
COLOURS = {TELEMETRY: (0, 114, 178), COMMAND: (213, 94, 0), "": (0, 158, 115), "lost": (20, 20, 20)}
"""Of kinds of packets, of any other kind, and of those that never arrive."""
AHEAD = (0.1, 1.0)
"""Seconds, at least and at most, that are read ahead: what is on its way now was recorded when its fate was known."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a packet is: between two nodes, or waiting at one, and why."""

    start: int  # node
    end: int  # node
    part: float  # of the way from start to end, 0 to 1
    words: str


def whereabouts(packet: Packet, at: int, cell: Callable[[int], int | None]) -> Place:
    """Return where a packet is at a time [ns] at which it is under way; `cell` names the node that serves another.

    Without a radio link in its record it goes evenly from its source to its destination.
    """
    source, destination, up, down = packet.source, packet.destination, packet.uplink, packet.downlink
    above = cell(source) if up is not None else None
    if up is not None and (above is None or at < up.decoded or up.decoded == NEVER):
        return _over(up, at, source, destination if above is None else above)
    below = cell(destination) if down is not None else None
    here = source if above is None else above
    if down is not None and below is not None:
        if at >= down.queued:
            return _over(down, at, below, destination)
        left = packet.created if up is None else up.decoded
        return Place(here, below, _part(at, left, down.queued), "in the core")
    left = packet.created if up is None else up.decoded
    return Place(here, destination, _part(at, left, packet.arrived), "in the core" if up else "under way")


def _over(hop: Hop, at: int, start: int, end: int) -> Place:
    """Return where a packet is on its way over a radio link."""
    if at < hop.queued:
        return Place(start, end, 0.0, "being processed")
    if hop.first == NEVER or at < hop.first:
        waits = "waits for data's turn" if at < hop.occasion else "waits for a grant"
        return Place(start, end, 0.0, waits if hop.alone == NEVER or at < hop.alone else "waits behind others")
    if hop.decoded != NEVER and at >= hop.decoded:
        return Place(start, end, 1.0, "being processed")
    again = hop.retransmissions and any(hop.first < begun <= at for begun in hop.retransmitted)
    return Place(start, end, _part(at, hop.first, hop.decoded), "on the air again" if again else "on the air")


def _part(at: int, start: int, end: int) -> float:
    """Return the part of a span that has passed; nothing of one that never ends."""
    return 0.0 if end == NEVER or end <= start else min(max((at - start) / (end - start), 0.0), 1.0)


class UnderWay:
    """The packets of a recording that are under way, frame by frame; a run that goes on tells them a frame late."""

    def __init__(self, recording: Recording, slowest: float) -> None:
        self._recording = recording
        self._ahead = round(min(max(4.0 * slowest, AHEAD[0]), AHEAD[1]) * NS)
        self._read: deque[tuple[int, Sequence[Packet]]] = deque()  # time of a frame and what it decided, in order
        self._start = self._end = 0  # ns, from and up to where frames were read

    def at(self, now: int) -> list[Packet]:
        """Return the packets under way at a time [ns]; lost ones until their fate is known."""
        self._load(now)
        return [
            packet
            for decided, packets in self._read
            for packet in packets
            if packet.created <= now < (packet.arrived if packet.fate == DELIVERED else decided)
        ]

    def next_of(self, node: int, now: int) -> int | None:
        """Return when a node sends its next packet after a time [ns], None if it sends none that is read ahead."""
        self._load(now)
        return min((p.created for _, packets in self._read for p in packets if p.source == node and p.created > now),
                   default=None)  # fmt: skip

    def _load(self, now: int) -> None:
        """Keep the frames from `now` on, as far ahead as packets are looked for."""
        if not self._start <= now <= self._end:
            self._read.clear()
            self._end = now
        self._start = now
        while self._read and self._read[0][0] < now:
            self._read.popleft()
        for frame in self._recording.frames(self._end, now + self._ahead):
            self._read.append((frame.time, frame.packets))
            self._end = frame.time + 1


class Serving:
    """Which mast serves whom: where it was handed over to last, else the one that it hears best."""

    def __init__(self, recording: Recording, best: Callable[[int], int | None]) -> None:
        masts = {robot.name: node for node, robot in enumerate(recording.robots) if robot.body < 0}
        nodes = {robot.name: node for node, robot in enumerate(recording.robots)}
        self._best = best
        self._turns: dict[int, tuple[list[int], list[int]]] = {}  # of a robot: times [ns], and who serves from then on
        for event in recording.events():
            to = masts.get(event.detail.partition(" at ")[0])
            if to is not None and event.robot in nodes:
                times, whom = self._turns.setdefault(nodes[event.robot], ([], []))
                times.append(event.time)
                whom.append(to)

    def __call__(self, node: int, now: int) -> int | None:
        """Return the node that serves another at a time [ns], None if none does."""
        times, whom = self._turns.get(node, ([], []))
        turn = bisect_right(times, now)
        return whom[turn - 1] if turn else self._best(node)


def colour(packet: Packet) -> tuple[int, int, int]:
    """Return the colour of a packet: by its kind, or that it gets lost."""
    return COLOURS["lost" if packet.fate != DELIVERED else packet.kind if packet.kind in COLOURS else ""]


def points(places: Sequence[Place], of: Callable[[int], F64 | None]) -> F64:
    """Return points (n, 3) m of packets, nan for those between nodes without a place."""
    found = np.full((len(places), 3), np.nan)
    for row, place in enumerate(places):
        start, end = of(place.start), of(place.end)
        if start is not None and end is not None:
            found[row] = start + place.part * (end - start)
    return found
