"""Where orders come from and states go to: an MQTT broker, or what a run before has heard."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from twin.clock import NS
from twin.errors import PluginError, ScenarioError
from twin.extras import install
from twin.interfaces.peers import LinkLost
from twin.recording.reader import Recording
from twin.state import INPUT
from twin.units import QuantityError, duration_text, parse_quantity

try:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.enums import CallbackAPIVersion
except ImportError as error:
    raise PluginError(f"VDA 5050 needs an extra: {error}: {install('vda5050')}") from error

_LARGEST, _MOST = 1 << 20, 10_000
"""Bytes of a message, and messages that wait."""
TOPICS = ("order", "instantActions")


class Listener(Protocol):
    """What one vehicle hears, and who hears it."""

    def hear(self, now: int, patience: int) -> list[tuple[str, str]]:
        """Return topic and text of what has come by `now` [ns]; wait `patience` [ns] of real time if nothing has."""

    def tell(self, topic: str, text: str, *, lasting: bool = False) -> None:
        """Publish a message; a lasting one is kept for those who come later."""

    def close(self, farewell: str) -> None:
        """End it, with a last message on the topic `connection`."""


class Played:
    """Messages of a file, each at its time."""

    def __init__(self, messages: Sequence[tuple[int, str, str]]) -> None:
        self._messages = deque(sorted(messages, key=lambda message: message[0]))

    def hear(self, now: int, patience: int) -> list[tuple[str, str]]:
        """Return topic and text of what has come by `now` [ns]."""
        heard = []
        while self._messages and self._messages[0][0] <= now:
            heard.append(self._messages.popleft()[1:])
        return heard

    def tell(self, topic: str, text: str, *, lasting: bool = False) -> None:
        """Nobody listens."""

    def close(self, farewell: str) -> None:
        """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is, and how one is let in there."""

    host: str
    port: int
    tls: bool = False
    ca: Path | None = None  # certificates to check the broker's by, instead of the system's
    login: tuple[str, str] | None = None  # name, password


class Mqtt:
    """One vehicle's session with a broker; its last will goes out when the connection breaks.

    Raises:
        LinkLost: the broker isn't there, or refuses.
    """

    def __init__(self, address: Address, prefix: str, will: str, timeout: int) -> None:
        self._prefix, self._timeout = prefix, timeout
        self._inbox: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._ready, self._lost = threading.Event(), ""
        self._closing = False
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=prefix, reconnect_on_failure=False)
        self._client.will_set(f"{prefix}/connection", will, qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._heard
        try:
            if address.tls:
                self._client.tls_set(ca_certs=None if address.ca is None else str(address.ca))
            if address.login is not None:
                self._client.username_pw_set(*address.login)
            self._client.connect(address.host, address.port)
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise LinkLost(f"no broker at {address.host}:{address.port}: {what}") from error
        self._client.loop_start()
        if not self._ready.wait(timeout / NS) or self._lost:
            self._client.loop_stop()
            raise LinkLost(self._lost or f"the broker didn't take the subscription within {duration_text(timeout)}")

    def hear(self, now: int, patience: int) -> list[tuple[str, str]]:
        """Return topic and text of all that has come; wait `patience` [ns] of real time if nothing has.

        Raises:
            LinkLost: the broker is gone.
        """
        heard: list[tuple[str, str]] = []
        end = time.monotonic_ns() + patience
        while True:
            try:
                wait = 0.0 if heard else max(0, end - time.monotonic_ns()) / NS
                heard.append(self._inbox.get(timeout=wait) if wait else self._inbox.get_nowait())
            except Empty:
                break
        if self._lost:
            raise LinkLost(self._lost)
        return heard

    def tell(self, topic: str, text: str, *, lasting: bool = False) -> None:
        """Publish a message; a lasting one is kept by the broker, and arrives at least once.

        Raises:
            LinkLost: the broker is gone, or doesn't take a lasting message in time.
        """
        sent = self._client.publish(f"{self._prefix}/{topic}", text, qos=1 if lasting else 0, retain=lasting)
        if lasting:
            try:
                sent.wait_for_publish(self._timeout / NS)
            except RuntimeError as error:
                raise LinkLost(f"the broker is gone: {error}") from error
            if not sent.is_published():
                raise LinkLost(f"the broker didn't take a message within {duration_text(self._timeout)}")
        if self._lost:
            raise LinkLost(self._lost)

    def close(self, farewell: str) -> None:
        """Say good-bye and disconnect."""
        self._closing = True
        try:
            self.tell("connection", farewell, lasting=True)
        except LinkLost:
            pass  # its will tells the others
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._lost = f"the broker refuses: {code}"
            self._ready.set()
            return
        client.subscribe([(f"{self._prefix}/{topic}", 0) for topic in TOPICS])

    def _disconnected(self, client: Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if not self._closing:
            self._lost = self._lost or f"the broker closed the connection: {code}"
            self._ready.set()

    def _heard(self, client: Client, data: Any, message: MQTTMessage) -> None:
        if len(message.payload) > _LARGEST or self._inbox.qsize() > _MOST:
            self._lost = f"the broker sends more than anybody could mean: {len(message.payload)} bytes at once"
            return
        self._inbox.put((message.topic.rpartition("/")[2], message.payload.decode(errors="replace")))


def played(file: Path, robot: str) -> Played:
    """Return what `robot` heard, from a recording (.h5) or a file of lines `{"time", "robot", "topic", "message"}`.

    Raises:
        ScenarioError: a line is malformed.
        RecordingError: the recording can't be read.
    """
    if file.suffix == ".h5":
        with Recording(file) as recording:
            events = recording.events()
        mine = [event for event in events if event.kind == INPUT and event.robot == robot]
        return Played([(event.time, *_halves(event.detail)) for event in mine])
    lines = file.read_text().splitlines()
    parsed = [_line(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return Played([(time, topic, text) for time, name, topic, text in parsed if name == robot])


def _halves(detail: str) -> tuple[str, str]:
    topic, _, text = detail.partition(" ")
    return topic, text


def _line(file: Path, number: int, line: str) -> tuple[int, str, str, str]:
    try:
        entry = json.loads(line)
        time = int(parse_quantity(entry["time"], "time") * NS)
        if entry["topic"] not in TOPICS:
            raise ScenarioError(f"topic {entry['topic']!r}; allowed: {', '.join(TOPICS)}", file=f"{file}:{number}")
        return time, entry["robot"], entry["topic"], json.dumps(entry["message"])
    except (ValueError, KeyError, TypeError, QuantityError) as error:
        message = f"expected a map of time, robot, topic, message; found {type(error).__name__}: {error}"
        raise ScenarioError(message, file=f"{file}:{number}") from error
