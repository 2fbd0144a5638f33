"""Keeps of a run, frame by frame, what its requirements will ask for, and nothing else."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np

from twin.specs.place import BoxSpec, CorridorSpec
from twin.specs.requirement import TAKE_OFF, Requirement, Scope
from twin.state import CLIPPED, F64, I64, NEVER, NOMINAL, Bool, Frame, Node

COLLISION_SPEED = 1.0
"""m/s; slower contacts are touchdowns and grips, not collisions."""
RISE = 1.0
"""m above where it started: from there on a robot has taken off."""
_WIDTH = 7
_FATES = {"delivered": 1, "queued": -1}


class Watch:
    """Takes frames, and answers who was where when."""

    def __init__(
        self,
        nodes: Sequence[Node],
        tracked: Sequence[Node],
        requirements: Sequence[Requirement],
        places: Mapping[str, BoxSpec | CorridorSpec],
    ) -> None:
        self.nodes, self.time = nodes, 0
        self.tracked = [nodes.index(node) for node in tracked]  # those with tracking errors
        self.bodies: I64 = np.array([node.body for node in nodes], dtype=np.int64)
        scopes = [requirement.scope for requirement in requirements]
        self._kinds = {scope.name for scope in scopes if scope.family == "flows"}
        self._entries = any(scope.family == "logs" for scope in scopes)
        self._frames = any(scope.family == "robots" for scope in scopes)
        self._places = {scope.place: places[scope.place] for scope in scopes if scope.place}
        self._lifts = any(scope.after == TAKE_OFF for scope in scopes)
        self._packets = array("q")
        self.kinds: dict[str, int] = {}  # of packets, those not asked for as well
        self.times = array("q")  # ns, of the frames
        self.speeds: list[F64] = []  # (nodes,) m/s each
        self.errors: list[F64] = []  # (tracked,) m2 each
        self.off: list[Bool] = []  # (nodes,) each: on failsafe
        self.happened: list[tuple[int, str, tuple[str, ...]]] = []  # ns, figure, robots
        self.logs: dict[tuple[int, str], list[tuple[int, float]]] = {}
        self._inside: dict[str, list[tuple[int, Bool]]] = {name: [] for name in self._places}
        self._start: F64 | None = None
        self.lift: I64 = np.full(len(nodes), np.iinfo(np.int64).max)  # ns, when each takes off

    def take(self, frame: Frame, errors: F64) -> None:
        """Add one frame; `errors` (tracked,) m2 are its squared tracking errors."""
        self.time = frame.time
        self._take_packets(frame)
        if self._entries:
            for time, node, name, value in frame.logs:
                self.logs.setdefault((node, name), []).append((time, value))
        if self._places or self._lifts:
            self._take_places(frame)
        if self._frames:
            self._take_robots(frame, errors)

    def _take_packets(self, frame: Frame) -> None:
        for p in frame.packets:
            code = self.kinds.setdefault(p.kind, len(self.kinds))
            if p.kind in self._kinds or "*" in self._kinds:
                marks = code * 4 + _FATES.get(p.fate, 0) + 1
                self._packets.extend((p.created, p.arrived, p.stamp, p.source, p.destination, p.size, marks))

    def _take_places(self, frame: Frame) -> None:
        there = self.bodies >= 0
        position = np.full((len(self.nodes), 3), np.nan)
        position[there] = frame.bodies.position[self.bodies[there]]
        if self._start is None:
            self._start = position[:, 2].copy()
        rises = np.nan_to_num(position[:, 2] - self._start) > RISE
        self.lift[rises] = np.minimum(self.lift[rises], frame.time)
        for name, place in self._places.items():
            inside, known = place.holds(position), self._inside[name]
            if not known or (known[-1][1] != inside).any():
                known.append((frame.time, inside))

    def _take_robots(self, frame: Frame, errors: F64) -> None:
        self.times.append(frame.time)
        self.errors.append(errors)
        self.off.append(np.array([mode != NOMINAL for mode in frame.modes]))
        there = self.bodies >= 0
        speed = np.zeros(len(self.nodes))
        speed[there] = np.linalg.norm(frame.bodies.velocity[self.bodies[there]], axis=1)
        self.speeds.append(speed)
        for event in frame.events:
            if event.kind == "contact" and event.value > COLLISION_SPEED:
                self.happened.append((event.time, "collisions", (event.robot, event.detail)))
            elif event.kind == "failsafe":
                self.happened.append((event.time, "failsafes", (event.robot,)))
        for time, node, name, _ in frame.logs:
            if name == CLIPPED:
                self.happened.append((time, "clipped", (self.nodes[node].name,)))

    def packets(self, kind: str) -> dict[str, I64]:
        """Return the packets of a kind, or of all (*), in the order of their creation; times in ns."""
        rows = np.array(self._packets, dtype=np.int64).reshape(-1, _WIDTH)
        if kind != "*":
            rows = rows[rows[:, 6] // 4 == self.kinds.get(kind, -1)]
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        names = ("created", "arrived", "stamp", "source", "destination", "size")
        return {**dict(zip(names, rows.T[:6], strict=True)), "fate": rows[:, 6] % 4 - 1}

    def counts(self, scope: Scope, time: I64, node: I64) -> Bool:
        """Tell which instants (n,) ns of nodes (n,) lie within the times and the place of a scope."""
        within = np.ones(len(time), dtype=bool)
        if scope.after is not None:
            within &= time >= (self.lift[node] if scope.after == TAKE_OFF else scope.after)
        if scope.until is not None:
            within &= time <= scope.until
        if scope.place:
            within &= self._was_inside(scope.place, time, node)
        return within

    def _was_inside(self, place: str, time: I64, node: I64) -> Bool:
        changes = self._inside[place]
        if not changes:
            return np.zeros(len(time), dtype=bool)
        since = np.array([when for when, _ in changes])
        row = np.maximum(np.searchsorted(since, time, side="right") - 1, 0)
        found: Bool = np.stack([inside for _, inside in changes])[row, node]
        return found

    def chosen(self, name: str, row: int | None = None) -> list[int]:
        """Return the nodes of a group, of one robot by its name, or of all (*)."""
        return [
            i
            for i, node in enumerate(self.nodes)
            if (name in ("*", node.group) and row in (None, node.row)) or node.name == name
        ]


def last(watch: Watch, scope: Scope, stop: int | None = None) -> int:
    """Return when [ns] a scope ends, or a part of it that ends at `stop`."""
    return min(watch.time, *(end for end in (scope.until, stop) if end is not None), watch.time)


def nobody(watch: Watch, scope: Scope, did: str) -> str:
    """Say that nobody did what a scope asks about, and why if that is known."""
    if scope.after == TAKE_OFF and not (watch.lift < np.iinfo(np.int64).max).any():
        return f"nobody took off: rose {RISE:g} m above where it started"
    where = [f"in {scope.place}"] if scope.place else []
    return " ".join(["nobody", did, *where, *(["in this time"] if scope.after or scope.until else [])])


def arrived(packets: Mapping[str, I64]) -> Bool:
    """Tell which packets (n,) arrived."""
    there: Bool = (packets["fate"] == 1) & (packets["arrived"] != NEVER)
    return there
