"""A sweep that goes on until its requirements are decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from twin.studies.plan import Value
from twin.studies.pool import Runner
from twin.studies.statements import Statement, Wanted, statements
from twin.studies.sweep import Planned, Sweep

LOOK = 10
"""Runs of a point from one look to the next: always the same, so that it doesn't matter how many run side by side."""


def until_decided(sweep: Sweep, runner: Runner, wanted: Wanted, progress: Callable[[], None]) -> list[Statement]:
    """Run the points of a sweep, seed by seed, each until all is decided of it; return what was found.

    Intervals are confidence sequences, which hold however often they are looked at; of those that are looked at but
    once, a third of all statements would be wrong in the end.
    """
    wanted = replace(wanted, sequential=True)
    ahead: dict[str, list[Planned]] = {}
    for run in sweep.runs:
        ahead.setdefault(_key(run.point.values), []).append(run)
    found: list[Statement] = []
    undecided = set(ahead)
    while batch := [run for key in ahead if key in undecided for run in _next(ahead[key])]:
        sweep.run(runner, progress, batch)
        found = statements(sweep.rows(), wanted)
        undecided = {_key(one.point) for one in found if one.answer == "inconclusive"}
    return found


def _next(runs: list[Planned]) -> list[Planned]:
    taken = runs[:LOOK]
    del runs[:LOOK]
    return taken


def _key(values: Mapping[str, Value]) -> str:
    return repr(sorted(values.items()))
