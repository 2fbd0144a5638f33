"""A scenario: TOML text, overrides, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, field_validator, model_validator

from twin.clock import NS, periodic, rate_fault
from twin.errors import LONGEST_NAME, brief, is_name, nearest
from twin.specs import (
    ChannelSpec,
    ExternalSpec,
    FreeSpaceSpec,
    HoverSpec,
    IdealSpec,
    NetworkSpec,
    Point,
    ServiceTimeSpec,
    Spec,
    TaskSpec,
)
from twin.specs.environment import EnvironmentSpec
from twin.specs.include import Party, composed
from twin.specs.mistakes import Key, Mistakes
from twin.specs.overrides import Override, apply_overrides
from twin.specs.place import PlaceSpec
from twin.specs.profile import ProfileUse, parse_entry
from twin.specs.requirement import Requirement, misfits
from twin.specs.sensing import SensingSpec
from twin.specs.toml_text import read_toml, validate
from twin.units import DurationNs, NonNegativeNs, Radians, RateHz, duration_text

RequirementText = Annotated[
    Requirement | ProfileUse,
    PlainValidator(parse_entry, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


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
    count: int = Field(default=1, ge=1, le=10_000)
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


class Reseed(Spec):
    """From this time on all random draws are those of another seed."""

    at: Annotated[DurationNs, Field(gt=0)]  # the first tick under it
    seed: int = Field(ge=0, lt=2**63)


class Scenario(Spec):
    """A whole scenario file."""

    schema_: Literal[1] = Field(alias="schema")
    name: str = ""  # in lists of runs; of a file without one, the file's own
    description: str = ""
    world: str
    duration: Annotated[DurationNs, Field(gt=0)]
    seed: int = Field(default=1, ge=0, lt=2**63)
    rates: Rates = Rates()
    environment: EnvironmentSpec | None = None
    channel: ChannelSpec = FreeSpaceSpec()
    network: NetworkSpec = IdealSpec()
    sensing: SensingSpec | None = None
    robots: dict[str, RobotEntry] = Field(min_length=1)
    places: dict[str, PlaceSpec] = {}
    requirements: tuple[RequirementText, ...] = ()
    parties: tuple[Party, ...] = ()
    reseed: tuple[Reseed, ...] = ()  # in the order of their times

    @model_validator(mode="after")
    def _requirements_fit(self) -> Self:
        counts = {name: entry.count for name, entry in self.robots.items()}
        wrong: list[tuple[Key, str]] = []
        for i, requirement in enumerate(self.requirements):
            faults = misfits(requirement.scope, counts, self.places, self.duration)
            wrong += [(("requirements", i), fault) for fault in faults]
        if wrong:
            raise Mistakes(wrong)
        return self

    @model_validator(mode="after")
    def _reseeds_fit(self) -> Self:
        wrong: list[tuple[Key, str]] = []
        rate, before = self.rates.physics, 0
        for i, change in enumerate(self.reseed):
            below = change.at * rate // NS
            near = sorted({periodic(n, rate) for n in (below, below + 1)} - {0})
            if change.at not in near:
                ticks = " or ".join(map(duration_text, near))
                wrong.append((("reseed", i, "at"), f"found {duration_text(change.at)}; allowed: a tick, {ticks}"))
            elif not before < change.at <= self.duration:
                found, span = duration_text(change.at), f"after {duration_text(before)}, within the duration"
                wrong.append((("reseed", i, "at"), f"found {found}; allowed: {span}"))
            before = change.at
        if wrong:
            raise Mistakes(wrong)
        return self

    @model_validator(mode="after")
    def _robots_fit(self) -> Self:
        wrong: list[tuple[Key, str]] = []
        for name, robot in self.robots.items():
            if not is_name(name):
                allowed = f"up to {LONGEST_NAME} letters without / and \\, none of control"
                wrong.append((("robots",), f"found {brief(name)} as a name; allowed: {allowed}"))
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
        for name in ("places", "parties", "reseed"):
            if not data[name]:
                del data[name]  # what isn't used changes no byte of a recording
        if self.environment is not None:
            data["environment"] = self.environment.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        return tomli_w.dumps(data)


def load_scenario(path: Path, overrides: Sequence[Override] = ()) -> tuple[Scenario, list[str]]:
    """Return the scenario of a file after overrides, and what a change of kind dropped, as the file has it.

    Raises:
        ScenarioError: everything that is wrong with the file or the overrides.
    """
    found = composed(path)
    overridden, dropped = apply_overrides(found.data, overrides, scenario_schema())

    def source(key: Key) -> tuple[Path, str]:
        file, text = found.source(key)
        return (file, text) if text else (path, main)

    main = read_toml(path)[1]
    scenario = validate(Scenario, found.data, file=path, text=main, overridden=overridden, source=source)
    return (scenario if scenario.name else scenario.model_copy(update={"name": path.stem})), dropped


def parse_scenario(
    data: dict[str, Any], text: str, file: Path | str, overrides: Sequence[Override] = ()
) -> tuple[Scenario, list[str]]:
    """Return the scenario of TOML tables and their text as `load_scenario` does; `file` is named in errors.

    Raises:
        ScenarioError: everything that is wrong with the tables or the overrides.
    """
    overridden, dropped = apply_overrides(data, overrides, scenario_schema())
    return validate(Scenario, data, file=file, text=text, overridden=overridden), dropped


@cache
def scenario_schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files; it is made once, and nobody changes it."""
    schema = Scenario.model_json_schema()
    for definition in (schema, *schema["$defs"].values()):
        for key in definition.get("properties", {}).values():
            if key.pop("x-kept-as", None) == "ns" and isinstance(key.get("default"), int):
                key["default"] = duration_text(key["default"])
    return schema
