"""A scenario's file, loaded; where it has mistakes, also those that only the project can tell: names of nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.errors import Findings, TwinError, located
from twin.project.project import Project
from twin.specs.include import composed
from twin.specs.mistakes import Key, dotted
from twin.specs.overrides import Override, apply_overrides
from twin.specs.scenario import Scenario, load_scenario, scenario_schema
from twin.specs.toml_text import line_of


def load_named(path: Path, project: Project, overrides: Sequence[Override] = ()) -> tuple[Scenario, list[str]]:
    """Return a scenario as `load_scenario` does, and what a change of kind dropped.

    Raises:
        ScenarioError: the one thing that is wrong.
        SeveralErrors: everything that is wrong with the file, and the worlds and robots that it names in vain.
    """
    try:
        return load_scenario(path, overrides)
    except TwinError as error:
        found = Findings()
        with found.attempt():
            raise
        _look_up(path, project, overrides, found)
        found.settle()
        raise error from None  # settle has raised it


def _look_up(path: Path, project: Project, overrides: Sequence[Override], found: Findings) -> None:
    """Look up the world and the kinds of robots that a file names, as far as it can be read at all."""
    try:
        whole = composed(path)
        apply_overrides(whole.data, overrides, scenario_schema())
    except TwinError:
        return  # that is the mistake, and it is told
    robots = whole.data.get("robots", {})
    names: list[tuple[Key, Any, Callable[[str], Path]]] = [(("world",), whole.data.get("world"), project.world)]
    if isinstance(robots, Mapping):
        names += [(("robots", name, "kind"), _kind(entry), project.robot) for name, entry in robots.items()]
    for key, name, find in names:
        if isinstance(name, str):
            file, text = whole.source(key)
            line = line_of(text, key)
            with found.attempt(), located(file=f"{file}:{line}" if line else path, key=dotted(key)):
                find(name)


def _kind(entry: Any) -> Any:
    return entry.get("kind") if isinstance(entry, Mapping) else None
