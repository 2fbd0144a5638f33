"""One end of a MAVLink 2 connection over TCP or UDP: who is it, and waiting with an end.

Whatever is no MAVLink 2, or isn't signed where it must be, is counted and dropped. The autopilot is who first sends a
good frame: until then any number may connect, and a stray datagram or a port scan is not it.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from twin.clock import NS
from twin.errors import PluginError
from twin.interfaces.peers import LinkLost
from twin.interfaces.signing import Codec, Stamps
from twin.units import duration_text

_CHUNK = 65_536
_PAUSE = 0.1
"""s without a byte, after which the start of a frame is rubbish that looks like one."""
_MOST = 16
"""Connections that may wait to prove who they are."""


class Port:
    """Listens for one autopilot and talks to it; with a `key` (32 bytes) packets are signed and must be.

    Raises:
        PluginError: nobody can listen at this address.
    """

    def __init__(self, scheme: str, host: str, port: int, key: bytes | None = None) -> None:
        self.stream = scheme == "tcp"
        self._door = socket.socket(type=socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM)
        try:
            if self.stream:
                self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._door.bind((host, port))
            if self.stream:
                self._door.listen(_MOST)
        except OSError as error:
            self._door.close()
            raise PluginError(f"can't listen at {scheme}://{host}:{port}: {error.strerror or error}") from error
        self.address: tuple[str, int] = self._door.getsockname()
        self.dropped = 0  # packets
        self._why = ""  # the last one was
        self._key, self._stamps = key, None if key is None else Stamps(key)
        self._codec = self._new_codec()
        self._line: socket.socket | None = None  # to the autopilot
        self._waiting: dict[socket.socket, Codec] = {}  # connections that may be it
        self._told: list[bytes] = []  # what was sent last, for who comes later
        self._heard: deque[Any] = deque()

    def meet(self, timeout: int) -> None:
        """Wait for an autopilot to connect (TCP) or to send a frame (UDP), at most `timeout` [ns].

        Raises:
            LinkLost: nobody came.
        """
        end = time.monotonic_ns() + timeout
        while not (self._line or self._waiting):
            if not self._listen(end):
                where = "{}:{}".format(*self.address)
                raise LinkLost(f"nobody came to {where} within {duration_text(timeout)}{self._rubbish()}")

    def send(self, messages: Sequence[Any]) -> None:
        """Send messages, each a frame (and, over UDP, a datagram) of its own.

        Raises:
            LinkLost: the other side is gone.
        """
        self._told = []
        for message in messages:
            self._told.append(message.pack(self._codec))
            self._codec.seq = (self._codec.seq + 1) % 256
        if self._line is None:
            for line in list(self._waiting):
                self._tell(line)
            return
        try:
            for frame in self._told:
                self._line.sendall(frame)
        except OSError as error:
            raise LinkLost(f"it closed the connection ({error.strerror or error})") from error

    def await_controls(self, sent: int, timeout: int) -> Any:
        """Return the HIL_ACTUATOR_CONTROLS that answers the HIL_SENSOR of time `sent` [us].

        Older ones are late answers to earlier messages, and are passed over.

        Raises:
            LinkLost: there is none within `timeout` [ns], or the autopilot is gone.
        """
        end, late = time.monotonic_ns() + timeout, 0
        while True:
            while self._heard:
                message = self._heard.popleft()
                if message.time_usec == sent:
                    return message
                if message.time_usec > sent:
                    self._drop(f"it answers at {message.time_usec} us of its clock, but it is {sent} us only")
                else:
                    late += 1
            if not self._listen(end):
                what = f"no answer within {duration_text(timeout)}"
                raise LinkLost(what + (f" ({late} of earlier times)" if late else "") + self._rubbish())

    def discard(self, end: int) -> None:
        """Listen until `end` [ns, monotonic] and forget the answers."""
        while self._listen(end):
            pass
        self._heard.clear()

    def close(self) -> None:
        """End the connection."""
        for one in (self._door, self._line, *self._waiting):
            if one is not None:
                one.close()
        if self._stamps is not None:
            self._stamps.keep()

    def _listen(self, end: int) -> bool:
        """Take in what comes next; False when nothing comes before `end` [ns, monotonic]."""
        left = end - time.monotonic_ns()
        if left <= 0:
            return False
        if self._line is not None:
            return self._hear(self._line, left / NS)
        begun = [line for line, codec in self._waiting.items() if codec.begun]
        patience = min(left / NS, _PAUSE) if begun else left / NS
        ready, _, _ = select.select([self._door, *self._waiting], [], [], patience)
        if not ready:
            for line in begun:
                if line in self._waiting and self._keep(*self._waiting[line].skip()):
                    self._settle(line)
            return bool(begun)
        for one in ready:
            if self._line is not None:
                break
            if one is not self._door:
                self._consider(one)
            elif self.stream:
                self._let_in()
            else:
                self._read_stranger()
        return True

    def _hear(self, line: socket.socket, patience: float) -> bool:
        """Take in what the autopilot says within `patience` [s]."""
        begun = self.stream and self._codec.begun
        line.settimeout(min(patience, _PAUSE) if begun else patience)
        try:
            data = line.recv(_CHUNK)
        except TimeoutError:
            if begun:
                self._keep(*self._codec.skip())
            return begun
        except OSError as error:
            raise LinkLost(f"it closed the connection ({error.strerror or error})") from error
        if self.stream and not data:
            raise LinkLost("it closed the connection" + self._rubbish())
        self._take(self._codec, data)
        return True

    def _let_in(self) -> None:
        """Take a connection; whose it is turns out by what it says."""
        line, _ = self._door.accept()
        if len(self._waiting) >= _MOST:
            line.close()
            return
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting[line] = self._new_codec()
        self._tell(line)

    def _tell(self, line: socket.socket) -> None:
        try:
            for frame in self._told:
                line.sendall(frame)
        except OSError:
            self._dismiss(line)

    def _consider(self, line: socket.socket) -> None:
        """Hear a connection that may be the autopilot's: with its first good frame it is."""
        codec = self._waiting[line]
        try:
            data = line.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._dismiss(line)
        elif self._take(codec, data):
            self._settle(line)

    def _settle(self, line: socket.socket) -> None:
        """Take this connection for the autopilot's, and let nobody else in."""
        codec = self._waiting.pop(line)
        codec.seq, self._codec = self._codec.seq, codec
        for other in self._waiting:
            other.close()
        self._waiting.clear()
        self._door.close()
        self._line = line

    def _dismiss(self, line: socket.socket) -> None:
        del self._waiting[line]
        line.close()
        if not self._waiting and self._told:
            self._drop("it closed the connection")

    def _read_stranger(self) -> None:
        """Read a datagram of whoever: with its first good frame it is the autopilot's."""
        data, peer = self._door.recvfrom(_CHUNK)
        if self._take(self._codec, data):
            self._door.connect(peer)
            self._line = self._door

    def _take(self, codec: Codec, data: bytes) -> bool:
        """Keep the answers in what has come; tell whether any of it was good."""
        found = codec.frames(data)
        if not self.stream:
            codec.forget()  # a frame ends with its datagram
        return self._keep(*found)

    def _keep(self, good: list[Any], bad: list[str]) -> bool:
        for why in bad:
            self._drop(why)
        self._heard += (message for message in good if message.get_type() == "HIL_ACTUATOR_CONTROLS")
        return bool(good)

    def _drop(self, why: str) -> None:
        self.dropped += 1
        self._why = why

    def _rubbish(self) -> str:
        return f"; {self.dropped} packets were dropped, the last because {self._why}" if self.dropped else ""

    def _new_codec(self) -> Codec:
        return Codec(self._key, self._stamps)
