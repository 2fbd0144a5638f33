"""Load, build and run a scenario from Python; `import twin` brings these functions as its own."""

from __future__ import annotations

import hashlib
import inspect
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

with warnings.catch_warnings():  # mesa's progress bars, which nobody asks for, miss ipywidgets in notebooks
    warnings.filterwarnings("ignore", message="IProgress not found")
    import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.assembly.build import build as build_scenario
from twin.assembly.built import Built
from twin.errors import located
from twin.project.plugins import Loaded
from twin.project.project import Project, find_scenario
from twin.runs.result import Run
from twin.runs.run import Stopped
from twin.runs.run import run as run_built
from twin.runs.warming import second_core
from twin.specs.overrides import Override
from twin.specs.scenario import Scenario, load_scenario
from twin.world.opening import open_world as open_folder
from twin.world.world import World

Changes = Mapping[str, Any] | Sequence[str]
"""`{"network.kind": "fixed"}`, or texts as for `--set`: `["network.kind=fixed"]`."""
_NONE: Changes = MappingProxyType({})
_NOBODY: Mapping[str, type[Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setup:
    """A scenario with its changes, and where it was found."""

    scenario: Scenario
    project: Project
    path: Path
    dropped: Sequence[str]  # `key = value` of what a change of kind took away

    def __repr__(self) -> str:
        return f"<Setup {self.path.stem} in {self.scenario.world}: {', '.join(self.scenario.robots)}>"


def load(
    scenario: str | Path,
    changes: Changes = _NONE,
    *,
    seed: int | None = None,
    duration: str | float | None = None,
    project: str | Path | None = None,
) -> Setup:
    """Read a scenario, WORLD/NAME or the path of a .toml file, and change it.

    Without `project` it is looked for in the project around the file or the current folder.

    Raises:
        ScenarioError: there is none, or everything that is wrong with it or with the changes.
    """
    found, path = find_scenario(str(scenario), None if project is None else Project(Path(project).resolve()))
    stated = {"seed": seed, "duration": duration}
    overrides: list[Override] = list(changes.items()) if isinstance(changes, Mapping) else list(changes)
    overrides += [(key, value) for key, value in stated.items() if value is not None]
    loaded, dropped = load_scenario(path, overrides)
    return Setup(loaded, found, path, dropped)


def build(
    scenario: str | Path | Setup,
    changes: Changes = _NONE,
    *,
    seed: int | None = None,
    duration: str | float | None = None,
    controllers: Mapping[str, type[Any]] = _NOBODY,
) -> Built:
    """Build a twin, to be stepped by hand: `for frame in twin.build("city/patrol").frames("2 s")`.

    `controllers` are classes by the name of the robots' entry: they take the place of those that the scenario names.

    Raises:
        TwinError: as `load`, or what the scenario names doesn't fit together or can't be loaded.
    """
    setup = _setup(scenario, changes, seed, duration)
    given = {name: _given(kind) for name, kind in controllers.items()}
    with located(file=setup.path):
        return build_scenario(setup.scenario, setup.project, controllers=given)


def run(
    scenario: str | Path | Setup,
    changes: Changes = _NONE,
    *,
    seed: int | None = None,
    duration: str | float | None = None,
    controllers: Mapping[str, type[Any]] = _NOBODY,
    output: str | Path | None = None,
    force: bool = False,
    paths: bool = False,
) -> Run:
    """Run a scenario to its end and return the run; without `output` its recording goes when the run does.

    `force` replaces an existing recording; `paths` also records every radio path.

    Raises:
        TwinError: as `build`; or what cut the run short, and `output` then holds all up to there.
        KeyboardInterrupt: it was told to stop.
    """
    setup = _setup(scenario, changes, seed, duration)
    built = build(setup, controllers=controllers)
    folder = None
    if output is None:
        folder = tempfile.TemporaryDirectory(prefix="twin-run-")
        output = Path(folder.name) / f"{setup.path.stem}.h5"
    path = Path(output)
    with second_core(setup.scenario):
        outcome = run_built(built, setup.scenario, path, force=force, paths=paths)
    if isinstance(outcome.error, Stopped):
        raise KeyboardInterrupt from outcome.error
    if outcome.error is not None:
        raise outcome.error
    return Run(path, setup.project, folder)


def open_world(world: str | Path, project: str | Path | None = None) -> World:
    """Open a world by name or folder; its geometry is built first where it isn't stored.

    Raises:
        TwinError: there is none, it is wrong, or its source can't be used.
    """
    place = Project.around(Path.cwd()) if project is None else Project(Path(project).resolve())
    return open_folder(place.world(str(world)))


def _setup(scenario: str | Path | Setup, changes: Changes, seed: int | None, duration: str | float | None) -> Setup:
    if not isinstance(scenario, Setup):
        return load(scenario, changes, seed=seed, duration=duration)
    if changes or seed is not None or duration is not None:
        raise TypeError("a scenario that is loaded already takes no changes: give them to twin.load")
    return scenario


def _given(kind: type[Any]) -> Loaded:
    """Return a class that the caller wrote, with the digest of its source where Python knows it."""
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):
        source = ""
    digest = hashlib.sha256(source.encode()).hexdigest() if source else ""
    return Loaded(kind, f"{kind.__module__}:{kind.__qualname__}", digest)
