"""Frames of protocols: what a peer on a port says is taken, or dropped in words, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import msgpack
import numpy as np

from fuzzing.harness import Target, Wrong
from fuzzing.mutations import bytes_changed, text_changed, tree_changed
from twin.errors import RunError
from twin.interfaces import external
from twin.interfaces.client import _request
from twin.interfaces.hil import mavlink
from twin.interfaces.link import Conversation
from twin.interfaces.peers import LinkLost
from twin.interfaces.signing import Codec
from twin.interfaces.vda5050.vehicle import Vehicle

KEY = bytes(range(32))
_POSITION = {"x": 1.0, "y": 2.0, "mapId": "hall", "theta": 0.0}
ORDER = {
    "headerId": 0, "timestamp": "2025-01-01T00:00:00.00Z", "version": "2.0.0", "manufacturer": "twin",
    "serialNumber": "cart", "orderId": "o1", "orderUpdateId": 0,
    "nodes": [{"nodeId": f"n{k}", "sequenceId": 2 * k, "released": True, "actions": [],
               "nodePosition": {**_POSITION, "x": float(k)}} for k in range(3)],
    "edges": [{"edgeId": f"e{k}", "sequenceId": 2 * k + 1, "released": True, "startNodeId": f"n{k}",
               "endNodeId": f"n{k + 1}", "actions": [], "maxSpeed": 1.0} for k in range(2)],
}  # fmt: skip
REPLY = {"type": "actions", "step": 3, "actions": [
    {"command": [0.0, 1.0, 2.0, 3.0], "messages": [{"to": "edge", "payload": [1], "size": 20, "kind": "x"}],
     "log": {"error": 0.5}, "size": 40},
]}  # fmt: skip


def _frame(number: int, key: bytes | None) -> bytes:
    codec = Codec(key)
    codec.signing.timestamp += number
    return bytes(mavlink.MAVLink_hil_actuator_controls_message(number, [0.1] * 16, 128, 1).pack(codec))


def _mavlink(key: bytes | None, name: str) -> Target:
    def change(chance: Random, folder: Path) -> str:
        data, done = bytes_changed(b"".join(_frame(number, key) for number in range(3)), chance)
        (folder / "frames").write_bytes(data)
        return done

    def attempt(folder: Path) -> None:
        data, codec = (folder / "frames").read_bytes(), Codec(key)
        found = [message for at in range(0, len(data), 50) for message in codec.frames(data[at : at + 50])[0]]
        found += codec.frames(_frame(77, key))[0]
        for _ in range(len(data) + 100):
            if not codec.begun:
                break
            found += codec.skip()[0]
        if not any(message.get_type() == "HIL_ACTUATOR_CONTROLS" and message.time_usec == 77 for message in found):
            raise Wrong("the good frame after the others is lost")

    return Target(name, change, attempt, 100, lambda folder: None)


def _packed_changed(chance: Random, folder: Path) -> str:
    if chance.random() < 0.5:
        data, done = bytes_changed(msgpack.packb(REPLY), chance)
    else:
        tree, done = tree_changed(REPLY, chance)
        try:
            data = msgpack.packb(tree)
        except (ValueError, OverflowError, UnicodeEncodeError):  # what msgpack can't hold no peer can send
            data = b"\xc1"
    (folder / "frames").write_bytes(data)
    return done


def _converse(folder: Path) -> None:
    """Take the answer of a controller in another process as a run does."""
    data = (folder / "frames").read_bytes()
    _request(data)
    talk = Conversation.__new__(Conversation)
    talk._ends = SimpleNamespace(send=lambda *_: None, receive=lambda *_: data)
    body = SimpleNamespace(width=4)
    spec = SimpleNamespace(name="scout", kind=SimpleNamespace(body=body))
    try:
        reply = talk._exchange({"type": "act"}, 1)
        (action,) = external._actions(reply, [SimpleNamespace(spec=spec)])
    except LinkLost as fault:
        raise RunError(f"controller process:x: {fault}") from fault
    if action.command is not None and not np.isfinite(action.command).all():
        raise Wrong(f"a command of {action.command}")
    if (action.size or 0) < 0 or any(message.size < 0 for message in action.messages):
        raise Wrong("a size below zero")


def _order_changed(chance: Random, folder: Path) -> str:
    tree: Any = ORDER
    if chance.random() < 0.7:
        tree, done = tree_changed(ORDER, chance)
        text = json.dumps(tree)
    else:
        text, done = text_changed(json.dumps(ORDER), chance)
    (folder / "order").write_text(text, encoding="utf-8", errors="surrogatepass")
    return done


def _drive(folder: Path) -> None:
    """Let a vehicle hear an order, and tell its state."""
    vehicle = Vehicle("hall")
    text = (folder / "order").read_bytes().decode(errors="replace")
    for topic in ("order", "instantActions"):
        vehicle.hear(topic, text, (0.0, 0.0))
    vehicle.move(0.0, 0.0, 0.0)
    for node in vehicle.nodes:
        place = node.node_position
        if place is not None and not np.isfinite([place.x, place.y]).all():
            raise Wrong(f"a node at {place}")


def targets() -> list[Target]:
    """Return the targets of protocols."""
    return [
        _mavlink(None, "frames-mavlink"),
        _mavlink(KEY, "frames-signed"),
        Target("frames-process", _packed_changed, _converse, 150, lambda folder: None),
        Target("frames-vda5050", _order_changed, _drive, 150, lambda folder: None),
    ]
