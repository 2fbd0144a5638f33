"""Where a task is done, and by what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twin.specs import BodySpec
from twin.world.world import World


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a task may know of its robots beside its own spec."""

    world: World | None = None
    find: Callable[[Path], Path] = Path.absolute  # files that a scenario names
    body: BodySpec | None = None  # of each of the robots


NOWHERE = TaskContext()
