"""What `twin sensitivity` does and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from twin.cli.bars import bar
from twin.cli.console import out, print_json, say
from twin.cli.many import ask_first
from twin.cli.sweeping import agree, plan_of
from twin.errors import ScenarioError, nearest
from twin.specs.figures import FIGURES
from twin.studies.parameters import Found, by_size, figures_asked, found_of, shown
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sensitivity import Flips, Sampled, answer_of, check, flips, sampled
from twin.studies.sweep import Sweep, plan_runs


def execute(what: str, ranges: Sequence[str], output: Path | None, options: Mapping[str, Any]) -> int:
    """Run what is missing and say what figures hang on; return the exit code."""
    if options["picture"] is not None:
        from twin.analysis.picture import check_place

        check_place(options["picture"], force=options["force"])
    plan, folder = _plan(what, ranges, output, options)
    check(plan)
    ask_first(plan.size, yes=options["yes"])
    sweep = plan_runs(plan, folder)
    nominal = plan_runs(plan.model_copy(update={"range": {}}), folder)
    agree(sweep, trust=options["trust"])
    sweep.store.begin(plan)
    _run([nominal, sweep], options["jobs"])
    points = sampled(plan, sweep.rows())
    figures = _figures(options["figures"], sweep)
    found = [found_of(points, name, plan, options["absent"]) for name in figures]
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
    names = figures_asked(sweep.runs[0].scenario)
    if not names:
        raise ScenarioError("the scenario asks for no figure of a run: name one", file="--figure")
    return names


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
        for k in by_size(one.total or one.own):
            table.add_row(points.names[k], *(shown(of[k]) for of in (one.correlation, one.own, one.total) if of))
        out.print(table)
    if turned is not None:
        _print_flips(points, turned)


def _print_flips(points: Sampled, turned: Flips) -> None:
    share, bounds = turned.flipped / turned.points, turned.interval
    out.print(f"\nas it is, the verdict is {turned.nominal}; it is another at {turned.flipped} of {turned.points} "
              f"points: {share:.1%} ({bounds.lower:.1%} to {bounds.upper:.1%} at 95 %)", highlight=False)  # fmt: skip
    for k in by_size(turned.by)[:3]:
        if turned.by[k].interval.lower > 0.0:
            out.print(f"  by {points.names[k]}: {shown(turned.by[k])} of whether it flips", highlight=False)
    if turned.by and all(one.interval.lower <= 0.0 for one in turned.by):
        say("  no parameter by itself is shown to turn it", "yellow")
