"""Autopilots in software over MAVLink 2, in lock-step: `controller = "mavlink:tcp://127.0.0.1:4560"`.

As simulators do for PX4, twin listens (robot number n at port + n), sends HIL messages, and waits for one
HIL_ACTUATOR_CONTROLS, which are the setpoints of the robot's motors; an autopilot that isn't armed stops them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from re import fullmatch
from typing import Any, ClassVar

import numpy as np

from twin.errors import PluginError
from twin.interfaces.hil import HilEncoder, HilSpec, mavlink
from twin.interfaces.peers import LinkLost, give_up, is_loopback, secret_file
from twin.interfaces.ports import Port
from twin.interfaces.signing import Codec
from twin.project.plugins import Loaded
from twin.protocols import RobotSpec
from twin.specs import ExternalSpec
from twin.specs.sensor import NavigationSpec
from twin.state import Action, Observation, Sample
from twin.units import NonNegativeNs
from twin.world.georeference import GeoReference
from twin.world.world import World

HOME = GeoReference(8.545594, 47.397742, 488.0)
"""Where a world without a place on the earth lies: the home of PX4's simulations."""
_WIDTH = 16
"""Numbers in a HIL_ACTUATOR_CONTROLS."""


class AutopilotSpec(HilSpec):
    """The `parameters` of a controller over MAVLink."""

    warmup: NonNegativeNs = 0  # told to stand still at the start, before time 0: estimators settle, people arm
    signing_key: Path | None = None  # a file of 64 hexadecimal digits: packets are signed and must be


def load_mavlink(reference: str, spec: ExternalSpec, *folders: Path) -> Loaded:
    """Return a controller class whose robots are flown by autopilots that connect to `reference`.

    Raises:
        PluginError: the address is malformed, or can be reached from outside without permission.
    """
    _, host, _ = split_address(reference)
    if not (spec.allow_remote or is_loopback(host)):
        raise PluginError(f"{host} can be reached from outside; if that is meant, set external.allow_remote = true")
    autopilots = Autopilots(reference, spec, folders)

    class Remote(Autopilot):
        """The robots of one scenario entry."""

        link = autopilots
        telemetry_size = staticmethod(autopilots.telemetry_size)

    return Loaded(Remote, reference, "")


def split_address(reference: str) -> tuple[str, str, int]:
    """Return "tcp" or "udp", host and port of `mavlink:tcp://127.0.0.1:4560`.

    Raises:
        PluginError: it isn't of this form.
    """
    found = fullmatch(r"mavlink:(tcp|udp)://([^:/]+):(\d+)", reference)
    if found is None or int(found[3]) > 65_535:
        raise PluginError(f"{reference!r}: expected mavlink:tcp://127.0.0.1:4560, or udp")
    return found[1], found[2], int(found[3])


class Autopilots:
    """The autopilots of one scenario entry: a port for each robot."""

    def __init__(self, name: str, spec: ExternalSpec, folders: Sequence[Path]) -> None:
        self.name, self.spec, self.folders = name, spec, folders
        self.place = HOME
        self.closed = False
        self.ports: list[Port] = []
        self._on_board: dict[str, tuple[HilEncoder, Any]] = {}  # what would send telemetry, and its frames

    def enter(self, world: World) -> None:
        """Take over the world's place on the earth."""
        self.place = world.georeference or HOME

    def open(self, spec: RobotSpec, parameters: AutopilotSpec) -> Port:
        """Listen for the autopilot of a robot."""
        scheme, host, port = split_address(self.name)
        self.ports.append(Port(scheme, host, port and port + spec.row, self.key(parameters)))
        return self.ports[-1]

    def key(self, parameters: AutopilotSpec) -> bytes | None:
        """Return the 32 bytes that packets are signed with, None for none.

        Raises:
            PluginError: there is no such file, or something else in it.
        """
        if parameters.signing_key is None:
            return None
        file = secret_file(parameters.signing_key, self.folders, "signing_key")
        text = file.read_text(errors="replace").strip()
        if not fullmatch("[0-9a-fA-F]{64}", text):
            raise PluginError(f"{file}: expected 64 hexadecimal digits, found {len(text)} characters")
        return bytes.fromhex(text)

    def encoder(self, spec: RobotSpec) -> HilEncoder:
        """Return what turns a robot's samples into messages."""
        parameters = _parameters(spec)
        return HilEncoder(parameters, _navigation(spec), self.place, parameters.warmup)

    def telemetry_size(self, spec: RobotSpec, sample: Sample) -> int:
        """Return the bytes of the frames of a sample: what the network carries to an autopilot at the edge."""
        if spec.name not in self._on_board:
            self._on_board[spec.name] = self.encoder(spec), Codec(self.key(_parameters(spec)))
        encoder, frames = self._on_board[spec.name]
        return sum(len(message.pack(frames)) for message in encoder.messages(sample))

    def close(self) -> None:
        """Close all connections."""
        self.closed = True
        for port in self.ports:
            port.close()


class Autopilot:
    """Flies one robot by what an autopilot answers."""

    Parameters = AutopilotSpec
    runs_on = "onboard"
    link: ClassVar[Autopilots]

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Listen for this robot's autopilot.

        Raises:
            PluginError: the robot's command isn't made of motor setpoints, or nobody can listen there.
        """
        body = spec.kind.body
        assert body is not None, "only robots with bodies have controllers"
        if body.width > _WIDTH or any(f.unit != "1" or f.lower < -1 or f.upper > 1 for f in body.command):
            found = ", ".join(f"{f.size} x {f.name} in {f.unit}" for f in body.command)
            raise PluginError(f"{self.link.name}: {spec.name} takes {found}; an autopilot drives at most {_WIDTH} "
                              'motors, 0 to 1 each, such as those of a "bare_drone"')  # fmt: skip
        _navigation(spec)
        self.spec, self.width, self.parameters = spec, body.width, _parameters(spec)
        self.port = self.link.open(spec, self.parameters)
        self.encoder: HilEncoder | None = None
        self.told = -1  # ns, time of the newest sample told
        self.dropped = 0  # packets, as logged

    def act(self, observation: Observation) -> Action:
        """Ask for one robot."""
        return self.act_batch([self], [observation])[0]

    @staticmethod
    def act_batch(controllers: Sequence[Autopilot], observations: Sequence[Observation]) -> list[Action]:
        """Tell all autopilots what their robots sense, then take their answers.

        Raises:
            RunError: one is at fault, and the scenario says to stop then.
        """
        link = controllers[0].link
        if link.closed:
            return [Action() for _ in observations]
        pairs = list(zip(controllers, observations, strict=True))
        try:
            for controller, observation in pairs:
                with _blaming(observation.robot):
                    controller.tell(observation.sensed)
            actions = []
            for controller, observation in pairs:
                with _blaming(observation.robot):
                    actions.append(controller.answer(observation.sensed))
            return actions
        except LinkLost as fault:
            return give_up(link, fault, observations)

    def tell(self, sample: Sample | None) -> None:
        """Send the HIL messages of a sample, unless it isn't newer than the one before."""
        if sample is None or sample.time <= self.told:
            return
        if self.encoder is None:
            self.port.meet(self.link.spec.start_timeout)
            self.encoder = self.link.encoder(self.spec)
            self._warm_up(sample)
        self.port.send(self.encoder.messages(sample))

    def answer(self, sample: Sample | None) -> Action:
        """Return the motor setpoints that answer what was told."""
        if sample is None or sample.time <= self.told:
            return Action()
        assert self.encoder is not None
        timeout = self.link.spec.start_timeout if self.told < 0 else self.link.spec.timeout
        self.told = sample.time
        reply = self.port.await_controls(self.encoder.time_us(sample.time), timeout)
        controls = np.array(reply.controls[: self.width])
        if not np.isfinite(controls).all():
            raise LinkLost(f"controls must be {self.width} finite numbers, found {controls.tolist()}")
        armed = bool(reply.mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED)
        log = {"armed": float(armed)}
        if self.port.dropped != self.dropped:
            self.dropped = self.port.dropped
            log["packets_dropped"] = float(self.dropped)
        return Action(controls * armed, log=log, size=len(reply.get_msgbuf()))

    def _warm_up(self, sample: Sample) -> None:
        """Tell of a robot that stands still where it starts, in real time; answers don't count yet."""
        assert self.encoder is not None
        period = 1_000_000_000 // self.spec.kind.control
        still = {**sample.values, "velocity": np.zeros(3), "angular_velocity": np.zeros(3)}
        for before in range(self.parameters.warmup // period * period, 0, -period):
            end = time.monotonic_ns() + period
            self.port.send(self.encoder.messages(Sample(sample.time - before, still)))
            self.port.discard(end)


@contextmanager
def _blaming(robot: str) -> Iterator[None]:
    try:
        yield
    except LinkLost as fault:
        raise LinkLost(f"the autopilot of {robot}: {fault}") from fault


def _navigation(spec: RobotSpec) -> NavigationSpec:
    for sensor in spec.kind.sensors:
        if isinstance(sensor, NavigationSpec):
            return sensor
    raise PluginError(f"{spec.name} has no navigation sensor, of which an autopilot could be told")


def _parameters(spec: RobotSpec) -> AutopilotSpec:
    return spec.parameters or AutopilotSpec()
