"""Vehicles under a fleet control: `controller = "vda5050:mqtt://127.0.0.1:1883"`, or what it said before, from a file.

Each robot is a vehicle with a session of its own; its name is its serial number. What comes over MQTT comes when it
comes: it is recorded as events of kind `input`, and `vda5050:run.h5` plays it again, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import atan2
from pathlib import Path
from re import fullmatch
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.errors import PluginError
from twin.interfaces.peers import LinkLost, give_up, is_loopback, secret_file
from twin.interfaces.vda5050.broker import Address, Listener, Mqtt, played
from twin.interfaces.vda5050.driving import DrivingSpec, drive
from twin.interfaces.vda5050.messages import (
    VERSION,
    AgvPosition,
    BatteryState,
    Connection,
    SafetyState,
    State,
    Velocity,
)
from twin.interfaces.vda5050.vehicle import Vehicle
from twin.project.plugins import Loaded
from twin.protocols import RobotSpec
from twin.specs import ExternalSpec
from twin.state import Action, Observation, Sample
from twin.units import NonNegativeNs
from twin.world.world import World

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""What the clocks of vehicles show at time 0."""
_STANDING = 0.02
"""m/s and rad/s below which a vehicle isn't driving."""
_GOOD = 80.0
"""% that a vehicle tells which doesn't measure its battery: "good" (VDA 5050, batteryState)."""


class VehicleSpec(DrivingSpec):
    """The `parameters` of a controller over VDA 5050."""

    interface: str = Field(default="uagv", pattern=r"^[^/+#]+$")  # first part of the topics
    manufacturer: str = Field(default="twin", pattern=r"^[^/+#]+$")
    state_period: NonNegativeNs = Field(default=NS, gt=0, le=30 * NS)  # between states in which nothing is new
    patience: NonNegativeNs = 0  # of real time: how long time stands still, once, when a vehicle has no order left


class Vehicles:
    """The vehicles of one scenario entry."""

    def __init__(self, name: str, spec: ExternalSpec, folders: Sequence[Path]) -> None:
        self.name, self.spec, self.folders = name, spec, folders
        self.address = _broker(name, spec, folders)
        self.map_id = ""
        self.closed = False
        self.vehicles: list[Agv] = []

    def enter(self, world: World) -> None:
        """The world's name is that of the vehicles' map."""
        self.map_id = world.name

    def file(self, robot: str) -> Listener | None:
        """Return what a robot hears by a file, None where a broker says it.

        Raises:
            ScenarioError: a line of the file is malformed.
            RecordingError: the recording can't be read.
        """
        return None if self.address else played(_file(self.name, self.folders), robot)

    def meet(self, prefix: str, will: str) -> Listener:
        """Begin a session with the broker.

        Raises:
            LinkLost: the broker isn't there.
        """
        assert self.address is not None, "files have no sessions"
        return Mqtt(self.address, prefix, will, self.spec.start_timeout)

    def close(self) -> None:
        """Let all vehicles say good-bye."""
        self.closed = True
        for vehicle in self.vehicles:
            vehicle.close()


class Agv:
    """Drives one robot by its orders, and tells its state: at each change, and every `state_period`."""

    Parameters = VehicleSpec
    runs_on = "onboard"
    link: ClassVar[Vehicles]

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is.

        Raises:
            PluginError: its command isn't speed and turning rate.
            ScenarioError: the file that it should play is malformed.
        """
        body = spec.kind.body
        assert body is not None, "only robots with bodies have controllers"
        if [(field.unit, field.size) for field in body.command] != [("m/s", 1), ("rad/s", 1)]:
            found = ", ".join(f"{field.size} x {field.name} in {field.unit}" for field in body.command)
            raise PluginError(f"{self.link.name}: {spec.name} takes {found}; "
                              "allowed: a speed in m/s and a turning rate in rad/s")  # fmt: skip
        self.name, self.parameters = spec.name, spec.parameters or VehicleSpec()
        self.prefix = f"{self.parameters.interface}/v2/{self.parameters.manufacturer}/{spec.name}"
        self.vehicle = Vehicle(self.link.map_id)
        self.source = self.link.file(spec.name)
        self.now = 0
        self.waited = False  # for an order, since it is idle
        self.counts: dict[str, int] = {}
        self.told: tuple[int, Any] | None = None  # when, and what of it isn't motion
        self.link.vehicles.append(self)

    def act(self, observation: Observation) -> Action:
        """Hear, drive, tell.

        Raises:
            RunError: the broker is at fault, and the scenario says to stop then.
        """
        if self.link.closed or observation.sensed is None:
            return Action()
        try:
            return self._live(observation.time, observation.sensed)
        except LinkLost as fault:
            return give_up(self.link, fault, [observation])[0]

    def close(self) -> None:
        """Say good-bye, if there was a session."""
        if self.source is not None:
            self.source.close(self._connection(self.now, "OFFLINE"))
            self.source = None

    def _live(self, now: int, sensed: Sample) -> Action:
        self.now = now
        x, y, theta, speed, rate = _pose(sensed)
        if self.source is None:
            self.source = self._begin(now)
        changed = self.vehicle.move(x, y, theta)
        if changed or self.told is None:
            self._tell(now, sensed)  # who gives orders must know before time stands still for the next one
        heard = self.source.hear(now, self.parameters.patience if self.vehicle.idle and not self.waited else 0)
        for topic, text in heard:
            self.vehicle.hear(topic, text, (x, y))
        self.vehicle.move(x, y, theta)
        self.waited = self.vehicle.idle
        command = drive(self.parameters, self.vehicle, x, y, theta)
        self._tell(now, sensed, at_once=bool(heard))
        return Action(np.array(command), log={"nodes_left": float(len(self.vehicle.nodes))},
                      inputs=tuple(f"{topic} {text}" for topic, text in heard))  # fmt: skip

    def _begin(self, now: int) -> Listener:
        source = self.link.meet(self.prefix, self._connection(now, "CONNECTIONBROKEN"))
        source.tell("connection", self._connection(now, "ONLINE"), lasting=True)
        return source

    def _tell(self, now: int, sensed: Sample, at_once: bool = False) -> None:
        assert self.source is not None
        state = self._state(now, sensed)
        lasting = state.model_dump(exclude={"header_id", "timestamp", "agv_position", "velocity"})
        due = self.told is None or now - self.told[0] >= self.parameters.state_period or lasting != self.told[1]
        if due or at_once:
            self.told = now, lasting
            state.header_id = self._count("state")
            self.source.tell("state", state.text())

    def _state(self, now: int, sensed: Sample) -> State:
        vehicle = self.vehicle
        x, y, theta, speed, rate = _pose(sensed)
        node = vehicle.next_node
        return State(
            **self._header(now),
            order_id=vehicle.order_id,
            order_update_id=vehicle.order_update_id,
            last_node_id=vehicle.last_node_id,
            last_node_sequence_id=vehicle.last_node_sequence_id,
            node_states=vehicle.node_states(),
            edge_states=vehicle.edge_states(),
            agv_position=AgvPosition(position_initialized=True, x=x, y=y, theta=theta, map_id=vehicle.map_id),
            velocity=Velocity(vx=speed, vy=0.0, omega=rate),
            driving=max(abs(speed), abs(rate)) > _STANDING,
            paused=vehicle.paused,
            new_base_request=node is None and bool(vehicle.nodes),
            action_states=vehicle.actions,
            battery_state=battery(sensed),
            operating_mode="AUTOMATIC",
            errors=vehicle.errors,
            safety_state=SafetyState(e_stop="NONE", field_violation=False),
        )

    def _connection(self, now: int, state: Any) -> str:
        header = self._header(now) | {"header_id": self._count("connection")}
        return Connection(**header, connection_state=state).text()

    def _header(self, now: int) -> dict[str, Any]:
        stamp = (EPOCH + timedelta(microseconds=now // 1000)).isoformat(timespec="milliseconds")
        return {
            "header_id": 0,
            "timestamp": stamp.replace("+00:00", "Z"),
            "version": VERSION,
            "manufacturer": self.parameters.manufacturer,
            "serial_number": self.name,
        }

    def _count(self, topic: str) -> int:
        count = self.counts.get(topic, 0)
        self.counts[topic] = count + 1
        return count


def load_vda5050(reference: str, spec: ExternalSpec, *folders: Path) -> Loaded:
    """Return a controller class whose robots are vehicles of a fleet control behind `reference`.

    Raises:
        PluginError: the address is malformed, can be reached from outside without permission, or there is no such file.
    """
    fleet = Vehicles(reference, spec, folders)
    if fleet.address is None:
        _file(reference, folders)
    elif not (spec.allow_remote or is_loopback(fleet.address.host)):
        where = fleet.address.host
        raise PluginError(f"{where} is not on this machine; if that is meant, set external.allow_remote = true")

    class Remote(Agv):
        """The robots of one scenario entry."""

        link = fleet

    return Loaded(Remote, reference, "")


def _broker(reference: str, spec: ExternalSpec, folders: Sequence[Path]) -> Address | None:
    """Return where `vda5050:mqtt://host:port`, or mqtts, is; None for a file."""
    found = fullmatch(r"vda5050:mqtt(s?)://([^:/@]+)(?::(\d{1,5}))?", reference)
    port = 0 if found is None else int(found[3] or (8883 if found[1] else 1883))
    if found is None or not 0 < port < 65_536:
        if reference.endswith((".h5", ".jsonl")):
            return None
        raise PluginError(f"{reference!r}: expected vda5050:mqtt://127.0.0.1:1883, mqtts, or a file .h5 or .jsonl")
    ca = None if spec.ca is None else secret_file(spec.ca, folders, "external.ca")
    login = None if spec.login is None else _login(secret_file(spec.login, folders, "external.login"))
    if login is not None and not found[1] and not is_loopback(found[2]):
        raise PluginError(f"{found[2]}: a password would go there for everybody to read; use mqtts")
    return Address(found[2], port, bool(found[1]), ca, login)


def _login(file: Path) -> tuple[str, str]:
    name, colon, password = file.read_text(errors="replace").strip().partition(":")
    if not (name and colon) or "\n" in password:
        raise PluginError(f"{file}: expected one line NAME:PASSWORD")
    return name, password


def _file(reference: str, folders: Sequence[Path]) -> Path:
    name = reference.removeprefix("vda5050:")
    file = next((path for folder in folders if (path := folder / name).is_file()), None)
    if file is None:
        places = " or ".join(str(folder) for folder in dict.fromkeys(folders))
        raise PluginError(f"vda5050: no file {name} in {places}")
    return file


def battery(sensed: Sample) -> BatteryState:
    """Return what a battery sensor says, as a state tells it; without one it is "good"."""
    if "state_of_charge" not in sensed.values:
        return BatteryState(battery_charge=_GOOD, charging=False)
    share, charging = float(sensed["state_of_charge"][0]), bool(sensed["charging"][0])
    return BatteryState(battery_charge=round(100.0 * min(max(share, 0.0), 1.0)), charging=charging)


def _pose(sensed: Sample) -> tuple[float, float, float, float, float]:
    """Return x, y, heading, speed forward, turning rate, of a vehicle that stands upright."""
    x, y, z, w = sensed["orientation"].tolist()
    theta = atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    along = sensed["velocity"][:2] @ (np.cos(theta), np.sin(theta))
    place = sensed["position"].tolist()
    return place[0], place[1], theta, float(along), float(sensed["angular_velocity"][2])
