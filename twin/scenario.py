"""A scenario: TOML text, overrides, and what they mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from twin.specs import (
    ChannelSpec,
    FreeSpaceSpec,
    IdealSpec,
    NetworkSpec,
    NonNegativeNs,
    Point,
    Spec,
    TaskSpec,
)
from twin.units import DurationNs, Radians, RateHz


class Rates(Spec):
    """Ticks of the clock; all must divide `physics`."""

    physics: RateHz = 500
    channel: RateHz = 100
    record: RateHz = 50


class RobotEntry(Spec):
    """`[robots.NAME]`: a group of `count` robots of one kind."""

    kind: str
    count: int = Field(default=1, ge=1)
    positions: tuple[Point, ...] = ()
    yaw: Radians = 0.0
    task: TaskSpec | None = None
    controller: str | None = None
    parameters: dict[str, Any] = {}
    runs_on: Literal["onboard", "edge"] | None = None
    edge: str = "edge"
    trigger: Literal["arrival"] | RateHz | None = None
    service_time: NonNegativeNs | None = None
    control: RateHz | None = None
    phase: int | None = Field(default=None, ge=0)
    send_offset: NonNegativeNs | None = None
    spec: dict[str, Any] = {}


class Scenario(Spec):
    """A whole scenario file."""

    schema_: Literal[1] = Field(alias="schema")
    description: str = ""
    world: str
    duration: Annotated[DurationNs, Field(gt=0)]
    seed: int = Field(default=1, ge=0, lt=2**63)
    rates: Rates = Rates()
    channel: ChannelSpec = FreeSpaceSpec()
    network: NetworkSpec = IdealSpec()
    robots: dict[str, RobotEntry] = Field(min_length=1)
