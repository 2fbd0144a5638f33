"""Rounds of mobile robots: from place to place on lanes, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import atan2

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError, nearest
from twin.fleet.lanes import Lanes
from twin.specs import RoundsSpec
from twin.state import F64, I64, Frame, Node, Reference
from twin.tasks.site import NOWHERE, TaskContext

_THERE = 0.3
"""m from a goal within which a standing robot has reached it"""
_STANDING = 0.02
"""m/s and, for a point on its edge, rad/s over which a robot moves"""


class Rounds:
    """Robot i stands at the first place of round i at the start, and goes round and round from there.

    Raises:
        ScenarioError: a place isn't on a lane, or a name is unknown, or two robots start at one place.
    """

    def __init__(self, spec: RoundsSpec, count: int, site: TaskContext = NOWHERE) -> None:
        self.spec, self.dwell, self.clearance = spec, round(spec.dwell * NS), spec.clearance
        if len(spec.rounds) != count:
            raise ScenarioError(f"{count} robots, but {len(spec.rounds)} rounds")
        paths = [np.array(path, dtype=float) for path in spec.lanes]
        self.lanes = Lanes(paths, spec.spacing, spec.clearance)
        places = {name: self.lanes.at(place) for name, place in spec.places.items()}
        self._goals = [[_named(name, places) for name in names] for names in spec.rounds]
        self.chargers = [_named(name, places) for name in spec.chargers]
        for names, goals in zip(spec.rounds, self._goals, strict=True):
            if len(goals) < 2 or any(a == b for a, b in zip(goals, [*goals[1:], goals[0]], strict=True)):
                raise ScenarioError(f"the round {', '.join(names)} leads from a place to itself")
            for a, b in zip(goals, [*goals[1:], goals[0]], strict=True):
                self.lanes.route(a, b)
        starts = [names[0] for names in spec.rounds]
        if doubled := [name for i, name in enumerate(starts) if name in starts[:i]]:
            raise ScenarioError(f"two robots start at {doubled[0]}")

    def goal(self, row: int, mission: int) -> int:
        """Return the node that a robot goes to in its mission 1, 2, ...; of mission 0, where it starts."""
        return self._goals[row][mission % len(self._goals[row])]

    def start(self, row: int) -> Reference:
        """Return where robot `row` stands at the start: on the floor at height 0, looking along its way out."""
        here = self.goal(row, 0)
        a, b = self.lanes.node[here], self.lanes.node[self.lanes.route(here, self.goal(row, 1))[0]]
        return Reference(np.append(a, 0.0), np.zeros(3), np.zeros(3), atan2(b[1] - a[1], b[0] - a[0]))

    @cached_property
    def stations(self) -> F64:
        """Where chargers are, (S, 2) m."""
        return self.lanes.node[np.array(self.chargers, dtype=np.int64)]

    def judge(self, group: str, nodes: Sequence[Node]) -> RoundsJudge:
        """Return what judges the robots of `group`."""
        return RoundsJudge(self, [(index, node) for index, node in enumerate(nodes) if node.group == group])


class RoundsJudge:
    """Counts goals, stops and waiting, and measures distances from lanes, by the true motion."""

    def __init__(self, task: Rounds, robots: Sequence[tuple[int, Node]]) -> None:
        self._task = task
        self._names = {node.name for _, node in robots}
        self._rows = {index: i for i, (index, _) in enumerate(robots)}  # by node index
        self._bodies: I64 = np.array([node.body for _, node in robots], dtype=np.int64)
        n = len(robots)
        self._mission, self._since = np.ones(n, dtype=np.int64), np.full(n, task.dwell)
        self._times: list[int] = []  # ns, of missions done
        self._waiting = self._time = self._stops = self._frames = 0
        self._squares = self._worst = 0.0
        self._energy: dict[int, float] = {}

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        step, self._time = frame.time - self._time, frame.time
        place, velocity = (v[self._bodies] for v in (frame.bodies.position, frame.bodies.velocity))
        turning = frame.bodies.angular_velocity[self._bodies, 2]
        stands = (np.hypot(velocity[:, 0], velocity[:, 1]) < _STANDING) & (np.abs(turning) < _STANDING)
        self._look(frame.time, step, place[:, :2], stands)
        offset = self._task.lanes.offset(place[:, :2])
        self._squares += float(np.mean(offset**2))
        self._worst = max(self._worst, float(offset.max()))
        self._stops += sum(e.robot in self._names and e.detail.endswith(" to stopped") for e in frame.events)
        for _, node, name, value in frame.logs:
            if name == "energy_used" and node in self._rows:
                self._energy[node] = value
        self._frames += 1

    def _look(self, time: int, step: int, place: F64, stands: F64) -> None:
        """Count who has come to its goal, and the time of those who stand on the way to one."""
        task, node = self._task, self._task.lanes.node
        for i in np.flatnonzero(stands):
            row = int(i)
            if time < self._since[row]:
                continue
            if np.hypot(*(place[row] - node[task.goal(row, int(self._mission[row]))])) < _THERE:
                self._times.append(time - int(self._since[row]))
                self._mission[row] += 1
                self._since[row] = time + task.dwell
            elif not len(task.stations) or np.hypot(*(place[row] - task.stations).T).min() >= _THERE:
                self._waiting += step

    def figures(self) -> Mapping[str, float | None]:
        """Return the figures of a fleet, SI."""
        done = self._times
        return {
            "missions": len(done),
            "mission_time": float(np.mean(done)) / NS if done else None,
            "waiting_time": self._waiting / NS,
            "safety_stops": self._stops,
            "lane_error_rms": float(np.sqrt(self._squares / self._frames)) if self._frames else None,
            "lane_error_max": self._worst if self._frames else None,
            "energy": sum(self._energy.values()) if self._energy else None,
        }


def _named(name: str, places: Mapping[str, int]) -> int:
    if name not in places:
        raise ScenarioError(f"found place {name!r}; allowed: {', '.join(places)}{nearest(name, places)}")
    return places[name]
