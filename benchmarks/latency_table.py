"""Run the patrol over several networks and print the README's table.

Usage: python benchmarks/latency_table.py [--trace ROUND_TRIPS.csv]
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


def figures(settings: list[str]) -> dict[str, object]:
    """Run the patrol with the settings and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(ROOT / "cli.py"), "run", "city/patrol", "--json", "-o", f"{folder}/run.h5"]
        for setting in settings:
            line += ["--set", setting]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    if done.returncode not in (0, 5):
        sys.exit(done.stderr)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print one row a network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trace", type=Path, help="CSV with the columns time_s and round_trip_ms")
    trace = parser.parse_args().trace
    print("| network | round trip p50 | p99 | tracking error rms | failsafes | time on failsafe | verdict |")
    print("|---|---|---|---|---|---|---|")
    for name, settings in NETWORKS.items():
        if name == "trace" and trace is None:
            continue
        row = figures([setting.format(trace=trace and trace.resolve()) for setting in settings])
        rtt50, rtt99 = float(row["rtt_p50"]) * 1000, float(row["rtt_p99"]) * 1000
        verdict = "passed" if row["passed"] else "failed"
        print(f"| {name} | {rtt50:.1f} ms | {rtt99:.1f} ms | {row['tracking_rms']:.2f} m | {row['failsafes']} "
              f"| {row['failsafe_time']:.1f} s | {verdict} |")  # fmt: skip


if __name__ == "__main__":
    main()
