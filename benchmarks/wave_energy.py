"""Mean power of the wave-energy buoys of harbour/wave-energy by control and latency, from real runs.

Usage: python benchmarks/wave_energy.py [--seconds 90]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from twin.assembly.build import build
from twin.clock import NS
from twin.project.project import Project
from twin.specs.scenario import load_scenario

PATH = Path(__file__).resolve().parent.parent / "worlds/harbour/scenarios/wave-energy.toml"
REACTIVE = "robots.harvester.controller=reactive"
DAMPER = "robots.harvester.parameters={share = 0.0, damping = 30000.0}"


def fixed(milliseconds):
    return "network.kind=fixed", f"network.delay={milliseconds} ms"


CASES = {
    "plain damper, 30 kN s/m": (REACTIVE, DAMPER),
    "reactive, 70 % of the tuning stiffness": (REACTIVE,),
    "the same, 300 ms each way": (REACTIVE, *fixed(300)),
    "latching, network `simple` (7 ms round trip)": (),
    "latching, 100 ms each way": fixed(100),
    "latching, 300 ms each way": fixed(300),
    "latching, 600 ms each way": fixed(600),
}


def power(seconds, settings):
    """Return the mean power [W] of a buoy: of what physics counted."""
    scenario, _ = load_scenario(PATH, (f"duration={seconds} s", *settings))
    built = build(scenario, Project.around(PATH.parent))
    energy = {}
    for frame in built.twin.frames(seconds * NS):
        energy |= {node: value for _, node, name, value in frame.logs if name == "absorbed_energy"}
    built.close()
    return sum(energy.values()) / len(energy) / seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=90)
    seconds = parser.parse_args().seconds
    print("| control | power |\n|---|---|")
    for name, settings in CASES.items():
        print(f"| {name} | {power(seconds, settings) / 1e3:.2f} kW |", flush=True)


if __name__ == "__main__":
    main()
