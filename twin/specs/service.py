"""Who computes for others, and how long it takes: edge servers, service times, controllers in other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from twin.specs.base import Spec
from twin.units import NonNegativeNs, parse_quantity


class ServerSpec(Spec):
    """The computer of a node without a body: one queue, `servers` of them working on it."""

    servers: int = Field(default=1, ge=1)


class FixedTime(Spec):
    """Always the same time."""

    kind: Literal["fixed"] = "fixed"
    time: NonNegativeNs = 0


class UniformTime(Spec):
    """Any time between `least` and `most`, all equally likely."""

    kind: Literal["uniform"]
    least: NonNegativeNs = 0
    most: NonNegativeNs

    @model_validator(mode="after")
    def _in_order(self) -> UniformTime:
        if self.most < self.least:
            raise ValueError("`most` is less than `least`")
        return self


class NormalTime(Spec):
    """A normal distribution, cut at `least`."""

    kind: Literal["normal"]
    mean: NonNegativeNs
    deviation: NonNegativeNs
    least: NonNegativeNs = 0


class ExponentialTime(Spec):
    """An exponential distribution of mean `mean` on top of `least`."""

    kind: Literal["exponential"]
    mean: NonNegativeNs
    least: NonNegativeNs = 0


class MeasuredTime(Spec):
    """What the controller takes on this machine, in `twin run --real-time` only; recorded as an input."""

    kind: Literal["measured"]


class RecordedTime(Spec):
    """The times that were measured in a recorded run, one after another, robot by robot."""

    kind: Literal["recorded"]
    recording: Path


def _service_time_table(value: object) -> object:
    """Read the short forms: a time alone is fixed, and `"measured"` needs no table."""
    if value == "measured":
        return {"kind": "measured"}
    if isinstance(value, (dict, Spec)):
        return value
    parse_quantity(value, "time")
    return {"kind": "fixed", "time": value}


ServiceTimeSpec = Annotated[
    FixedTime | UniformTime | NormalTime | ExponentialTime | MeasuredTime | RecordedTime,
    Field(discriminator="kind"),
    BeforeValidator(_service_time_table),
]


class ExternalSpec(Spec):
    """How a controller in another process is dealt with; times are on the wall clock."""

    timeout: NonNegativeNs = Field(default=1_000_000_000, gt=0)  # for one answer
    start_timeout: NonNegativeNs = Field(default=10_000_000_000, gt=0)  # for the first one
    on_failure: Literal["stop", "failsafe"] = "stop"  # stop the run, or leave the robots to their failsafe
    allow_remote: bool = False  # an address beyond this machine
    key: Path | None = None  # a file of 64 hexadecimal digits: an address is talked to only if it has the same
    login: Path | None = None  # a file with NAME:PASSWORD, for a broker
    ca: Path | None = None  # a file with the certificates that a broker's is checked by, instead of the system's
