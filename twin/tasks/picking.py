"""Pick parts from a moving belt and put them into a bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.clock import NS
from twin.specs import PickingSpec
from twin.state import Frame, Node
from twin.tasks.site import NOWHERE, TaskContext


class Picking:
    """All parts of a group into the bin before they get past the end."""

    def __init__(self, spec: PickingSpec, count: int, site: TaskContext = NOWHERE) -> None:
        self.spec = spec

    def judge(self, group: str, nodes: Sequence[Node]) -> PickingJudge:
        """Return what counts parts."""
        return PickingJudge(self.spec, nodes)


class PickingJudge:
    """Counts the parts that came into the bin, and those that got past the end on another way."""

    def __init__(self, spec: PickingSpec, nodes: Sequence[Node]) -> None:
        self._low, self._high = (np.array(corner) for corner in spec.bin)
        self._end, self._along = np.array(spec.end), np.array(spec.along)
        self._bodies = [node.body for node in nodes if node.group == spec.parts]
        self._placed: dict[int, int] = {}  # body -> ns
        self._missed: set[int] = set()

    def take(self, frame: Frame) -> None:
        """Look where all parts are."""
        for body in self._bodies:
            place = frame.bodies.position[body]
            if body in self._placed or body in self._missed:
                continue
            if np.all(place >= self._low) and np.all(place <= self._high):
                self._placed[body] = frame.time
            elif (place - self._end) @ self._along > 0:
                self._missed.add(body)

    def figures(self) -> Mapping[str, float | None]:
        """Return parts_placed, missed_picks, cycle_time [s] and completion_time [s]."""
        times = sorted(self._placed.values())
        done = times and len(times) == len(self._bodies)
        return {
            "parts_placed": len(times),
            "missed_picks": len(self._missed),
            "cycle_time": float(np.mean(np.diff(times))) / NS if len(times) > 1 else None,
            "completion_time": times[-1] / NS if done else None,
        }
