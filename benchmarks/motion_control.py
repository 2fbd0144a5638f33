"""How many of fifty servo axes have all their packets within 1 ms, under 5G-like and 6G-like settings, and why not.

Usage: python benchmarks/motion_control.py [--duration "1 s"]

Runs `factory/motion-control` under each setting and prints two tables of Markdown: how many devices met the budget,
and where a packet's time goes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from twin.analysis.flow_meter import PARTS
from twin.assembly.build import build
from twin.project.project import Project
from twin.runs.run import run
from twin.specs.scenario import load_scenario

SCENARIO = Path(__file__).resolve().parent.parent / "worlds/factory/scenarios/motion-control.toml"
SIX_G = (
    "network.carriers.n78.scs=120 kHz",
    "network.carriers.n78.resource_blocks=264",
    "network.carriers.n78.duplex=fdd",
    "network.carriers.n78.symbols=2",
    "network.qos.telemetry.uplink=configured",
    "network.qos.telemetry.period=7",
    "network.qos.telemetry.size=72 B",
    "network.qos.telemetry.error_target=1e-5",
    "network.qos.command.error_target=1e-5",
)
SETTINGS = {
    "5G-like: 30 kHz, slots, dynamic grants": (),
    "5G-like, configured grants": (
        "network.qos.telemetry.uplink=configured",
        "network.qos.telemetry.size=230 B",  # those of three milliseconds: an uplink slot comes every 2.5 ms
    ),
    "6G-like: 120 kHz, mini-slots, configured grants": SIX_G,
}


def flows_under(overrides: tuple[str, ...], duration: str) -> dict[str, dict[str, Any]]:
    """Return the figures of telemetry and commands, once the first packets found their grants."""
    scenario, _ = load_scenario(SCENARIO, (f"duration={duration}", *overrides))
    outcome = run(build(scenario, Project.around(SCENARIO.parent)), scenario)
    if outcome.error is not None:
        raise outcome.error
    flows: dict[str, dict[str, Any]] = outcome.summary["flows"]
    return flows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--duration", default="1 s")
    duration = parser.parse_args().duration
    found = {name: flows_under(overrides, duration) for name, overrides in SETTINGS.items()}
    print("| setting | packets | devices in time | late | p50 | p99.9 | late for |\n|---|---|---|---|---|---|---|")
    for name, flows in found.items():
        for kind, flow in flows.items():
            causes = ", ".join(f"{cause} {n}" for cause, n in flow["late_or_lost_for"].items()) or "-"
            late = 100 * (flow["late"] + flow["lost"]) / flow["settled"]
            p50, p999 = (1e3 * flow[f"latency_{percentile}"] for percentile in ("p50", "p999"))
            print(f"| {name} | {kind} | {flow['pairs_in_time']} of {flow['pairs']} | {late:.3g} % "
                  f"| {p50:.2f} ms | {p999:.2f} ms | {causes} |")  # fmt: skip
    print(f"\n| mean time [ms] | packets | {' | '.join(PARTS)} |\n|---|---|{'---|' * len(PARTS)}")
    for name, flows in found.items():
        for kind, flow in flows.items():
            parts = " | ".join(f"{1e3 * flow['parts'][part]:.3f}" for part in PARTS)
            print(f"| {name} | {kind} | {parts} |")


if __name__ == "__main__":
    main()
