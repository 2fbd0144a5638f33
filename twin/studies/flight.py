"""A run that can be split: its process forks, and each child goes on with draws of its own.

A fork at a tick is exact, radio network and ray tracing included: all state is memory of one process with one thread.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import closing
from math import inf
from typing import Any

import numpy as np

from twin.analysis.metrics import Metrics
from twin.assembly.build import build
from twin.assembly.built import Built
from twin.assembly.reseeds import check_reseeds
from twin.clock import periodic
from twin.errors import RunError
from twin.project.project import Project
from twin.runs.run import at_record_rate, rare_collection, summary_of
from twin.specs.requirement import OPERATORS, Requirement, parse_requirement
from twin.specs.scenario import Scenario
from twin.studies.importance import Score, make_score
from twin.studies.pool import TRIES
from twin.studies.processes import die_with_parent, from_outside
from twin.studies.splitting import Leaf, Path, grow

_SO_FAR: dict[str, Callable[[Metrics], float | None]] = {
    "tracking_max": lambda metrics: float(np.sqrt(metrics.worst.max())) if metrics.tracked else None,
    "separation_min": lambda metrics: metrics.separation.least,
    "collisions": lambda metrics: metrics.collisions,
    "failsafes": lambda metrics: metrics.events["failsafe"],
}
"""Figures that are known while a run goes on, and go one way: a path ends where they settle the event."""


def tree(scenario: Scenario, project: Project, asked: dict[str, Any]) -> list[Leaf]:
    """Grow the tree of one root: `asked` has event, importance, horizon [s], levels and copies."""
    event = parse_requirement(asked["event"])
    scenario = scenario.model_copy(update={"requirements": (event,)})
    built = build(scenario, project)
    with closing(built), rare_collection():
        check_reseeds(built)
        score = make_score(asked["importance"], event, built, asked["horizon"])
        return grow(Flight(built, scenario, event, score), asked["levels"], asked["copies"])


class Flight:
    """A path of a tree: this process's run."""

    def __init__(self, built: Built, scenario: Scenario, event: Requirement, score: Score) -> None:
        self._built, self._scenario, self._event, self._score = built, scenario, event, score
        budget = scenario.network.delay_budget
        self._metrics = Metrics(built.nodes, built.tasks, budget, built.requirements, scenario.places)
        self._frames = at_record_rate(built.twin.frames(scenario.duration), scenario.rates.record)
        self._lineage: tuple[tuple[int, int], ...] = ()
        self._began = 0  # tick of its last branch
        self._highest = self._now = -inf
        self._over, self._error = False, ""
        self._early = _SO_FAR.get(event.figure) if _settles(event) else None

    def advance(self, level: float) -> bool:
        """Go on until the score is at `level`; False if the run ends before, or the event is certain."""
        while not self._over:
            if self._now >= level:
                return True
            self._step()
        return False

    def _step(self) -> None:
        try:
            frame = next(self._frames)
            self._metrics.take(frame)
            self._now = self._score(frame)
        except RunError as stop:
            self._over, self._error = True, f"{type(stop).__name__}: {stop}"
            return
        self._highest = max(self._highest, self._now)
        self._over = frame.time >= self._scenario.duration or self._happened(self._early)

    def _happened(self, figure: Callable[[Metrics], float | None] | None) -> bool:
        value = None if figure is None else figure(self._metrics)
        return value is not None and OPERATORS[self._event.operator](value, self._event.limit)

    def branch(self, number: int, weight: float, grow: Callable[[Path], list[Leaf]]) -> list[Leaf]:
        """Fork, and return what the child makes of it."""
        clock = self._built.twin.clock
        at = periodic(clock.ticks + 1, clock.rate_hz)
        past = [self._scenario.seed, *self._lineage, at, number]
        seed = int.from_bytes(hashlib.sha256(json.dumps(past).encode()).digest()[:8], "little") >> 1
        for _ in range(TRIES):
            said, code = self._fork(at, seed, grow)
            if not from_outside(code):
                break
        if code == 0:
            return [Leaf.of(leaf) for leaf in json.loads(said)]
        why = f"signal {-code}" if code < 0 else f"exit code {code}"
        return [Leaf(weight, None, lineage=(*self._lineage, (at, seed)), error=f"died: {why}")]

    def _fork(self, at: int, seed: int, grow: Callable[[Path], list[Leaf]]) -> tuple[str, int]:
        """Go on in a child by draws of `seed`; return what it says, and its exit code, below 0 a signal's."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(read)
                die_with_parent()
                self._built.twin.seeds.reseed(seed)
                self._lineage, self._began = (*self._lineage, (at, seed)), self._built.twin.clock.ticks
                with os.fdopen(write, "w") as answer:
                    json.dump([leaf.as_dict() for leaf in grow(self)], answer)
                code = 0
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(code)
        os.close(write)
        with os.fdopen(read) as answer:
            said = answer.read()
        return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def leaf(self, weight: float) -> Leaf:
        """Return how it ended: the event's figure, and whether it happened."""
        clock = self._built.twin.clock
        steps, value, hit = clock.ticks - self._began, None, None
        if not self._error:
            summary = summary_of(self._built, self._scenario, self._metrics, complete=True)
            value = summary["requirements"][0]["value"]
            hit = None if value is None else bool(OPERATORS[self._event.operator](value, self._event.limit))
            self._error = summary["requirements"][0]["reason"] if hit is None else ""
        return Leaf(weight, hit, value, self._highest, steps, clock.now, self._lineage, self._error)


def _settles(event: Requirement) -> bool:
    """Tell whether a run can only go on meeting the event once it has."""
    one_way = {"up": (">", ">="), "down": ("<", "<=")}
    return not event.scope.family and event.operator in one_way.get(event.kind.trend, ())


