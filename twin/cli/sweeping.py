"""What `twin sweep` does and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from twin.cli.consent import consent
from twin.cli.console import err, out, print_json, say
from twin.errors import EXIT_INCONCLUSIVE, EXIT_REQUIREMENT, ScenarioError
from twin.specs.toml_text import validate
from twin.studies.plan import Plan, is_plan, read_plan
from twin.studies.pool import Pool
from twin.studies.statements import Statement, overall, statements
from twin.studies.sweep import Sweep, plan_runs

_LOOKS = {"passed": "green", "failed": "bold red", "inconclusive": "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How `twin sweep` was called."""

    jobs: int
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
        "set": dict(pair(text, "--set") for text in options["fixed"]),
        "grid": {key: value.split(",") for key, value in (pair(text, "--grid") for text in options["grid"])},
        "range": {key: _ends(value) for key, value in (pair(text, "--range") for text in options["ranges"])},
        "limits": {name: options[name] for name in ("wall", "memory") if options[name] is not None},
    }
    found |= {name: options[name] for name in ("design", "seeds", "record")}
    return {name: value for name, value in found.items() if value}


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
    """Run what is missing of a sweep and say what it shows; return the exit code."""
    sweep = plan_runs(plan, folder)
    scenarios = {run.scenario.model_copy(update={"seed": 0}).to_toml(): run.scenario for run in sweep.runs}
    for scenario in scenarios.values():
        consent(scenario, sweep.project, sweep.path, trust=asked.trust)
    missing = len(sweep.missing)
    if asked.dry_run:
        out.print(f"{len(sweep.runs)} runs, {missing} of them to do, in {folder}")
        return 0
    sweep.store.begin(plan)
    with _progress(len(sweep.runs), len(sweep.runs) - missing) as step, Pool(asked.jobs) as pool:
        sweep.run(pool, step)
    table = sweep.write_table()
    if sweep.differing:
        say(f"{sweep.differing} rows differ from those that were there: runs are not deterministic here", "red")
    found = statements(sweep.rows(), probability=asked.probability)
    if asked.as_json:
        print_json({"runs": sweep.rows(), "statements": [asdict(statement) for statement in found]})
    else:
        _print(sweep, found)
        out.print(f"table in {table}")
    return {"failed": EXIT_REQUIREMENT, "inconclusive": EXIT_INCONCLUSIVE}.get(overall(found) or "", 0)


class _progress:
    """A bar of the runs that are done, on a terminal."""

    def __init__(self, total: int, done: int) -> None:
        columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=err, disable=not err.is_terminal)
        self._task = self._bar.add_task("runs", total=total, completed=done)

    def __enter__(self) -> Any:
        self._bar.start()
        return lambda: self._bar.advance(self._task)

    def __exit__(self, *error: object) -> None:
        self._bar.stop()


def _print(sweep: Sweep, found: list[Statement]) -> None:
    rows = sweep.rows()
    ended = Counter(row["status"] for row in rows)
    out.print(", ".join(f"{count} {status}" for status, count in sorted(ended.items())))
    for reason, count in Counter(row["error"] for row in rows if row["error"]).most_common(3):
        say(f"{count} x {reason}", "yellow")
    for point in dict.fromkeys(_named(one.point) for one in found):
        out.print(f"\n{point}", highlight=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for one in found:
            if _named(one.point) == point:
                table.add_row(f"[{_LOOKS[one.answer]}]{one.answer}[/]", Text(f"{one.requirement}: {_shown(one)}"))
        out.print(table)
    if found:
        share, sure = found[0].probability, 1 - (1 - found[0].confidence) * len(found)
        out.print(f"\npassed: violated in fewer than {share:.3g} of all runs; all lines together hold with {sure:.3g}")


def _named(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in point.items()) or "all runs"


def _shown(one: Statement) -> str:
    """Return what a statement rests on."""
    unshown = f", {one.unshown} not shown" if one.unshown else ""
    share = f"{one.interval.lower:.3g} to {one.interval.upper:.3g}"
    text = f"violated in {one.violated} of {one.runs}{unshown}, a share of {share}"
    if one.alike:
        text += f"; all {one.alike} runs came out the same: nothing is drawn, so they are one"
    return text + (f"; {one.needed} more without a violation would show it" if one.needed > 0 else "")
