"""What commands that look at recordings share: extras that may be missing, worlds that may have changed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import TwinError

if TYPE_CHECKING:
    from twin.recording.reader import Recording
    from twin.tasks.make import Site
    from twin.viewer.sea import Elevation
    from twin.world.world import World


WORLDLESS = "drawn without its world"


@contextmanager
def needed(extra: str, package: str) -> Iterator[None]:
    """Say which extra brings `package`, where it isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise TwinError(f"{package} is not installed; it comes with: pip install 'twin[{extra}]'") from error


def world_of(recording: Recording) -> World | None:
    """Return the world of a recording from the project around it or here; None, which is said, if it has changed."""
    from twin.cli.console import say
    from twin.project.project import Project
    from twin.world.world import open_world

    header = recording.header
    try:
        world = open_world(Project.of(recording.path).world(header.world))
    except TwinError as error:
        say(f"{WORLDLESS}: {error} (looked for in the project around the recording, else around here)", "yellow")
        return None
    if world.digest != header.world_hash:
        changed = f"world {header.world} has changed since this run"
        say(f"{WORLDLESS}: {changed}: {header.world_hash} then, {world.digest} now", "yellow")
        return None
    return world


def place_of(recording: Recording, world: World | None) -> Site | None:
    """Return where the missions of a recording were flown; None, which is said, if a plan of theirs has changed."""
    from twin.cli.console import say
    from twin.project.project import Project
    from twin.tasks.make import Site

    if world is None:
        return None
    project = Project.of(recording.path)
    for name, digest in recording.header.inputs.items():
        path = project.file(Path(name))
        if path.suffix == ".plan" and (not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest):
            say(f"without tracking errors of missions: {name} has changed since this run or isn't there", "yellow")
            return None
    return Site(world, project.file)


def sea_of(recording: Recording, world: World | None) -> Elevation | None:
    """Return where the surface of the recorded sea is, None where there is none."""
    from twin.world.environment import EnvironmentSpec
    from twin.world.sea import Seaway

    header = recording.header
    if world is None:
        return None
    stated = tomllib.loads(header.scenario_text).get("environment")
    environment = world.environment(header.seed, stated and EnvironmentSpec.model_validate(stated))
    if environment.spec.sea is None:
        return None
    return Seaway(environment, world.folder or Path.cwd(), header.seed).elevation
