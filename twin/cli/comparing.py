"""What `twin compare` says of the runs of sweeps, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from twin.analysis.paired import Comparison, Difference, compared, settings_of, shown
from twin.cli.console import out, print_json, say
from twin.cli.rows import of_sweep
from twin.errors import ScenarioError
from twin.specs.figures import FIGURES


def compare_sweeps(folders: Sequence[Path], by: str, output: Path | None, *, everything: bool, force: bool,
                   as_json: bool) -> int:  # fmt: skip
    """Compare the settings of a sweep, or sweeps with each other: all others with the first."""
    runs = {name: of_sweep(folder) for name, folder in zip(_names(folders), folders, strict=True)}
    for of in runs.values():
        if of.missing:
            say(of.open, "yellow")
    (first, before), *others = settings_of({name: of.rows for name, of in runs.items()}, by).items()
    found = [compared((first, before), (name, rows)) for name, rows in others]
    if not all(one.pairs for one in found):
        raise ScenarioError("no runs that share seed and all else: there is nothing to pair", file=folders[0])
    if as_json:
        print_json([_plain(one) for one in found])
    else:
        for one in found:
            _print(one, everything)
    if output is not None:
        from twin.analysis.forest import draw_forest
        from twin.analysis.picture import save

        save(draw_forest(found), output, force=force)
        say(f"written to {output}")
    return 0


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the names of folders, or all of their paths where two have the same name."""
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _plain(one: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data: no bound where nothing bounds."""
    plain = asdict(one)
    for found in plain["differences"]:
        found["interval"] = {end: value if isfinite(value) else None for end, value in found["interval"].items()}
    return plain


def _print(one: Comparison, everything: bool) -> None:
    pairs = f"{one.pairs} pairs of runs that share seed and all else"
    out.print(f"\n{one.second} less {one.first}: {pairs}", highlight=False)
    if one.alone:
        say(f"{one.alone} runs have no partner and are left out", "yellow")
    differ = [found for found in one.differences if everything or found.more or found.less]
    if not differ:
        out.print("no figure differs in any pair")
    else:
        out.print(_table(one, differ))
    if same := len(one.differences) - len(differ):
        out.print(f"{same} figures are the same in every pair; --all shows them")
    if one.verdicts:
        out.print(_verdicts(one))


def _table(one: Comparison, differ: Sequence[Difference]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("")
    for name in (one.first, one.second, "difference, 95 %", "more : less", "by chance"):
        table.add_column(Text(name), justify="right")
    for found in differ:
        figure = FIGURES[found.figure]
        missing = f" of {found.pairs}" if found.pairs < one.pairs else ""
        table.add_row(
            Text(figure.label.strip(), "dim"), figure.shown(found.first), figure.shown(found.second), shown(found),
            f"{found.more} : {found.less}{missing}", f"{found.chance:.2g}",
        )  # fmt: skip
    return table


def _verdicts(one: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("met in", overflow="fold")
    for name in ("both", f"{one.first} alone", f"{one.second} alone", "neither", "by chance"):
        table.add_column(Text(name), justify="right")
    for found in one.verdicts:
        counts = (found.both, found.first_alone, found.second_alone, found.neither)
        table.add_row(Text(found.requirement), *map(str, counts), f"{found.chance:.2g}")
    return table
