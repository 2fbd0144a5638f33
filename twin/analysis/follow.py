"""What is new in a recording since the last look: of a run that is still being written, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import COMMAND, NEVER, NOMINAL, Event


@dataclass(frozen=True, slots=True)
class News:
    """What was committed between two looks."""

    time: float  # s, of the newest frame
    delivered: int  # packets
    lost: int  # packets
    round_trip: float | None  # s, the longest; None if no command arrived
    astray: tuple[str, ...]  # robots that are not in their nominal mode now
    events: tuple[Event, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        events = [{"time": e.time / NS, "kind": e.kind, "robot": e.robot, "detail": e.detail} for e in self.events]
        return {"time": self.time, "delivered": self.delivered, "lost": self.lost, "round_trip": self.round_trip,
                "astray": list(self.astray), "events": events}  # fmt: skip


class Follower:
    """Looks at a recording again and again and reads only what is new."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._seen = dict.fromkeys(recording.rows, 0)

    def look(self) -> News | None:
        """Return what is new since the last look; None if there is no new frame."""
        self.recording.refresh()
        rows = self.recording.rows
        if rows["state"] == self._seen["state"]:
            return None
        before, self._seen = self._seen, dict(rows)
        news = {name: slice(before[name], rows[name]) for name in rows}
        delivered, lost, round_trip = self._packets(news["packets"])
        modes = self.recording.strings.decode(self.recording["state/mode"][-1])
        robots = self.recording.robots
        return News(
            time=self.recording.duration / NS,
            delivered=delivered,
            lost=lost,
            round_trip=round_trip,
            astray=tuple(node.name for node, mode in zip(robots, modes, strict=True) if mode != NOMINAL),
            events=self._events(news["events"]),
        )

    def _packets(self, rows: slice) -> tuple[int, int, float | None]:
        columns = (self.recording[f"packets/{name}"][rows] for name in ("arrived", "stamp", "kind", "fate"))
        arrived, stamp, kind, fate = columns
        there = arrived != NEVER
        commands = there & (self.recording.strings.decode(kind) == COMMAND)
        longest = float(np.max((arrived - stamp)[commands])) / NS if commands.any() else None
        lost = ~there & (self.recording.strings.decode(fate) != "queued")
        return int(there.sum()), int(lost.sum()), longest

    def _events(self, rows: slice) -> tuple[Event, ...]:
        decode = self.recording.strings.decode
        texts = (decode(self.recording[f"events/{name}"][rows]).tolist() for name in ("kind", "robot", "detail"))
        numbers = (self.recording[f"events/{name}"][rows].tolist() for name in ("time", "value"))
        (kinds, robots, details), (times, values) = texts, numbers
        return tuple(map(Event, times, kinds, robots, details, values))
