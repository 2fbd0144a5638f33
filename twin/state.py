"""What flows through the loop: plain values, arrays where there are many (N bodies, L links, P paths)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twin.scan import Cpi

F64 = NDArray[np.float64]
C128 = NDArray[np.complex128]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

NEVER = -1
"""Stands for a time that has not come."""

NOMINAL = "nominal"
"""The mode in which a robot follows its controller."""
TELEMETRY, COMMAND = "telemetry", "command"
"""Kinds of packets that the loop itself knows."""
INPUT = "input"
"""Kind of the event that holds what came to a controller from outside of the twin."""
CONTROLLER_FAULT = "controller"
"""Kind of the event that says what kept a controller from deciding."""
CLIPPED = "clipped"
"""Name under which each command that was kept within its limits is logged, by how far it was beyond them."""
MEASURED = "compute_ns"
"""Name under which measured service times [ns] are logged."""


class Rigid(NamedTuple):
    """Pose and motion of n bodies in world axes, as kernels take them."""

    position: F64  # (n, 3) m, of the centre of mass
    orientation: F64  # (n, 4) quaternion xyzw, body to world
    velocity: F64  # (n, 3) m/s
    angular_velocity: F64  # (n, 3) rad/s


@dataclass(frozen=True, slots=True, eq=False)
class BodyState:
    """True pose and motion of all bodies at one tick, in world ENU axes."""

    position: F64  # (N, 3) m, of the centre of mass
    orientation: F64  # (N, 4) quaternion xyzw, body (x forward, y left, z up) to world
    velocity: F64  # (N, 3) m/s
    angular_velocity: F64  # (N, 3) rad/s, world axes
    joint_position: F64  # (J,) rad or m, all bodies' joints one after another
    joint_velocity: F64  # (J,) rad/s or m/s
    joint_offset: I64  # (N + 1,) body i owns joints joint_offset[i]:joint_offset[i + 1]
    joint_effort: F64 = field(default_factory=lambda: np.zeros(0))  # (J,) N m or N of the drives in the last tick

    @property
    def rigid(self) -> Rigid:
        """The bodies without their joints, as kernels take them."""
        return Rigid(self.position, self.orientation, self.velocity, self.angular_velocity)


@dataclass(frozen=True, slots=True, eq=False)
class LinkState:
    """Radio links between pairs of radios at the instant of the last trace; a link serves both directions."""

    time: int  # ns
    a: I32  # (L,) radio index
    b: I32  # (L,) radio index, a < b
    path_gain_db: F64  # (L,) power gain of all paths, antennas included; -inf without a path
    los: Bool  # (L,) no obstacle between the two radios
    path_offset: I64  # (L + 1,) link i owns paths path_offset[i]:path_offset[i + 1]
    path_amplitude: C128  # (P,) field gain at the carrier, phase included
    path_delay: F64  # (P,) s
    path_doppler: F64  # (P,) Hz, positive when the path shortens
    path_departure: F64  # (P, 3) unit vector from radio a, world
    path_arrival: F64  # (P, 3) unit vector from radio b towards the wave's origin, world


@dataclass(frozen=True, slots=True, eq=False)
class RoutedLinks(LinkState):
    """Links that know where each path went: from radio a over its first vertices to radio b."""

    path_length: I32  # (P,) interactions of each path
    path_vertex: F64  # (P, K, 3) m, of the interactions; zero beyond the last


@dataclass(frozen=True, slots=True, eq=False)
class TracedLinks(RoutedLinks):
    """What a ray tracer knows besides: spreads weighted by power, beams, and what each path met."""

    k_factor_db: F64  # (L,) direct path over the rest; -inf without a direct path, inf without a rest
    delay_spread: F64  # (L,) s, root mean square
    doppler_spread: F64  # (L,) Hz, root mean square
    angular_spread: F64  # (L, 2) rad, circular spread of azimuth at a and at b
    dropped_db: F64  # (L,) power gain of the paths beyond the limit; -inf where none was dropped
    beam: I32  # (L, 2) DFT beam of a and b, row * columns + column; -1 for other beams
    path_element: C128  # (P,) field gain between single elements of the two arrays
    path_phase: F64  # (2, P, 2) rad between rows and between columns, of the array of a and of b
    path_transfer: C128  # (P, 2, 2) theta and phi at b by theta and phi at a, without antennas and spread
    path_kind: I32  # (P, K) 0 reflection, 1 transmission, 2 diffraction, 3 off a moving hull, 4 scattering; -1 none
    path_face: I32  # (P, K) face of the geometry, edge, or face of a hull; -1 none


def no_links(time: int = 0) -> LinkState:
    """Return the links of a world without radios."""
    none, ends = np.empty(0), np.empty(0, np.int32)
    return LinkState(time, ends, ends, none, np.empty(0, np.bool_), np.zeros(1, np.int64), np.empty(0, complex),
                     none, none, np.empty((0, 3)), np.empty((0, 3)))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The world as it is, for sensors to read: at one instant its bodies, and its links as of the last trace."""

    time: int  # ns
    bodies: BodyState
    links: LinkState = field(default_factory=no_links)


REPEATS = 8
"""Retransmissions of a packet over one radio link whose times are kept."""


class Hop(NamedTuple):
    """A packet's way over one radio link; times in ns, NEVER for what did not happen."""

    queued: int  # processed by the sender and visible to its MAC
    occasion: int  # start of the next occasion for data in that direction
    alone: int  # start of the first transmission had nobody else sent: with request and grant, where it needs them
    first: int  # start of the first transmission
    transmissions: int  # of blocks with a part of it
    retransmissions: int  # how many of them were such
    retransmitted: tuple[int, ...]  # starts of the first REPEATS of those
    decoded: int

    def packed(self) -> bytes:
        """Return the same as packets hold it, see HOP."""
        *before, again, decoded = self
        return HOP.pack(*before, decoded, *again, *(NEVER,) * (REPEATS - len(again)))


HOP = Struct(f"{len(Hop._fields) - 1 + REPEATS}q")
"""A `Hop` in bytes: its times of retransmissions stand last, NEVER where there is none."""


def unpacked(packed: bytes) -> Hop | None:
    """Return the hop that was packed; None where there is none."""
    if not packed:
        return None
    queued, occasion, alone, first, sent, again, decoded, *starts = HOP.unpack(packed)
    return Hop(queued, occasion, alone, first, sent, again, tuple(t for t in starts if t != NEVER), decoded)


@dataclass(slots=True, eq=False)
class Packet:
    """One packet and its fate; times in ns."""

    source: int  # node index
    destination: int  # node index
    kind: str  # "telemetry", "command" or a controller's own
    sequence: int  # per flow (source, destination, kind), from 0
    size: int  # bytes handed to the network
    created: int  # when it entered the sender's queue
    stamp: int  # time of the sensor sample that it carries or answers
    payload: Any
    arrived: int = NEVER
    fate: str = "queued"  # queued, delivered, or the reason of the loss
    up: bytes = b""  # `uplink`, packed
    down: bytes = b""  # `downlink`, packed

    @property
    def uplink(self) -> Hop | None:
        """Its way over the radio of its source, once that is decided; over a sidelink as well."""
        return unpacked(self.up)

    @uplink.setter
    def uplink(self, hop: Hop | None) -> None:
        self.up = b"" if hop is None else hop.packed()

    @property
    def downlink(self) -> Hop | None:
        """Its way over the radio of its destination, once that is decided."""
        return unpacked(self.down)

    @downlink.setter
    def downlink(self, hop: Hop | None) -> None:
        self.down = b"" if hop is None else hop.packed()


@dataclass(frozen=True, slots=True)
class Message:
    """What a controller asks to be sent; its size must be stated, since the network carries bytes."""

    to: str
    payload: Any
    size: int
    kind: str = "message"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one instant, for people and metrics."""

    time: int  # ns
    kind: str  # contact, failsafe, clipped, handover, controller, ...
    robot: str
    detail: str = ""
    value: float = 0.0


@dataclass(slots=True, eq=False)
class Sample:
    """One reading of a robot's sensors: field name -> array (its shapes and units: `twin describe ROBOT`)."""

    time: int  # ns, when the world was as the reading says; of several sensors, that of the newest
    values: Mapping[str, F64]
    times: Mapping[str, int] = field(default_factory=dict)  # ns, of the fields where that is another

    def __getitem__(self, name: str) -> F64:
        try:
            return self.values[name]
        except KeyError:
            raise KeyError(f"no sensor reads {name}; there is: {', '.join(self.values) or 'nothing'}") from None

    def when(self, name: str) -> int:
        """Return when [ns] the world was as this field says."""
        return self.times.get(name, self.time)


class Readings(Sequence[Sample]):
    """The samples of k robots as columns; one's own sample is made when it is asked for."""

    def __init__(self, stamps: Sequence[int], columns: Mapping[str, F64]) -> None:
        self.stamps, self.columns = stamps, columns  # (k,) ns, and by field (k, width)

    def __len__(self) -> int:
        return len(self.stamps)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Sample(self.stamps[index], {name: column[index] for name, column in self.columns.items()})


@dataclass(slots=True, eq=False)
class Observation:
    """All that a controller may know when it decides: sensor samples and packets, never the truth."""

    time: int  # ns, now, where the controller runs
    robot: str  # the robot that it controls
    sensed: Sample | None  # newest sample known here; at the edge, the newest telemetry received
    inbox: tuple[Packet, ...] = ()  # other packets since the last act, in order of arrival
    heard: int = NEVER  # ns, when the newest command arrived at the robot (onboard: now)
    answers: int = NEVER  # ns, time of the sample that this command answers


@dataclass(slots=True, eq=False)
class Action:
    """What a controller decides: a command (None keeps the held one), messages, values to log."""

    command: F64 | None = None
    messages: tuple[Message, ...] = ()
    log: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""  # what kept the controller from deciding; recorded as an event
    inputs: tuple[str, ...] = ()  # what came from outside of the twin, recorded as events
    size: int | None = None  # bytes of the command on the network; None: the robot's own `command`


@dataclass(slots=True, eq=False)
class Actions:
    """What k controllers decide at once: for each a command, and numbers to log."""

    commands: F64  # (k, width)
    log: Mapping[str, F64] = field(default_factory=dict)  # by name (k,)

    def each(self) -> list[Action]:
        """Return the same, one by one."""
        log = {name: values.tolist() for name, values in self.log.items()}
        return [
            Action(command, log={name: values[i] for name, values in log.items()})
            for i, command in enumerate(self.commands)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Where a robot should be at one instant, in world axes."""

    position: F64  # (3,) m
    velocity: F64  # (3,) m/s
    acceleration: F64  # (3,) m/s2
    yaw: float  # rad
    parked: bool = False  # stands there, its drives stopped


class Commands:
    """The commands that hold until the next ones: per group an array (robots, command width)."""

    def __init__(self, initial: Mapping[str, F64]) -> None:
        self.values: dict[str, F64] = {name: np.array(value, dtype=float) for name, value in initial.items()}

    def held(self) -> dict[str, F64]:
        """Return the values as they are now; those that replace them are other arrays."""
        return dict(self.values)

    def hold(self, group: str, rows: I64, commands: F64) -> None:
        """Replace the held commands of a group's robots `rows` (k,) by `commands` (k, width)."""
        values = self.values[group].copy()
        values[rows] = commands
        self.values[group] = values


@dataclass(frozen=True, slots=True)
class Node:
    """Who stands at a node index: one robot of the scenario, with a body or without."""

    name: str
    group: str
    kind: str
    body: int = -1  # index into BodyState, -1 without one
    phase: int = 0  # of its control, in physics ticks
    send_offset: int = 0  # ns
    row: int = 0  # in its group


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The twin at one tick, with what happened since the frame before."""

    time: int  # ns
    bodies: BodyState
    links: LinkState
    commands: Mapping[str, F64]  # group -> (robots, width), held
    modes: Sequence[str]  # (nodes,) mode of each robot
    packets: Sequence[Packet] = ()  # whose fate was decided since the frame before
    events: Sequence[Event] = ()
    logs: Sequence[tuple[int, int, str, float]] = ()  # time ns, node, name, value
    cpis: Sequence[Cpi] = ()
