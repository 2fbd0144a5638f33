"""What a scenario would run: code of its world, of its robots and of its own, and processes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twin.errors import TwinError
from twin.project import plugins
from twin.project.guard import Guard, Runnable, TrustError, code, home
from twin.project.project import Project
from twin.project.robots import lineage
from twin.specs.scenario import Scenario

_MOST = 500
"""Python files of one folder that somebody could still look through."""


def own_words(origin: Path, guard: Guard) -> bool:
    """Tell whether a scenario's file is built in, or of the project here: then it may name whatever it likes."""
    folder = origin.resolve().parent
    return guard.trusts(folder) or (home(folder) is None and folder == Path.cwd())


def runnables(scenario: Scenario, project: Project, guard: Guard) -> list[Runnable]:
    """Return what would run from outside of the guard's folders, and all processes and connections.

    What can't be found runs nowhere, and is left to those who look for it.

    Raises:
        TrustError: a folder has more code than anybody could look through.
    """
    found = [item for folder in folders(scenario, project) if (item := _folder(folder, guard)) is not None]
    places = [Path.cwd(), project.folder, *folders(scenario, project)]
    for text in sorted(set(texts(scenario.model_dump(mode="json")))):
        found += _named(text, places, guard)
    found += [
        Runnable(f"a connection to {entry.controller}", code("", [], f"connects {entry.controller}").digest)
        for entry in scenario.robots.values()
        if entry.external is not None and entry.external.allow_remote and entry.controller
    ]
    return list({item.digest: item for item in found}.values())


def folders(scenario: Scenario, project: Project) -> list[Path]:
    """Return the folders of its world and robots."""
    found: list[Path] = []
    with suppress(TwinError):  # building says what is wrong
        found.append(project.world(scenario.world))
    for entry in scenario.robots.values():
        with suppress(TwinError):
            found += lineage(project.robot(entry.kind))
    return list(dict.fromkeys(path.resolve() for path in found))


def _folder(folder: Path, guard: Guard) -> Runnable | None:
    if guard.trusts(folder):
        return None
    files = [path for path in sorted(folder.rglob("*.py")) if path.is_file()]
    if len(files) > _MOST:
        raise TrustError(f"{folder}: holds {len(files)} Python files, more than anybody could look through")
    names = ", ".join(str(path.relative_to(folder)) for path in files)
    return code(f"code in {folder}: {names}", files) if files else None


def _named(text: str, places: Sequence[Path], guard: Guard) -> Iterator[Runnable]:
    """Yield the process or the Python file that a text of the scenario names."""
    if text.startswith("process:"):
        yield command(text, places[:2])
    elif match := re.fullmatch(r"(.+\.py)(:\w+)?", text):
        for path in existing([match[1]], places):
            if not guard.trusts(path):
                yield code(f"the Python file {path}", [path, *(path.with_name(n) for n in siblings(path))])


def command(reference: str, places: Sequence[Path]) -> Runnable:
    """Return the process that `process:COMMAND` starts, with the files that its words are."""
    line = reference.removeprefix("process:")
    try:
        words = shlex.split(line)
    except ValueError:
        words = []  # it can't be started, and that is said then
    return code(f"the command {line}", existing(words, places), reference)


def siblings(path: Path) -> list[str]:
    """Return the names of the files beside a Python file that it imports, they and theirs."""
    try:
        return list(plugins.siblings(path))
    except (SyntaxError, ValueError):
        return []  # it can't be imported, and that is said then


def existing(words: list[str], places: Sequence[Path]) -> list[Path]:
    """Return the files that words are, seen from any of the places."""
    found = (path for word in words for place in places if _is_file(path := place / word))
    return list(dict.fromkeys(path.resolve() for path in found))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # no word of a command needs to be a path


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in nested tables."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts(item)
