"""`[network]` of a scenario, one spec per kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from twin.registry import NETWORKS
from twin.specs.base import Spec
from twin.specs.kinds import Open
from twin.specs.nr import Jitter, NrSpec, SidelinkSpec
from twin.units import BitRate, GainDb, Hertz, NonNegativeNs

Probability = Annotated[float, Field(ge=0, le=1)]


class IdealSpec(Spec):
    """Packets arrive at the instant at which they are created."""

    kind: Literal["ideal"] = "ideal"
    delay_budget: NonNegativeNs = 40_000_000


class FixedSpec(Spec):
    """A given delay each way, with jitter and independent losses; a flow is never reordered."""

    kind: Literal["fixed"]
    delay: NonNegativeNs = 20_000_000
    jitter: Jitter = Jitter()
    loss: Probability = 0.0
    delay_budget: NonNegativeNs = 40_000_000


class SimpleSpec(Spec):
    """A queue per radio link, served at the truncated Shannon rate of its SNR, and a backhaul.

    Attenuation, limit and least SNR are those of TR 36.942 table A.2 for the downlink.
    """

    hops: ClassVar = True
    kind: Literal["simple"]
    bandwidth: Hertz = Field(default=20e6, gt=0)
    attenuation: float = Field(default=0.6, gt=0, le=1)
    max_efficiency: float = Field(default=4.4, gt=0)  # bit/s/Hz
    min_snr: GainDb = -10.0
    sidelink: SidelinkSpec | None = None  # between robots; else their packets go up and down
    backhaul: NonNegativeNs = 2_000_000
    backhaul_rate: BitRate | None = Field(default=None, gt=0)  # of each edge server's cable, each direction
    discard: NonNegativeNs = 1_000_000_000
    delay_budget: NonNegativeNs = 40_000_000


class TraceSpec(Spec):
    """Measured round trips from a CSV with the columns `time_s` and `round_trip_ms`, half of it each way."""

    kind: Literal["trace"]
    file: Path
    offset: NonNegativeNs = 0
    loop: bool = False
    longest_gap: NonNegativeNs = Field(default=1_000_000_000, gt=0)
    longest_outage: NonNegativeNs = 10_000_000_000
    delay_budget: NonNegativeNs = 40_000_000


class RecordedSpec(Spec):
    """The packet fates of a recorded run: each packet fares as the recorded one of its flow at its time."""

    kind: Literal["recorded"]
    recording: Path
    delay_budget: NonNegativeNs = 40_000_000


NetworkSpec = Annotated[
    IdealSpec | FixedSpec | SimpleSpec | TraceSpec | RecordedSpec | NrSpec,
    Field(discriminator="kind"),
    Open(NETWORKS),
]
