"""What a reader of one file format hands over, in the file's own coordinates, and what it could not use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from twin.state import F64, I64
from twin.world.georeference import GeoReference

Tags = Mapping[str, tuple[str, ...]]
"""What a source says of footprints and meshes, by their name: "key=value"."""


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
class Mesh:
    """Triangles of one material; all meshes of one name make one building or thing."""

    name: str | None  # None: the ground
    vertices: F64  # (V, 3) in the source's coordinates, heights absolute
    triangles: I64  # (T, 3) counter-clockwise seen from outside
    material: str


@dataclass(slots=True)
class Lane:
    """A stretch on which a vehicle may drive, from start to end."""

    start: F64  # (3,) m
    end: F64  # (3,) m
    both_ways: bool


@dataclass(slots=True)
class Content:
    """A file's content; `crs` is any name that `datum` knows, None for local metres without a place."""

    format: str
    crs: str | None
    tally: Tally
    footprints: list[Footprint] = field(default_factory=list)
    meshes: list[Mesh] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ground: float | None = None  # m, height of level ground where the source knows it
    has_crs: bool = False  # whether the format names its CRS, so that none is worth a word
    place: GeoReference | None = None  # of the origin of local metres, where the source knows it
