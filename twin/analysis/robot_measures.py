"""What a run says about its robots, one by one or together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from twin.analysis.measured import Measured, estimated, fact, over_windows, worst_of
from twin.analysis.watch import Watch, last, nobody
from twin.clock import NS
from twin.errors import nearest
from twin.numerics import statistics
from twin.numerics.statistics import CONFIDENCE, Estimate, Interval
from twin.specs.figures import FIGURES, percentile_of
from twin.specs.requirement import TAKE_OFF, Scope
from twin.state import F64, I64, Bool


@dataclass(frozen=True, slots=True, eq=False)
class RobotMeasures:
    """Answers about robots of one run."""

    watch: Watch
    summary: Mapping[str, Any]

    def of(self, figure: str, scope: Scope, worse: bool) -> Measured:
        """Return a figure; `worse` tells whether more of it is worse."""
        nodes = self.watch.chosen(scope.name, scope.row)
        if not scope.each:
            return self._together(figure, scope, nodes, worse)
        found = [self._together(figure, scope, [node], worse) for node in nodes]
        return worst_of([self.watch.nodes[node].name for node in nodes], found, worse)

    def _together(self, figure: str, scope: Scope, nodes: list[int], worse: bool) -> Measured:
        if scope.window is None:
            return self._robot(figure, scope, nodes, None, None)
        start = 0 if scope.after in (None, TAKE_OFF) else scope.after
        return over_windows(start or 0, last(self.watch, scope), scope.window,
                            lambda begin, end: self._robot(figure, scope, nodes, begin, end), worse)  # fmt: skip

    def _robot(self, figure: str, scope: Scope, nodes: list[int], begin: int | None, end: int | None) -> Measured:
        time: I64 = np.frombuffer(self.watch.times, dtype=np.int64)
        grid = np.broadcast_to(time[:, None], (len(time), len(nodes)))
        node = np.broadcast_to(np.array(nodes, dtype=np.int64), grid.shape)
        chosen = self.watch.counts(scope, grid.ravel(), node.ravel()).reshape(grid.shape)
        if begin is not None and end is not None:
            chosen &= (grid >= begin) & (grid < end)
        if not chosen.any():
            return fact(None, reason=nobody(self.watch, scope, "was"))
        if figure in ("failsafes", "collisions", "clipped"):
            return self._events(figure, scope, nodes, begin, end)
        if figure == "failsafe_time":
            off = np.stack(self.watch.off)[:, nodes] & chosen
            return fact(float(np.sum(off * np.diff(time, prepend=0)[:, None])) / NS)
        if figure == "speed_max":
            speed = np.stack(self.watch.speeds)[:, nodes]
            return fact(float(speed[chosen].max()), "frames", int(chosen.any(axis=1).sum()))
        if figure.startswith("tracking"):
            return self._tracking(figure, scope, nodes, grid, chosen)
        return self._summarised(figure, scope, nodes)

    def _events(self, figure: str, scope: Scope, nodes: list[int], begin: int | None, end: int | None) -> Measured:
        names = {self.watch.nodes[node].name: node for node in nodes}
        count = 0
        for time, what, robots in self.watch.happened:
            mine = [names[name] for name in robots if name in names]
            if what == figure and mine and (begin is None or end is None or begin <= time < end):
                at = np.full(len(mine), time)
                count += bool(self.watch.counts(scope, at, np.array(mine)).any())
        return fact(float(count))

    def _tracking(
        self, figure: str, scope: Scope, nodes: list[int], grid: I64, chosen: Bool
    ) -> Measured:
        places = [self.watch.tracked.index(node) if node in self.watch.tracked else -1 for node in nodes]
        chosen = chosen & (np.array(places) >= 0)
        if not chosen.any():
            return fact(None, reason=FIGURES["tracking_rms"].absent)
        square: F64 = np.stack(self.watch.errors)[:, places][chosen]
        time, frames = grid[chosen], int(chosen.any(axis=1).sum())
        if figure == "tracking_max":
            return fact(float(np.sqrt(square.max())), "frames", frames)
        confidence, percentile = scope.confidence or CONFIDENCE, percentile_of(figure)
        if percentile is not None:
            found = statistics.quantile(time, np.sqrt(square), percentile[1], confidence=confidence)
            return estimated(found, "positions")
        return estimated(root(statistics.mean(time, square, confidence=confidence)), "positions")

    def _summarised(self, figure: str, scope: Scope, nodes: list[int]) -> Measured:
        """Return what the summary says of robots one by one, or of a group's task."""
        if scope.place or scope.after is not None or scope.until is not None or scope.window is not None:
            return fact(None, reason=f"{figure} is known of the whole run only")
        groups = {self.watch.nodes[node].group for node in nodes}
        for table in (f"{figure}_by_robot", f"battery_{figure}_by_robot", f"{figure.removesuffix('_time')}_by_robot"):
            if (by_robot := self.summary.get(table)) is not None:
                return fact(float(sum(by_robot.get(self.watch.nodes[node].name, 0.0) for node in nodes)))
        values = [self.summary.get("tasks", {}).get(group, {}).get(figure) for group in sorted(groups)]
        known = [value for value in values if value is not None]
        reason = FIGURES[figure].absent or f"nothing is known of {figure} robot by robot"
        return fact(FIGURES[figure].combine(known) if known else None, reason=reason)

    def logs(self, figure: str, scope: Scope) -> Measured:
        """Return what controllers logged."""
        nodes, rows = self.watch.chosen(scope.name), []
        names = sorted({name for node, name in self.watch.logs if node in nodes})
        for (node, name), values in self.watch.logs.items():
            if node in nodes and name == scope.entry:
                rows += [row for row in values if (scope.after or 0) <= row[0] <= (scope.until or self.watch.time)]
        if figure == "count":
            return fact(float(len(rows)), note="" if rows else f"nothing of that name; logged: {_listed(names)}")
        if not rows:
            there = f"{_listed(names)}{nearest(scope.entry, names)}"
            return fact(None, reason=f"{scope.name} logged no {scope.entry!r}; it logged: {there}")
        time, value = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)
        confidence, percentile = scope.confidence or CONFIDENCE, percentile_of(figure)
        if percentile is not None:
            return estimated(statistics.quantile(time, value, percentile[1], confidence=confidence), "entries")
        if figure == "mean":
            return estimated(statistics.mean(time, value, confidence=confidence), "entries")
        exact = {"min": value.min(), "max": value.max(), "last": value[np.argmax(time)]}
        return fact(float(exact[figure]), "entries", len(rows))


def root(square: Estimate) -> Estimate:
    """Return the root of a mean square."""
    low, high = (max(bound, 0.0) ** 0.5 for bound in (square.interval.lower, square.interval.upper))
    return replace(square, value=square.value**0.5, interval=Interval(low, high))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "nothing"
