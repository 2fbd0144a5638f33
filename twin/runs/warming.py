"""The first run on a machine: its network is compiled by a second process, while the first compiles its channel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba

from twin.assembly.build import build
from twin.assembly.names import load_named
from twin.numerics.kernels import cache_folder
from twin.project.project import Project, builtin_root, find_scenario
from twin.runs.run import Onlookers, run
from twin.specs.scenario import Scenario
from twin.state import Frame

_numba: Any = numba
MOMENT = "0.1 s"
"""How long a run is that calls the kernels of its scenario."""
EXAMPLE = "city/patrol"
KERNELS = {"channel": 19, "network": 14, "rest": 24}
"""How many kernels Python calls in such a run, roughly: those of a traced channel, of NR, of all else."""


def expected_kernels(scenario: Scenario) -> int:
    """Return how many kernels Python calls in a run of a scenario, roughly."""
    parts = {"channel": scenario.channel.kind == "raytracing", "network": scenario.network.kind == "nr", "rest": True}
    return sum(KERNELS[part] for part, wanted in parts.items() if wanted)


@contextmanager
def second_core(scenario: Scenario) -> Iterator[None]:
    """Compile NR's kernels in a process of their own meanwhile, where a traced run over NR will miss them."""
    cold = not any(cache_folder("twin.network.nr.mac").rglob("*.nbi"))
    if scenario.network.kind != "nr" or scenario.channel.kind != "raytracing" or not cold or _numba.config.DISABLE_JIT:
        yield
        return
    # In a session of its own: Ctrl-C is for the run, whose end is its end, too.
    helper = subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        helper.kill()
        helper.wait()


def momentary(*changes: str) -> list[str]:
    """Return the changes that make a scenario short, with further ones."""
    return [f"duration={MOMENT}", "requirements=[]", *changes]


def compile_for(scenario: Scenario, project: Project, progress: Callable[[Frame], None]) -> None:
    """Run a scenario, unrecorded, so that its kernels are compiled and kept.

    Raises:
        TwinError: it can't be built, or stops early.
    """
    outcome = run(build(scenario, project), scenario, onlookers=Onlookers(progress=progress))
    if outcome.error is not None:
        raise outcome.error


def _compile_network() -> None:
    project, path = find_scenario(EXAMPLE, Project(builtin_root()))
    scenario, _ = load_named(path, project, momentary("channel.kind=freespace"))
    compile_for(scenario, project, lambda frame: None)


if __name__ == "__main__":
    _compile_network()
