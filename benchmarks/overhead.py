"""CPU time of a run in a sweep beside its simulation: fork, build, first trace, row; and without what runs share.

    python benchmarks/overhead.py city/patrol city/patrol:network.kind=fixed,channel.kind=freespace

Each run simulates 20 ms. Runs that share the site with their template, and runs that must open, hash and search it
themselves, are made in turn.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from statistics import median

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.channel.search import shared
from twin.project import plugins
from twin.studies import template
from twin.world import opening

RUNS = 20


def cpu() -> float:
    """Return CPU seconds of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def alone() -> None:
    """Forget what runs share."""
    shared._found.clear()
    for known in (shared.scene_of, opening._opened, plugins._neighbours):
        known.cache_clear()


def measure(scenario: str, changes: list[tuple[str, str]], folder: str) -> tuple[float, float]:
    """Return the median CPU seconds of a run that shares, and of one that doesn't."""
    plain = template._simulate
    job = {"id": "", "store": folder, "scenario": scenario, "overrides": [*changes, ("duration", "0.02 s")],
           "point": {}, "seed": 1, "record": "none", "wall": 600.0, "memory": None}  # fmt: skip
    template._warm_up(job)
    found: dict[Callable[[], None], list[float]] = {(lambda: None): [], alone: []}
    for number in range(RUNS):
        for before, times in found.items():
            template._simulate = lambda job, before=before: before() or plain(job)
            start = cpu()
            template._fork({**job, "id": f"{len(found)}{number:018d}{before is alone:d}"})
            times.append(cpu() - start)
    template._simulate = plain
    together, apart = (median(times) for times in found.values())
    return together, apart


def main() -> None:
    """Measure the scenarios that are named."""
    waiting, _ = os.pipe()
    os.dup2(waiting, 0)  # a run ends with its template's stdin
    for text in sys.argv[1:] or ["city/patrol"]:
        scenario, _, changes = text.partition(":")
        pairs = [(key, value) for key, _, value in (one.partition("=") for one in changes.split(",") if one)]
        with tempfile.TemporaryDirectory() as folder:
            together, apart = measure(scenario, pairs, folder)
        print(f"{text}: {together:.3f} CPU s a run, {apart:.3f} without what runs share: {apart / together:.1f} times")


if __name__ == "__main__":
    main()
