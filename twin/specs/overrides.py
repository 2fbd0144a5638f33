"""`--set key.path=value`, or (key path, value) from Python: changes to a scenario before it is validated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import tomli_w

from twin.errors import ScenarioError, brief, nearest
from twin.specs.mistakes import Key, dotted, subschema
from twin.specs.toml_text import MAX_DEPTH

Override = str | tuple[str, Any]
"""`key.path=value` as text, or the key path and a value of Python's."""


def parse_override(override: Override) -> tuple[Key, Any]:
    """Return key path and value of a change; the value in a text is TOML, or else plain text.

    Raises:
        ScenarioError: no `=`, or a key that TOML wouldn't take.
    """
    text = override if isinstance(override, str) else f"{override[0]}="
    written, equals, value = text.partition("=")
    if written.count(".") >= MAX_DEPTH:
        raise ScenarioError(f"found {brief(text)}; allowed: at most {MAX_DEPTH} parts of a key", file="--set")
    try:
        path = _path(tomllib.loads(f"{written} = 0")) if equals else ()
    except (ValueError, RecursionError):
        path = ()
    if not path or "\n" in written:
        raise ScenarioError(f"found {brief(text, 200)}; allowed: key.path=value", file="--set")
    return path, _value(value.strip()) if isinstance(override, str) else _plain(override[1])


def apply_overrides(
    data: dict[str, Any], overrides: Sequence[Override], schema: dict[str, Any]
) -> tuple[list[Key], list[str]]:
    """Change `data` in place; return the keys that were set, and what a new kind dropped, spelled as in the file.

    `X.kind=...` of a table that comes in several kinds resets X to that kind's defaults, unless X is of that kind
    already; these go first.

    Raises:
        ScenarioError: an override is malformed, goes through something that isn't a table or list, or
            into a table of a name that isn't there and is given no kind.
    """
    parsed = [parse_override(text) for text in overrides]
    _check_names([path for path, _ in parsed], data, schema)
    dropped: list[str] = []
    kinds = [item for item in parsed if _chooses_kind(item[0], data, schema)]
    for path, value in sorted(kinds, key=lambda item: len(item[0])):
        table = _descend(data, path[:-1])
        if not isinstance(table, dict):
            raise _no_way(table, path, len(path) - 1)
        if table.get("kind") == value:
            continue
        dropped += [_spelled(dotted((*path[:-1], key)), old) for key, old in table.items() if key != "kind"]
        table.clear()
        table["kind"] = value
    for path, value in parsed:
        _assign(data, path, value)
    return [path for path, _ in parsed], dropped


def _spelled(key: str, value: object) -> str:
    """Return a key with its value as TOML has them; of a table or a list only that it is one."""
    if isinstance(value, dict):
        return f"[{key}]"
    if isinstance(value, list):
        return f"{key} = [...]"
    return f"{key} = {tomli_w.dumps({'': value}).partition(' = ')[2].rstrip()}"


def _plain(value: Any) -> Any:
    """Return a value of Python's as TOML would give it: paths as text, arrays and tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _value(written: str) -> Any:
    try:
        tables = tomllib.loads(f"value = {written}")
    except (ValueError, RecursionError):
        return written  # bare text such as 120 ms
    return tables["value"] if len(tables) == 1 else written


def _path(tables: dict[str, Any]) -> Key:
    ((name, below),) = tables.items()
    part = int(name) if name.isascii() and name.isdigit() else name
    return (part, *_path(below)) if isinstance(below, dict) else (part,)


def _check_names(paths: Sequence[Key], data: dict[str, Any], schema: dict[str, Any]) -> None:
    """Refuse a slip in the name of a robot group, which would make a new one."""
    for path in paths:
        named: Any = data.get(str(path[0]))
        entries = subschema(schema, data, path[:1]).get("additionalProperties")
        if not (isinstance(named, dict) and isinstance(entries, dict) and len(path) > 2):
            continue
        if path[1] not in named and (*path[:2], "kind") not in paths:
            there = ", ".join(named) + nearest(str(path[1]), named)
            message = f"no {dotted(path[:2])}; there are: {there} (a new one needs a kind)"
            raise ScenarioError(message, file="--set", key=dotted(path))


def _chooses_kind(path: Key, data: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Tell whether `path` is the `kind` of a table with a closed list of kinds (a robot's kind is a name)."""
    if path[-1] != "kind" or len(path) < 2:
        return False
    kind = subschema(schema, data, path[:-1]).get("properties", {}).get("kind", {})
    return "enum" in kind or "const" in kind


def _assign(data: dict[str, Any], path: Key, value: Any) -> None:
    container = _descend(data, path[:-1])
    last = path[-1]
    if isinstance(container, dict):
        container[str(last)] = value
    elif isinstance(container, list) and isinstance(last, int) and last < len(container):
        container[last] = value
    else:
        raise _no_way(container, path, len(path) - 1)


def _descend(data: dict[str, Any], path: Key) -> Any:
    here: Any = data
    for depth, part in enumerate(path):
        if isinstance(here, dict):
            here = here.setdefault(str(part), {})
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            raise _no_way(here, path, depth)
    return here


def _no_way(here: object, path: Key, depth: int) -> ScenarioError:
    name = dotted(path[:depth])
    if isinstance(here, list):
        message = f"{name} has entries 0 to {len(here) - 1}, found {path[depth]!r}"
    else:
        message = f"{name} is {brief(here)}, neither a table nor a list"
    return ScenarioError(message, file="--set", key=dotted(path))
