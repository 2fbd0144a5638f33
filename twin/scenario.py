"""A scenario: TOML text, overrides, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, field_validator, model_validator

from twin.analysis.requirements import Requirement, parse_requirement
from twin.clock import rate_fault
from twin.errors import ScenarioError, located, nearest
from twin.mechanism.multirotor import made_urdf
from twin.overrides import apply_overrides
from twin.project import Project
from twin.specs import (
    BodySpec,
    ChannelSpec,
    ExternalSpec,
    FreeSpaceSpec,
    HoverSpec,
    IdealSpec,
    NetworkSpec,
    Point,
    RobotKind,
    ServiceTimeSpec,
    Spec,
    TaskSpec,
)
from twin.toml_text import Key, Mistakes, read_toml, validate
from twin.units import DurationNs, NonNegativeNs, Radians, RateHz, duration_text
from twin.world.environment import EnvironmentSpec

RequirementText = Annotated[
    Requirement,
    PlainValidator(parse_requirement, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]

FROM_PARAMETERS = "from parameters"
"""What `body.urdf` says where the URDF of a multirotor is made of its parameters."""


class Rates(Spec):
    """Ticks of the clock; all must divide `physics`."""

    physics: RateHz = Field(default=500, le=1_000_000)
    channel: RateHz = Field(default=100, validate_default=True)
    record: RateHz = Field(default=50, validate_default=True)

    @field_validator("channel", "record")
    @classmethod
    def _divides(cls, rate: int, info: ValidationInfo) -> int:
        physics = info.data.get("physics")
        if physics and (fault := rate_fault(rate, physics)):
            raise ValueError(fault)
        return rate


class RobotEntry(Spec):
    """`[robots.NAME]`: a group of `count` robots of one kind."""

    kind: str
    count: int = Field(default=1, ge=1)
    positions: tuple[Point, ...] = ()
    yaw: Radians | tuple[Radians, ...] = 0.0  # of all, or of each; a site without a body turns its antennas by it
    task: TaskSpec | None = None
    controller: str | None = None
    parameters: dict[str, Any] = {}
    runs_on: Literal["onboard", "edge"] | None = None
    edge: str = "edge"
    trigger: Literal["arrival"] | RateHz | None = None
    service_time: ServiceTimeSpec | None = None
    external: ExternalSpec | None = None
    control: RateHz | None = None
    phase: int | None = Field(default=None, ge=0)
    send_offset: NonNegativeNs | None = None
    log_sensors: bool = False
    spec: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_place_each(self) -> Self:
        places = {"positions": len(self.positions)} if self.positions else {}
        if isinstance(self.task, HoverSpec):
            places["task.points"] = len(self.task.points)
        if isinstance(self.yaw, tuple):
            places["yaw"] = len(self.yaw)
        wrong = [((name,), f"found {found}; allowed: {self.count}, one for each of `count` robots")
                 for name, found in places.items() if found != self.count]  # fmt: skip
        if wrong:
            raise Mistakes(wrong)
        return self


class Scenario(Spec):
    """A whole scenario file."""

    schema_: Literal[1] = Field(alias="schema")
    description: str = ""
    world: str
    duration: Annotated[DurationNs, Field(gt=0)]
    seed: int = Field(default=1, ge=0, lt=2**63)
    rates: Rates = Rates()
    environment: EnvironmentSpec | None = None
    channel: ChannelSpec = FreeSpaceSpec()
    network: NetworkSpec = IdealSpec()
    robots: dict[str, RobotEntry] = Field(min_length=1)
    requirements: tuple[RequirementText, ...] = ()

    @model_validator(mode="after")
    def _robots_fit(self) -> Self:
        wrong: list[tuple[Key, str]] = []
        for name, robot in self.robots.items():
            wrong += [(("robots", name, *key), message) for key, message in self._misfits(robot)]
        if wrong:
            raise Mistakes(wrong)
        return self

    def _misfits(self, robot: RobotEntry) -> list[tuple[Key, str]]:
        wrong: list[tuple[Key, str]] = []
        physics = self.rates.physics
        if robot.control and (fault := rate_fault(robot.control, physics)):
            wrong.append((("control",), fault))
        elif robot.control and robot.phase is not None and robot.phase >= (ticks := physics // robot.control):
            message = f"found {robot.phase}; allowed: less than {ticks}, the ticks of a period"
            wrong.append((("phase",), message))
        needs_edge = robot.runs_on == "edge" or robot.edge != RobotEntry.model_fields["edge"].default
        if needs_edge and robot.edge not in self.robots:
            there = ", ".join(self.robots) + nearest(robot.edge, self.robots)
            wrong.append((("edge",), f"found {robot.edge!r}; allowed: one of robots: {there}"))
        return wrong

    def to_toml(self) -> str:
        """Return all of it, overrides and defaults included, as text that loads to the same scenario.

        Of the environment only what it states: all else is its world's.
        """
        data = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.environment is not None:
            data["environment"] = self.environment.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        return tomli_w.dumps(data)


def load_scenario(path: Path, overrides: Sequence[str] = ()) -> tuple[Scenario, list[str]]:
    """Return the scenario of a file after overrides, and what a change of kind dropped, as the file has it.

    Raises:
        ScenarioError: everything that is wrong with the file or the overrides.
    """
    return parse_scenario(*read_toml(path), path, overrides)


def parse_scenario(
    data: dict[str, Any], text: str, file: Path | str, overrides: Sequence[str] = ()
) -> tuple[Scenario, list[str]]:
    """Return the scenario of TOML tables and their text as `load_scenario` does; `file` is named in errors.

    Raises:
        ScenarioError: everything that is wrong with the tables or the overrides.
    """
    overridden, dropped = apply_overrides(data, overrides, scenario_schema())
    return validate(Scenario, data, file=file, text=text, overridden=overridden), dropped


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
    for base in folders[1:]:
        data = _merged({key: value for key, value in read_toml(base / "robot.toml")[0].items() if key != "like"}, data)
    kind = validate(RobotKind, data, file=file, text=text)
    if override:
        kind = validate(RobotKind, _merged(data, override), key=key)
    if kind.body is None:
        return kind
    urdf = _urdf(folders, kind.body)
    return kind.model_copy(update={"body": kind.body.model_copy(update={"urdf": urdf})})


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


def scenario_schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files."""
    schema = Scenario.model_json_schema()
    for definition in (schema, *schema["$defs"].values()):
        for key in definition.get("properties", {}).values():
            if key.pop("x-kept-as", None) == "ns" and isinstance(key.get("default"), int):
                key["default"] = duration_text(key["default"])
    return schema


def _merged(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
