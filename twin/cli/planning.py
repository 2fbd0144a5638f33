"""What `twin plan` does and shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.analysis.picture import save
from twin.analysis.written import written
from twin.cli.bars import bar
from twin.cli.compiling import told
from twin.cli.consent import consent
from twin.cli.console import err, print_json
from twin.errors import EXIT_REQUIREMENT, ScenarioError
from twin.project.project import find_scenario
from twin.siting.drawing import draw_front, draw_map
from twin.siting.judge import Judged, fitted, judged
from twin.siting.plans import Plan, baselines, best_plans, cheapest, front, gaps
from twin.siting.spec import SitingSpec, read_siting
from twin.siting.study import Study, study
from twin.siting.told import Answer, document
from twin.siting.writing import candidates_csv, scenario_of
from twin.specs.scenario import Scenario, load_scenario
from twin.studies.pool import Pool

PLANS = "plans.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `twin plan` plans."""

    scenario: str
    file: Path | None


def execute(wanted: Wanted, options: Mapping[str, Any]) -> int:
    """Plan, simulate and print; return the exit code.

    Raises:
        ScenarioError: scenario and plan don't fit together, or there is no plan.
    """
    project, path = find_scenario(wanted.scenario)
    scenario, _ = load_scenario(path)
    spec = _spec(wanted.file or _beside(path), options)
    consent(scenario, project, path, trust=options["trust"])
    folder = options["output"] or Path("plans") / path.stem
    asked = _asked(scenario, spec)
    _claim(folder, asked, force=options["force"])
    with told(), _bars() as progress:
        found = study(scenario, project, spec, progress)
    answer = _answer(found, spec.budget)
    files = _write_plans(found, answer, folder)
    answer = _simulated(found, answer, files, folder, options)
    shown = document(found, answer, asked)
    _write(folder / PLANS, json.dumps(shown, indent=1, allow_nan=False) + "\n")
    _draw(found, answer, folder)
    if options["as_json"]:
        print_json(shown)
    else:
        from twin.cli.planned import show

        show(shown, folder)
    return _code(answer)


def _beside(scenario: Path) -> Path:
    """Return the plan that a world has for a scenario of its own.

    Raises:
        ScenarioError: it has none.
    """
    file = scenario.parent.parent / "siting" / scenario.name
    if not file.is_file():
        raise ScenarioError(f"no plan: give a plan.toml, or put one at {file}", file=scenario)
    return file


def _spec(file: Path, options: Mapping[str, Any]) -> SitingSpec:
    spec = read_siting(file)
    changes = {name: options[name] for name in ("budget", "plans") if options[name] is not None}
    return spec.model_copy(update=changes)


def _asked(scenario: Scenario, spec: SitingSpec) -> str:
    return hashlib.sha256((scenario.to_toml() + spec.model_dump_json()).encode()).hexdigest()[:16]


def _claim(folder: Path, asked: str, *, force: bool) -> None:
    """Refuse a folder with the plans of another question.

    Raises:
        ScenarioError: it has such plans, and `force` is off.
    """
    file = folder / PLANS
    if force or not file.is_file():
        return
    try:
        there = json.loads(file.read_text()).get("asked")
    except (ValueError, AttributeError):
        there = None
    if there != asked:
        raise ScenarioError("other plans are here: give another folder by -o, or replace them by --force", file=folder)


def _answer(found: Study, budget: float | None) -> Answer:
    """Find plans; without any, say what that takes.

    Raises:
        ScenarioError: not even the least is within the budget, or somebody is lost at any.
    """
    spectra = found.spectra
    lost = tuple(gaps(found, spectra[0])) if budget is None else ()
    if lost:
        gap = lost[0]
        place = ", ".join(f"{x:.0f}" for x in found.mission.position[gap.step, gap.robot])
        who, when = found.mission.names[gap.robot], gap.step * found.mission.step / 1e9
        raise ScenarioError(
            f"no candidate serves {who} at {when:g} s at ({place}) m{_and_more(lost)}: at any cost somebody is lost; "
            "state a budget to lose as little as that allows, or give more candidates", key="budget",
        )  # fmt: skip
    with bar("plans", None) as step:
        plans = best_plans(found, budget, step)
        if not plans:
            least = found.problem(spectra[0])
            message = f"found {budget or 0.0:g}; allowed: at least {least.cost(least.kept):g}"
            raise ScenarioError(f"{message} {found.spec.currency}, what edge servers and licences cost", key="budget")
        others = baselines(found, plans[0], budget)
        whole = cheapest(found)
        alike = [plan.chosen for plan in (*plans, *others) if _widths(plan) == _widths(plans[0])]
        curve = front(found, plans[0].carriers, alike, step)
    anyhow = () if whole else tuple(gaps(found, plans[0].carriers))
    return Answer(budget, tuple(plans), tuple(others), curve, anyhow, whole[1] if whole else None)


def _widths(plan: Plan) -> list[float]:
    return [carrier.bandwidth for carrier in plan.carriers.values()]


def _and_more(lost: Sequence[object]) -> str:
    return f", and {len(lost) - 1} such gaps more" if len(lost) > 1 else ""


def _write_plans(found: Study, answer: Answer, folder: Path) -> dict[str, Path]:
    """Write each plan as a scenario, and the candidates; return where the scenarios are."""
    files = {}
    for plan in (*answer.plans, *answer.baselines):
        files[plan.name] = folder / f"{plan.name}.toml"
        _write(files[plan.name], scenario_of(found, plan).to_toml())
    _write(folder / "candidates.csv", candidates_csv(found))
    return files


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"can't be written: {error.strerror}", file=file.parent) from error
    with written(file, force=True) as opened:
        opened.write(text)


def _simulated(
    found: Study, answer: Answer, files: Mapping[str, Path], folder: Path, options: Mapping[str, Any]
) -> Answer:
    """Run the best plans and what they are compared with."""
    most = 0 if options["no_run"] else options["simulate"]
    own = answer.plans if most is None else answer.plans[:most]
    if not own:
        return answer
    wanted: list[Plan] = [*own, *answer.baselines]
    seeds = found.spec.robust.seeds
    with bar("runs", len(wanted) * len(seeds)) as step, Pool(options["jobs"]) as pool:
        runs: list[Judged] = judged([(plan, files[plan.name]) for plan in wanted], seeds, folder, pool, step)
    return replace(answer, runs=tuple(runs), fit=fitted(found, runs))


def _draw(found: Study, answer: Answer, folder: Path) -> None:
    best = answer.runs[0].plan if answer.runs else answer.plans[0]
    save(draw_map(found, best), folder / "map.png", force=True)
    if answer.front is not None:
        plans = (*answer.plans, *answer.baselines)
        save(draw_front(found, answer.front, plans, answer.runs), folder / "front.png", force=True)


def _code(answer: Answer) -> int:
    if answer.runs:
        return 0 if answer.runs[0].passed else EXIT_REQUIREMENT
    return 0 if answer.plans[0].worst.missed == 0 else EXIT_REQUIREMENT


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each thing that is done, on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield tell
