"""What `twin sweep` does and shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twin.cli.bars import bar
from twin.cli.consent import consent, consent_cluster
from twin.cli.console import out, print_json, say
from twin.cli.statements import print_ends, print_statements, statement_code
from twin.errors import ScenarioError
from twin.extras import missing as missing_extra
from twin.specs.overrides import parse_override
from twin.specs.toml_text import validate
from twin.studies.cluster import Cluster
from twin.studies.deciding import until_decided
from twin.studies.plan import Plan, is_plan, read_plan
from twin.studies.pool import Pool
from twin.studies.statements import Wanted, statements
from twin.studies.sweep import Sweep, plan_runs

LISTED = 10_000
"""Runs from which a sweep asks first, and is not made to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How `twin sweep` was called."""

    jobs: int
    cluster: str | None  # address of a scheduler, local, or the file of a cluster
    until_decided: bool
    good: float | None = None  # of Wald's test
    dry_run: bool
    probability: float
    trust: bool
    as_json: bool


def plan_of(what: str, output: Path | None, options: Mapping[str, Any]) -> tuple[Plan, Path]:
    """Return the plan that is meant, and the folder of its rows.

    Raises:
        ScenarioError: it is wrong.
    """
    path, changes = Path(what), _changes(options)
    if path.is_dir():
        return read_plan(path / "plan.toml", changes), output or path
    if is_plan(path):
        plan = read_plan(path, changes)
        return plan, output or Path("sweeps") / (path.stem if path.stem != "sweep" else Path(plan.scenario).stem)
    plan = validate(Plan, {"scenario": what, **changes}, file="options")
    return plan, output or Path("sweeps") / path.stem


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a plan that options give."""
    found: dict[str, Any] = {
        "set": dict(map(setting, options["fixed"])),
        "grid": {key: value.split(",") for key, value in (pair(text, "--grid") for text in options["grid"])},
        "range": {key: _ends(value) for key, value in (pair(text, "--range") for text in options["ranges"])},
        "limits": {name: options[name] for name in ("wall", "memory") if options[name] is not None},
    }
    found |= {name: options[name] for name in ("design", "seeds", "record")}
    return {name: value for name, value in found.items() if value}


def setting(text: str) -> tuple[str, Any]:
    """Return key and value of --set KEY=VALUE; the value is TOML, or else plain text."""
    return pair(text, "--set")[0], parse_override(text)[1]


def pair(text: str, option: str) -> tuple[str, str]:
    """Return the two parts of KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not (equals and key.strip() and value.strip()):
        raise ScenarioError(f"found {text!r}; allowed: key.path=value", file=option)
    return key.strip(), value.strip()


def _ends(text: str) -> list[str]:
    low, colon, high = text.partition(":")
    if not colon:
        raise ScenarioError(f"found {text!r}; allowed: FROM:TO", file="--range")
    return [low, high]


def execute(plan: Plan, folder: Path, asked: Asked) -> int:
    """Run what is missing of a sweep and say what it shows; return the exit code.

    Raises:
        ScenarioError: a run's scenario is wrong, or the shares of Wald's test are the wrong way round.
    """
    wanted = Wanted(probability=asked.probability, sequential=asked.until_decided, good=asked.good)
    if asked.dry_run and plan.size > LISTED:
        out.print(f"{plan.size:,} runs, in {folder}")
        return 0
    sweep = plan_runs(plan, folder)
    if asked.cluster is not None:
        consent_cluster(Path(asked.cluster), trust=asked.trust)
    agree(sweep, trust=asked.trust)
    missing = len(sweep.missing)
    if asked.dry_run:
        out.print(f"{len(sweep.runs)} runs, {missing} of them to do, in {folder}")
        return 0
    sweep.store.begin(plan)
    shown = bar("runs", len(sweep.runs), len(sweep.runs) - missing)
    with shown as step, open_runner(asked.cluster, asked.jobs) as runner:
        if asked.until_decided:
            until_decided(sweep, runner, wanted, step)
        else:
            sweep.run(runner, step)
    tables = sweep.write_table()
    if sweep.differing:
        say(f"{sweep.differing} rows differ from those that were there: runs are not deterministic here", "red")
    rows = sweep.rows()
    found = statements(rows, wanted)
    if asked.as_json:
        print_json({"runs": rows, "statements": [asdict(statement) for statement in found]})
    else:
        print_ends(rows)
        print_statements(found, wanted)
        out.print(f"table in {' and '.join(map(str, tables))}")
        if len(tables) == 1:
            say(f"no table.parquet: {missing_extra('parquet', 'pyarrow')}", "dim")
    return statement_code(found)


def open_runner(cluster: str | None, jobs: int) -> Pool | Cluster:
    """Return what runs jobs: processes of this machine, or a cluster."""
    return Pool(jobs) if cluster is None else Cluster(cluster, jobs)


def further(plan: Plan, most: int) -> Plan:
    """Return a plan with `most` seeds at each point, from its first one on."""
    first = plan.first_seed
    return plan.model_copy(update={"seeds": f"{first}:{first + most - 1}"})


def agree(sweep: Sweep, *, trust: bool) -> None:
    """See to it that the scenarios of a sweep may run what they name.

    Raises:
        TrustError: the user doesn't agree, or can't be asked.
    """
    scenarios = {run.scenario.model_copy(update={"seed": 0}).to_toml(): run.scenario for run in sweep.runs}
    for scenario in scenarios.values():
        consent(scenario, sweep.project, sweep.path, trust=trust)
