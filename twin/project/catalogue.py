"""What a project offers: its worlds, scenarios, robots, controllers and networks, and a robot in detail."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel

from twin.errors import TwinError
from twin.project import plugins
from twin.project.profiles import read_profile
from twin.project.project import Project
from twin.project.readings import fields_of
from twin.project.robots import home_of, lineage, load_kind
from twin.protocols import Failsafe
from twin.registry import NETWORKS, installed
from twin.specs import BodySpec, NetworkSpec, RobotKind
from twin.specs.toml_text import read_toml, validate
from twin.state import F64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a scenario or a command can name."""

    name: str
    description: str
    place: str  # file or folder
    fault: str = ""  # why it can't be used
    robot: str = ""  # that a controller belongs to, if it belongs to one


def worlds(project: Project) -> list[Entry]:
    """Return all worlds."""
    return _described(project.worlds(), "world.toml")


def scenarios(project: Project) -> list[Entry]:
    """Return all scenarios of worlds' folders."""
    return _described(project.scenarios())


def robots(project: Project) -> list[Entry]:
    """Return all robot kinds."""
    return _described(project.robots(), "robot.toml")


def controllers(project: Project) -> list[Entry]:
    """Return the controllers in robots' folders, those in the project's `controllers`, and installed ones."""
    found = [
        _source(name, folder / "controllers" / f"{name}.py", robot)
        for robot, folders in project.robots().items()
        for folder in folders
        for name in plugins.controllers(folder)
    ]
    found += [_source(f"controllers/{path.name}", path) for path in sorted(project.folder.glob("controllers/*.py"))]
    packaged = installed("twin.controllers")
    return found + [Entry(name, f"installed as {point.value}", "") for name, point in packaged.items()]


def networks(project: Project) -> list[Entry]:
    """Return all kinds of network."""
    specs = get_args(get_args(NetworkSpec)[0])
    kinds = [get_args(spec.model_fields["kind"].annotation)[0] for spec in specs]
    found = [Entry(kind, _first_line(spec.__doc__), "") for kind, spec in zip(kinds, specs, strict=True)]
    return found + [Entry(name, f"installed as {point.value}", "") for name, point in NETWORKS.installed().items()]


def profiles(project: Project) -> list[Entry]:
    """Return all profiles of requirements."""
    found = []
    for name, places in project.profiles().items():
        for path in places:
            try:
                profile = read_profile(path)
                found.append(Entry(name, f"{profile.title} ({profile.document})", str(path)))
            except TwinError as error:
                found.append(Entry(name, "", str(path), str(error)))
    return found


CATALOGUE: Mapping[str, Callable[[Project], list[Entry]]] = {
    "worlds": worlds,
    "scenarios": scenarios,
    "robots": robots,
    "controllers": controllers,
    "networks": networks,
    "profiles": profiles,
}


def describe_robot(reference: str, project: Project) -> dict[str, Any]:
    """Return what a controller of this robot sees and commands, and what the robot is made of; SI and text.

    Raises:
        ScenarioError: there is no such robot, or its robot.toml is wrong.
        PluginError: a controller or its failsafe can't be loaded.
    """
    folder = project.robot(reference)
    kind, folders = load_kind(folder), lineage(folder)
    return {
        "robot": reference,
        "description": kind.description,
        "folder": str(folder),
        "control_hz": kind.control,
        "telemetry_bytes": kind.telemetry,
        "command_bytes": kind.command,
        "observation": _observation(kind),
        "command": [] if kind.body is None else _command(kind.body),
        "controllers": [_controller(name, folders, kind) for name in _controllers(folders)],
        "failsafe": _failsafe(kind, folders),
        "radios": [radio.model_dump(mode="json") for radio in kind.radios],
        "server": None if kind.server is None else kind.server.model_dump(),
    }


def _observation(kind: RobotKind) -> list[dict[str, Any]]:
    return [
        {
            "field": name,
            "sensor": sensor.kind,
            "shape": [field.size],
            "unit": field.unit,
            "description": field.description,
            "rate_hz": sensor.rate or kind.control,
            "delay_ns": sensor.delay,
            "noise": field.noise,
            "noise_unit": field.noise_unit,
        }
        for sensor, fields in fields_of(kind)
        for name, field in fields.items()
    ]


def _command(body: BodySpec) -> list[dict[str, Any]]:
    fields, start = [], 0
    for field in body.command:
        part = slice(start, start + field.size)
        lower, upper = (body.vector("lower")[part], body.vector("upper")[part])
        bounds = {"lower": float(lower.min()), "upper": float(upper.max())}
        fields.append({
            "field": field.name,
            "shape": [field.size],
            "unit": field.unit,
            "description": field.description,
            "index": [start, start + field.size],
            **{bound: value if np.isfinite(value) else None for bound, value in bounds.items()},
            "initial": float(body.vector("initial")[start]),
            "of_each_joint": None if field.joints is None else [_finite(lower), _finite(upper)],
        })  # fmt: skip
        start += field.size
    return fields


def _finite(limits: F64) -> list[float | None]:
    return [float(limit) if np.isfinite(limit) else None for limit in limits]


def _controllers(folders: Sequence[Path]) -> list[str]:
    """Return the names of the controllers of a robot and of those that it is like."""
    return sorted({name for folder in folders for name in plugins.controllers(folder)})


def _controller(name: str, folders: Sequence[Path], kind: RobotKind) -> dict[str, Any]:
    controller = plugins.load_controller(name, home_of(folders, f"controllers/{name}.py")).value
    model = getattr(controller, "Parameters", None)
    return {
        "name": name,
        "default": name == kind.controller,
        "description": _first_line(controller.__doc__),
        "runs_on": getattr(controller, "runs_on", "edge"),
        "trigger": getattr(controller, "trigger", "arrival"),
        "service_time": getattr(controller, "service_time", 0),
        "parameters": {} if model is None else _defaults(model),
        "units": {} if model is None else _units(model),
    }


def _failsafe(kind: RobotKind, folders: Sequence[Path]) -> dict[str, Any] | None:
    if kind.failsafe is None:
        return None
    home = home_of(folders, kind.failsafe.rpartition(":")[0])
    failsafe = plugins.load_class(kind.failsafe, Failsafe, home).value
    model: type[BaseModel] | None = getattr(failsafe, "Parameters", None)
    values: Any = kind.failsafe_parameters
    units = {} if model is None else _units(model)
    if model is not None:
        file = folders[0] / "robot.toml"
        values = validate(model, values, file=file, key="failsafe_parameters").model_dump(mode="json")
    return {"name": kind.failsafe, "description": _first_line(failsafe.__doc__), "parameters": values, "units": units}


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return each parameter's default as TOML would write it, "required" where there is none."""
    required = {name: "required" for name, field in model.model_fields.items() if field.is_required()}
    return required | model.model_construct().model_dump(mode="json")


def _units(model: type[BaseModel]) -> dict[str, str]:
    """Return the units of those parameters that are numbers with one; times are told as text with theirs."""
    properties = model.model_json_schema()["properties"]
    return {name: schema["unit"] for name, schema in properties.items() if "unit" in schema}


def _described(named: Mapping[str, list[Path]], file: str = "") -> list[Entry]:
    return [_from_toml(name, place, place / file) for name, places in named.items() for place in places]


def _from_toml(name: str, place: Path, file: Path) -> Entry:
    try:
        return Entry(name, str(read_toml(file)[0].get("description", "")), str(place))
    except TwinError as error:
        return Entry(name, "", str(place), str(error))


def _source(name: str, path: Path, robot: str = "") -> Entry:
    """Describe a controller by its file's docstring; the code doesn't run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        return Entry(name, "", str(path), f"{path}: {error}", robot)
    if not robot:
        classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and _acts(node)]
        name = f"{name}:{'|'.join(classes)}"
    return Entry(name, _first_line(ast.get_docstring(tree)), str(path), robot=robot)


def _acts(node: ast.ClassDef) -> bool:
    return any(isinstance(item, ast.FunctionDef) and item.name == "act" for item in node.body)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
