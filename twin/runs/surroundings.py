"""What a recording was made in: its world, its sea, the places of its missions; each None where that has changed."""

from __future__ import annotations

import logging
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import TwinError
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.specs.environment import EnvironmentSpec
from twin.tasks.site import TaskContext
from twin.world.opening import open_world
from twin.world.sea import Seaway
from twin.world.world import World

if TYPE_CHECKING:
    from twin.viewer.sea import Elevation

WORLDLESS = "drawn without its world"
_LOG = logging.getLogger(__name__)


def world_of(recording: Recording, project: Project | None = None) -> World | None:
    """Return the world of a recording; None, which is said, if it has changed.

    It is looked for in `project`, else in the project around the recording or around here.
    """
    header = recording.header
    try:
        world = open_world((project or Project.of(recording.path)).world(header.world))
    except TwinError as error:
        _LOG.warning(f"{WORLDLESS}: {error} (looked for in the project around the recording, else around here)")
        return None
    if world.digest != header.world_hash:
        changed = f"world {header.world} has changed since this run"
        _LOG.warning(f"{WORLDLESS}: {changed}: {header.world_hash} then, {world.digest} now")
        return None
    return world


def place_of(recording: Recording, world: World | None, project: Project | None = None) -> TaskContext | None:
    """Return where the missions of a recording were flown; None, which is said, if a plan of theirs has changed."""
    if world is None:
        return None
    project = project or Project.of(recording.path)
    for name, digest in recording.header.inputs.items():
        path = project.file(Path(name))
        if path.suffix == ".plan" and (not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest):
            _LOG.warning(f"without tracking errors of missions: {name} has changed since this run or isn't there")
            return None
    return TaskContext(world, project.file)


def sea_of(recording: Recording, world: World | None) -> Elevation | None:
    """Return where the surface of the recorded sea is, None where there is none."""
    header = recording.header
    if world is None:
        return None
    stated = tomllib.loads(header.scenario_text).get("environment")
    environment = world.environment(header.seed, stated and EnvironmentSpec.model_validate(stated))
    if environment.spec.sea is None:
        return None
    return Seaway(environment, world.folder or Path.cwd(), header.seed).elevation
