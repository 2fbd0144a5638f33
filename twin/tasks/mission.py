"""Fly mission plans of QGroundControl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from twin.clock import NS
from twin.errors import ScenarioError
from twin.specs import MissionSpec
from twin.state import Frame, Node, Reference
from twin.tasks.flight import Chart, Flight, Target
from twin.tasks.itinerary import Itinerary
from twin.tasks.plan_file import read_plan
from twin.tasks.site import TaskContext


class Mission:
    """Robot i flies plan i modulo their number; each further one of a plan starts `interval` later, `offset` aside.

    Ways are straight, from rest to rest; a robot that stands climbs first. The plan's home lies where the world's
    origin puts it, or at `home`, on what is there below; altitudes above the sea are taken from home's.

    Raises:
        ScenarioError: a plan can't be read or flown, or the world has no origin and `home` isn't stated.
    """

    needs_world = True

    def __init__(self, spec: MissionSpec, count: int, site: TaskContext) -> None:
        assert site.world is not None, "make_task sees to that"
        self.spec = spec
        plans = [read_plan(site.find(path)) for path in spec.plans]
        self._ways: list[Itinerary] = []
        self.targets: list[list[Target]] = []
        self.unused: list[Counter[str]] = [Counter(plan.unused) for plan in plans]
        for row in range(count):
            turn, which = divmod(row, len(plans))
            flight = Flight(spec, plans[which], Chart(plans[which], spec, site.world, turn))
            flight.itinerary.stay(turn * spec.interval, parked=True)
            flight.fly()
            self._ways.append(flight.itinerary)
            self.targets.append(flight.targets)
            if turn == 0:
                self.unused[which] += flight.unused
            if not flight.targets:
                left = ", ".join(f"{number} x {what}" for what, number in sorted(self.unused[which].items()))
                message = f"nothing of it is flown; not used: {left or 'nothing'}"
                raise ScenarioError(message, file=plans[which].file, key="mission.items")

    @property
    def notes(self) -> list[str]:
        """What of the plans isn't flown, in words; empty if all is."""
        return [
            f"{path}: not used: " + ", ".join(f"{number} x {what}" for what, number in sorted(unused.items()))
            for path, unused in zip(self.spec.plans, self.unused, strict=True)
            if unused
        ]

    def reference(self, row: int, time: float) -> Reference:
        """Return where robot `row` should be at `time` [s]."""
        return self._ways[row].at(time)

    def judge(self, group: str, nodes: Sequence[Node]) -> MissionJudge:
        """Return what counts the places that the robots of `group` reached."""
        return MissionJudge(self, [node for node in nodes if node.group == group])


class MissionJudge:
    """Counts the places of plans that robots came within reach of, after the place before was due."""

    def __init__(self, task: Mission, robots: Sequence[Node]) -> None:
        self._bodies = [node.body for node in robots]
        self._targets = [task.targets[node.row] for node in robots]
        self._left = [list(range(len(targets))) for targets in self._targets]
        self._unused = sum(unused.total() for unused in task.unused)
        self._reached, self._time = 0, 0
        self._last = [0] * len(robots)  # ns

    def take(self, frame: Frame) -> None:
        """Look who is within reach of what."""
        now, self._time = frame.time / NS, frame.time
        for robot, (body, targets, left) in enumerate(zip(self._bodies, self._targets, self._left, strict=True)):
            place = frame.bodies.position[body]
            for i in [i for i in left if targets[i].earliest <= now]:
                gap = place - targets[i].place
                if gap @ gap <= targets[i].reach ** 2:
                    left.remove(i)
                    self._reached += 1
                    self._last[robot] = frame.time

    def figures(self) -> Mapping[str, float | None]:
        """Return waypoints_reached, waypoints_missed (due, and not reached), completion_time [s] and items_unused.

        Without a robot that flies there is nothing reached, and nothing missed.
        """
        if not any(self._targets):
            return {"items_unused": self._unused}
        now = self._time / NS
        pairs = zip(self._targets, self._left, strict=True)
        missed = sum(targets[i].due < now for targets, left in pairs for i in left)
        return {
            "waypoints_reached": self._reached,
            "waypoints_missed": missed,
            "completion_time": None if any(self._left) else max(self._last) / NS,
            "items_unused": self._unused,
        }
