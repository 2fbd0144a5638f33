"""What a scenario says of a slot-level radio network; names after 3GPP where one exists."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from twin.registry import SCHEDULERS
from twin.specs.base import Spec
from twin.specs.kinds import Named
from twin.specs.presets import PRESETS
from twin.units import BitRate, Bytes, GainDb, Hertz, NonNegativeNs, PowerDbm


class Jitter(Spec):
    """Random delay on top of the fixed one: a uniform width, or a normal (cut at 0) or exponential spread."""

    kind: Literal["none", "uniform", "normal", "exponential"] = "none"
    scale: NonNegativeNs = 0


class CarrierSpec(Spec):
    """One carrier: all cells and terminals whose radios are on `frequency` share it."""

    preset: Literal["oai-n78", "commercial-fr1", "commercial-fr2", "urllc-rel16", "6g-target"] | None = None
    frequency: Hertz = 3.5e9
    bandwidth: Hertz = 100e6
    scs: Hertz = 30e3
    resource_blocks: int | None = Field(default=None, ge=1, le=275)
    duplex: Literal["tdd", "fdd", "full"] = "tdd"
    pattern: str = "DDDSU"
    special: tuple[int, int, int] = (10, 2, 2)
    symbols: Literal[2, 4, 7, 14] = 14
    starts: tuple[int, ...] | None = None  # symbols of a slot at which occasions may start; None: one after another
    capability: Literal[1, 2] = 1
    mcs_table: Literal["qam64", "qam256", "qam64LowSE"] = "qam64"
    layers: Literal[1, 2] = 1
    cross_polar: GainDb = Field(default=9.0, gt=0)  # XPR of TR 38.901: how far two layers are apart
    dmrs: int = Field(default=12, ge=0, le=36)  # REs per PRB
    overhead: Literal[0, 6, 12, 18] = 0
    coreset: int = Field(default=1, ge=1, le=3)
    cces: int | None = Field(default=None, ge=1)
    scheduler: Annotated[str, Named(SCHEDULERS)] = "proportional-fair"
    preemption: bool = False  # urgent occasions interrupt downlink transmissions as long as a slot
    pf_time: NonNegativeNs = Field(default=100_000_000, gt=0)
    combining: Literal["ir", "chase"] = "ir"
    transmissions: int = Field(default=4, ge=1, le=16)
    processes: Literal[16, 32] | None = None  # None: 32 at 480 and 960 kHz, else 16
    k0: int = Field(default=0, ge=0, le=32)  # least slots from an assignment to its data
    k1: int = Field(default=0, ge=0, le=15)  # least slots from data to its feedback
    k2: int = Field(default=0, ge=0, le=32)  # least slots from a grant to its data
    lead: NonNegativeNs = 0  # that the scheduler works ahead of the air
    grants: int | None = Field(default=None, ge=1)  # most new blocks of a cell, direction and occasion
    grant_cap: Bytes | None = Field(default=None, ge=8)  # most bytes of an uplink grant
    gap_period: NonNegativeNs = 0  # between measurement gaps of a terminal, 0 for none
    gap_length: NonNegativeNs = 6_000_000
    control: Literal["real", "ideal"] = "real"  # ideal: never lost, takes no time, no SSB and no PRACH
    sr_period: int = Field(default=1, ge=1)
    sr_prohibit: NonNegativeNs = 0  # from a request to the next one
    sr_transmissions: int = Field(default=64, ge=1, le=64)  # of one request, then random access
    sr_false_alarm: float = Field(default=4.5e-5, ge=1e-6, le=0.1)  # of a request: e^-10, 10 dB above noise, as OAI's
    false_alarm: float = Field(default=0.01, ge=1e-6, le=0.1)  # of feedback: TS 38.104 8.3 allows 1 %
    ssb_period: NonNegativeNs = Field(default=20_000_000, gt=0)
    ssb_beams: int | None = Field(default=None, ge=1, le=64)  # of a burst; None: all, up to what the band allows
    beams: Literal["swept", "ideal"] = "swept"  # of arrays of antennas; ideal: the best one at every trace
    beam_delay: NonNegativeNs = 7_000_000  # from the end of a sweep to the use of the best beam
    beam_failure_period: NonNegativeNs = Field(default=10_000_000, ge=2_000_000)  # of looks at the beam in use
    beam_failure_count: int = Field(default=4, ge=1, le=10)
    beam_failure_timer: int = Field(default=2, ge=1, le=10)  # periods without an instance, then the count begins anew
    prach_period: NonNegativeNs = Field(default=10_000_000, gt=0)
    preambles: int = Field(default=54, ge=1, le=64)  # for contention; 10 more without
    response_window: NonNegativeNs = 10_000_000  # for the answer to a preamble
    contention_timer: NonNegativeNs = 64_000_000  # for the answer to message 3
    backoff: NonNegativeNs = 20_000_000  # at most, after a collision
    preamble_transmissions: int = Field(default=10, ge=1, le=200)  # then the access has failed
    sr_grant: Bytes = Field(default=200, ge=8)
    cqi_period: NonNegativeNs = 20_000_000
    cqi_delay: NonNegativeNs = 4_000_000
    olla_step: GainDb = Field(default=0.5, ge=0)
    p0: PowerDbm | None = None  # None: terminals send with all their power
    alpha: float = Field(default=1.0, ge=0, le=1)
    self_interference: GainDb = 0.0

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, data: Any) -> Any:
        """Take what isn't stated from the preset."""
        name = data.get("preset") if isinstance(data, dict) else None
        return {**PRESETS[name].settings, **data} if isinstance(name, str) and name in PRESETS else data


class QosSpec(Spec):
    """How packets of one kind are treated; 5QI characteristics of TS 23.501 5.7.3."""

    priority: int = Field(default=50, ge=1, le=127)
    delay_budget: NonNegativeNs = 100_000_000
    error_target: float = Field(default=0.1, gt=0, lt=1)
    survival_time: NonNegativeNs = 0  # without a message; 0: for ever
    discard: NonNegativeNs = 0  # discardTimer, 0 for infinity
    uplink: Literal["dynamic", "configured"] = "dynamic"
    downlink: Literal["dynamic", "semi-persistent"] = "dynamic"
    period: int = Field(default=1, ge=1, le=5120)  # occasions between persistent allocations
    size: Bytes = Field(default=100, ge=1)  # what one persistent allocation must hold, headers excluded
    duration: Literal["occasion", "slot"] = "occasion"


class MobilitySpec(Spec):
    """Handover by event A3 (TS 38.331 5.5.4.4) and radio link failure (5.3.10)."""

    offset: GainDb = 3.0  # a3-Offset + hysteresis
    time_to_trigger: NonNegativeNs = 160_000_000
    filter: int = Field(default=4, ge=0, le=19)  # k: a measurement counts 1 / 2^(k / 4) every 200 ms
    interruption: NonNegativeNs = 40_000_000
    conditional: bool = False  # executed by the terminal: needs no command over the failing cell
    q_out: GainDb = -8.0  # out of sync below
    q_in: GainDb = -6.0  # in sync above
    t310: NonNegativeNs = 1_000_000_000
    reestablishment: NonNegativeNs = 100_000_000
    max_terminals: int | None = Field(default=None, ge=1)  # admitted per cell

    @model_validator(mode="after")
    def _in_order(self) -> MobilitySpec:
        if self.q_in < self.q_out:
            raise ValueError("`q_in` is less than `q_out`")
        return self


class BackgroundSpec(Spec):
    """Load of one kind: full buffers, FTP model 3 (TR 36.872), regular frames, or XR frames (TR 38.838)."""

    model: Literal["full-buffer", "ftp3", "frames", "xr"]
    terminals: tuple[str, ...] = Field(min_length=1)  # names of robots
    direction: Literal["uplink", "downlink"] = "downlink"
    qos: str = "background"  # class of service, as of packets of this kind
    rate: float = Field(default=60.0, gt=0)  # files or frames per second
    size: Bytes = Field(default=62_500, ge=1)  # bytes of a file or frame, on average: 30 Mbit/s at 60 per second


class SidelinkSpec(Spec):
    """Direct links between robots, in a resource pool of their own (SL-ResourcePool, TS 38.331 6.3.5)."""

    frequency: Hertz = 3.5e9  # robots with a radio there are members
    mode: Literal[1, 2] = 1  # reservations allotted without conflict, or drawn by each robot without sensing
    scs: Hertz = 30e3
    capability: Literal[1, 2] = 1
    subchannel_prbs: Literal[10, 12, 15, 20, 25, 50, 75, 100] = 20  # sl-SubchannelSize
    subchannels: int = Field(default=1, ge=1, le=27)  # sl-NumSubchannel
    period: int = Field(default=20, ge=4)  # slots between reservations; feedback comes within 4
    mcs: int = Field(default=10, ge=0, le=28)  # of the 64QAM table
    transmissions: int = Field(default=4, ge=1, le=32)  # of one block, at most
    discard: NonNegativeNs = 1_000_000_000  # 0 for infinity
    header: Bytes = 32
    segment_header: Bytes = 5


class NrSpec(Spec):
    """A slot-level NR network: carriers, classes of service by kind of packet, and the core behind them."""

    hops: ClassVar = True  # packets know when they crossed a radio link
    kind: Literal["nr"]
    carriers: dict[str, CarrierSpec] = Field(default={"n78": CarrierSpec()}, min_length=1)
    qos: dict[str, QosSpec] = {}  # by kind of packet; "default" for all others
    header: Bytes = 32  # IPv4 20, UDP 8, SDAP 1, PDCP 3
    segment_header: Bytes = 5  # RLC 2, MAC 3
    backhaul: NonNegativeNs = 500_000
    backhaul_rate: BitRate | None = Field(default=None, gt=0)  # of each edge server's cable, each direction
    edges: dict[str, NonNegativeNs] = {}  # backhaul to edge servers that differ, by name
    background: tuple[BackgroundSpec, ...] = ()
    mobility: MobilitySpec = MobilitySpec()
    sidelink: SidelinkSpec | None = None  # between robots; else their packets go up and down
    terminal_jitter: Jitter = Jitter()
    base_station_jitter: Jitter = Jitter()
    delay_budget: NonNegativeNs = 40_000_000
