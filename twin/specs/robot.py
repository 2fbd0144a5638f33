"""A robot folder's robot.toml."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from twin.clock import NS
from twin.specs.base import Spec
from twin.specs.body import BodySpec
from twin.specs.radio import RadioSpec
from twin.specs.rcs import RcsSpec
from twin.specs.sensor import SensorSpec
from twin.specs.service import ServerSpec
from twin.units import Bytes, DurationNs, RateHz


class HoldSpec(Spec):
    """What becomes of a remote command that no further one follows: after that time without any.

    `hold` keeps it for ever; `zero` makes all its numbers 0, or what of their limits is next to that; `failsafe` lets
    the robot's failsafe take over, by its `command_timeout`.
    """

    after: DurationNs = Field(default=NS // 10, gt=0)
    then: Literal["hold", "zero", "failsafe"] = "hold"


class RobotKind(Spec):
    """A robot folder's robot.toml."""

    schema_: Literal[1] = Field(alias="schema")
    like: str | None = None  # another robot, whose robot.toml and files hold where this one says nothing
    without: tuple[str, ...] = ()  # keys of that one that don't hold, such as "body.parameters.battery"
    agent: str
    description: str = ""
    body: BodySpec | None = None
    radios: tuple[RadioSpec, ...] = ()
    rcs: RcsSpec | None = None  # what radars see of its body; None: they don't
    sensors: tuple[SensorSpec, ...] = ()
    server: ServerSpec | None = None
    control: RateHz = 50
    telemetry: Bytes = 100
    command: Bytes = 60
    controller: str | None = None
    failsafe: str | None = None
    failsafe_parameters: dict[str, Any] = {}
    hold: HoldSpec = HoldSpec()

    @model_validator(mode="after")
    def _has_a_body_to_be_seen(self) -> Self:
        if self.rcs is not None and self.body is None:
            raise ValueError("rcs: found a table, but this robot has no body; allowed: none")
        return self

    @model_validator(mode="after")
    def _has_a_failsafe_to_hold_with(self) -> Self:
        if self.hold.then == "failsafe" and self.failsafe is None:
            raise ValueError('hold.then: found "failsafe", but this robot has none; allowed: "hold", "zero"')
        return self
