"""What sensing costs a traced 5G city: 20 couriers, an intruder, three sites that look every 130 ms, and a tracker.

    python benchmarks/sensing.py [seconds]

Two twins of `city/intruder`, one of them without `[sensing]`, are stepped in turn, a refresh at a time; what counts is
CPU time. Couriers only follow their route, so that both fly the same.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time

import numpy as np

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.assembly.build import build
from twin.assembly.built import Built
from twin.clock import NS
from twin.project.project import Project
from twin.specs.scenario import Scenario, load_scenario

REFRESH = 130_000_000
CHANGES = [
    ("sensing.refresh", "130 ms"), ("sensing.pulses", "16"), ("robots.courier.controller", "trajectory"),
    ("duration", "60 s"),
]  # fmt: skip


def scenario() -> tuple[Scenario, Project]:
    """Return the scenario with sensing."""
    path = Path(__file__).resolve().parents[1] / "worlds/city/scenarios/intruder.toml"
    found, _ = load_scenario(path, CHANGES)
    return found, Project.around(path)


def advance(built: Built, until: int) -> float:
    """Step a twin up to `until` [ns]; return the CPU seconds that took."""
    start = process_time()
    while built.twin.clock.now < until:
        built.twin.step()
    return process_time() - start


def main() -> None:
    """Step both in turn, and print the ratio of what they took."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    sensed, project = scenario()
    twins = [build(one, project) for one in (sensed, sensed.model_copy(update={"sensing": None}))]
    for built in twins:
        built.twin.reset()
        advance(built, 2 * REFRESH)  # what is compiled or found once
    times = np.array([
        [advance(built, (k + 3) * REFRESH) for built in twins] for k in range(round(seconds * NS / REFRESH))
    ])  # fmt: skip
    ratio = times[:, 0] / times[:, 1]
    low, middle, high = np.percentile(ratio, [25, 50, 75])
    total = times.sum(axis=0)
    print(f"{len(times)} refreshes of {REFRESH / 1e6:g} ms: {1e3 * total[0] / len(times):.1f} ms with sensing, "
          f"{1e3 * total[1] / len(times):.1f} ms without: {total[0] / total[1]:.3f} times "
          f"(quartiles {low:.3f}, {middle:.3f}, {high:.3f})")  # fmt: skip
    for built in twins:
        built.close()


if __name__ == "__main__":
    main()
