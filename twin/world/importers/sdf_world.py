"""What an SDF world says about the whole of it: its place on the earth, and where its models were when it was saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.georeference import GeoReference
from twin.world.importers import shapes


@dataclass(frozen=True, slots=True)
class States:
    """The <state> of a world: poses that replace those of its models, models inserted and deleted since."""

    poses: dict[str, Element] = field(default_factory=dict)
    inserted: list[Element] = field(default_factory=list)
    deleted: frozenset[str] = frozenset()
    counted: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, world: Element) -> Self:
        """Read all states of a world."""
        poses: dict[str, Element] = {}
        counted: Counter[str] = Counter()
        for model in world.findall("state/model"):
            pose = model.find("pose")
            if pose is not None:
                poses[model.get("name", "")] = pose
                counted["model placed by the world's <state>"] += 1
            scale = (model.findtext("scale") or "1 1 1").split()
            if any(part.rstrip("0").rstrip(".") != "1" for part in scale):
                counted["<scale> of a <state> left aside"] += 1
            if len(model.findall("link")) > 1:
                counted["links of a <state> left where their model has them"] += 1
        inserted = [element for element in world.iterfind("state/insertions/*")]
        deleted = frozenset((name.text or "").strip() for name in world.iterfind("state/deletions/name"))
        return cls(poses, inserted, deleted, counted)


def spherical_coordinates(element: Element, file: Path) -> tuple[GeoReference, float]:
    """Return where the origin lies, and the heading [rad] of the world's axes, from north towards east.

    Raises:
        WorldError: a number is missing, or the axes aren't those of east, north, up.
    """
    place = f"{file}: <spherical_coordinates>"
    for tag, allowed in {"surface_model": "EARTH_WGS84", "world_frame_orientation": "ENU"}.items():
        found = (element.findtext(tag) or allowed).strip()
        if found != allowed:
            raise WorldError(f"{place}: <{tag}>: found {found!r}; allowed: {allowed}")

    def number(tag: str, default: float | None) -> float:
        text = element.findtext(tag)
        if text is None and default is None:
            raise WorldError(f"{place}: has no <{tag}>")
        return float(shapes.numbers(text, 1, default or 0.0, f"{place}: <{tag}>")[0])

    longitude, latitude = number("longitude_deg", None), number("latitude_deg", None)
    try:
        origin = GeoReference(longitude, latitude, number("elevation", 0.0))
    except WorldError as error:
        raise WorldError(f"{place}: {error}") from error
    return origin, float(np.radians(number("heading_deg", 0.0)))


def turned(heading: float) -> F64:
    """Return the transform (4, 4) from a world's axes to east, north, up (gz-math, SphericalCoordinates)."""
    return shapes.pose(np.zeros(3), np.array([0.0, 0.0, -heading]))
