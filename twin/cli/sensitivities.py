"""What `twin sensitivity` does and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from twin.cli.bars import bar
from twin.cli.console import out, print_json, say
from twin.cli.sweeping import agree, plan_of
from twin.errors import ScenarioError, nearest
from twin.specs.figures import FIGURES
from twin.specs.requirement import Requirement
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sensitivity import (
    Flips,
    Influence,
    Sampled,
    answer_of,
    check,
    flips,
    influences,
    rank_correlation,
    rbd_fast,
    sampled,
    sobol_shares,
)
from twin.studies.sweep import Sweep, plan_runs


@dataclass(frozen=True, slots=True)
class Found:
    """What a figure hangs on, parameter by parameter."""

    figure: str
    correlation: list[Influence]
    own: list[Influence]  # share of the variance
    total: list[Influence] | None  # with all that it acts together with; of Sobol' indices only


def execute(what: str, ranges: Sequence[str], output: Path | None, options: Mapping[str, Any]) -> int:
    """Run what is missing and say what figures hang on; return the exit code."""
    if options["picture"] is not None:
        from twin.analysis.picture import check_place

        check_place(options["picture"], force=options["force"])
    plan, folder = _plan(what, ranges, output, options)
    check(plan)
    sweep = plan_runs(plan, folder)
    nominal = plan_runs(plan.model_copy(update={"range": {}}), folder)
    agree(sweep, trust=options["trust"])
    sweep.store.begin(plan)
    _run([nominal, sweep], options["jobs"])
    points = sampled(plan, sweep.rows())
    figures = _figures(options["figures"], sweep)
    found = [_of(points, name, plan, options["absent"]) for name in figures]
    turned = None
    if sweep.runs[0].scenario.requirements:
        turned = flips(points.x, points.answers(), answer_of(nominal.rows()))
    if options["picture"] is not None:
        from twin.analysis.picture import save
        from twin.studies.pictures import draw_tornado

        rows = [(FIGURES[one.figure].label.strip(), one.correlation) for one in found]
        save(draw_tornado(points.names, rows), options["picture"], force=options["force"])
        say(f"drawn in {options['picture']}", "dim")
    if options["as_json"]:
        print_json({"parameters": points.names, "units": points.units, "points": len(points.rows),
                    "figures": [asdict(one) for one in found],
                    "flips": None if turned is None else asdict(turned)})  # fmt: skip
        return 0
    _print(points, found, turned, plan)
    return 0


def _plan(what: str, ranges: Sequence[str], output: Path | None, options: Mapping[str, Any]) -> tuple[Plan, Path]:
    stated = {"fixed": options["fixed"], "grid": (), "ranges": ranges, "wall": None, "memory": None, "record": None,
              "design": options["design"], "seeds": options["seeds"]}  # fmt: skip
    plan, folder = plan_of(what, output, stated)
    if output is None and not Path(what).is_dir():
        folder = folder.with_name(f"{folder.name}-sensitivity")
    return plan, folder


def _run(sweeps: Sequence[Sweep], jobs: int) -> None:
    total, missing = (sum(len(runs) for runs in of) for of in
                      ([sweep.runs for sweep in sweeps], [sweep.missing for sweep in sweeps]))  # fmt: skip
    with bar("runs", total, total - missing) as step, Pool(jobs) as pool:
        for sweep in sweeps:
            sweep.run(pool, step)


def _figures(named: str | None, sweep: Sweep) -> list[str]:
    """Return the figures that were named, else those that requirements ask for."""
    if named is not None:
        names = [name.strip() for name in named.split(",")]
        for name in names:
            if name not in FIGURES:
                raise ScenarioError(f"found {name!r}; allowed: {', '.join(FIGURES)}{nearest(name, FIGURES)}",
                                    file="--figure")  # fmt: skip
        return names
    asked = [one for one in sweep.runs[0].scenario.requirements if isinstance(one, Requirement)]
    names = list(dict.fromkeys(one.figure for one in asked if not one.scope.family))
    if not names:
        raise ScenarioError("the scenario asks for no figure of a run: name one", file="--figure")
    return names


def _of(points: Sampled, name: str, plan: Plan, absent: float | None) -> Found:
    y = points.figure(name, absent)
    if np.ptp(y) == 0.0:
        nothing = influences(rank_correlation, points.x, y)
        return Found(name, nothing, nothing, None)
    correlation = influences(rank_correlation, points.x, y)
    if plan.design.startswith("saltelli"):
        shares = sobol_shares(y, len(points.names))
        return Found(name, correlation, shares.first, shares.total)
    return Found(name, correlation, influences(rbd_fast, points.x, y), None)


def _print(points: Sampled, found: Sequence[Found], turned: Flips | None, plan: Plan) -> None:
    seeds = plan.size // plan.samples
    out.print(f"{len(points.rows)} points ({plan.design}), {seeds} seed{'s' * (seeds > 1)} each, the same at all",
              highlight=False)  # fmt: skip
    for one in found:
        out.print(f"\n{FIGURES[one.figure].label.strip()} ({one.figure})", highlight=False)
        table = Table(box=None, pad_edge=False, header_style="dim")
        columns = ["parameter", "rank correlation", "own share of variance", *(["with others"] if one.total else [])]
        for name in columns:
            table.add_column(name)
        for k in _by_size(one.total or one.own):
            table.add_row(points.names[k], *(_shown(of[k]) for of in (one.correlation, one.own, one.total) if of))
        out.print(table)
    if turned is not None:
        _print_flips(points, turned)


def _print_flips(points: Sampled, turned: Flips) -> None:
    share, bounds = turned.flipped / turned.points, turned.interval
    out.print(f"\nas it is, the verdict is {turned.nominal}; it is another at {turned.flipped} of {turned.points} "
              f"points: {share:.1%} ({bounds.lower:.1%} to {bounds.upper:.1%} at 95 %)", highlight=False)  # fmt: skip
    for k in _by_size(turned.by)[:3]:
        if turned.by[k].interval.lower > 0.0:
            out.print(f"  by {points.names[k]}: {_shown(turned.by[k])} of whether it flips", highlight=False)
    if turned.by and all(one.interval.lower <= 0.0 for one in turned.by):
        say("  no parameter by itself is shown to turn it", "yellow")


def _by_size(influences: Sequence[Influence]) -> list[int]:
    return sorted(range(len(influences)), key=lambda k: -abs(influences[k].value))


def _shown(one: Influence) -> str:
    return f"{one.value:+.2f} ({one.interval.lower:+.2f} to {one.interval.upper:+.2f})"
