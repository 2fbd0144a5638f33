"""Figures of a run, gathered frame by frame: the same on a run and on its recording."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.analysis.flow_meter import FlowMeter
from twin.analysis.sensing_meter import SensingMeter
from twin.analysis.separation import Separation
from twin.analysis.watch import COLLISION_SPEED, Watch
from twin.clock import NS
from twin.protocols import Course, SharedCourse, Starts, Task
from twin.specs.figures import FIGURES
from twin.specs.place import BoxSpec, CorridorSpec
from twin.specs.requirement import Requirement
from twin.state import CLIPPED, COMMAND, F64, I64, NOMINAL, Frame, Node

MODE_CHANGES = ("failsafe", "mode", "recovered")
"""Kinds of the events that tell of one mode after another."""
PERCENTILES = (50.0, 99.0, 99.9)


class Metrics:
    """Counts packets, round trips, tracking errors, time on failsafe and events, and asks each task's judge."""

    def __init__(
        self,
        nodes: Sequence[Node],
        tasks: Mapping[str, Task],
        delay_budget: int,
        requirements: Sequence[Requirement] = (),
        places: Mapping[str, BoxSpec | CorridorSpec] | None = None,
    ) -> None:
        self.nodes = nodes
        self.courses = {group: task for group, task in tasks.items() if isinstance(task, Course)}
        self.tracked = [node for node in nodes if node.body >= 0 and node.group in self.courses]
        self._fleets = [_Fleet(course, group, self.tracked) for group, course in self.courses.items()]
        moving = {group for group, task in tasks.items() if isinstance(task, Course | Starts)}
        self.separation = Separation([node.body for node in nodes if node.body >= 0 and node.group in moving])
        judges = {group: task.judge(group, nodes) for group, task in tasks.items()}
        self.judges = {group: judge for group, judge in judges.items() if judge is not None}
        self.time = 0
        self.fates: Counter[str] = Counter()
        self.flows = FlowMeter(nodes, delay_budget)
        self.sensing = SensingMeter(nodes)
        self.watch = Watch(nodes, self.tracked, requirements, places or {})
        self.round_trips, self._answered = array("q"), array("q")  # ns, and when each command was made
        self._times, self._mean_squares = array("q"), array("d")  # of frames: ns, m2 over all that are tracked
        self.events: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.clipped: Counter[int] = Counter()  # by node
        self.failsafe_time = self.collisions = 0
        self.squares = np.zeros(len(self.tracked))
        self.worst = np.zeros(len(self.tracked))
        self.frames = 0

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        step, self.time = frame.time - self.time, frame.time
        self.failsafe_time += step * sum(mode != NOMINAL for mode in frame.modes)
        self.events.update(event.kind for event in frame.events)
        self.modes.update(e.detail.rpartition(" to ")[2] for e in frame.events if e.kind in MODE_CHANGES)
        self.clipped.update(node for _, node, name, _ in frame.logs if name == CLIPPED)
        self.collisions += sum(e.kind == "contact" and e.value > COLLISION_SPEED for e in frame.events)
        self.fates.update([packet.fate for packet in frame.packets])
        for packet in frame.packets:
            self.flows.take(packet)
        answered = [p for p in frame.packets if p.kind == COMMAND and p.fate == "delivered"]
        self.round_trips.extend([p.arrived - p.stamp for p in answered])
        self._answered.extend([p.created for p in answered])
        errors = np.zeros(len(self.tracked))
        for fleet in self._fleets:
            errors[fleet.places] = fleet.errors(frame)
        self.squares += errors
        self.worst = np.maximum(self.worst, errors)
        if self.tracked:
            self._times.append(frame.time)
            self._mean_squares.append(float(errors.mean()))
        self.watch.take(frame, errors)
        self.separation.take(frame.bodies)
        self.sensing.take(frame)
        self.frames += 1
        for judge in self.judges.values():
            judge.take(frame)

    def summary(self) -> dict[str, Any]:
        """Return the figures by name, in SI; those of `twin.specs.figures` and tables of several."""
        sent = self.fates.total()
        delivered, queued = self.fates["delivered"], self.fates["queued"]
        rms = np.sqrt(self.squares / max(self.frames, 1))
        tracked = [node.name for node in self.tracked]
        return {
            "duration": self.time / NS,
            "packets_sent": sent,
            "packets_delivered": delivered,
            "packets_late": self.flows.late(self.time),
            "packets_lost": sent - delivered - queued,
            "packets_queued": queued,
            **self._round_trips(),
            "tracking_rms": float(np.sqrt(np.mean(rms**2))) if tracked else None,
            "tracking_max": float(np.sqrt(self.worst.max())) if tracked else None,
            "tracking_rms_by_robot": dict(zip(tracked, rms.tolist(), strict=True)),
            "failsafes": self.events["failsafe"],
            "failsafe_time": self.failsafe_time / NS,
            "collisions": self.collisions,
            "separation_min": self.separation.least,
            "clipped": self.clipped.total(),
            **self._task_figures(),
            "flows": self.flows.summary(self.time),
            **self.sensing.summary(),
            "events": dict(sorted(self.events.items())),
            "modes": dict(sorted(self.modes.items())),
            "clipped_by_robot": {self.nodes[node].name: times for node, times in sorted(self.clipped.items())},
            "losses": {
                fate: n for fate, n in sorted(self.fates.items()) if fate not in ("delivered", "queued")
            },
        }

    @property
    def series(self) -> dict[str, tuple[I64, F64]]:
        """What the figures of the whole run that have an interval are made of: times [ns] and values."""
        answered = np.array(self._answered, dtype=np.int64), np.array(self.round_trips, dtype=float) / NS
        tracked = np.array(self._times, dtype=np.int64), np.array(self._mean_squares)
        return {"rtt": answered, "tracking_rms": tracked}

    def _task_figures(self) -> dict[str, Any]:
        """Return the figures of tasks, those of several tasks combined, and below `tasks` group by group."""
        by_group = {group: dict(judge.figures()) for group, judge in self.judges.items()}
        whole: dict[str, Any] = {}
        for name in dict.fromkeys(name for figures in by_group.values() for name in figures):
            values = [figures[name] for figures in by_group.values() if figures.get(name) is not None]
            whole[name] = FIGURES[name].combine(value for value in values if value is not None) if values else None
        return {**whole, "tasks": by_group} if by_group else {}

    def _round_trips(self) -> dict[str, float | None]:
        names = [f"rtt_p{percentile:g}".replace(".", "") for percentile in PERCENTILES]
        if not self.round_trips:
            return dict.fromkeys(names)
        return {
            name: float(value) / NS
            for name, value in zip(names, np.percentile(self.round_trips, PERCENTILES), strict=True)
        }


class _Fleet:
    """The robots of one group that follow a course: `places` are theirs among all that are tracked."""

    def __init__(self, course: Course, group: str, tracked: Sequence[Node]) -> None:
        self.course, self._shared = course, course if isinstance(course, SharedCourse) else None
        mine = [(i, node.row, node.body) for i, node in enumerate(tracked) if node.group == group]
        self.places, self._rows, self._bodies = np.array(mine, dtype=np.int64).reshape(-1, 3).T

    def errors(self, frame: Frame) -> F64:
        """Return the squared distances [m2] from where they should be."""
        goals = self._goals(frame.time / NS)
        errors: F64 = np.sum((frame.bodies.position[self._bodies] - goals) ** 2, axis=1)
        return errors

    def _goals(self, time: float) -> F64:
        if self._shared is not None:
            return self._shared.positions(self._rows, time)
        return np.array([self.course.reference(row, time).position for row in self._rows.tolist()]).reshape(-1, 3)
