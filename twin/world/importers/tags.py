"""Base and top of a building from its attributes, by the keys of OpenStreetMap and of common GeoJSON files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from typing import Any

from twin.world.importers.content import Tally

HEIGHT_KEYS = ("height", "building:height", "Height", "HEIGHT", "building_height")
LEVEL_KEYS = ("building:levels", "levels", "Floor", "floors", "num_floors")
BASE_KEYS = ("min_height", "building:min_height", "base_height")
BASE_LEVEL_KEYS = ("building:min_level", "min_level")
ROOF_HEIGHT_KEYS, ROOF_LEVEL_KEYS = ("roof:height",), ("roof:levels",)
LEVEL_HEIGHT = 3.0
"""Metres of one storey where only storeys are known."""
DEFAULT_HEIGHT = 9.0
"""Metres of a building of which neither height nor storeys are known."""
MAX_HEIGHT = 1000.0
"""Metres; the tallest building stands at 828 m, so more is taken for a mistake or a mark of what isn't known."""
LONGEST = 200
"""Characters of a tag; what is longer is cut off, and that is counted."""
_FOOT, _INCH = 0.3048, 0.0254
_METRES = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*(m|met(?:re|er)s?|ft|foot|feet)?\.?", re.IGNORECASE)
_FEET = re.compile(r"(\d+(?:\.\d+)?)'(?:\s*(\d+(?:\.\d+)?)\")?")


def base_and_top(tags: Mapping[str, Any], tally: Tally, default: float = DEFAULT_HEIGHT) -> tuple[float, float]:
    """Return base and top above ground [m]; a value that is no usable length is counted and counts as not stated.

    Zero and negative heights are among these: they stand for "not known" in many files.
    """
    height = _first(tags, HEIGHT_KEYS, tally, zero=False)
    levels = _first(tags, LEVEL_KEYS, tally, zero=False, unit=LEVEL_HEIGHT)
    base, base_level = _first(tags, BASE_KEYS, tally), _first(tags, BASE_LEVEL_KEYS, tally, unit=LEVEL_HEIGHT)
    roof, roof_levels = _first(tags, ROOF_HEIGHT_KEYS, tally), _first(tags, ROOF_LEVEL_KEYS, tally, unit=LEVEL_HEIGHT)
    if base is None:
        base = base_level or 0.0
    if height is None and levels is not None:
        tally.assumed[f"height of {LEVEL_HEIGHT:g} m a storey"] += 1
        height = levels + (roof if roof is not None else roof_levels or 0.0)
    elif height is None:
        tally.assumed[f"height of {default:g} m"] += 1
        height = base + default
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
    """Return a length in metres: 12, "12", "12 m", "12,5", "12 metres", "40 ft", or feet and inches with ' and ".

    Raises:
        ValueError: it is none of these.
    """
    text = str(value).strip()
    if len(text) > LONGEST:
        raise ValueError("longer than any length is")
    if (match := _METRES.fullmatch(text)) and isfinite(number := float(match[1].replace(",", "."))):
        return number * (_FOOT if (match[2] or "m").lower().startswith("f") else 1.0)
    if match := _FEET.fullmatch(text):
        return float(match[1]) * _FOOT + float(match[2] or 0) * _INCH
    raise ValueError(f"{value!r} is not a length")


def _first(
    tags: Mapping[str, Any], keys: tuple[str, ...], tally: Tally, *, zero: bool = True, unit: float = 1.0
) -> float | None:
    """Return the first usable value of `keys` in metres, `unit` [m] each; None without one."""
    for key in keys:
        value = tags.get(key)
        if value in (None, ""):
            continue
        try:
            found = unit * metres(value)
        except ValueError:
            tally.repaired[f"{key} that can't be read left aside"] += 1
            continue
        if (0.0 <= found if zero else 0.0 < found) and found <= MAX_HEIGHT:
            return found
        kind = "zero or negative" if found <= 0.0 else f"above {MAX_HEIGHT:g} m"
        tally.repaired[f"{key} {kind} left aside"] += 1
    return None
