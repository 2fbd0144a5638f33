"""What control channels that fail, SSB, PRACH and swept beams change for the built-in scenarios over `nr`.

Usage: python benchmarks/real_air.py [SCENARIO...]. Runs each for a few seconds with `control = "ideal"` (which is beams
that are ideal, too) and as it stands, and prints a table of Markdown.
"""

from __future__ import annotations

import sys
from typing import Any

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.assembly.build import build
from twin.project.project import find_scenario
from twin.runs.run import run
from twin.specs.nr import NrSpec
from twin.specs.scenario import load_scenario

SECONDS = {
    "factory/motion-control": 0.3, "factory/line": 1.5, "harbour/array": 3.0, "city/inspection": 3.0,
    "city/parcels": 3.0, "city/low-altitude": 2.0,
}  # fmt: skip
COUNTED = ("pdcch_missed", "pucch_missed", "access_failures", "beam_switches", "beam_failures")


def summary(reference: str, seconds: float, ideal: bool) -> dict[str, Any]:
    """Return the figures of a scenario's first seconds."""
    project, file = find_scenario(reference)
    changes = [f"duration={seconds} s"]
    scenario, _ = load_scenario(file, changes)
    assert isinstance(scenario.network, NrSpec)
    if ideal:
        changes += [f"network.carriers.{name}.control=ideal" for name in scenario.network.carriers]
        scenario, _ = load_scenario(file, changes)
    outcome = run(build(scenario, project), scenario)
    if outcome.error is not None:
        raise outcome.error
    return outcome.summary


def row(reference: str, seconds: float, ideal: bool) -> str:
    """Return one row of the table."""
    found = summary(reference, seconds, ideal)
    sent, lost, late = (found[f"packets_{name}"] for name in ("sent", "lost", "late"))
    network = found["network"]
    counted = ", ".join(f"{name.replace('_', ' ')} {network[name]}" for name in COUNTED if name in network)
    trip = " / ".join("-" if found[name] is None else f"{1e3 * found[name]:.2f}" for name in ("rtt_p50", "rtt_p99"))
    setting = "ideal" if ideal else "as it stands"
    return f"| `{reference}`, {seconds:g} s | {setting} | {sent} | {lost} | {late} | {trip} | {counted or '-'} |"


def main(names: list[str]) -> None:
    """Print the table."""
    columns = "scenario", "control", "packets", "lost", "late", "round trip p50 / p99 [ms]", "counted"
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in names or SECONDS:
        for ideal in (True, False):
            print(row(name, SECONDS[name], ideal), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
