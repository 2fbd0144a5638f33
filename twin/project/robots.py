"""Kinds of robots as their folders hold them: robot.toml, what it is like, its URDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from twin.errors import ScenarioError, located
from twin.mechanism.weld import welded, with_inertia
from twin.project.multirotor import made_urdf
from twin.project.project import Project
from twin.specs.base import Spec
from twin.specs.body import BodySpec
from twin.specs.robot import RobotKind
from twin.specs.toml_text import read_toml, validate
from twin.units import Kilograms, duration_text

FROM_PARAMETERS = "from parameters"
"""What `body.urdf` says where the URDF of a multirotor is made of its parameters."""


def load_kind(folder: Path, override: dict[str, Any] | None = None, *, key: str = "spec") -> RobotKind:
    """Return a robot folder's robot.toml with `override` merged into its tables; its URDF's path is absolute.

    Raises:
        ScenarioError: everything that is wrong with the file, or with the override, which the scenario
            has at `key`.
    """
    file, folders = folder / "robot.toml", lineage(folder)
    data, text = read_toml(file)
    if len(folders) > 1:
        load_kind(folders[1])  # what is wrong there is said of there
    inherited: dict[str, Any] = {}
    for base in reversed(folders[1:]):
        own = {name: value for name, value in read_toml(base / "robot.toml")[0].items() if name != "like"}
        inherited = _over(inherited, own)
    with located(file=file):
        data = _over(inherited, data)
    kind = validate(RobotKind, data, file=file, text=text)
    if override:
        with located(key=key):
            kind = validate(RobotKind, _over(data, override), key=key)
    if kind.hold.then == "failsafe":
        timeout = {"command_timeout": duration_text(kind.hold.after)}
        kind = kind.model_copy(update={"failsafe_parameters": {**kind.failsafe_parameters, **timeout}})
    if kind.body is None:
        return kind
    return kind.model_copy(update={"body": _whole(folders, kind.body, override or {})})


class _Weight(Spec):
    """What a scenario may state anew of a body, in its own table or in its dynamics' parameters."""

    model_config = ConfigDict(extra="ignore")
    mass: Kilograms | None = Field(default=None, gt=0)
    inertia: tuple[float, float, float] | None = None


def _whole(folders: Sequence[Path], body: BodySpec, override: Mapping[str, Any]) -> BodySpec:
    """Return the body with the URDF that physics moves: of one piece, and of the mass and inertia stated here."""
    table = override.get("body", {})
    restated = validate(_Weight, dict(table.get("parameters", {})), key="body.parameters")
    stated = {name: mine if (mine := getattr(body, name)) is not None else getattr(restated, name)
              for name in ("mass", "inertia")}  # fmt: skip
    known = {name: value for name, value in stated.items() if value is not None and name in body.parameters}
    body = body.model_copy(update={"parameters": {**body.parameters, **known}})
    urdf = _urdf(folders, body)
    if not body.fixed:
        urdf = welded(urdf)
    if str(body.urdf) != FROM_PARAMETERS and any(value is not None for value in stated.values()):
        urdf = with_inertia(urdf, stated["mass"], stated["inertia"])
    return body.model_copy(update={"urdf": urdf})


def lineage(folder: Path) -> list[Path]:
    """Return a robot's folder and those of the robots that it is like, the nearest first; beside it goes before a name.

    Raises:
        ScenarioError: there is no such robot, or one is like itself.
    """
    folders = [folder]
    while isinstance(like := read_toml(folders[-1] / "robot.toml")[0].get("like"), str):
        with located(file=folders[-1] / "robot.toml", key="like"):
            beside = folders[-1].resolve().parent / like
            base = beside if (beside / "robot.toml").is_file() else Project.around(folders[-1]).robot(like)
            if any(base.samefile(folder) for folder in folders):
                raise ScenarioError(f"found {like!r}, which leads back to itself")
        folders.append(base)
    return folders


def home_of(folders: Sequence[Path], *names: str) -> Path:
    """Return the first of a robot's folders that has one of these files, else its own."""
    return next((folder for folder in folders if any((folder / name).exists() for name in names)), folders[0])


def _urdf(folders: Sequence[Path], body: BodySpec) -> Path:
    """Return the file that `body.urdf` names: in the robot's folders, or in a package as `package:path`."""
    file, reference = folders[0] / "robot.toml", str(body.urdf)
    if reference == FROM_PARAMETERS:
        if body.dynamics != "rotorcraft":
            message = f"found {reference!r}; allowed: only with dynamics = \"rotorcraft\""
            raise ScenarioError(message, file=file, key="body.urdf")
        return made_urdf(folders[0].name, body.parameters, file)
    package, colon, inside = reference.partition(":")
    home = home_of(folders, reference).resolve()
    if colon:
        found = find_spec(package) if package.isidentifier() else None
        if found is None or not found.submodule_search_locations:
            message = (
                f"found {reference!r}; allowed: a file in {folders[0]}, or in an installed package as package:path"
            )
            raise ScenarioError(message, file=file, key="body.urdf")
        home = Path(found.submodule_search_locations[0]).resolve()
    urdf = (home / (inside if colon else reference)).resolve()
    if not urdf.is_relative_to(home) or not urdf.is_file():
        message = f"found {reference!r}; allowed: a file in {home if colon else folders[0]}"
        raise ScenarioError(message, file=file, key="body.urdf")
    return urdf


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return `own` over what it inherits, of which it may leave out keys by `without`.

    Raises:
        ScenarioError: what is left out isn't there.
    """
    kept = deepcopy(base)
    without = own.get("without", ())
    for name in without if isinstance(without, list) else ():
        *way, last = str(name).split(".")
        table: Any = kept
        for part in way:
            table = table.get(part) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table:
            there = ", ".join(table) if isinstance(table, dict) else "nothing"
            raise ScenarioError(f"found {name!r}, which isn't inherited; there: {there}", key="without")
        del table[last]
    return _merged(kept, own)


def _merged(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Return `override` over `base`, table by table; one of another kind or shape replaces the whole table."""
    if any(name in base and name in override and base[name] != override[name] for name in ("kind", "shape")):
        return override
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
