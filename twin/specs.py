"""What robot.toml and the parts of a scenario say, validated; plain data, no simulator and no mesa."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat

from twin.base_spec import Point as Point
from twin.base_spec import Spec as Spec
from twin.body_specs import BodySpec as BodySpec
from twin.body_specs import CommandField as CommandField
from twin.radio_specs import Jitter as Jitter
from twin.radio_specs import NrSpec as NrSpec
from twin.radio_specs import OverSeaSpec as OverSeaSpec
from twin.radio_specs import SidelinkSpec
from twin.sensor_specs import AltimeterSpec as AltimeterSpec
from twin.sensor_specs import BarometerSpec as BarometerSpec
from twin.sensor_specs import BatterySensorSpec as BatterySensorSpec
from twin.sensor_specs import CameraSpec as CameraSpec
from twin.sensor_specs import CompassSpec as CompassSpec
from twin.sensor_specs import EstimateSpec as EstimateSpec
from twin.sensor_specs import GnssSpec as GnssSpec
from twin.sensor_specs import ImuSpec as ImuSpec
from twin.sensor_specs import JointsNoise as JointsNoise
from twin.sensor_specs import JointsSpec as JointsSpec
from twin.sensor_specs import LidarSpec as LidarSpec
from twin.sensor_specs import NavigationNoise as NavigationNoise
from twin.sensor_specs import NavigationSpec as NavigationSpec
from twin.sensor_specs import OdometrySpec as OdometrySpec
from twin.sensor_specs import SensorSpec as SensorSpec
from twin.sensor_specs import ToolForceSpec as ToolForceSpec
from twin.sensor_specs import VacuumSensorSpec as VacuumSensorSpec
from twin.service_specs import ExponentialTime as ExponentialTime
from twin.service_specs import ExternalSpec as ExternalSpec
from twin.service_specs import FixedTime as FixedTime
from twin.service_specs import MeasuredTime as MeasuredTime
from twin.service_specs import NormalTime as NormalTime
from twin.service_specs import RecordedTime as RecordedTime
from twin.service_specs import ServerSpec as ServerSpec
from twin.service_specs import ServiceTimeSpec as ServiceTimeSpec
from twin.service_specs import UniformTime as UniformTime
from twin.task_specs import FormationSpec as FormationSpec
from twin.task_specs import HandOverSpec as HandOverSpec
from twin.task_specs import HoverSpec as HoverSpec
from twin.task_specs import LandingSpec as LandingSpec
from twin.task_specs import MissionSpec as MissionSpec
from twin.task_specs import PickingSpec as PickingSpec
from twin.task_specs import RoundsSpec as RoundsSpec
from twin.task_specs import RouteSpec as RouteSpec
from twin.task_specs import TaskSpec as TaskSpec
from twin.task_specs import TeleoperationSpec as TeleoperationSpec
from twin.task_specs import ToolPathSpec as ToolPathSpec
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
)

if TYPE_CHECKING:
    from twin.protocols import Task

Probability = Annotated[float, Field(ge=0, le=1)]


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


class RobotKind(Spec):
    """A robot folder's robot.toml."""

    schema_: Literal[1] = Field(alias="schema")
    like: str | None = None  # another robot, whose robot.toml and files hold where this one says nothing
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
    scattering: float = Field(default=0.0, ge=0, le=1)  # S: part of the reflected amplitude that is diffuse
    alpha_r: int = Field(default=4, ge=0, le=20)  # exponent of the scattered lobe; 0 is the widest, Lambert's
    k_x: float = Field(default=0.0, ge=0, le=0.5)  # part of the scattered power in the other polarisation


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
    tile: Metres = Field(default=5.0, gt=0)  # longest edge of the triangles that scatter as a whole
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
