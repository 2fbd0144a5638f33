"""What robot.toml and the parts of a scenario say, validated; plain data, no simulator and no mesa."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator

from twin.base_spec import Point as Point
from twin.base_spec import Spec as Spec
from twin.errors import ScenarioError
from twin.mechanism.urdf import movable_joints
from twin.radio_specs import Jitter as Jitter
from twin.radio_specs import NrSpec as NrSpec
from twin.radio_specs import OverSeaSpec as OverSeaSpec
from twin.radio_specs import SidelinkSpec
from twin.sensor_specs import BatterySensorSpec as BatterySensorSpec
from twin.sensor_specs import CameraSpec as CameraSpec
from twin.sensor_specs import JointsNoise as JointsNoise
from twin.sensor_specs import JointsSpec as JointsSpec
from twin.sensor_specs import LidarSpec as LidarSpec
from twin.sensor_specs import NavigationNoise as NavigationNoise
from twin.sensor_specs import NavigationSpec as NavigationSpec
from twin.sensor_specs import OdometrySpec as OdometrySpec
from twin.sensor_specs import SensorSpec as SensorSpec
from twin.sensor_specs import ToolForceSpec as ToolForceSpec
from twin.state import F64
from twin.task_specs import FormationSpec as FormationSpec
from twin.task_specs import HoverSpec as HoverSpec
from twin.task_specs import LandingSpec as LandingSpec
from twin.task_specs import PickingSpec as PickingSpec
from twin.task_specs import RoundsSpec as RoundsSpec
from twin.task_specs import RouteSpec as RouteSpec
from twin.task_specs import TaskSpec as TaskSpec
from twin.task_specs import TeleoperationSpec as TeleoperationSpec
from twin.units import (
    BitRate,
    Bytes,
    GainDb,
    Hertz,
    Kelvin,
    Metres,
    NonNegativeNs,
    Pascal,
    PowerDbm,
    Radians,
    RainRate,
    RateHz,
    parse_quantity,
)

if TYPE_CHECKING:
    from twin.protocols import Task

Probability = Annotated[float, Field(ge=0, le=1)]


class CommandField(Spec):
    """One named part of a robot's command vector."""

    name: str
    size: int = Field(default=1, ge=1)
    unit: str
    description: str = ""
    lower: float = -float("inf")
    upper: float = float("inf")
    initial: float = 0.0
    joints: Literal["position", "velocity", "effort"] | None = None  # of the first `size` joints, with their limits

    model_config = ConfigDict(allow_inf_nan=True)


class BodySpec(Spec):
    """A body for physics: its URDF, what turns commands into forces, and the command's fields."""

    urdf: Path  # beside robot.toml, or "package:path" in an installed package
    fixed: bool = False  # its root link is bolted to the world
    rate: RateHz | None = None  # of its physics, a multiple of the scenario's; None: that one
    zone: tuple[Point, Point] | None = None  # m, box that its centre of mass never leaves; else the run ends
    dynamics: str
    parameters: dict[str, Any] = {}
    command: tuple[CommandField, ...]
    start: tuple[Radians, ...] = ()  # rad or m, position of each joint that moves; none: all at 0

    @model_validator(mode="after")
    def _has_a_box_for_a_zone(self) -> Self:
        if self.zone is not None and (self.fixed or not all(a < b for a, b in zip(*self.zone, strict=True))):
            what = "a fixed body" if self.fixed else f"{self.zone}"
            raise ValueError(f"found a zone of {what}; allowed: lower and upper corner of a box, of one that moves")
        return self

    @property
    def width(self) -> int:
        """Length of the command vector."""
        return sum(field.size for field in self.command)

    @property
    def components(self) -> list[str]:
        """Names of the command vector's numbers."""
        return [f.name if f.size == 1 else f"{f.name}.{i}" for f in self.command for i in range(f.size)]

    def vector(self, bound: Literal["lower", "upper", "initial"]) -> F64:
        """Return that bound of the command vector, shape (width,).

        Raises:
            ScenarioError: a field stands for more joints than the URDF has, or `start` for others than it has.
        """
        return np.concatenate([np.zeros(0), *(self._bound(field, bound) for field in self.command)])

    def joint_start(self) -> F64:
        """Return the position (J,) of each movable joint at the start.

        Raises:
            ScenarioError: `start` doesn't have one for each.
        """
        joints = len(movable_joints(self.urdf))
        if self.start and len(self.start) != joints:
            message = f"found {len(self.start)} positions; allowed: {joints}, one for each joint of {self.urdf.name}"
            raise ScenarioError(message, key="body.start")
        return np.array(self.start) if self.start else np.zeros(joints)

    def _bound(self, field: CommandField, bound: Literal["lower", "upper", "initial"]) -> F64:
        if field.joints is None:
            return np.full(field.size, getattr(field, bound))
        joints = movable_joints(self.urdf)[: field.size]
        if len(joints) < field.size:
            message = f"{field.name} stands for {field.size} joints, but {self.urdf.name} has {len(joints)}"
            raise ScenarioError(message, key="body.command")
        if bound == "initial":
            return self.joint_start()[: field.size] if field.joints == "position" else np.zeros(field.size)
        if field.joints == "position":
            return np.array([getattr(joint, bound) for joint in joints])
        sign = -1.0 if bound == "lower" else 1.0
        return sign * np.array([getattr(joint, field.joints) for joint in joints])


class AntennaSpec(Spec):
    """An antenna: the pattern of its elements, how it is turned on its mount, and the planar array of elements.

    The boresight is the mount's x axis, turned by roll, then tilted down, then turned to `azimuth` (counter-
    clockwise seen from above, from x). A dipole stands along z. Elements of an array lie in the y-z plane.
    """

    pattern: Literal["isotropic", "dipole", "tr38901"] | Path = "isotropic"  # a path is an MSI file
    slant: Radians = 0.0  # of the polarisation: 0 vertical, pi/2 horizontal
    azimuth: Radians = 0.0
    downtilt: Radians = 0.0
    roll: Radians = 0.0
    rows: int = Field(default=1, ge=1, le=64)
    columns: int = Field(default=1, ge=1, le=64)
    spacing: tuple[PositiveFloat, PositiveFloat] = (0.5, 0.5)  # between rows and between columns, in wavelengths
    beam: Literal["broadside", "dft", "mrc"] = "dft"  # fixed; the best of a DFT codebook; maximum ratio


class RadioSpec(Spec):
    """One radio of a robot; its antenna sits at `mount` in body axes."""

    carrier: Hertz = Field(default=3.5e9, ge=0.5e9, le=300e9)
    power: PowerDbm = 23.0
    gain: GainDb = 0.0
    noise_figure: GainDb = 7.0
    mount: Point = (0.0, 0.0, 0.0)
    antenna: AntennaSpec = AntennaSpec()


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


class RobotKind(Spec):
    """A robot folder's robot.toml."""

    schema_: Literal[1] = Field(alias="schema")
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


@dataclass(frozen=True, slots=True)
class RobotSpec:
    """One robot of a scenario: its kind, its place in its group, its task and its controller's parameters."""

    name: str
    group: str
    row: int
    kind: RobotKind
    task: Task | None = None
    parameters: Any = None


class FreeSpaceSpec(Spec):
    """Free space with line of sight through the world; a blocked path loses `blockage_loss`."""

    kind: Literal["freespace"] = "freespace"
    blockage_loss: GainDb = Field(default=25.0, ge=0)
    peers: bool | None = None  # links of two moving radios; None: on carriers without a fixed one, or for a sidelink
    sea: OverSeaSpec | Literal[False] = False  # what cuts rays over the sea; without reflections


class SurfaceSpec(Spec):
    """How the faces of one material meet a wave, besides their permittivity."""

    thickness: Metres | None = Field(default=None, gt=0)  # of the slab, instead of the world's
    transparent: bool = False  # paths pass through; needs a thickness, here or in the world
    roughness: Metres = Field(default=0.0, ge=0)  # standard deviation of height, for the specular part


class AtmosphereSpec(Spec):
    """Air and rain; the default is the reference atmosphere at sea level without rain."""

    pressure: Pascal = Field(default=101_325.0, gt=0)  # of dry air and vapour together
    temperature: Kelvin = Field(default=288.15, gt=0)
    vapour: float = Field(default=7.5, ge=0)  # g/m3
    rain: RainRate = Field(default=0.0, ge=0)


class RayTracingSpec(Spec):
    """Paths found by rays and images, with reflections up to `order`."""

    kind: Literal["raytracing"] = "raytracing"
    order: int = Field(default=3, ge=0, le=8)
    diffraction: bool = False  # on edges, also with one reflection before or after
    mode: Literal["kinetic", "exhaustive"] = "kinetic"
    rays: int = Field(default=300_000, ge=0)  # for the first search from a place
    rays_per_metre: int = Field(default=150_000, ge=0)  # of a moving source
    max_paths: int = Field(default=64, ge=1)
    blockers: bool = True  # robots block and reflect
    peers: bool | None = None  # links of two moving radios; None: on carriers without a fixed one, or for a sidelink
    surfaces: dict[str, SurfaceSpec] = {}
    atmosphere: AtmosphereSpec = AtmosphereSpec()
    sea: OverSeaSpec | Literal[False] = OverSeaSpec()  # where the world has one


ChannelSpec = Annotated[FreeSpaceSpec | RayTracingSpec, Field(discriminator="kind")]


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
    delay_budget: NonNegativeNs = 40_000_000


class RecordedSpec(Spec):
    """The packet fates of a recorded run: each packet fares as the recorded one of its flow at its time."""

    kind: Literal["recorded"]
    recording: Path
    delay_budget: NonNegativeNs = 40_000_000


NetworkSpec = Annotated[
    IdealSpec | FixedSpec | SimpleSpec | TraceSpec | RecordedSpec | NrSpec,
    Field(discriminator="kind"),
]
