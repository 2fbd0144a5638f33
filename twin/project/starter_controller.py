"""A new controller for a kind of robot: a commented file, and a test of it."""

from __future__ import annotations

import tomllib
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Any

from twin.errors import ScenarioError, TwinError
from twin.project.catalogue import describe_robot
from twin.project.project import Project

TEMPLATES = Path(__file__).resolve().parent / "templates" / "controller"


def start_controller(name: str, robot: str, project: Project) -> list[Path]:
    """Write `controllers/NAME.py` and `tests/test_NAME.py` into a project; return both.

    Raises:
        ScenarioError: the name is no identifier or a keyword, or there is no such robot, or one without a body.
        TwinError: a file is there already, or can't be written.
    """
    if not name.isidentifier() or name != name.lower() or iskeyword(name):
        allowed = "lower-case letters, digits and _, but no word of Python's own"
        raise ScenarioError(f"found {name!r}; allowed: {allowed}", key="NAME")
    facts = describe_robot(robot, project)
    if not facts["command"]:
        raise ScenarioError(f"{robot!r} robots have nothing to command", key="--for")
    follows = [(field["field"], field["shape"]) for field in facts["command"]] == [("acceleration", [3]), ("yaw", [1])]
    kind = "reference" if follows else "any"
    file, test = f"controllers/{name}.py", f"tests/test_{name}.py"
    words = {
        "name": class_name(name),
        "title": name.replace("_", " ").capitalize(),
        "robot": robot,
        "kind": robot,
        "file": file,
        "test": test,
        "table": "".join(f"    {line}\n" for line in _lines(facts)),
        "sensed": ", ".join(f'"{field["field"]}": {field["shape"][0]}' for field in facts["observation"]),
    }
    sources = {project.folder / file: f"{kind}.template", project.folder / test: f"test_{kind}.template"}
    for path in sources:
        if path.exists():
            raise TwinError(f"{path}: is there already")
    for path, source in sources.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template((TEMPLATES / source).read_text()).substitute(words))
        except OSError as error:
            raise TwinError(f"{path}: can't be written: {error.strerror or error}") from error
    return list(sources)


def class_name(name: str) -> str:
    """Return what the class in `controllers/NAME.py` is called."""
    return "".join(part.capitalize() for part in name.split("_"))


def flown_by(robot: str, project: Project) -> list[tuple[str, str]]:
    """Return the project's own scenarios with a robot of that kind, the newest first: file and group."""
    found = []
    files = list(project.folder.glob("worlds/*/scenarios/*.toml"))
    for path in sorted(files, key=lambda path: (-path.stat().st_mtime_ns, path)):
        try:
            groups = tomllib.loads(path.read_text()).get("robots", {})
        except (OSError, ValueError):
            continue  # what is wrong with it is told when it is run
        found += [(f"{path.parents[1].name}/{path.stem}", name) for name, entry in groups.items()
                  if isinstance(entry, dict) and entry.get("kind") == robot and "task" in entry]  # fmt: skip
    return found


def _lines(facts: dict[str, Any]) -> list[str]:
    sensed = [(f'sensed["{f["field"]}"]', f["shape"][0], f["unit"], f["description"]) for f in facts["observation"]]
    command = [(f"command[{f['index'][0]}:{f['index'][1]}]", f["shape"][0], f["unit"], f["field"])
               for f in facts["command"]]  # fmt: skip
    return [f"{place:28} ({size},) {unit:6} {what}" for place, size, unit, what in sensed + command]
