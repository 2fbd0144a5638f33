"""KML and CZML: where on the earth robots went. A run has no date: its start is drawn at 1970-01-01T00:00:00Z."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import F64
from twin.world.geometry import atomic
from twin.world.georeference import GeoReference

_KML, _GX = "http://www.opengis.net/kml/2.2", "http://www.google.com/kml/ext/2.2"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_POINTS = 5000  # of a track; a longer one is thinned out evenly
_COLOURS = ((31, 119, 180), (217, 95, 2), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75))


def to_kml(recording: Recording, path: Path, origin: GeoReference) -> list[Path]:
    """Write a `gx:Track` for each robot with a body.

    KML knows heights over the sea or over the ground, but none over the ellipsoid: each is that over the
    world's z = 0, drawn over the ground.
    """
    ElementTree.register_namespace("", _KML)
    ElementTree.register_namespace("gx", _GX)
    root = ElementTree.Element(f"{{{_KML}}}kml")
    document = ElementTree.SubElement(root, f"{{{_KML}}}Document")
    _text(document, "name", recording.path.stem)
    for i, (name, time, place) in enumerate(_tracks(recording)):
        red, green, blue = _COLOURS[i % len(_COLOURS)]
        mark = ElementTree.SubElement(document, f"{{{_KML}}}Placemark")
        _text(mark, "name", name)
        line = ElementTree.SubElement(ElementTree.SubElement(mark, f"{{{_KML}}}Style"), f"{{{_KML}}}LineStyle")
        _text(line, "color", f"ff{blue:02x}{green:02x}{red:02x}")
        _text(line, "width", "2")
        track = ElementTree.SubElement(mark, f"{{{_GX}}}Track")
        _text(track, "altitudeMode", "relativeToGround")
        for t in time.tolist():
            _text(track, "when", _stamp(t))
        degrees = origin.to_geodetic(place)
        for (longitude, latitude, _), z in zip(degrees.tolist(), place[:, 2].tolist(), strict=True):
            ElementTree.SubElement(track, f"{{{_GX}}}coord").text = f"{longitude:.9f} {latitude:.9f} {z:.3f}"
    with atomic(path, "wb") as file:
        ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    return [path]


def to_czml(recording: Recording, path: Path, origin: GeoReference) -> list[Path]:
    """Write a moving point with its path for each robot with a body; heights are over the ellipsoid."""
    interval = f"{_stamp(0.0)}/{_stamp(recording.duration / NS)}"
    clock = {"interval": interval, "currentTime": _stamp(0.0), "multiplier": 1.0}
    packets: list[dict[str, Any]] = [
        {"id": "document", "name": recording.path.stem, "version": "1.0", "clock": clock}
    ]
    for i, (name, time, place) in enumerate(_tracks(recording)):
        degrees = origin.to_geodetic(place)
        samples = [
            value
            for t, (longitude, latitude, height) in zip(time.tolist(), degrees.tolist(), strict=True)
            for value in (t, round(longitude, 9), round(latitude, 9), round(height, 3))
        ]
        colour = {"rgba": [*_COLOURS[i % len(_COLOURS)], 255]}
        packets.append({
            "id": name, "name": name, "availability": interval,
            "position": {"epoch": _stamp(0.0), "cartographicDegrees": samples},
            "point": {"pixelSize": 8, "color": colour},
            "path": {"width": 2, "material": {"solidColor": {"color": colour}}},
        })  # fmt: skip
    with atomic(path, "w") as file:
        json.dump(packets, file)
    return [path]


def _tracks(recording: Recording) -> Iterator[tuple[str, F64, F64]]:
    """Yield name, times (n,) s and places (n, 3) m of each robot with a body."""
    stride = max(1, -(-recording.rows["state"] // _MOST_POINTS))
    time = recording["state/time"][::stride] / NS
    for robot in recording.robots:
        if robot.body >= 0:
            yield robot.name, time, recording["state/position"][::stride, robot.body, :]


def _stamp(seconds: float) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{_KML}}}{tag}").text = text
