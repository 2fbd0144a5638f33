"""What `twin rare` does and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twin.cli.bars import bar
from twin.cli.consent import consent
from twin.cli.console import out, print_json, say
from twin.cli.sweeping import setting
from twin.clock import NS
from twin.errors import EXIT_INCONCLUSIVE, ScenarioError
from twin.numerics.statistics import CONFIDENCE
from twin.project import plugins
from twin.specs.toml_text import validate
from twin.studies.importance import KINDS
from twin.studies.plan import Limits
from twin.studies.pool import Pool
from twin.studies.rare import Rare, Tree, faults, open_rare, question_of, worst
from twin.studies.splitting import ROOTS, Chance, Leaf
from twin.units import QuantityError, parse_quantity


def execute(scenario: str, event: str, options: Mapping[str, Any]) -> int:
    """Grow the trees and say what they show; return the exit code."""
    if options["picture"] is not None:
        from twin.analysis.picture import check_place

        check_place(options["picture"], force=options["force"])
    rare = _open(scenario, event, options)
    consent(rare.scenario, rare.project, rare.path, trust=options["trust"])
    if rare.question.importance not in KINDS:
        plugins.load_object(rare.question.importance, rare.project.folder)  # asks for consent, and shows what is wrong
    first, count = rare.scenario.seed, options["trees"]
    seeds = range(first, first + count)
    with Pool(options["jobs"]) as pool:
        levels = _levels(rare, pool, options)
        with bar("trees", count) as step:
            trees = rare.trees(pool, seeds, levels, step)
        found = rare.chance(trees, CONFIDENCE)
        chosen = worst(seeds, trees, rare.question.event, options["worst"])
        recordings = rare.record(pool, chosen)
    told = _told(chosen, recordings)
    rare.keep(seeds, levels, found, told)
    if options["picture"] is not None:
        from twin.analysis.picture import save
        from twin.studies.pictures import draw_trees

        save(draw_trees(trees, rare.question.event), options["picture"], force=options["force"])
        say(f"drawn in {options['picture']}", "dim")
    if options["as_json"]:
        print_json({"event": rare.question.event.text, "levels": levels, "copies": rare.question.copies,
                    **asdict(found), "worst": told,
                    "trees_by_seed": {seed: [leaf.as_dict() for leaf in tree] for seed, tree in
                                      zip(seeds, trees, strict=True)}})  # fmt: skip
    else:
        _print(rare, found, trees, levels)
        _print_worst(rare, chosen, recordings)
    return EXIT_INCONCLUSIVE if found.probability is None else 0


def _open(scenario: str, event: str, options: Mapping[str, Any]) -> Rare:
    try:
        horizon = float(parse_quantity(options["horizon"], "time"))
    except QuantityError as error:
        raise ScenarioError(f"found {options['horizon']!r}; allowed: {error.expected}", file="--horizon") from error
    if horizon <= 0.0:
        raise ScenarioError(f"found {options['horizon']!r}; allowed: more than 0 s", file="--horizon")
    question = question_of(event, options["importance"], horizon, options["copies"])
    stated = {name: options[name] for name in ("wall", "memory") if options[name] is not None}
    limits = validate(Limits, stated, file="options")
    folder = options["output"] or Path("sweeps") / f"{Path(scenario).stem}-rare"
    return open_rare(scenario, list(map(setting, options["fixed"])), question, folder, limits)


def _levels(rare: Rare, pool: Pool, options: Mapping[str, Any]) -> list[float]:
    """Return the levels that were given, or those of a pilot."""
    if options["levels"] != "auto":
        try:
            levels = [float(level) for level in options["levels"].split(",")]
        except ValueError:
            levels = []
        if not levels or levels != sorted(set(levels)):
            found = options["levels"]
            raise ScenarioError(f"found {found!r}; allowed: auto, or rising numbers such as 1.2,2.5", file="--levels")
        return levels
    if rare.question.copies == 1:
        return []
    with bar("pilot", None) as step:
        return rare.levels(pool, step, options["pilot"])


def _print(rare: Rare, found: Chance, trees: Sequence[Tree], levels: Sequence[float]) -> None:
    event = rare.question.event
    if levels:
        where = ", ".join(f"{level:g}" for level in levels)
        out.print(f"split into {rare.question.copies} at {where} ({rare.question.importance})", highlight=False)
    else:
        out.print("plain runs: nothing is split", highlight=False)
    between = f"{found.interval.lower:.3g} to {found.interval.upper:.3g} at {100 * found.confidence:g} %"
    if found.probability is None:
        most = f"it is at most {found.interval.upper:.3g} at {100 * found.confidence:g} %"
        say(f"{event.text}: {found.rooted} of {found.trees} trees have a hit, a number takes {ROOTS}; {most}", "yellow")
    else:
        out.print(f"{event.text}: probability {found.probability:.3g}, {between}", highlight=False)
        paths = sum(map(len, trees)) / found.trees
        gain = "" if found.gain is None else f"; as good as {found.gain:.2g} times the steps in plain runs"
        out.print(f"{found.trees} trees, {found.rooted} with a hit, {paths:.3g} paths each{gain}", highlight=False)
    if found.unfinished:
        say(f"{found.unfinished} trees have paths without an end: the interval holds whatever they are", "yellow")
        for reason, count in Counter(faults(trees)).most_common(3):
            say(f"{count} x {reason}", "yellow")


def _told(chosen: Sequence[tuple[int, Leaf]], recordings: Sequence[Path]) -> list[dict[str, Any]]:
    return [
        {"seed": seed, "value": leaf.value, "end": leaf.end / NS, "lineage": leaf.lineage, "recording": str(file)}
        for (seed, leaf), file in zip(chosen, recordings, strict=True)
    ]


def _print_worst(rare: Rare, chosen: Sequence[tuple[int, Leaf]], recordings: Sequence[Path]) -> None:
    for (seed, leaf), file in zip(chosen, recordings, strict=True):
        value = rare.question.event.shown(leaf.value or 0.0)
        out.print(f"{value} by {leaf.end / NS:.6g} s, root {seed}, drawn anew {len(leaf.lineage)} times: {file}",
                  highlight=False)  # fmt: skip
