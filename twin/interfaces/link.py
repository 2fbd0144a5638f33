"""A conversation with another process: ZeroMQ request and reply, msgpack, and the signs that it is over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from pydantic import BaseModel

from twin.clock import NS
from twin.errors import PluginError
from twin.extras import install
from twin.interfaces.peers import LinkLost, secret_file
from twin.interfaces.tether import tethered
from twin.specs import ExternalSpec
from twin.units import duration_text
from twin.world.world import World

try:
    import msgpack
    import zmq

    from twin.interfaces.client import ADDRESS, KEY, VERSION, curve_secret, is_loopback
except ImportError as error:
    raise PluginError(f"controllers in other processes need an extra: {error}: {install('process')}") from error

_GRACE = 1.0
"""s that a process gets to end by itself, and again after it was asked to."""
_LOOK = 100
"""ms between two looks at whether the process is alive."""


class Conversation:
    """Asks one process for decisions; it starts with the first question and ends with the first fault.

    Raises:
        PluginError: the address is malformed, or can be reached from outside and `allow_remote` isn't set.
    """

    def __init__(
        self, name: str, command: Sequence[str] | None, folders: Sequence[Path], spec: ExternalSpec
    ) -> None:
        self.name, self.command, self.folder, self.spec = name, command, folders[-1], spec
        self.robots: list[dict[str, Any]] = []
        self.step = 0
        self.closed = self.lost = False
        self._ends: _Ends | None = None
        self.key = None if spec.key is None else _key(spec.key, folders)
        if command is None:
            _check_address(name)
            if not (spec.allow_remote or is_loopback(name)):
                raise PluginError(f"{name} is not on this machine; if that is meant, set external.allow_remote = true")

    def ask(self, expected: str, **question: Any) -> dict[str, Any]:
        """Return the answer to an `act` message.

        Raises:
            LinkLost: there is none in time, or not the expected one.
        """
        self.lost = True  # until the answer has proved good
        if self._ends is None:
            self._ends = _Ends(self)
            introduction = {"type": "reset", "version": VERSION, "robots": self.robots}
            ready = self._exchange(introduction, self.spec.start_timeout)
            _check(ready, "ready", "version", VERSION)
        self.step += 1
        reply = self._exchange({"type": "act", "step": self.step, **question}, self.spec.timeout)
        _check(reply, expected, "step", self.step)
        self.lost = False
        return reply

    def enter(self, world: World) -> None:
        """Learn of the world: processes ask for nothing of it."""

    def close(self) -> None:
        """Say good-bye and end the process, if twin started it."""
        self.closed = True
        ends, self._ends = self._ends, None
        if ends is not None:
            ends.close(polite=not self.lost)

    def _exchange(self, message: dict[str, Any], timeout: int) -> dict[str, Any]:
        assert self._ends is not None
        try:
            request = msgpack.packb(message, default=_plain)
        except (TypeError, ValueError, OverflowError) as error:
            raise LinkLost(f"the message can't be sent: {error}") from error
        self._ends.send(request, timeout)
        answer = self._ends.receive(timeout)
        try:
            reply = msgpack.unpackb(answer)
        except Exception as error:  # msgpack raises whatever the bytes lead it to
            raise LinkLost(f"its answer is no msgpack: {type(error).__name__}: {error}") from error
        if not isinstance(reply, dict):
            raise LinkLost(f"expected a map, found {reply!r}")
        return reply


class _Ends:
    """The socket and the process at its other end."""

    def __init__(self, conversation: Conversation) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.keyed = conversation.key is not None
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REQ)
        self.socket.linger = 0
        self.socket.immediate = True  # without a peer nothing can be sent: noticed instead of queued
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        if conversation.command is None:
            if conversation.key is not None:
                self.socket.curve_serverkey = zmq.curve_public(conversation.key)
                self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
            self.socket.connect(conversation.name)
            return
        public, self.socket.curve_secretkey = zmq.curve_keypair()
        self.socket.curve_server = True  # who doesn't know the public key, which only the process is told, is no peer
        self.socket.bind("tcp://127.0.0.1:*")
        environment = {**os.environ, ADDRESS: self.socket.getsockopt_string(zmq.LAST_ENDPOINT), KEY: public.decode()}
        try:  # what it prints is for people: our stdout is for data
            self.process = subprocess.Popen(tethered(list(conversation.command)), cwd=conversation.folder,
                                            env=environment, stdin=subprocess.DEVNULL, stdout=2)  # fmt: skip
        except OSError as error:
            raise LinkLost(f"can't be started: {error.strerror or error}") from error
        weakref.finalize(self, _end, self.process)

    def send(self, request: bytes, timeout: int) -> None:
        """Hand a message over within `timeout` [ns]."""
        self._wait(zmq.POLLOUT, timeout, "nobody took a message")
        self.socket.send(request)

    def receive(self, timeout: int) -> bytes:
        """Return the answer that comes within `timeout` [ns]."""
        self._wait(zmq.POLLIN, timeout, "no answer")
        answer: bytes = self.socket.recv()
        return answer

    def close(self, polite: bool) -> None:
        """End the conversation, with a word of good-bye where one would be heard, and the process."""
        if polite:
            try:
                self.send(msgpack.packb({"type": "close"}), int(_GRACE * NS))
                self.receive(int(_GRACE * NS))
            except LinkLost:
                polite = False  # it is ended all the same
        if self.process is not None:
            _end(self.process, _GRACE if polite else 0.0)
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close()
        self.context.term()

    def _wait(self, event: int, timeout: int, otherwise: str) -> None:
        end = time.monotonic() + timeout / NS
        poller = zmq.Poller()
        poller.register(self.socket, event)
        if self.process is None:  # strangers who knock at our own port come and go
            poller.register(self.monitor, zmq.POLLIN)
        while True:
            left = end - time.monotonic()
            ready = dict(poller.poll(max(0, min(round(left * 1e3), _LOOK))))
            if self.socket in ready:
                return
            if self.process is not None and (code := self.process.poll()) is not None:
                raise LinkLost(f"its process ended with {_told(code)}")
            if self.monitor in ready and self.process is None:
                raise LinkLost("it closed the connection" + (", as one with another key does" if self.keyed else ""))
            if left <= 0.0:
                raise LinkLost(f"{otherwise} within {duration_text(timeout)}")


def _key(file: Path, folders: Sequence[Path]) -> bytes:
    """Return the secret key in a file, which both sides have."""
    found = secret_file(file, folders, "external.key")
    try:
        return curve_secret(found.read_text(errors="replace"))
    except ValueError as error:
        raise PluginError(f"{found}: {error}") from error


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        good = bool(parts.path) if parts.scheme == "ipc" else bool(parts.hostname and parts.port and not parts.path)
    except ValueError:  # the port is no number up to 65535
        good = False
    if not good:
        raise PluginError(f"{address!r}: expected tcp://127.0.0.1:5555, with a port from 1 to 65535, or ipc:///a/file")


def _told(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _end(process: subprocess.Popen[bytes], grace: float = 0.0) -> None:
    """End a process: by itself within `grace` [s], else by SIGTERM, else by SIGKILL."""
    for word, patience in ((None, grace), (signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        if word is not None:
            process.send_signal(word)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue  # to the next, stronger word


def _check(reply: dict[str, Any], kind: str, number: str, value: int) -> None:
    if reply.get("type") != kind or reply.get(number) != value:
        found = f"{reply.get('type')!r} with {number} {reply.get(number)!r}"
        raise LinkLost(f"expected {kind!r} with {number} {value}, found {found}")


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} has no place in a message")
