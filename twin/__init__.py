"""Twin: drones, robots and buoys under control over a 6G network, on one clock.

import twin

run = twin.run("city/patrol", {"network.kind": "fixed", "network.delay": "40 ms"}, seed=3)
run.verdict, run.figures, run.packets, run.states("patrol"), run.links
run.plot()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.recording.reader import Recording as Recording
    from twin.runs.front import Setup as Setup
    from twin.runs.front import build as build
    from twin.runs.front import load as load
    from twin.runs.front import open_world as open_world
    from twin.runs.front import run as run
    from twin.runs.result import Run as Run
    from twin.studies.front import sweep as sweep
    from twin.world.world import World as World

__version__ = "0.1.0"

_HOMES = {
    "load": "twin.runs.front",
    "build": "twin.runs.front",
    "run": "twin.runs.front",
    "sweep": "twin.studies.front",
    "Setup": "twin.runs.front",
    "Run": "twin.runs.result",
    "Recording": "twin.recording.reader",
    "World": "twin.world.world",
    "open_world": "twin.runs.front",
}
"""Where each name of the front door lives: it is imported when it is asked for."""
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Import a name of the front door."""
    if name not in _HOMES:
        raise AttributeError(f"module 'twin' has no attribute {name!r}; it has: {', '.join(_HOMES)}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*_HOMES, "__version__"]
