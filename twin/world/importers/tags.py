"""Base and top of a building from its attributes, by the keys of OpenStreetMap and of common GeoJSON files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from typing import Any

from twin.world.importers.source import Tally

HEIGHT_KEYS = ("height", "building:height", "Height", "HEIGHT", "building_height")
LEVEL_KEYS = ("building:levels", "levels", "Floor", "floors", "num_floors")
BASE_KEYS = ("min_height", "building:min_height", "base_height")
BASE_LEVEL_KEYS = ("building:min_level", "min_level")
ROOF_HEIGHT_KEYS, ROOF_LEVEL_KEYS = ("roof:height",), ("roof:levels",)
LEVEL_HEIGHT = 3.0
"""Metres of one storey where only storeys are known."""
DEFAULT_HEIGHT = 9.0
"""Metres of a building of which neither height nor storeys are known."""
LONGEST = 200
"""Characters of a tag; what is longer is cut off, and that is counted."""
_FOOT, _INCH = 0.3048, 0.0254
_METRES = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*(m|ft)?")
_FEET = re.compile(r"(\d+)'(?:\s*(\d+)\")?")


def base_and_top(tags: Mapping[str, Any], tally: Tally) -> tuple[float, float]:
    """Return base and top above ground [m].

    Raises:
        ValueError: a value that is there isn't a length.
    """
    height, levels, base, base_level, roof, roof_levels = (
        _first(tags, keys)
        for keys in (HEIGHT_KEYS, LEVEL_KEYS, BASE_KEYS, BASE_LEVEL_KEYS, ROOF_HEIGHT_KEYS, ROOF_LEVEL_KEYS)
    )
    if base is None:
        base = (base_level or 0.0) * LEVEL_HEIGHT
    if height is None and levels is not None:
        tally.assumed[f"height of {LEVEL_HEIGHT:g} m a storey"] += 1
        height = levels * LEVEL_HEIGHT + (roof if roof is not None else (roof_levels or 0.0) * LEVEL_HEIGHT)
    elif height is None:
        tally.assumed[f"height of {DEFAULT_HEIGHT:g} m"] += 1
        height = base + DEFAULT_HEIGHT
    return base, height


def texts(properties: Mapping[str, Any], tally: Tally) -> tuple[str, ...]:
    """Return the properties that are text, numbers or truth as "key=value"; tables and lists are left out."""
    found = []
    for key, value in properties.items():
        if isinstance(value, str | int | float):
            text = f"{key}={value if isinstance(value, str) else json.dumps(value)}"
            tally.repaired[f"tag longer than {LONGEST} characters cut off"] += len(text) > LONGEST
            found.append(text[:LONGEST])
    tally.repaired += Counter()  # drops reasons that never were
    return tuple(found)


def metres(value: Any) -> float:
    """Return a length in metres: 12, "12", "12 m", "12,5", "40 ft", or feet and inches with ' and ".

    Raises:
        ValueError: it is none of these.
    """
    text = str(value).strip()
    if (match := _METRES.fullmatch(text)) and isfinite(float(match[1].replace(",", "."))):
        return float(match[1].replace(",", ".")) * (_FOOT if match[2] == "ft" else 1.0)
    if match := _FEET.fullmatch(text):
        return int(match[1]) * _FOOT + int(match[2] or 0) * _INCH
    raise ValueError(f"{value!r} is not a length")


def _first(tags: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    for key in keys:
        value = tags.get(key)
        if value not in (None, ""):
            return metres(value)
    return None
