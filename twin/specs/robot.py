"""A robot folder's robot.toml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from twin.specs.base import Spec
from twin.specs.body import BodySpec
from twin.specs.radio import RadioSpec
from twin.specs.sensor import SensorSpec
from twin.specs.service import ServerSpec
from twin.units import Bytes, RateHz


class RobotKind(Spec):
    """A robot folder's robot.toml."""

    schema_: Literal[1] = Field(alias="schema")
    like: str | None = None  # another robot, whose robot.toml and files hold where this one says nothing
    without: tuple[str, ...] = ()  # keys of that one that don't hold, such as "body.parameters.battery"
    agent: str
    description: str = ""
    body: BodySpec | None = None
    radios: tuple[RadioSpec, ...] = ()
    sensors: tuple[SensorSpec, ...] = ()
    server: ServerSpec | None = None
    control: RateHz = 50
    telemetry: Bytes = 100
    command: Bytes = 60
    controller: str | None = None
    failsafe: str | None = None
    failsafe_parameters: dict[str, Any] = {}
