"""One end of a MAVLink 2 connection over TCP or UDP: framing and signing by pymavlink, waiting with an end."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from twin.clock import NS
from twin.errors import PluginError
from twin.interfaces.hil import mavlink
from twin.interfaces.peers import LinkLost
from twin.units import duration_text

_EPOCH = 1_420_070_400
"""s, 1 January 2015: signatures count time from there, in 10 us (mavlink.io/en/guide/message_signing.html)."""
_CHUNK = 65_536


class Port:
    """Listens for one autopilot and talks to it; with a `key` (32 bytes) packets are signed and must be.

    Raises:
        PluginError: nobody can listen at this address.
    """

    def __init__(self, scheme: str, host: str, port: int, key: bytes | None = None) -> None:
        self.stream = scheme == "tcp"
        self.socket = socket.socket(type=socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM)
        try:
            if self.stream:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, port))
            if self.stream:
                self.socket.listen(1)
        except OSError as error:
            self.socket.close()
            raise PluginError(f"can't listen at {scheme}://{host}:{port}: {error.strerror or error}") from error
        self.address: tuple[str, int] = self.socket.getsockname()
        self.parser = parser(key)
        self._heard: deque[Any] = deque()

    def meet(self, timeout: int) -> None:
        """Wait for the autopilot to connect (TCP) or to say anything (UDP), at most `timeout` [ns].

        Raises:
            LinkLost: nobody came.
        """
        self.socket.settimeout(timeout / NS)
        try:
            if self.stream:
                listening, (self.socket, _) = self.socket, self.socket.accept()
                listening.close()
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            else:
                data, peer = self.socket.recvfrom(_CHUNK)
                self.socket.connect(peer)
                self._take(data)
        except TimeoutError as error:
            where = "{}:{}".format(*self.address)
            raise LinkLost(f"nobody came to {where} within {duration_text(timeout)}") from error

    def send(self, messages: Sequence[Any]) -> None:
        """Send messages, each a frame (and, over UDP, a datagram) of its own.

        Raises:
            LinkLost: the other side is gone.
        """
        try:
            for message in messages:
                frame = message.pack(self.parser)
                self.parser.seq = (self.parser.seq + 1) % 256
                self.socket.sendall(frame)
        except OSError as error:
            raise LinkLost(f"it closed the connection ({error.strerror or error})") from error

    def await_controls(self, sent: int, timeout: int) -> Any:
        """Return the HIL_ACTUATOR_CONTROLS that answers the HIL_SENSOR of time `sent` [us].

        Older ones are late answers to earlier messages, and are passed over.

        Raises:
            LinkLost: there is none within `timeout` [ns], it tells of a time to come, or what is no MAVLink 2.
        """
        end, late = time.monotonic_ns() + timeout, 0
        while True:
            while self._heard:
                message = self._heard.popleft()
                if message.time_usec > sent:
                    raise LinkLost(f"it answers at {message.time_usec} us of its clock, but it is {sent} us only")
                if message.time_usec == sent:
                    return message
                late += 1
            if not self._listen(end):
                what = f"no answer within {duration_text(timeout)}"
                raise LinkLost(what + (f" ({late} of earlier times)" if late else ""))

    def discard(self, end: int) -> None:
        """Listen until `end` [ns, monotonic] and forget the answers."""
        while self._listen(end):
            pass
        self._heard.clear()

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def _listen(self, end: int) -> bool:
        """Take in what comes next; False when nothing comes before `end` [ns, monotonic]."""
        left = end - time.monotonic_ns()
        if left <= 0:
            return False
        self.socket.settimeout(left / NS)
        try:
            data = self.socket.recv(_CHUNK)
        except TimeoutError:
            return False
        except OSError as error:
            raise LinkLost(f"it closed the connection ({error.strerror or error})") from error
        if self.stream and not data:
            raise LinkLost("it closed the connection")
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        for message in self.parser.parse_buffer(data) or []:
            kind = message.get_type()
            if kind == "BAD_DATA" and not message.reason.startswith("unknown MAVLink message ID"):
                raise LinkLost(f"its packet is no MAVLink 2 to be trusted: {message.reason}")
            if kind == "HIL_ACTUATOR_CONTROLS":
                if message.get_msgbuf()[0] != mavlink.PROTOCOL_MARKER_V2:
                    raise LinkLost("it speaks MAVLink 1; allowed: 2")
                self._heard.append(message)


def parser(key: bytes | None) -> Any:
    """Return what packs and parses MAVLink 2 as simulators do (system 1, component 200), signed with a key."""
    made = mavlink.MAVLink(None, srcSystem=1, srcComponent=200)
    made.robust_parsing = True
    if key is not None:
        made.signing.secret_key = key
        made.signing.sign_outgoing = True
        made.signing.timestamp = int((time.time() - _EPOCH) * 100_000)
    return made
