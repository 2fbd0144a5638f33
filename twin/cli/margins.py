"""What `twin margin` does and shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.analysis.held import borders, document, keep
from twin.assembly.build import build
from twin.cli.bars import bar
from twin.cli.consent import consent
from twin.cli.console import out, print_json, say
from twin.cli.many import ask_first
from twin.cli.sweeping import setting
from twin.errors import EXIT_INCONCLUSIVE, ScenarioError
from twin.project.project import Project, find_scenario
from twin.runs.provenance import origins
from twin.specs.scenario import Scenario, load_scenario
from twin.specs.toml_text import validate
from twin.studies.findings import keep_finding
from twin.studies.logistic import Likely, find_likely
from twin.studies.margin import SCAN, Held, broken_of, find_border, margins_of
from twin.studies.plan import Plan, overrides, parted
from twin.studies.pool import Pool
from twin.studies.sweep import check_alone


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


@dataclass(frozen=True, slots=True)
class Search:
    """Where and with what it is looked."""

    key: str
    unit: str
    low: float
    high: float
    within: float
    plan: Plan  # with the key at one end
    scenario: Scenario
    project: Project
    folder: Path
    requirements: tuple[str, ...]

    def shown(self, place: float, digits: int = 6) -> str:
        """Return a value of the key with its unit."""
        return f"{place:.{digits}g} {self.unit}".strip()


def execute(wanted: Wanted, options: Mapping[str, Any]) -> int:
    """Find the border and print it; return the exit code."""
    if options["picture"] is not None:
        from twin.analysis.picture import check_place

        check_place(options["picture"], force=options["force"])
    search = _search(wanted, options)
    looks = SCAN if options["probability"] is None else 1  # at least
    ask_first(looks * search.plan.size, yes=options["yes"])
    return (_fixed if options["probability"] is None else _likely)(search, options)


def _search(wanted: Wanted, options: Mapping[str, Any]) -> Search:
    low, high, within, unit = _ends(wanted)
    if options["probability"] is not None and wanted.within is not None:
        raise ScenarioError("--seeds says how many runs there are: their number decides how narrow the answer is",
                            key="--within")  # fmt: skip
    shared: dict[str, Any] = dict(map(setting, wanted.fixed))
    if wanted.requirements:
        shared["requirements"] = list(wanted.requirements)
    seeds = options["seeds"] or ("1:1" if options["probability"] is None else "1:100")
    tables = {"scenario": wanted.scenario, "set": shared, "seeds": seeds}
    plan = validate(Plan, {**tables, "grid": {wanted.key: [wanted.between[0]]}}, file="options")
    project, path = find_scenario(wanted.scenario)
    scenario, _ = load_scenario(path, overrides(plan, next(plan.points())))
    if not scenario.requirements:
        raise ScenarioError("the scenario has no requirement that could break: name one", key="--requirement")
    check_alone(scenario)
    consent(scenario, project, path, trust=options["trust"])
    folder = wanted.output or Path("sweeps") / f"{path.stem}-margin"
    asked = tuple(one.text for one in scenario.requirements)
    return Search(wanted.key, unit, low, high, within, plan, scenario, project, folder, asked)


def _fixed(search: Search, options: Mapping[str, Any]) -> int:
    """Find the border of the worst of runs with the same seeds at each value."""
    held: Held = {}
    seen: dict[float, float] = {}
    moved = search.key, search.unit
    with bar("runs", None) as step, Pool(options["jobs"]) as pool:
        counted = _Counted(step)
        measure = margins_of(search.plan, moved, search.folder, pool, counted, held)

        def noted(places: Sequence[float]) -> Sequence[float]:
            margins = measure(places)
            seen.update(zip(places, margins, strict=True))
            return margins

        border = find_border(noted, search.low, search.high, search.within)
    found = borders(held, search.low if abs(border.holds - search.low) < abs(border.breaks - search.low)
                    else search.high)  # fmt: skip
    with closing(build(search.scenario, search.project)) as built:
        made_of = origins(built, search.scenario)
    seeds = [point.seed for point in search.plan.points()]
    file = keep(search.folder, document(search.scenario.to_toml(), moved, seeds, made_of, found, seen))
    if options["picture"] is not None:
        from twin.studies.pictures import draw_border

        _draw(draw_border(search.key, search.unit, seen, border), options)
    holds, breaks = search.shown(border.holds), search.shown(border.breaks)
    if options["as_json"]:
        print_json({"key": search.key, "holds": holds, "breaks": breaks, "looked": border.looked,
                    "runs": counted.count, "kept": str(file)})  # fmt: skip
        return 0
    for text in search.requirements:
        out.print(f"  {text}", highlight=False)
    out.print(f"hold at {search.key} = {holds}, and break at {breaks}", highlight=False)
    out.print(f"{border.looked} values looked at with {search.plan.size} seeds each, {counted.count} runs; "
              f"kept in {file}")  # fmt: skip
    return 0


def _likely(search: Search, options: Mapping[str, Any]) -> int:
    """Find the value at which a run breaks with a given probability."""
    share, moved = options["probability"], (search.key, search.unit)
    with bar("runs", search.plan.size) as step, Pool(options["jobs"]) as pool:
        broken = broken_of(search.plan, moved, search.folder, pool, step)
        found = find_likely(broken, search.low, search.high, share, search.plan.size)
    asked = {"key": search.key, "unit": search.unit, "probability": share, "requirements": search.requirements,
             "low": search.low, "high": search.high, "runs": search.plan.size,
             "scenario": search.scenario.to_toml()}  # fmt: skip
    keep_finding(search.folder, "margin-of-chance", search.scenario.description, asked, asdict(found))
    if options["picture"] is not None:
        from twin.studies.pictures import draw_likely

        _draw(draw_likely(search.key, search.unit, found, share), options)
    inside = _is_inside(found, search)
    if options["as_json"]:
        print_json({"key": search.key, "unit": search.unit, "probability": share, "inside": inside, **asdict(found)})
        return 0 if inside else EXIT_INCONCLUSIVE
    for text in search.requirements:
        out.print(f"  {text}", highlight=False)
    value, lower, upper = (search.shown(x, 3) for x in (found.value, found.interval.lower, found.interval.upper))
    out.print(f"are broken in {100 * share:g} % of runs at {search.key} = {value} ({lower} to {upper} at "
              f"{100 * found.confidence:g} %), in half of them at {search.shown(found.even, 3)}",
              highlight=False, soft_wrap=True)  # fmt: skip
    out.print(f"{len(found.runs)} runs, each of a seed of its own, by a logistic curve", highlight=False)
    if not inside:
        say(f"it may lie outside of {search.shown(search.low)} to {search.shown(search.high)}: look further, or make "
            "more runs by --seeds", "yellow")  # fmt: skip
    return 0 if inside else EXIT_INCONCLUSIVE


def _is_inside(found: Likely, search: Search) -> bool:
    low, high = sorted((search.low, search.high))
    return low <= found.interval.lower and found.interval.upper <= high


class _Counted:
    """Counts runs, and tells the bar of each."""

    def __init__(self, step: Callable[[], None]) -> None:
        self.count, self._step = 0, step

    def __call__(self) -> None:
        self.count += 1
        self._step()


def _draw(figure: Any, options: Mapping[str, Any]) -> None:
    from twin.analysis.picture import save

    save(figure, options["picture"], force=options["force"])
    say(f"drawn in {options['picture']}", "dim")


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
