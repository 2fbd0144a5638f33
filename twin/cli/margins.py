"""What `twin margin` does and shows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.analysis.held import borders, document, keep
from twin.assembly.build import build
from twin.cli.consent import consent
from twin.cli.console import err, out, print_json
from twin.cli.sweeping import setting
from twin.errors import ScenarioError
from twin.project.project import find_scenario
from twin.runs.provenance import origins
from twin.specs.scenario import load_scenario
from twin.specs.toml_text import validate
from twin.studies.margin import Held, find_border, margins_of
from twin.studies.plan import Plan, overrides, parted
from twin.studies.pool import Pool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `twin margin` looks for."""

    scenario: str
    key: str
    between: tuple[str, str]
    within: str | None
    requirements: tuple[str, ...]
    fixed: tuple[str, ...]
    output: Path | None


def execute(wanted: Wanted, options: Mapping[str, Any]) -> int:
    """Find the border and print it; return the exit code."""
    low, high, within, unit = _ends(wanted)
    shared: dict[str, Any] = dict(map(setting, wanted.fixed))
    if wanted.requirements:
        shared["requirements"] = list(wanted.requirements)
    tables = {"scenario": wanted.scenario, "set": shared, "seeds": options["seeds"]}
    plan = validate(Plan, {**tables, "grid": {wanted.key: [wanted.between[0]]}}, file="options")
    project, path = find_scenario(wanted.scenario)
    scenario, _ = load_scenario(path, overrides(plan, next(plan.points())))
    if not scenario.requirements:
        raise ScenarioError("the scenario has no requirement that could break: name one", key="--requirement")
    consent(scenario, project, path, trust=options["trust"])
    folder, runs = wanted.output or Path("sweeps") / f"{path.stem}-margin", 0

    def progress() -> None:
        nonlocal runs
        runs += 1
        if err.is_terminal:
            err.print(f"run {runs}", end="\r")

    held: Held = {}
    moved = wanted.key, unit
    with Pool(options["jobs"]) as pool:
        border = find_border(margins_of(plan, moved, folder, pool, progress, held), low, high, within)
    found = borders(held, low if abs(border.holds - low) < abs(border.breaks - low) else high)
    seeds = [point.seed for point in plan.points()]
    with closing(build(scenario, project)) as built:
        made_of = origins(built, scenario)
    file = keep(folder, document(scenario.to_toml(), moved, seeds, made_of, found))
    holds, breaks = (f"{place:.6g} {unit}".strip() for place in (border.holds, border.breaks))
    if options["as_json"]:
        print_json({"key": wanted.key, "holds": holds, "breaks": breaks, "looked": border.looked, "runs": runs,
                    "kept": str(file)})  # fmt: skip
        return 0
    for requirement in scenario.requirements:
        out.print(f"  {requirement.text}", highlight=False)
    out.print(f"hold at {wanted.key} = {holds}, and break at {breaks}", highlight=False)
    out.print(f"{border.looked} values looked at with {plan.size} seeds each, {runs} runs; kept in {file}")
    return 0


def _ends(wanted: Wanted) -> tuple[float, float, float, str]:
    """Return both ends, how narrow the answer is to be, and the unit of all."""
    (low, unit), (high, other) = (parted(text) for text in wanted.between)
    if low is None or high is None or unit != other or low == high:
        found = " and ".join(wanted.between)
        raise ScenarioError(f"found {found}; allowed: two different numbers of one unit", key="--between")
    within, its = (0.01 * abs(high - low), unit) if wanted.within is None else parted(wanted.within)
    if within is None or within <= 0.0 or its not in ("", unit):
        raise ScenarioError(f"found {wanted.within}; allowed: a positive number of {unit or 'the same kind'}",
                            key="--within")  # fmt: skip
    return low, high, within, unit
