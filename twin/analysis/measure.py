"""What a run says about each requirement, from what was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twin.analysis.flow_measures import FlowMeasures
from twin.analysis.measured import Measured, estimated, fact
from twin.analysis.robot_measures import RobotMeasures, root
from twin.analysis.watch import Watch
from twin.errors import nearest
from twin.numerics import statistics
from twin.numerics.statistics import CONFIDENCE
from twin.specs.figures import FIGURES, HAPPENINGS, percentile_of
from twin.specs.requirement import Requirement, Scope
from twin.state import F64, I64

Series = Mapping[str, tuple[I64, F64]]
"""Figure without its percentile -> times (n,) ns and values (n,) in SI that it is made of."""

OF_PACKETS = ("packets_delivered", "packets_late", "packets_lost", "packets_queued")
"""Counts that say nothing where no packet was sent."""


class Measures:
    """Answers for one run: what was kept of it, its summary, and what is known of its network."""

    def __init__(
        self,
        summary: Mapping[str, Any],
        series: Series | None = None,
        watch: Watch | None = None,
        *,
        budget: int = 0,
        independent: bool = False,
    ) -> None:
        self.summary, self.series = summary, series or {}
        watch = watch or Watch([], [], [], {})
        self._flows = FlowMeasures(watch, summary, budget, independent)
        self._robots = RobotMeasures(watch, summary)

    def of(self, requirement: Requirement) -> Measured:
        """Return what the run says of a requirement's figure."""
        scope, figure = requirement.scope, requirement.figure
        worse = requirement.operator in ("<", "<=", "=")
        match scope.family:
            case "flows":
                return self._flows.of(figure, scope, worse)
            case "robots":
                return self._robots.of(figure, scope, worse)
            case "logs":
                return self._robots.logs(figure, scope)
            case "":
                return self._whole(figure, scope)
        table = self.summary.get(scope.family, {})
        there = f"there are: {', '.join(table) or 'none'}{nearest(scope.name, table)}"
        if scope.family in HAPPENINGS and scope.name not in table:
            return fact(0.0, note=f"none of that name; {there}")
        return fact(table.get(scope.name), reason=f"this run has no {scope.family}.{scope.name}; {there}")

    def _whole(self, figure: str, scope: Scope) -> Measured:
        value = self.summary.get(figure)
        if value is None:
            return fact(None, reason=FIGURES[figure].absent or "this run doesn't say")
        if figure in OF_PACKETS and self.summary.get("packets_sent") == 0:
            return fact(None, reason="no packet was sent")
        percentile, confidence = percentile_of(figure), scope.confidence or CONFIDENCE
        if percentile is not None and percentile[0] in self.series:
            found = statistics.quantile(*self.series[percentile[0]], percentile[1], confidence=confidence)
            return estimated(replace(found, value=value), "round trips")
        if figure in self.series:
            found = root(statistics.mean(*self.series[figure], confidence=confidence))
            return estimated(replace(found, value=value), "frames")
        return fact(value)
