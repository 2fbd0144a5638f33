"""Mission plans of QGroundControl: JSON files with `fileType` "Plan", version 1.

The format is that of the QGroundControl developer guide ("Plan File Format"); what the numbers of an item mean is said
by MAVLink's MAV_CMD and MAV_FRAME.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, model_validator

from twin.errors import ScenarioError
from twin.specs.mistakes import Mistakes
from twin.specs.toml_text import validate

MAX_BYTES = 10_000_000
MAX_ITEMS = 10_000

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Altitude = Annotated[float, Field(ge=-1000, le=20_000)]
Parameter = Annotated[float, Field(ge=-1e9, le=1e9)] | None


class _Part(BaseModel):
    """A part of a plan; what isn't named here is for the ground station, or for other vehicles."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Item(_Part):
    """A MISSION_ITEM of MAVLink: command, frame of its place, and seven parameters (null: not stated)."""

    command: int
    frame: int
    params: tuple[Parameter, Parameter, Parameter, Parameter, Parameter, Parameter, Parameter]


class _Transects(_Part):
    Items: tuple[Item, ...] = Field(max_length=MAX_ITEMS)


class _AnyItem(_Part):
    """A SimpleItem, or a ComplexItem that a survey or corridor scan was turned into items of."""

    type: Literal["SimpleItem", "ComplexItem"]
    command: int | None = None
    frame: int | None = None
    params: tuple[Any, ...] = ()
    complexItemType: str = ""
    TransectStyleComplexItem: _Transects | None = None


class _Mission(_Part):
    version: Literal[2]
    hoverSpeed: float = Field(default=5.0, gt=0, le=200)
    plannedHomePosition: tuple[Latitude, Longitude, Altitude | None]
    items: tuple[_AnyItem, ...] = Field(min_length=1, max_length=MAX_ITEMS)

    @model_validator(mode="after")
    def _items_are_whole(self) -> _Mission:
        wrong = [
            (("items", i, key), "missing, and there is no default")
            for i, item in enumerate(self.items)
            if item.type == "SimpleItem"
            for key in ("command", "frame", "params")
            if key not in item.model_fields_set
        ]
        if wrong:
            raise Mistakes(wrong)
        return self


class _Fence(_Part):
    circles: tuple[Any, ...] = ()
    polygons: tuple[Any, ...] = ()


class _Rally(_Part):
    points: tuple[Any, ...] = ()


class _File(_Part):
    fileType: Literal["Plan"]
    version: Literal[1]
    mission: _Mission
    geoFence: _Fence = _Fence()
    rallyPoints: _Rally = _Rally()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan file says, flattened; `unused` counts what of it is never flown, by what it is."""

    file: Path
    home: tuple[float, float, float | None]  # latitude, longitude [degrees], height above the sea [m]
    speed: float  # m/s, between waypoints
    items: tuple[tuple[str, Item], ...]  # each with its place in the file
    unused: Counter[str]


def read_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        ScenarioError: it can't be read, is larger than 10 MB, isn't JSON, isn't a plan, or has too many items.
    """
    found = validate(_File, _json(path), file=path)
    unused: Counter[str] = Counter()
    items: list[tuple[str, Item]] = []
    for i, item in enumerate(found.mission.items):
        items += _flattened(path, f"mission.items[{i}]", item, unused)
    if len(items) > MAX_ITEMS:
        raise ScenarioError(f"found {len(items)} items; allowed: at most {MAX_ITEMS}", file=path, key="mission.items")
    for what, things in (("geofence circle", found.geoFence.circles), ("geofence polygon", found.geoFence.polygons),
                         ("rally point", found.rallyPoints.points)):  # fmt: skip
        if things:
            unused[what] = len(things)
    return Plan(path, found.mission.plannedHomePosition, found.mission.hoverSpeed, tuple(items), unused)


def _flattened(path: Path, place: str, item: _AnyItem, unused: Counter[str]) -> Iterator[tuple[str, Item]]:
    if item.type == "SimpleItem":
        data = {"command": item.command, "frame": item.frame, "params": list(item.params)}
        yield place, validate(Item, data, file=path, key=place)
    elif item.TransectStyleComplexItem is None:
        unused[f"complex item {item.complexItemType or 'without a type'!r}"] += 1
    else:
        for i, part in enumerate(item.TransectStyleComplexItem.Items):
            yield f"{place}.TransectStyleComplexItem.Items[{i}]", part


def _json(path: Path) -> dict[str, Any]:
    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a number")

    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            message = f"found {size / 1e6:.1f} MB; allowed: at most {MAX_BYTES / 1e6:.0f} MB"
            raise ScenarioError(message, file=path)
        data = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=refuse)
    except OSError as error:
        raise ScenarioError(f"can't be read: {error.strerror or error}", file=path) from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"not valid JSON: {error}", file=path) from error
    if not isinstance(data, dict):
        raise ScenarioError(f"found a {type(data).__name__}; allowed: an object, as in a plan", file=path)
    return data
