"""Run tasks over several networks and print where latency bites, as the tables of README and docs/robots.md.

Usage: python benchmarks/latency_table.py [patrol|arms|drones] [--trace ROUND_TRIPS.csv] [--picture FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = {
    "ideal": ["network.kind=ideal"],
    **{f"fixed, {ms} ms each way": ["network.kind=fixed", f"network.delay={ms} ms"] for ms in (20, 120, 600)},
    "trace": ["network.kind=trace", "network.file={trace}"],
    "simple": ["network.kind=simple"],
    "simple, one mast moved": ["network.kind=simple", "robots.site.positions.0=[100, 4, 40]"],
    "nr": [],
    "nr, one mast moved": ["robots.site.positions.0=[100, 4, 40]"],
    "fixed, 1.5 ms each way: the median of that": [
        "robots.site.positions.0=[100, 4, 40]", "network.kind=fixed", "network.delay=1.5 ms",
    ],
}
DELAYS = (0, 5, 20, 50, 100, 200, 300)  # ms each way
ARMS = {
    "factory/picking": {"parts_placed": ("parts placed", 1, 0), "missed_picks": ("missed", 1, 0),
                        "cycle_time": ("cycle, s", 1, 2)},
    "factory/hand-over": {"handed_over": ("handed over", 1, 0), "dropped": ("dropped", 1, 0),
                          "handover_time": ("in both hands, s", 1, 2), "completion_time": ("complete, s", 1, 1)},
    "factory/teleoperation": {"tool_error_rms": ("tool error rms, mm", 1e3, 1),
                              "felt_force_max": ("force felt, N", 1, 1)},
}  # fmt: skip

DRONES = {
    "city/formation": {"formation_error_rms": ("formation error rms, m", 1, 2),
                       "formation_error_max": ("max, m", 1, 2), "separation_min": ("least separation, m", 1, 2)},
    "city/swap": {"separation_min": ("least separation, m", 1, 2), "settling_time": ("all settled, s", 1, 1),
                  "collisions": ("collisions", 1, 0)},
    "city/inspection": {"tracking_rms": ("tracking error rms, m", 1, 2), "tracking_max": ("max, m", 1, 2),
                        "waypoints_missed": ("waypoints missed", 1, 0)},
}  # fmt: skip

Panel = tuple[str, str, float, str]  # scenario, figure, scale, label
ARM_PANELS: list[Panel] = [("factory/picking", "parts_placed", 1, "parts placed, of 7"),
                           ("factory/teleoperation", "tool_error_rms", 1e3, "tool error rms, mm")]  # fmt: skip
DRONE_PANELS: list[Panel] = [("city/formation", "formation_error_max", 1, "formation error max, m"),
                             ("city/swap", "separation_min", 1, "least separation, m"),
                             ("city/inspection", "tracking_max", 1, "tracking error max, m")]  # fmt: skip


def figures(scenario: str, settings: list[str]) -> dict[str, object]:
    """Run the scenario with the settings and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(ROOT / "cli.py"), "run", scenario, "--json", "-o", f"{folder}/run.h5"]
        for setting in settings:
            line += ["--set", setting]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    if done.returncode not in (0, 5, 6):
        sys.exit(done.stderr)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def patrol(trace: Path | None) -> None:
    """Print one row a network."""
    print("| network | round trip p50 | p99 | tracking error rms | failsafes | time on failsafe | verdict |")
    print("|---|---|---|---|---|---|---|")
    for name, settings in NETWORKS.items():
        if name == "trace" and trace is None:
            continue
        row = figures("city/patrol", [setting.format(trace=trace and trace.resolve()) for setting in settings])
        rtt50, rtt99 = float(row["rtt_p50"]) * 1000, float(row["rtt_p99"]) * 1000
        verdict = row["answer"]
        print(f"| {name} | {rtt50:.1f} ms | {rtt99:.1f} ms | {row['tracking_rms']:.2f} m | {row['failsafes']} "
              f"| {row['failsafe_time']:.1f} s | {verdict} |")  # fmt: skip


def tables(
    tasks: dict[str, dict[str, tuple[str, float, int]]], more: list[str]
) -> dict[str, dict[str, dict[str, object]]]:
    """Print a table a task, row by row, with which requirements each run misses; return all figures."""
    networks = {f"{ms} ms": ["network.kind=fixed", f"network.delay={ms} ms"] for ms in DELAYS}
    networks["nr"] = ["network.kind=nr"]
    more = ["channel.kind=freespace", *more]
    found: dict[str, dict[str, dict[str, object]]] = {}
    for name, columns in tasks.items():
        print(f"\n| `{name}` | {' | '.join(label for label, _, _ in columns.values())} | failsafes | misses |")
        print("|---" * (len(columns) + 3) + "|", flush=True)
        found[name] = {}
        for key, settings in networks.items():
            row = found[name][key] = figures(name, settings + more)
            cells = ["-" if row[figure] is None else f"{float(row[figure]) * scale:.{digits}f}"
                     for figure, (_, scale, digits) in columns.items()]  # fmt: skip
            missed = [f"`{verdict['metric']}`" for verdict in row["requirements"] if verdict["answer"] == "failed"]
            print(f"| {key} | {' | '.join(cells)} | {row['failsafes']} | {', '.join(missed) or 'none'} |", flush=True)
    return found


def draw(found: dict[str, dict[str, dict[str, object]]], panels: list[Panel], picture: Path) -> None:
    """Draw one figure of each task over the delay, and what the radio network makes of it."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(4.5 * len(panels), 3.4), layout="constrained")
    for axis, (name, key, scale, label) in zip(axes, panels, strict=True):
        delays = [ms for ms in DELAYS[:-1] if f"{ms} ms" in found[name]]  # beyond, failsafes have taken over
        values = [float(found[name][f"{ms} ms"][key]) * scale for ms in delays]
        axis.plot(delays, values, "o-", color="#0072B2", label="fixed delay")
        radio = float(found[name]["nr"][key]) * scale
        axis.axhline(radio, color="#D55E00", linestyle="--", label="radio network (nr)")
        axis.set(xlabel="network delay each way, ms", ylabel=label, title=name, ylim=(0, 1.1 * max(*values, radio)))
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="?", choices=["patrol", "arms", "drones"], default="patrol")
    parser.add_argument("--trace", type=Path, help="CSV with the columns time_s and round_trip_ms")
    parser.add_argument("--picture", type=Path, help="where to draw figures of arms or drones")
    parser.add_argument("--only", help="one scenario of them")
    parser.add_argument("--set", action="append", default=[], help="a setting for all runs")
    chosen = parser.parse_args()
    if chosen.tasks == "patrol":
        patrol(chosen.trace)
        return
    tasks, panels = (ARMS, ARM_PANELS) if chosen.tasks == "arms" else (DRONES, DRONE_PANELS)
    found = tables({name: tasks[name] for name in tasks if chosen.only in (None, name)}, chosen.set)
    if chosen.picture is not None:
        draw(found, [panel for panel in panels if panel[0] in found], chosen.picture)


if __name__ == "__main__":
    main()
