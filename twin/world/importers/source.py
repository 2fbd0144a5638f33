"""What a reader of one file format hands over, in the file's own coordinates, and what it could not use."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from twin.state import F64


@dataclass(slots=True)
class Tally:
    """How many things were found, and how many could not be taken as they are, by reason."""

    found: int = 0
    used: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Footprint:
    """A building as an outline and two heights above the ground."""

    name: str
    polygons: list[list[F64]]  # each: rings (n, 2), outer one first, in the source's coordinates
    top: float  # m above the ground
    base: float = 0.0  # m above the ground
    wall: str = "concrete"
    roof: str = "concrete"


@dataclass(slots=True)
class Face:
    """A planar polygon with holes that needs no extrusion."""

    rings: list[F64]  # (n, 3), outer one counter-clockwise seen from outside, in the source's coordinates
    material: str
    owner: int  # index into Source.objects, -1 for the ground


@dataclass(slots=True)
class Source:
    """A file's content; `crs` is any name that PROJ knows, None for local metres without a place."""

    format: str
    crs: str | None
    tally: Tally
    footprints: list[Footprint] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
