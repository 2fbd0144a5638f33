"""Run tasks over several networks and print where latency bites, as the tables of README and docs/robots.md.

Usage: python benchmarks/latency_table.py [patrol|arms] [--trace ROUND_TRIPS.csv] [--picture FILE]
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
}
DELAYS = (0, 5, 20, 50, 100, 200)  # ms each way
ARMS = {
    "factory/picking": {"parts_placed": ("parts placed", 1, 0), "missed_picks": ("missed", 1, 0),
                        "cycle_time": ("cycle, s", 1, 2)},
    "factory/hand-over": {"handed_over": ("handed over", 1, 0), "dropped": ("dropped", 1, 0),
                          "handover_time": ("in both hands, s", 1, 2), "completion_time": ("complete, s", 1, 1)},
    "factory/teleoperation": {"tool_error_rms": ("tool error rms, mm", 1e3, 1),
                              "felt_force_max": ("force felt, N", 1, 1)},
}  # fmt: skip


def figures(scenario: str, settings: list[str]) -> dict[str, object]:
    """Run the scenario with the settings and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(ROOT / "cli.py"), "run", scenario, "--json", "-o", f"{folder}/run.h5"]
        for setting in settings:
            line += ["--set", setting]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    if done.returncode not in (0, 5):
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
        verdict = "passed" if row["passed"] else "failed"
        print(f"| {name} | {rtt50:.1f} ms | {rtt99:.1f} ms | {row['tracking_rms']:.2f} m | {row['failsafes']} "
              f"| {row['failsafe_time']:.1f} s | {verdict} |")  # fmt: skip


def arms(picture: Path | None) -> None:
    """Print a table a task, and draw the figures over the delay."""
    networks = {f"{ms} ms": ["network.kind=fixed", f"network.delay={ms} ms"] for ms in DELAYS}
    networks["nr"] = ["network.kind=nr"]
    found: dict[str, dict[str, dict[str, object]]] = {}
    for name, columns in ARMS.items():
        found[name] = {key: figures(name, settings) for key, settings in networks.items()}
        print(f"\n| {name} | {' | '.join(label for label, _, _ in columns.values())} | failsafes | verdict |")
        print("|---" * (len(columns) + 3) + "|")
        for key, row in found[name].items():
            cells = ["-" if row[figure] is None else f"{float(row[figure]) * scale:.{digits}f}"
                     for figure, (_, scale, digits) in columns.items()]  # fmt: skip
            verdict = "passed" if row["passed"] else "failed"
            print(f"| {key} | {' | '.join(cells)} | {row['failsafes']} | {verdict} |", flush=True)
    if picture is not None:
        draw(found, picture)


def draw(found: dict[str, dict[str, dict[str, object]]], picture: Path) -> None:
    """Draw one figure of each task over the delay, and what the radio network makes of it."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    panels = (("factory/picking", "parts_placed", 1, "parts placed, of 7"),
              ("factory/teleoperation", "tool_error_rms", 1e3, "tool error rms, mm"))  # fmt: skip
    for axis, (name, key, scale, label) in zip(axes, panels, strict=True):
        delays = [ms for ms in DELAYS if f"{ms} ms" in found[name]]
        values = [float(found[name][f"{ms} ms"][key]) * scale for ms in delays]
        axis.plot(delays, values, "o-", color="#0072B2", label="fixed delay")
        radio = float(found[name]["nr"][key]) * scale
        axis.axhline(radio, color="#D55E00", linestyle="--", label="radio network (nr)")
        axis.set(xlabel="network delay each way, ms", ylabel=label, title=name, ylim=(0, None))
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="?", choices=["patrol", "arms"], default="patrol")
    parser.add_argument("--trace", type=Path, help="CSV with the columns time_s and round_trip_ms")
    parser.add_argument("--picture", type=Path, help="where to draw the arms' figures")
    chosen = parser.parse_args()
    patrol(chosen.trace) if chosen.tasks == "patrol" else arms(chosen.picture)


if __name__ == "__main__":
    main()
