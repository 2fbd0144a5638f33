"""Where a simulated second goes: whole runs on one core, part by part, and how cost grows with the fleet.

Usage: python benchmarks/whole.py [SCENARIO ...] [--duration "5 s"] [--grow PICTURE.png]

Prints a row per scenario: CPU milliseconds per simulated second of each part, the real-time factor that they allow,
CPU to the first step, peak memory. `--grow` runs the first scenario with 10 to 300 drones and 1 to 8 base stations
instead and draws the cost.
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
    if done.returncode not in (0, 5):
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

    world, name = scenario.split("/")
    tables = tomllib.loads((ROOT / "worlds" / world / "scenarios" / f"{name}.toml").read_text())["robots"]
    flying = {robot: table["count"] for robot, table in tables.items() if table["kind"] == "drone"}
    places = next(table["positions"] for table in tables.values() if table["kind"] == "base_station")
    fleets = {n: [f"robots.{r}.count={round(n * c / sum(flying.values()))}" for r, c in flying.items()] for n in DRONES}
    sites = {n: [f"robots.site.count={n}", f"robots.site.positions={spread(places, n)}"] for n in STATIONS}
    sheet = Figure(figsize=(8.4, 3.4), layout="constrained")
    for axes, title, cases in zip(sheet.subplots(1, 2), ("drones", "base stations"), (fleets, sites), strict=True):
        costs = {n: profile(scenario, duration, *settings)["seconds_per_second"] for n, settings in cases.items()}
        for n, cost in costs.items():
            print(f"{n:4d} {title}: {sum(cost.values()):.2f} s of CPU a simulated second", flush=True)
        parts = next(iter(costs.values()))
        axes.stackplot(list(costs), [[cost[part] for cost in costs.values()] for part in parts], labels=list(parts))
        axes.axhline(1.0, color="0.2", linewidth=0.8, linestyle="--")
        axes.set(xlabel=title, ylabel="CPU s per simulated s", xlim=(min(costs), max(costs)))
        axes.spines[["top", "right"]].set_visible(False)
    sheet.legend(*axes.get_legend_handles_labels(), loc="outside right center", frameon=False)
    sheet.savefig(picture, dpi=160)


def spread(places: list[list[float]], count: int) -> list[list[float]]:
    """Return `count` places: the given ones, and more beside them."""
    return [[x + 12.0 * (i // len(places)), y, z] for i in range(count) for x, y, z in [places[i % len(places)]]]


def main() -> None:
    """Print the table, or draw how the cost grows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenarios", nargs="*", default=SCENARIOS)
    parser.add_argument("--duration", default="5 s")
    parser.add_argument("--grow", type=Path)
    given = parser.parse_args()
    if given.grow is not None:
        grow(given.scenarios[0], given.duration, given.grow)
        return
    print(f"{platform.machine()}, one core of {os.cpu_count()}, Python {platform.python_version()}, {given.duration}\n")
    heading = "physics | channel | network | agents | recording | figures | loop"
    print(f"| scenario | {heading} | x real time | CPU to first step (s) | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for scenario in given.scenarios:
        print(row(scenario, profile(scenario, given.duration)), flush=True)


if __name__ == "__main__":
    main()
