"""Tracks of what base stations detect and robots report, for whoever sends it a message of the kind `subscribe`."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import mesa

from twin.controller import NS, Packet, Reaction, Robot, RobotSpec, Tracked, Tracker, TrackerSpec

HEADER, EACH = 24, 56
"""Bytes of a packet, and of each track in it: its number, whose it is, and twelve values of 4 bytes."""


class Tracks(Robot):
    """Takes `detections` and `report`s in as they arrive, and answers scans with `tracks` to its subscribers.

    Logged are the confirmed tracks, `track.N.x` to `.vz` in SI, and `track.N.known`: 1 if it is of a robot that
    reports; besides, how many there are, how many of them are unknown, and how old they are.
    """

    Parameters = TrackerSpec

    def __init__(self, model: mesa.Model, spec: RobotSpec, node: int) -> None:
        super().__init__(model, spec, node)
        self.tracker = Tracker(spec.parameters)
        self.subscribers: set[int] = set()

    def react(self, packets: Sequence[Packet], until: int) -> Reaction:
        """Bring the tracks up to date, arrival by arrival."""
        reaction = Reaction()
        for arrived, batch in groupby(packets, key=attrgetter("arrived")):
            scans = []
            for packet in batch:
                if packet.kind == "subscribe":
                    self.subscribers.add(packet.source)
                elif packet.kind == "report":
                    self.tracker.hear(packet.payload)
                elif packet.kind == "detections":
                    scans.append(packet.payload)
            for scan in scans:
                self.tracker.update(scan)
            if scans:
                self._tell(arrived, reaction)
        return reaction

    def _tell(self, time: int, reaction: Reaction) -> None:
        tracker, found = self.tracker, self.tracker.confirmed
        told = Tracked(tracker.time, found.number, found.identity, found.state, found.covariance)
        size = HEADER + EACH * len(found.number)
        for node in sorted(self.subscribers):
            reaction.packets.append(self.packet(node, "tracks", size, time, tracker.time, told))
        reaction.logs.append((time, self.node, "tracks.count", float(len(found.number))))
        unknown = float((found.identity == "").sum())
        reaction.logs.append((time, self.node, "tracks.unknown", unknown))
        reaction.logs.append((time, self.node, "tracks.age", (time - tracker.time) / NS))
        known = (found.identity != "").tolist()
        for number, own, state in zip(found.number.tolist(), known, found.state.tolist(), strict=True):
            reaction.logs.append((time, self.node, f"track.{number}.known", float(own)))
            names = (f"track.{number}.{axis}" for axis in ("x", "y", "z", "vx", "vy", "vz"))
            reaction.logs += [(time, self.node, name, value) for name, value in zip(names, state, strict=True)]
