"""Where a simulated second goes: whole runs on one core, part by part, and how cost grows with the fleet.

Usage: python benchmarks/whole.py [SCENARIO ...] [--duration "5 s"] [--grow PICTURE.png]

Prints a table in Markdown, a row per scenario: CPU milliseconds per simulated second of each part, the real-time
factor that they allow, CPU to the first step, peak memory. `--grow` then runs the first scenario with 10 to 300
drones, and with 1 to 8 base stations, and draws the cost. `docs/performance.md` holds what both have given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ("city/low-altitude", "factory/line", "harbour/array")
DRONES, STATIONS = (10, 30, 100, 300), (1, 2, 4, 8)


def profile(scenario: str, duration: str, *settings: str) -> dict[str, Any]:
    """Run a scenario on one core; return its profile."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(ROOT / "cli.py"), "run", scenario, "--duration", duration, "--profile", "--json"]
        for setting in settings:
            line += ["--set", setting]
        core = max(os.sched_getaffinity(0))
        done = subprocess.run(
            [*line, "-o", f"{folder}/run.h5"], capture_output=True, text=True, cwd=ROOT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
    if done.returncode not in (0, 5, 6):
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)["profile"]
    return found


def row(name: str, figures: dict[str, Any]) -> str:
    """Return a line of the table."""
    spent = figures["seconds_per_second"]
    total = sum(spent.values())
    parts = " | ".join(f"{seconds * 1e3:.0f}" for seconds in spent.values())
    return f"| {name} | {parts} | {1 / total:.2f} | {figures['cpu_to_first_step']:.1f} | {figures['memory_mb']:.0f} |"


def grow(scenario: str, duration: str, picture: Path) -> None:
    """Print and draw the cost over the number of drones, and over the number of base stations."""
    from matplotlib.figure import Figure

    sheet = Figure(figsize=(8.4, 3.4), layout="constrained")
    for axes, (title, cases) in zip(sheet.subplots(1, 2), sizes(scenario).items(), strict=True):
        costs = {n: profile(scenario, duration, *settings)["seconds_per_second"] for n, settings in cases.items()}
        print(f"\n| {title} | {' | '.join(map(str, costs))} |\n|---|{'--:|' * len(costs)}")
        sums = [f"{sum(cost.values()):.2f}" for cost in costs.values()]
        print(f"| CPU s per simulated s | {' | '.join(sums)} |", flush=True)
        parts = next(iter(costs.values()))
        axes.stackplot(list(costs), [[cost[part] for cost in costs.values()] for part in parts], labels=list(parts))
        axes.axhline(1.0, color="0.2", linewidth=0.8, linestyle="--")
        axes.annotate("real time", (min(costs), 1.0), (4, 3), textcoords="offset points", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.set(xlabel=title, ylabel="CPU s per simulated s", xlim=(min(costs), max(costs)), xticks=list(costs))
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    sheet.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False)  # in the order of the areas
    sheet.savefig(picture, dpi=160)


def sizes(scenario: str) -> dict[str, dict[int, list[str]]]:
    """Return what to override for each number of drones, and of base stations."""
    world, name = scenario.split("/")
    tables = tomllib.loads((ROOT / "worlds" / world / "scenarios" / f"{name}.toml").read_text())["robots"]
    flying = {robot: table["count"] for robot, table in tables.items() if table["kind"] == "drone"}
    site, table = next((robot, table) for robot, table in tables.items() if table["kind"] == "base_station")
    everyone = ["network.mobility.max_terminals=1000"]  # admission would keep cost down
    fleets = {n: [f"robots.{robot}.count={count}" for robot, count in shared(n, flying).items()] for n in DRONES}
    sites = {n: [f"robots.{site}.{key}={value}" for key, value in stations(table, n).items()] for n in STATIONS}
    return {"drones": {n: everyone + fleet for n, fleet in fleets.items()},
            "base stations": {n: everyone + places for n, places in sites.items()}}  # fmt: skip


def shared(total: int, counts: dict[str, int]) -> dict[str, int]:
    """Return `total` robots in the proportions of `counts`, whole ones."""
    ends = [total * before // sum(counts.values()) for before in accumulate(counts.values(), initial=0)]
    return {name: end - start for name, (start, end) in zip(counts, pairwise(ends), strict=True)}


def stations(table: dict[str, Any], count: int) -> dict[str, Any]:
    """Return count, places and directions of that many sites: the given ones, and more beside them."""
    each = [(i % table["count"], 12.0 * (i // table["count"])) for i in range(count)]
    places = [[table["positions"][i][0] + aside, *table["positions"][i][1:]] for i, aside in each]
    return {"count": count, "positions": places, "yaw": [table["yaw"][i] for i, _ in each]}


def main() -> None:
    """Print the table, and draw how the cost grows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenarios", nargs="*", default=SCENARIOS)
    parser.add_argument("--duration", default="5 s")
    parser.add_argument("--grow", type=Path)
    given = parser.parse_args()
    print(f"{platform.machine()}, one core of {os.cpu_count()}, Python {platform.python_version()}, {given.duration}\n")
    heading = "physics | channel | network | agents | recording | figures | loop"
    print(f"| scenario | {heading} | x real time | CPU to first step (s) | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for scenario in given.scenarios:
        print(row(scenario, profile(scenario, given.duration)), flush=True)
    if given.grow is not None:
        grow(given.scenarios[0], given.duration, given.grow)


if __name__ == "__main__":
    main()
