"""A sweep from its plan to its table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.project import plugins
from twin.project.project import Project, find_scenario
from twin.specs import MeasuredTime
from twin.specs.figures import FIGURES
from twin.specs.scenario import Scenario, load_scenario
from twin.studies.identity import run_id
from twin.studies.plan import Plan, Point, overrides
from twin.studies.pool import Job, Runner
from twin.studies.store import Store

_LIVE = ("tcp", "ipc", "mavlink", "vda5050")
_FIRST = ("id", "seed", "status", "error", "answer")


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of a sweep, ready to be given away."""

    name: str
    point: Point
    scenario: Scenario


@dataclass(slots=True)
class Sweep:
    """All runs of a plan, and where their rows are."""

    plan: Plan
    store: Store
    project: Project
    path: Path
    runs: list[Planned]
    differing: int = 0  # rows that another sweep had computed otherwise

    @property
    def missing(self) -> list[Planned]:
        """The runs that aren't done."""
        return [run for run in self.runs if not self.store.has(run.name)]

    def run(
        self, runner: Runner, progress: Callable[[], None] = lambda: None, some: Sequence[Planned] | None = None
    ) -> None:
        """Run what is missing of all runs, or of `some`; `progress` is called after each."""

        def done(job: Job, same: bool) -> None:
            self.differing += not same
            progress()

        wanted = self.runs if some is None else some
        runner.run([self._job(run) for run in wanted if not self.store.has(run.name)], done)

    def _job(self, run: Planned) -> Job:
        limits = self.plan.limits
        return {
            "id": run.name, "store": str(self.store.folder.resolve()), "scenario": str(self.path),
            "overrides": overrides(self.plan, run.point), "point": run.point.values, "seed": run.point.seed,
            "record": self.plan.record, "wall": limits.wall / 1e9, "memory": limits.memory,
        }  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Return what is known of each run that is done, in the order of the plan."""
        return self.store.rows(run.name for run in self.runs)

    def table(self) -> list[dict[str, Any]]:
        """Return one flat row a run: what it set, how it ended, its figures, and the answer to each requirement."""
        rows = self.rows()
        figures = [name for name in FIGURES if any(name in row["figures"] for row in rows)]
        asked = list(dict.fromkeys(text for row in rows for text in row["requirements"]))
        return [
            {**{name: row[name] for name in _FIRST[:1]}, **row["point"], **{name: row[name] for name in _FIRST[1:]},
             **{name: row["figures"].get(name) for name in figures},
             **{text: row["requirements"].get(text) for text in asked}}
            for row in rows
        ]  # fmt: skip

    def write_table(self) -> list[Path]:
        """Write table.csv, and table.parquet where pyarrow is installed, into the sweep's folder, SI; return both."""
        file, rows = self.store.folder / "table.csv", self.table()
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]) if rows else list(_FIRST), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        if not rows or find_spec("pyarrow") is None:
            return [file]
        return [file, _write_parquet(rows, self.store.folder / "table.parquet")]


def _write_parquet(rows: Sequence[dict[str, Any]], file: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, values in columns.items():
        kinds = {type(value) for value in values if value is not None}
        if len(kinds) > 1:  # one type a column: numbers, or else text
            numbers = kinds <= {int, float}
            columns[name] = [value if value is None else float(value) if numbers else str(value) for value in values]
    parquet.write_table(pyarrow.table(columns), file)
    return file


def plan_runs(plan: Plan, folder: Path) -> Sweep:
    """Resolve the scenario of each run of a plan.

    Raises:
        ScenarioError: one of them is wrong, or can't be run many times at once.
    """
    project, path = find_scenario(plan.scenario)
    runs = []
    for point in plan.points():
        scenario, _ = load_scenario(path, overrides(plan, point))
        check_alone(scenario)
        runs.append(Planned(run_id(scenario, project), point, scenario))
    return Sweep(plan, Store(folder), project, path, runs)


def check_alone(scenario: Scenario) -> None:
    """Refuse what only one run at a time can have: a peer that is there already, or the wall clock.

    Raises:
        ScenarioError: there is such a thing.
    """
    for name, entry in scenario.robots.items():
        if plugins.scheme_of(entry.controller or "") in _LIVE:
            message = f"found {entry.controller!r}, one peer for all runs; allowed in many runs: classes and process:"
            raise ScenarioError(message, key=f"robots.{name}.controller")
        if isinstance(entry.service_time, MeasuredTime):
            message = 'found "measured", which needs --real-time; many runs are not paced by the wall clock'
            raise ScenarioError(message, key=f"robots.{name}.service_time")
