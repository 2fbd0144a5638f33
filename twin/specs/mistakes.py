"""What is wrong with a table, in words: which key, what was found there, what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from twin.errors import brief, choice
from twin.units import QuantityError

Key = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "string_type": "text", "bool_type": "true or false", "bool_parsing": "true or false",
    "dict_type": "a table", "model_type": "a table", "model_attributes_type": "a table",
    "tuple_type": "a list", "list_type": "a list", "path_type": "a path",
    "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them", "too_long": "at most {max_length} of them",
    "missing": "{min_length} of them",
    "string_too_short": "at least {min_length} characters", "literal_error": "{expected}",
    "enum": "{expected}",
}  # fmt: skip


class Mistakes(ValueError):
    """Raised by a model's validator: what is wrong at which keys below the model."""

    def __init__(self, items: Sequence[tuple[Key, str]]) -> None:
        super().__init__("; ".join(f"{dotted(key)}: {message}" for key, message in items))
        self.items = items


def dotted(key: Key) -> str:
    """Return a key path as it is written: `robots.patrol.positions[0]`."""
    names = (part if isinstance(part, int) or part.isprintable() else brief(part) for part in key)
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names).removeprefix(".")


def explain(error: ValidationError, schema: dict[str, Any], data: object) -> list[tuple[Key, str]]:
    """Return each wrong key path with what was found there and what is allowed."""
    mistakes: list[tuple[Key, str]] = []
    misfits: dict[Key, list[str]] = {}  # a union reports once for each member that doesn't fit
    for item in error.errors(include_url=False):
        path, kind, context = _path(data, item["loc"]), item["type"], item.get("ctx", {})
        cause = context.get("error")
        if isinstance(cause, Mistakes):
            mistakes += [(path + below, message) for below, message in cause.items]
        elif kind == "extra_forbidden":
            allowed = sorted(subschema(schema, data, path[:-1]).get("properties", {}))
            known = choice(str(path[-1]), allowed)
            mistakes.append((path, f"unknown key{known}{_other_kinds(schema, data, path)}"))
        elif kind == "missing" and not isinstance(path[-1], int):
            mistakes.append((path, "missing, and there is no default"))
        elif kind in ("union_tag_invalid", "union_tag_not_found"):
            mistakes.append(((*path, "kind"), _wrong_kind(subschema(schema, data, path), _at(data, path))))
        elif cause is not None and not isinstance(cause, QuantityError):
            mistakes.append((path, str(cause)))
        else:
            if kind == "missing":  # too short a list, reported as the first entry that isn't there
                path = path[:-1]
                context = {"min_length": subschema(schema, data, path).get("minItems")}
            expected = cause.expected if cause else _expected(kind, item["msg"], context)
            misfits.setdefault(path, []).append(expected)
            if kind == "too_short" and len(_at(data, path)) >= context["min_length"]:
                del misfits[path]  # entries that are wrong themselves were not counted
    for path, expectations in misfits.items():
        allowed_text = " or ".join(dict.fromkeys(expectations))
        mistakes.append((path, f"found {_found(_at(data, path))}; allowed: {allowed_text}"))
    return mistakes


def subschema(schema: dict[str, Any], data: object, path: Key) -> dict[str, Any]:
    """Return the JSON schema of the value at `path`; where there are several kinds, that of the data's."""
    node = _dereference(schema, schema, data)
    for part in path:
        data = _below(data, part)
        node = _dereference(schema, _child(node, part), data)
    return node


def _path(data: object, location: tuple[int | str, ...]) -> Key:
    """Return pydantic's location without the names of union members, which are no keys."""
    path: Key = ()
    for depth, part in enumerate(location):
        if isinstance(data, dict) and data.get("kind") == part and location[depth - 1 : depth] == path[-1:]:
            continue  # the kind's name, first in a table of several kinds; a key may have the same name
        below = _below(data, part)
        is_last = depth == len(location) - 1
        if below is not None or (is_last and isinstance(data, (dict, list)) and "(" not in str(part)):
            path, data = (*path, part), below
    return path


def _at(data: Any, path: Key) -> Any:
    for part in path:
        data = _below(data, part)
    return data


def _below(data: object, part: int | str) -> object:
    if isinstance(data, dict):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _dereference(schema: dict[str, Any], node: dict[str, Any], data: object) -> dict[str, Any]:
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif mapping := node.get("discriminator", {}).get("mapping"):
            tag = _below(data, "kind")
            if not isinstance(tag, str) or tag not in mapping:
                return {"properties": {"kind": {"enum": list(mapping)}}}
            node = {"$ref": mapping[tag]}
        elif branches := [branch for branch in node.get("anyOf", ()) if branch.get("type") != "null"]:
            if len(branches) > 1:
                return node
            node = branches[0]
        else:
            return node


def _child(node: dict[str, Any], part: int | str) -> dict[str, Any]:
    if isinstance(part, int):
        prefix = node.get("prefixItems", [])
        found = prefix[part] if part < len(prefix) else node.get("items", {})
    else:
        other = node.get("additionalProperties")
        found = node.get("properties", {}).get(part, other if isinstance(other, dict) else {})
    child: dict[str, Any] = found
    return child


def _other_kinds(schema: dict[str, Any], data: object, path: Key) -> str:
    """Return which kinds of a table have the key that its present kind has not."""
    if len(path) < 2:
        return ""
    node = _child(subschema(schema, data, path[:-2]), path[-2])
    mappings = [branch.get("discriminator", {}).get("mapping", {}) for branch in (node, *node.get("anyOf", ()))]
    kinds = [kind for mapping in mappings for kind, reference in mapping.items()
             if path[-1] in schema["$defs"][reference.rpartition("/")[2]].get("properties", {})]  # fmt: skip
    return f"; with kind = {' or '.join(kinds)} it is known" if kinds else ""


def _wrong_kind(schema: dict[str, Any], table: object) -> str:
    kinds = schema["properties"]["kind"]["enum"]
    found = _below(table, "kind")
    if found is None:
        return f"missing; allowed: {', '.join(kinds)}"
    return f"found {_found(found)}{choice(str(found), kinds)}"


def _expected(kind: str, message: str, context: dict[str, Any]) -> str:
    short = {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
    return _EXPECTED[kind].format(**short) if kind in _EXPECTED else message


def _found(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return brief(value)
