"""Run the fleet of thirty mobile robots over several networks and print the table of docs/robots.md.

Usage: python benchmarks/fleet_latency.py [--duration "60 s"]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = {
    "ideal": ["network.kind=ideal"],
    **{f"{ms} ms each way": ["network.kind=fixed", f"network.delay={ms} ms"] for ms in (5, 20, 50, 100, 200)},
    "5G (`nr`)": ["network.kind=nr"],
}


def figures(settings: list[str], duration: str) -> dict[str, Any]:
    """Run the fleet with the settings and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(ROOT / "cli.py"), "run", "factory/amr-fleet", "--json", "--duration", duration]
        for setting in settings:
            line += ["--set", setting]
        done = subprocess.run([*line, "-o", f"{folder}/run.h5"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode not in (0, 5, 6):
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print one row a network, and which requirements it misses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--duration", default="60 s")
    duration = parser.parse_args().duration
    print("| network | round trip p99 | missions | off the lane rms / max | least separation | safety stops "
          "| failsafes | collisions | waiting | energy | misses |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, settings in NETWORKS.items():
        row = figures(settings, duration)
        missed = [verdict["metric"] for verdict in row["requirements"] if verdict["answer"] == "failed"]
        print(f"| {name} | {1e3 * row['rtt_p99']:.1f} ms | {row['missions']} | {100 * row['lane_error_rms']:.1f} / "
              f"{100 * row['lane_error_max']:.0f} cm | {row['separation_min']:.2f} m | {row['safety_stops']} "
              f"| {row['failsafes']} | {row['collisions']} | {row['waiting_time']:.0f} s | {row['energy'] / 3600:.1f} "
              f"Wh | {', '.join(f'`{metric}`' for metric in missed) or 'none'} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
