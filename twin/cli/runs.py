"""`twin runs`: which recordings there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from twin.cli import examples

_FIGURES = {"rtt_p50": "round trip", "tracking_rms": "tracking"}
"""Figures of the list, by what stands above them."""


@click.command(epilog=examples("twin runs", "twin runs recordings run.h5", "twin runs --json"))
@click.argument("places", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with all figures.")
def runs(places: tuple[Path, ...], as_json: bool) -> int:
    """List recordings and sweeps, newest last: verdict and figures.

    PLACES are recordings or folders; the project's recordings/ and sweeps/ if
    not given.
    """
    from twin.cli.console import out, print_json
    from twin.project.project import Project

    folders = places or (Project.around(Path.cwd()).recordings,)
    there = [place for place in folders if places or place.is_dir()]  # a project may have nothing but sweeps
    found = [_facts(path) for path in _files(there)]
    sweeps = [_sweep(folder) for folder in _sweeps(places or (Path("sweeps"),))]
    if as_json:
        print_json([*found, *sweeps])
        return 0
    if found:
        _print(found)
    if sweeps:
        _print_sweeps(sweeps)
    if not found and not sweeps:
        out.print(f"no recordings in {', '.join(map(str, folders))}", markup=False)
    return 0


def _files(places: Sequence[Path]) -> Iterator[Path]:
    """Yield recordings, those of a folder by age."""
    for place in places:
        if not place.is_dir():
            yield place
            continue
        yield from sorted(place.glob("*.h5"), key=lambda path: (path.stat().st_mtime, path.name))


def _sweeps(places: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders of many runs: places that are some, or that hold some."""
    for place in places:
        yield from sorted({folder.parent for pattern in ("runs", "*/runs") for folder in place.glob(pattern)})


def _sweep(folder: Path) -> dict[str, Any]:
    """Return how many runs of a sweep are done, and how they ended; of a damaged plan or row, what is wrong."""
    from twin.errors import RecordingError, ScenarioError
    from twin.studies.plan import read_plan
    from twin.studies.store import read_row

    rows, faults = [], []
    for place in sorted(folder.glob("runs/??/*.json")):
        try:
            rows.append(read_row(place))
        except RecordingError as error:
            faults.append(str(error))
    ended = Counter(row["status"] for row in rows)
    answers = Counter(row["answer"] for row in rows if row.get("answer"))
    facts: dict[str, Any] = {"sweep": str(folder), "done": len(rows), "runs": None, "scenario": "",
                             "ended": dict(sorted(ended.items())), "answers": dict(sorted(answers.items()))}
    file = folder / "plan.toml"
    if file.is_file():
        try:
            plan = read_plan(file)
            facts |= {"runs": plan.size, "scenario": plan.scenario}
        except ScenarioError as error:
            faults.append(str(error))
    return facts | ({"fault": "; ".join(faults)} if faults else {})


def _print_sweeps(sweeps: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("sweep", "scenario", "runs", "ended", "verdicts"):
        table.add_column(name, justify="right" if name == "runs" else "left", no_wrap=name == "runs", overflow="fold")
    for one in sweeps:
        done = f"{one['done']} of {one['runs']}" if one["done"] <= (one["runs"] or 0) else str(one["done"])
        ended, answers = (", ".join(f"{n} {word}" for word, n in one[name].items()) for name in ("ended", "answers"))
        scenario = one["scenario"].rpartition("/")[2].removesuffix(".toml")
        table.add_row(Text(one["sweep"]), Text(scenario), done, ended, answers)
    out.print(table, soft_wrap=False)
    for one in sweeps:
        if "fault" in one:
            out.print(Text(f"{one['sweep']}: {one['fault']}", "red"))


def _facts(path: Path) -> dict[str, Any]:
    """Return what a list says of a recording; of one that can't be read, why."""
    import tomllib

    from twin.analysis.verdicts import overall_of
    from twin.clock import NS
    from twin.errors import RecordingError
    from twin.recording.reader import Recording

    name = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: can't be read: {error.strerror}") from error
    try:
        with Recording(path) as recording:
            scenario = tomllib.loads(recording.scenario_text)
            return {
                "recording": name,
                "size": size,
                "scenario": scenario.get("name", ""),
                "world": recording.header.world,
                "description": scenario.get("description", ""),
                "network": scenario.get("network", {}).get("kind", ""),
                "channel": scenario.get("channel", {}).get("kind", ""),
                "seed": recording.header.seed,
                "recorded": recording.duration / NS,
                "complete": recording.complete,
                "reason": recording.reason,
                "answer": overall_of(recording.summary),
                "figures": recording.summary,
            }
    except RecordingError as error:
        return {"recording": name, "size": size, "fault": str(error).removeprefix(f"{path}: ")}


def _print(found: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out
    from twin.specs.figures import FIGURES

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("recording", "scenario", "network", "seed", "verdict"):
        table.add_column(name, no_wrap=name not in ("recording", "scenario"), overflow="fold")
    for name in (*_FIGURES.values(), "size"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        size = _size(one["size"])
        if "fault" in one:
            table.add_row(Text(one["recording"]), *[""] * 3, Text("damaged", "red"), *[""] * len(_FIGURES), size)
            continue
        figures = (FIGURES[name].shown(one["figures"].get(name)) for name in _FIGURES)
        scenario = Text("/".join(filter(None, (one["world"], one["scenario"]))))
        table.add_row(Text(one["recording"]), scenario, one["network"], str(one["seed"]), _verdict(one),
                      *figures, size)  # fmt: skip
    out.print(table, soft_wrap=False)
    for one in found:
        if "fault" in one:
            out.print(Text(f"{one['recording']}: {one['fault']}", "red"))


def _verdict(one: dict[str, Any]) -> Any:
    from rich.text import Text

    if not one["complete"]:
        return Text("incomplete", "yellow")
    return Text(*{"passed": ("passed", "green"), "failed": ("failed", "bold red"),
                  "inconclusive": ("inconclusive", "yellow")}.get(one["answer"] or "", ("-", "dim")))  # fmt: skip


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
