"""TOML text in, as a model, and where a mistake is: file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from twin.errors import ScenarioError, nearest
from twin.specs.mistakes import Key, dotted, explain

MAX_BYTES = 10_000_000
MAX_DEPTH = 32
"""Tables and lists inside each other."""
_LONGEST_KEY = 1000
"""Parts of a key on a line; lines of text that look like more are hardly any."""
_MOST_TOLD = 50
"""Mistakes that are listed."""
_Model = TypeVar("_Model", bound=BaseModel)
_HEADER = re.compile(r"\s*(\[{1,2})([^\[\]=]+)\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"[\w\-.\"' ]+")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return the tables of a TOML file and its text.

    Raises:
        ScenarioError: missing, unreadable, not a file, larger than 10 MB, empty, not text or not TOML.
    """
    try:
        if not path.exists():
            siblings = sorted(other.name for other in path.parent.glob("*.toml"))
            raise ScenarioError(f"no such file{nearest(path.name, siblings)}", file=path)
        if not path.is_file():
            raise ScenarioError("expected a TOML file, found a folder or device", file=path)
        if (size := path.stat().st_size) > MAX_BYTES:
            message = f"found {size / 1e6:.1f} MB; allowed: at most {MAX_BYTES / 1e6:.0f} MB"
            raise ScenarioError(message, file=path)
        text = path.read_bytes().decode("utf-8-sig")
        if not text.strip():
            raise ScenarioError("the file is empty", file=path)
        _check_keys(text, path)
        return tomllib.loads(text), text
    except OSError as error:
        raise ScenarioError(f"can't be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        message = f"expected TOML text, found byte 0x{byte:02x} at offset {error.start}: not UTF-8"
        raise ScenarioError(message, file=path) from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"not valid TOML: {error}", file=path) from error


def _check_keys(text: str, path: Path) -> None:
    """Refuse keys of a thousand parts before they are read, which takes time with the square of their number."""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition("=")[0]
        if len(key) > _LONGEST_KEY and key.count(".") > _LONGEST_KEY:
            message = f"a key of more than {_LONGEST_KEY} parts; allowed: {MAX_DEPTH}"
            raise ScenarioError(message, file=f"{path}:{number}")


def validate(
    model: type[_Model],
    data: dict[str, Any],
    *,
    file: Path | str | None = None,
    key: str = "",
    text: str = "",
    overridden: Collection[Key] = (),
    source: Callable[[Key], tuple[Path | str | None, str]] | None = None,
) -> _Model:
    """Return `data` as `model`; `text` gives line numbers, keys in `overridden` came from `--set`.

    `source` tells file and text of a key where they are not all of one file.

    Raises:
        ScenarioError: everything that is wrong, in the order of the file.
    """
    _check_values(data, file, key, "" if overridden else text)
    try:
        return model.model_validate(data, extra=None if "extra" in model.model_config else "forbid")
    except ValidationError as error:
        mistakes = explain(error, model.model_json_schema(), data)
    more = len(mistakes) - _MOST_TOLD
    del mistakes[_MOST_TOLD:]
    places = {path: source(path) if source else (file, text) for path, _ in mistakes}
    lines = {path: line_of(places[path][1], path) for path, _ in mistakes}
    mistakes.sort(key=lambda mistake: (str(places[mistake[0]][0]), lines[mistake[0]]))
    listing = []
    for path, message in mistakes:
        line = lines[path]
        place = f"{places[path][0]}:{line}" if line else str(places[path][0] or "")
        if any(path[: len(set_)] == set_ or (not line and set_[: len(path)] == path) for set_ in overridden):
            place = "--set"
        listing.append((place, ".".join(filter(None, (key, dotted(path)))), message))
    if len(listing) == 1:
        place, where, message = listing[0]
        raise ScenarioError(message, file=place, key=where)
    rows = "".join("\n  " + ": ".join(filter(None, row)) for row in listing)
    rows += f"\n  and {more} more" if more > 0 else ""
    parts = [ScenarioError(message, file=place or None, key=where) for place, where, message in listing]
    raise ScenarioError(f"{len(listing) + max(more, 0)} mistakes{rows}", file=file, parts=[] if more > 0 else parts)


def _check_values(data: dict[str, Any], file: Path | str | None, key: str, text: str) -> None:
    """Refuse what no key takes and what can't be recorded: numbers that aren't finite, tables nested without end.

    Raises:
        ScenarioError: says which.
    """
    left: list[tuple[Key, Any]] = [((name,), value) for name, value in data.items()]
    while left:
        path, value = left.pop()
        if len(path) > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} tables and lists inside each other; allowed: that many"
            raise ScenarioError(message, file=file, key=".".join(filter(None, (key, dotted(path[:3])))))
        if isinstance(value, float) and not isfinite(value):
            message = f"found {value}; allowed: a finite number"
            place = f"{file}:{line}" if (line := line_of(text, path)) else file
            raise ScenarioError(message, file=place, key=".".join(filter(None, (key, dotted(path)))))
        if isinstance(value, dict):
            left += [((*path, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            left += [((*path, i), inner) for i, inner in enumerate(value)]


def line_of(text: str, path: Key) -> int:
    """Return the line of the deepest key on `path` that the text spells out, 0 without one."""
    best, number_of_best = 0, 0
    table: Key = ()
    repeats: dict[Key, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _names(header[2])
            if header[1] == "[[":
                repeats[table] = repeats.get(table, -1) + 1
                table += (repeats[table],)
            here = table
        elif (written := line.partition("=")[0].strip()) and "=" in line and _KEY.fullmatch(written):
            here = table + _names(written)
        else:
            continue
        if len(here) > best and here == path[: len(here)]:
            best, number_of_best = len(here), number
    return number_of_best


def _names(written: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in written.split("."))
