"""Run a controller in a process of its own: copy this file; it needs pyzmq, msgpack and numpy, but not twin.

    class Mine:
        def reset(self, spec, rng): ...
        def act(self, observation): return Action(command=[0.0, 0.0, 9.81])

    serve(Mine)

It takes the same classes as twin does in its own process: `reset(spec, rng)` and `act(observation)` with the
same attributes. The messages are in docs/controllers.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import msgpack
import numpy as np
import zmq
from zmq.utils import z85

VERSION = 1
"""Of the messages; both sides must have the same."""
ADDRESS = "TWIN_ADDRESS"
"""Environment variable with the address at which twin waits for a process that it started."""
KEY = "TWIN_KEY"
"""Environment variable with twin's public CurveZMQ key: only who knows it is let in there."""


@dataclass
class Action:
    """A command (None keeps the held one), messages (dicts of to, payload, size, kind), values to log.

    `size` is what the command takes on the network in bytes, None: as robot.toml says.
    """

    command: Any = None
    messages: tuple[Any, ...] = ()
    log: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None


@dataclass
class Sample:
    """One reading of a robot's sensors: `sample["position"]`; `time` in ns."""

    time: int
    values: Mapping[str, np.ndarray[Any, Any]]

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        return self.values[name]


@dataclass
class Observation:
    """All that a controller may know when it decides; times in ns, -1 for never."""

    time: int
    robot: str
    sensed: Sample | None
    inbox: tuple[Any, ...]
    heard: int
    answers: int


class Task:
    """The robot's goal at the time of the present observation: that is all that travels along."""

    def __init__(self) -> None:
        self.now, self.goal = -1.0, SimpleNamespace()

    def reference(self, row: int, time: float) -> Any:
        """Return position, velocity, acceleration and yaw wanted at `time` [s], which must be now.

        Raises:
            ValueError: another time is asked for.
        """
        if time != self.now:
            raise ValueError(f"the goal is known for now ({self.now} s) only, not for {time} s")
        return self.goal


def serve(
    controller: Callable[[], Any], address: str | None = None, *, key: str | None = None, allow_remote: bool = False
) -> None:
    """Answer a twin until it says good-bye, or is gone; one `controller()` per robot.

    A process that twin started connects to it. Any other binds to `address`, such as "tcp://127.0.0.1:5555"; with a
    `key`, 64 hexadecimal digits that the scenario's `external.key` has in a file, it answers only who has it, too.

    Raises:
        ValueError: neither address is there, it isn't loopback and `allow_remote` isn't set, or the key is malformed.
    """
    parent = os.environ.get(ADDRESS)
    if parent is None and address is None:
        raise ValueError(f"give an address to listen at, such as tcp://127.0.0.1:5555 (no {ADDRESS} is set)")
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.linger = 0
        if parent is not None:
            if KEY in os.environ:
                socket.curve_serverkey = os.environ[KEY].encode()
                socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
            socket.connect(parent)
        else:
            if not (allow_remote or is_loopback(address or "")):
                raise ValueError(f"{address} can be reached from outside; if that is meant, set allow_remote=True")
            if key is not None:
                socket.curve_secretkey, socket.curve_server = curve_secret(key), True
            socket.bind(address or "")
        robots: dict[str, tuple[Any, Task | None]] = {}
        started_by = os.getppid()
        while True:
            while not socket.poll(1000):
                if parent is not None and os.getppid() != started_by:
                    return  # twin is gone
            request = _request(socket.recv())
            if request is None:
                socket.send(msgpack.packb({"type": "refused"}))  # it isn't twin that asks
            elif request["type"] == "reset":
                _check_version(request["version"])
                robots = {robot["name"]: _robot(controller, robot) for robot in request["robots"]}
                socket.send(msgpack.packb({"type": "ready", "version": VERSION}))
            elif request["type"] == "act":
                actions = [_act(*robots[seen["robot"]], seen) for seen in request["observations"]]
                reply = {"type": "actions", "step": request["step"], "actions": actions}
                socket.send(msgpack.packb(reply, default=_plain))
            else:
                socket.send(msgpack.packb({"type": "closed"}))
                if parent is not None:
                    return


def curve_secret(text: str) -> bytes:
    """Return the secret CurveZMQ key that 64 hexadecimal digits stand for; its public half goes with it.

    Raises:
        ValueError: they aren't that.
    """
    digits = text.strip()
    if len(digits) != 64:
        raise ValueError(f"a key is 64 hexadecimal digits, found {len(digits)} characters")
    return bytes(z85.encode(bytes.fromhex(digits)))


def _request(data: bytes) -> dict[str, Any] | None:
    """Return a message of twin, None for anything else."""
    try:
        found = msgpack.unpackb(data)
    except Exception:  # msgpack raises whatever the bytes lead it to
        return None
    return found if isinstance(found, dict) and isinstance(found.get("type"), str) else None


def is_loopback(address: str) -> bool:
    """Tell whether a ZeroMQ address can be reached from this machine only."""
    host = urlsplit(address).hostname or ""
    try:
        return address.startswith("ipc:") or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_version(version: int) -> None:
    if version != VERSION:
        sys.exit(f"twin speaks version {version} of the messages, this client version {VERSION}")


def _robot(controller: Callable[[], Any], robot: dict[str, Any]) -> tuple[Any, Task | None]:
    made = controller()
    task = Task() if robot["task"] else None
    model = getattr(controller, "Parameters", None)
    parameters = robot["parameters"] if model is None else model(**robot["parameters"])
    spec = SimpleNamespace(name=robot["name"], group=robot["group"], row=robot["row"], task=task,
                           parameters=parameters, description=robot)  # fmt: skip
    made.reset(spec, np.random.default_rng(robot["seed"]))
    return made, task


def _act(controller: Any, task: Task | None, seen: dict[str, Any]) -> dict[str, Any]:
    sensed = seen["sensed"]
    if sensed is not None:
        sensed = Sample(sensed["time"], {name: np.array(value) for name, value in sensed["values"].items()})
    if task is not None:
        goal = {name: value if name == "yaw" else np.array(value) for name, value in seen["reference"].items()}
        task.now, task.goal = seen["time"] / 1_000_000_000, SimpleNamespace(**goal)
    inbox = tuple(SimpleNamespace(**packet) for packet in seen["inbox"])
    observation = Observation(seen["time"], seen["robot"], sensed, inbox, seen["heard"], seen["answers"])
    action = controller.act(observation)
    messages = [m if isinstance(m, dict) else {k: getattr(m, k) for k in ("to", "payload", "size", "kind")}
                for m in action.messages]  # fmt: skip
    return {"command": action.command, "messages": messages, "log": dict(action.log), "size": action.size}


def _plain(value: Any) -> Any:
    """Let numpy's arrays and numbers travel as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"can't be sent: {type(value).__name__} {value!r}")
