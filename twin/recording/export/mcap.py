"""MCAP with JSON messages: poses as `foxglove.FrameTransforms`, events as `foxglove.Log`, the rest as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcap.writer import CompressionType, Writer

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import Frame
from twin.world.geometry import atomic

_INFO = 2  # foxglove.LogLevel
_ANY = {"type": "object"}
_TIME = {"type": "object", "title": "time", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "foxglove.FrameTransforms": {
        "type": "object",
        "properties": {"transforms": {"type": "array", "items": {"type": "object", "properties": {
            "timestamp": _TIME, "parent_frame_id": {"type": "string"}, "child_frame_id": {"type": "string"},
            "translation": _ANY, "rotation": _ANY}}}},
    },
    "foxglove.Log": {
        "type": "object",
        "properties": {"timestamp": _TIME, "level": {"type": "integer"}, "message": {"type": "string"},
                       "name": {"type": "string"}},
    },
    "twin.State": {
        "type": "object",
        "properties": {"mode": {"type": "string"}, "velocity": _ANY, "angular_velocity": _ANY,
                       "command": {"type": "array", "items": {"type": "number"}}},
    },
    "twin.Packet": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("source", "destination", "kind", "fate")}
        | {name: {"type": "integer"} for name in ("sequence", "size", "created", "arrived", "stamp")},
    },
    "twin.Links": {"type": "object", "properties": {"path_gain_db": {"type": "array", "items": {"type": "number"}}}},
    "twin.Value": {"type": "object", "properties": {"value": {"type": "number"}}},
}  # fmt: skip
Message = tuple[str, str, int, dict[str, Any]]
"""Topic, schema, time [ns], content."""


def to_mcap(recording: Recording, path: Path) -> list[Path]:
    """Write all frames with their packets, events and logged values.

    A link without a path has the gain null, for JSON knows no infinities.
    """
    with atomic(path, "wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start(profile="", library="twin")
        writer.add_metadata("twin", {"scenario": recording.scenario_text})
        schemas = {
            name: writer.register_schema(name, "jsonschema", json.dumps({"title": name} | schema).encode())
            for name, schema in _SCHEMAS.items()
        }
        channels: dict[str, int] = {}
        for topic, schema, time, content in _messages(recording):
            if topic not in channels:
                channels[topic] = writer.register_channel(topic, "json", schemas[schema])
            data = json.dumps(content, allow_nan=False).encode()
            writer.add_message(channels[topic], log_time=time, data=data, publish_time=time)
        writer.finish()
    return [path]


def _messages(recording: Recording) -> Iterator[Message]:
    robots = [robot.name for robot in recording.robots]
    traced = None
    for frame in recording.frames():
        yield "/tf", "foxglove.FrameTransforms", frame.time, _transforms(recording, frame)
        yield from _states(recording, frame)
        for p in frame.packets:
            yield "/packets", "twin.Packet", max(p.created, p.arrived), {
                "source": robots[p.source], "destination": robots[p.destination], "kind": p.kind, "fate": p.fate,
                "sequence": p.sequence, "size": p.size, "created": p.created, "arrived": p.arrived, "stamp": p.stamp,
            }  # fmt: skip
        for event in frame.events:
            text = " ".join(part for part in (event.kind, event.detail) if part)
            said = {"level": _INFO, "message": text, "name": event.robot, "value": event.value}
            yield "/events", "foxglove.Log", event.time, {"timestamp": _stamp(event.time)} | said
        for time, node, name, value in frame.logs:
            yield f"/{robots[node]}/log/{name}", "twin.Value", time, {"value": value}
        if frame.links.time != traced:
            traced = frame.links.time
            gains = [gain if gain > -1e300 else None for gain in frame.links.path_gain_db.tolist()]
            yield "/links", "twin.Links", traced, {"path_gain_db": gains, "los": frame.links.los.tolist()}


def _transforms(recording: Recording, frame: Frame) -> dict[str, Any]:
    position, orientation = frame.bodies.position.tolist(), frame.bodies.orientation.tolist()
    return {"transforms": [
        {"timestamp": _stamp(frame.time), "parent_frame_id": "world", "child_frame_id": robot.name,
         "translation": dict(zip("xyz", position[robot.body], strict=True)),
         "rotation": dict(zip("xyzw", orientation[robot.body], strict=True))}
        for robot in recording.robots if robot.body >= 0
    ]}  # fmt: skip


def _states(recording: Recording, frame: Frame) -> Iterator[Message]:
    for node, robot in enumerate(recording.robots):
        if robot.body >= 0:
            yield f"/{robot.name}/state", "twin.State", frame.time, {
                "mode": frame.modes[node],
                "velocity": dict(zip("xyz", frame.bodies.velocity[robot.body].tolist(), strict=True)),
                "angular_velocity": dict(zip("xyz", frame.bodies.angular_velocity[robot.body].tolist(), strict=True)),
                "command": frame.commands[robot.group][robot.row].tolist() if robot.group in frame.commands else [],
            }  # fmt: skip


def _stamp(time: int) -> dict[str, int]:
    return {"sec": time // NS, "nsec": time % NS}
