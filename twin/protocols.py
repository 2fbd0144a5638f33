"""The slots of the loop that can be replaced; build.py chooses an implementation for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from twin.clock import NS
from twin.scan import Cpi
from twin.specs.robot import RobotKind
from twin.specs.service import ExternalSpec
from twin.state import (
    F64,
    I64,
    Action,
    BodyState,
    Commands,
    Event,
    Frame,
    LinkState,
    Node,
    Observation,
    Packet,
    Reference,
    Sample,
    Truth,
)


@dataclass(frozen=True, slots=True)
class RobotSpec:
    """One robot of a scenario: its kind, its place in its group, its task and its controller's parameters."""

    name: str
    group: str
    row: int
    kind: RobotKind
    task: Task | None = None
    parameters: Any = None


class Physics(Protocol):
    """Moves all bodies."""

    def reset(self) -> BodyState:
        """Place all bodies at their starts."""

    def step(self, commands: Commands) -> tuple[BodyState, list[Event]]:
        """Advance by one tick under the held commands; events carry the time of the new tick."""


class Dynamics(Protocol):
    """Turns commands into forces, for all robots of one group in one call.

    With the attribute `midway = True` it is given the state in the middle of the step that it tells the wrench for,
    and free bodies then move to the second order of the step; without it, the state at the start.
    """

    def reset(self) -> None:
        """Reset internal state (rotor speeds, ...) to that of the initial command."""

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return force [N] and torque [N m] at the centre of mass for the next `dt` s: (n, 6), world axes."""


@runtime_checkable
class DrivesJoints(Protocol):
    """A dynamics that has drives in its joints, too."""

    def joint_effort(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return torque [N m] or force [N] of each movable joint's drive for the next `dt` s: (n, J)."""


@runtime_checkable
class HasLoops(Protocol):
    """A dynamics with control loops of its own, which a step must be short enough for."""

    @property
    def loops(self) -> Mapping[str, tuple[float, float]]:
        """What each loop asks for per gap and per speed [1/s2, 1/s], by name."""


@runtime_checkable
class Breakable(Protocol):
    """A dynamics whose bodies break when something hits them."""

    def strike(self, row: int, speed: float) -> bool:
        """Let something hit the body of robot `row` at `speed` [m/s]; return whether that broke it."""


@runtime_checkable
class Gauged(Protocol):
    """A dynamics with internal state worth logging."""

    def gauges(self) -> Mapping[str, F64]:
        """Return values (n,) in SI by name, as they are now: logged at each robot's control ticks."""


class Channel(Protocol):
    """Propagation between all radio pairs."""

    def trace(self, time: int, bodies: BodyState) -> LinkState:
        """Return the links for this instant (ns)."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What was clipped or approximated so far: name -> times; printed, and part of a run's summary."""


class Sensing(Protocol):
    """Base stations that see."""

    def look(self, time: int, bodies: BodyState) -> Sequence[Packet]:
        """Return the packets with what CPIs saw whose middle was reached at `time` [ns]."""

    def told(self) -> Sequence[Cpi]:
        """Return, and forget, the CPIs since the last call."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Deliveries that the loop hands over at once, in order of arrival."""

    time: int  # ns, of its last instant
    packets: Sequence[Packet]
    wakes: Sequence[tuple[int, int]]  # (time ns, node index), timers of nodes without a body


class Network(Protocol):
    """Carries packets: what is sent enters at its `created` time, which may lie ahead of now."""

    def send(self, packets: Sequence[Packet]) -> None:
        """Take packets over."""

    def wake(self, node: int, time: int) -> None:
        """Set a timer of a node without a body: an event in the same queue as the packets."""

    def run(self, until: int, links: LinkState) -> Iterator[Batch]:
        """Yield deliveries up to and including `until`, taking in what is sent between two of them."""

    def settled(self) -> list[Packet]:
        """Return, and forget, the packets whose fate was decided since the last call."""

    def queued(self) -> list[Packet]:
        """Return the packets that are still under way."""

    def events(self) -> list[Event]:
        """Return, and forget, what happened to links since the last call: handovers, failures, ..."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What was refused, borrowed, joined or carried beside packets so far: name -> times, as of a channel."""


@dataclass(frozen=True, slots=True)
class Field:
    """One named part of a reading: an array (size,)."""

    size: int
    unit: str
    description: str
    noise: float  # standard deviation
    noise_unit: str


class Sensor(Protocol):
    """Reads the truth with noise and delay, for all robots of one group."""

    def read(self, truth: Truth, index: I64, rows: I64) -> Sequence[Sample]:
        """Return one sample per body in `index` (k,), as `Readings` where they are columns of arrays.

        `rows` (k,) are the robots' rows in their group.
        """


@runtime_checkable
class Tells(Protocol):
    """A sensor that has something to say beside its readings."""

    def events(self) -> list[Event]:
        """Return, and forget, what happened since the last call: a fix lost, a track found, ..."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A sensor whose readings leave as packets of their own: reading n is made at n * 10**9 // rate ns."""

    kind: str  # of the packets
    size: int  # bytes
    rate: int  # Hz
    delay: int  # ns, from reading to leaving
    sensor: Sensor

    def beats(self, start: int, stop: int) -> range:
        """Return the numbers of the readings in start <= time < stop [ns]."""
        return range(-(-start * self.rate // NS), -(-stop * self.rate // NS))


@runtime_checkable
class Controller(Protocol):
    """Decides for one robot.

    Optional attributes and methods:

    - `runs_on = "edge"` or `"onboard"` (default "edge");
    - `trigger = "arrival"` or a rate such as `"50 Hz"`, at the edge only (default "arrival");
    - `service_time = "2 ms"`: compute time at the edge (default 0), or a table such as
      `{kind = "normal", mean = "2 ms", deviation = "0.3 ms"}` (all kinds: `twin.specs`);
    - `telemetry_size(spec, sample) -> int`, a static method: bytes of a sample on its way to the edge, in the encoding
      that this controller reads (default: the robot's `telemetry`);
    - `Parameters`: a pydantic model that validates the scenario's `parameters` table;
    - `hears = ("deck",)`: at the edge, other robots whose messages to the edge reach its inbox; none triggers it;
    - `meet(controllers)`, a static method: all robots of one entry, once before the run, to share what they know;
      it then runs at the edge only, since on board no network would carry what they share;
    - `act_batch(controllers, observations) -> actions`, a static method: all robots due at once. On board the
      observations are an `Observations`, whose columns are arrays; the answer may be an `Actions`.
    """

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is, what its task is, and forget the past."""

    def act(self, observation: Observation) -> Action:
        """Decide."""


class Conversation(Protocol):
    """What a class of controllers that run in another process has as `link`: how its robots talk to them."""

    name: str
    spec: ExternalSpec

    def enter(self, world: Any) -> None:
        """Learn of the world, before anything is asked."""

    def close(self) -> None:
        """End it; nothing is asked any more."""


class ServiceTime(Protocol):
    """How long one controller computes; `least` [ns] is never undercut."""

    least: int
    measured: bool  # by the wall clock, now or in a recorded run: then each time is logged

    def draw(self, run: int) -> int | None:
        """Return the time [ns] of the controller's run number `run`; None: take the time that it takes."""


@runtime_checkable
class Host(Protocol):
    """A node that runs controllers of remote robots."""

    def host(
        self, spec: RobotSpec, node: int, controller: Controller, service_time: ServiceTime, rate: int | None
    ) -> None:
        """Take in the controller of the robot at `node`: its service time; a timer's rate [Hz] or None."""


class Failsafe(Protocol):
    """Mode transitions of a robot: it takes over where the controller's word is missing.

    It is there where that can happen; with the attribute `always = True` also where the controller is on board.
    `calm(failsafes, observations)`, a static method, is optional: it looks at all robots due at once, and says which
    are in nominal mode and stay there, whose `update` then isn't asked.
    """

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in the mode "nominal"."""

    def update(self, observation: Observation) -> str:
        """Return the mode for now; in any but "nominal", `act` decides instead of the controller."""

    def act(self, observation: Observation) -> Action:
        """Decide without the controller."""


class Judge(Protocol):
    """Takes a run or its recording frame by frame and tells how well a task was done."""

    def take(self, frame: Frame) -> None:
        """Add one frame."""

    def figures(self) -> Mapping[str, float | None]:
        """Return figures by their names in `twin.specs.figures`, in SI; None for one that there is not."""


class Task(Protocol):
    """The goal of a group of robots; the same code judges a run and a recording."""

    def judge(self, group: str, nodes: Sequence[Node]) -> Judge | None:
        """Return what judges the robots of `group` among all `nodes`; None if there is no figure of its own."""


@runtime_checkable
class Starts(Task, Protocol):
    """A task that says where its robots start."""

    def start(self, row: int) -> Reference:
        """Return place and heading of robot `row` of the group at time 0."""


@runtime_checkable
class Recharges(Task, Protocol):
    """A task that says where batteries are charged."""

    @property
    def stations(self) -> F64:
        """Places of the chargers on the floor, (S, 2) m."""


@runtime_checkable
class Course(Task, Protocol):
    """A task that says at all times where each robot's body should be: its tracking error is a figure of the run."""

    def reference(self, row: int, time: float) -> Reference:
        """Return where robot `row` of the group should be at `time` [s]; at 0 it starts there."""


@runtime_checkable
class SharedCourse(Course, Protocol):
    """A course that can say for many robots at once where they should be."""

    def positions(self, rows: I64, time: float) -> F64:
        """Return the positions of `reference` for robots `rows` (k,), (k, 3) m."""
