"""`twin diff`: what differs between two recordings."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.analysis.diff import Comparison
    from twin.recording.reader import Recording


@click.command(
    epilog=examples("twin diff a.h5 b.h5 -o difference.png", "twin diff a.h5 b.h5 --tolerance 1e-6 --json")
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--tolerance", metavar="X", type=click.FloatRange(min=0.0), default=0.0,
              help="Largest difference between numbers that passes.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also draw it: .png, .svg or .pdf.")
@click.option("--all", "everything", is_flag=True, help="Also defaults that come with a change, and each stream.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def diff(
    a: Path, b: Path, tolerance: float, output: Path | None, everything: bool, force: bool, as_json: bool
) -> int:
    """Say what differs between recordings A and B, and by how much.

    First what was set differently, then the figures, then the streams: bit for
    bit, unless a tolerance is given. Of runs of unlike length the time that both
    have is compared. Exit codes: 0 same, 4 different.
    """
    from twin.analysis.diff import compare
    from twin.cli.console import print_json
    from twin.errors import EXIT_DIFFERS
    from twin.recording.reader import Recording

    with Recording(a) as first, Recording(b) as second:
        unlike = first.duration != second.duration
        until = min(first.duration, second.duration) - 1 if unlike else None  # its last frame holds what was under way
        found = compare(first, second, tolerance, until)
        if as_json:
            print_json(finite(found.to_dict() | {"settings": _settings(first, second)}))
        else:
            _print_settings(first, second, found, everything)
            _print_figures(*(run.summary if until is None else _figures_until(run, until) for run in (first, second)))
            print_streams(found, everything)
        if output is not None:
            _draw(first, second, output, force)
    return 0 if found.same else EXIT_DIFFERS


def _settings(a: Recording, b: Recording) -> dict[str, list[dict[str, str]]]:
    """Return what was set differently, for JSON."""
    from dataclasses import asdict
    from tomllib import loads

    from twin.analysis.settings import setting_changes

    chosen, implied = setting_changes(loads(a.scenario_text), loads(b.scenario_text))
    return {"chosen": [asdict(one) for one in chosen], "defaults": [asdict(one) for one in implied]}


def _figures_until(run: Recording, until: int) -> dict[str, Any]:
    """Return the figures of a run up to a time [ns], and the verdicts of all of it."""
    from twin.analysis.report_run import summary_until
    from twin.runs.surroundings import place_of, world_of

    found = summary_until(run, until, place_of(run, world_of(run)))
    return {name: value for name, value in found.items() if name in run.summary}


def _draw(a: Recording, b: Recording, output: Path, force: bool) -> None:
    from twin.analysis.diff_picture import draw_difference
    from twin.analysis.picture import save
    from twin.cli.console import say

    save(draw_difference(a, b), output, force=force)
    say(f"drawn in {output}")


def _print_settings(a: Recording, b: Recording, found: Comparison, everything: bool) -> None:
    """Print what was set differently; what only comes with that, and the rest of what made the runs, is folded."""
    from rich.text import Text

    from twin.cli.console import out
    from twin.clock import NS

    settings = _settings(a, b)
    for one in (*settings["chosen"], *(settings["defaults"] if everything else ())):
        out.print(Text(f"{one['key']}: {one['a']} -> {one['b']}", "bold" if one in settings["chosen"] else ""))
    others = [(name, x, y) for name, x, y in changes(found) if not name.startswith(("scenario", "duration"))]
    for name, x, y in others if everything else ():
        out.print(Text(f"{name}: {_short(x)} -> {_short(y)}"))
    folded = [f"{len(settings['defaults'])} defaults that come with it"] if settings["defaults"] else []
    folded += [", ".join(dict.fromkeys(name.partition(":")[0] for name, _, _ in others))] if others else []
    if folded and not everything:
        out.print(Text(f"also: {'; '.join(folded)} (--all shows them)", "dim"))
    if a.duration != b.duration:
        shown = " and ".join(f"{run.duration / NS:g} s" for run in (a, b))
        out.print(Text(f"{shown} long; compared over {min(a.duration, b.duration) / NS:g} s", "dim"))


def changes(found: Comparison) -> Iterator[tuple[str, Any, Any]]:
    """Yield what made two recordings differ, table by table, with both values; None where one has none."""
    for name, (x, y) in found.header.items():
        if isinstance(x, dict) and isinstance(y, dict):
            keys = sorted(key for key in {**x, **y} if x.get(key) != y.get(key))
            yield from ((f"{name}: {key}", x.get(key), y.get(key)) for key in keys)
        else:
            yield name, x, y


def _print_figures(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Print the figures of both runs and what changed."""
    from rich.table import Table
    from rich.text import Text

    from twin.analysis.changes import figure_changes, verdict_changes
    from twin.cli.console import out

    changes = figure_changes(a, b) + verdict_changes(a, b)
    if not any(change.change for change in changes):
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for name in ("A", "B", "change"):
        table.add_column(name, justify="right")
    for one in changes:
        table.add_row(Text(one.label), one.a, one.b, Text(one.change, "bold"))
    out.print(table, soft_wrap=False)
    out.print()


def print_streams(found: Comparison, everything: bool = True) -> None:
    """Print what differs first, and, unless only the first counts, how far each stream does."""
    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out
    from twin.clock import NS

    if found.same:
        out.print(f"all {found.compared} streams are the same")
        return
    out.print(f"{len(found.streams)} of {found.compared} streams differ")
    first = next((one for one in found.streams if one.time is not None), None)
    if first is not None and first.time is not None:
        whose = f" of {first.where}" if first.where else ""
        out.print(Text(f"first at {first.time / NS:g} s: {first.stream}{whose}"))
        if first.a is not None:
            out.print(Text(f"  {first.a} -> {first.b} {first.unit}".rstrip()))
    if not everything:
        out.print(Text("--all shows how far each is apart", "dim"))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stream", "from", "where", "rows", "at most"):
        right = name in ("from", "rows", "at most")
        table.add_column(name, overflow="fold", justify="right" if right else "left", no_wrap=name == "stream")
    for one in found.streams:
        since = "shape" if one.time is None else f"{one.time / NS:g} s"
        rows = f"{one.differing}" if one.rows_a == one.rows_b else f"{one.rows_a} / {one.rows_b}"
        most = "" if one.largest is None else _quantity(one.largest, one.unit)
        table.add_row(*(Text(cell) for cell in (one.stream, since, one.where, rows, most)))
    out.print(table, soft_wrap=False)


def _quantity(value: float, unit: str) -> str:
    """Return a difference as people read it: times in the unit that suits them, numbers without one."""
    from twin.units import time_text

    if unit == "ns" and isfinite(value):
        return time_text(round(value))
    return f"{value:.3g} {unit.removeprefix('1')}".rstrip()


def _short(value: Any) -> str:
    text = "absent" if value is None else repr(value)
    return text if len(text) <= 30 else f"{text[:27]}..."


def finite(value: Any) -> Any:
    """Return plain JSON: headers hold objects, and a difference may be infinite."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return finite(asdict(value))
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
