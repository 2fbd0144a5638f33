"""Stay at given points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.errors import ScenarioError
from twin.specs import HoverSpec
from twin.state import Node, Reference


class Hover:
    """Robot i stays at point i, heading `yaw`.

    Raises:
        ScenarioError: there is not one point for each robot.
    """

    def __init__(self, spec: HoverSpec, count: int) -> None:
        if len(spec.points) != count:
            raise ScenarioError(f"{count} robots hover, but there are {len(spec.points)} points")
        zero = np.zeros(3)
        self._references = [Reference(np.array(point), zero, zero, spec.yaw) for point in spec.points]

    def judge(self, group: str, nodes: Sequence[Node]) -> None:
        """Return nothing: the tracking error is the only figure."""

    def reference(self, row: int, time: float) -> Reference:
        """Return the point of robot `row`."""
        return self._references[row]
