"""Hand parts from one arm to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.specs import HandOverSpec
from twin.state import Frame, Node
from twin.tasks.site import NOWHERE, TaskContext

_PUT_DOWN = 0.03
"""m round the height at which a part lay first, in which it isn't dropped but put down"""


class HandOver:
    """Robots 0, 2, ... of a group give, robots 1, 3, ... take.

    Raises:
        ScenarioError: there is a robot without a partner.
    """

    def __init__(self, spec: HandOverSpec, count: int, site: TaskContext = NOWHERE) -> None:
        if count % 2:
            raise ScenarioError(f"a hand-over takes pairs of robots, found {count}")
        self.spec = spec

    def judge(self, group: str, nodes: Sequence[Node]) -> HandOverJudge:
        """Return what follows the parts from hand to hand."""
        return HandOverJudge(self.spec, group, nodes)


class HandOverJudge:
    """Who holds each part, by what grippers tell; where nobody does, it is in the bin or dropped."""

    def __init__(self, spec: HandOverSpec, group: str, nodes: Sequence[Node]) -> None:
        self._low, self._high = (np.array(corner) for corner in spec.bin)
        self._takers = {node.name for node in nodes if node.group == group and node.row % 2}
        self._givers = {node.name for node in nodes if node.group == group and not node.row % 2}
        self._bodies = {node.name: node.body for node in nodes if node.group == spec.parts}
        self._hands: dict[str, dict[str, int]] = {part: {} for part in self._bodies}  # -> robot -> ns since when
        self._overlap: list[int] = []  # ns in both hands
        self._passed: set[str] = set()  # parts that are in the taker's hand alone
        self._placed: dict[str, int] = {}  # part -> ns
        self._dropped = 0
        self._heights: dict[str, float] = {}  # m, of parts at the start

    def take(self, frame: Frame) -> None:
        """Add what grippers did since the frame before."""
        if not self._heights:
            self._heights = {part: float(frame.bodies.position[body, 2]) for part, body in self._bodies.items()}
        for event in frame.events:
            if event.kind == "gripped" and event.detail in self._hands:
                self._hands[event.detail][event.robot] = event.time
            elif event.kind in ("released", "torn off") and event.detail in self._hands:
                self._let_go(event.detail, event.robot, event.time, frame)

    def _let_go(self, part: str, robot: str, time: int, frame: Frame) -> None:
        hands = self._hands[part]
        del hands[robot]
        if robot in self._givers and self._takers & hands.keys():
            self._overlap.append(time - max(hands.values()))
            self._passed.add(part)
        if hands:
            return
        place = frame.bodies.position[self._bodies[part]]
        if part in self._passed and np.all(place >= self._low) and np.all(place <= self._high):
            self._placed.setdefault(part, time)
        elif abs(place[2] - self._heights[part]) > _PUT_DOWN:
            self._dropped += 1

    def figures(self) -> Mapping[str, float | None]:
        """Return handed_over, dropped, handover_time [s] on average, and completion_time [s]."""
        done = len(self._placed) == len(self._bodies) > 0
        return {
            "handed_over": len(self._placed),
            "dropped": self._dropped,
            "handover_time": float(np.mean(self._overlap)) / NS if self._overlap else None,
            "completion_time": max(self._placed.values()) / NS if done else None,
        }
