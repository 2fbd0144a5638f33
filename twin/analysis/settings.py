"""What two scenarios set differently: first what somebody chose, then what only comes with a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from twin.errors import TwinError
from twin.specs.scenario import Scenario

ABSENT = "-"
Texts = tuple[str, list[str]]
"""A key, and its value in each scenario as people read it."""
_HERTZ = {"GHz": 1e9, "MHz": 1e6, "kHz": 1e3}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the scenarios of runs A and B, as people read it."""

    key: str
    a: str
    b: str


class _Value(NamedTuple):
    text: str
    is_default: bool


def setting_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[list[Setting], list[Setting]]:
    """Compare two resolved scenarios, as `settings_apart` does."""
    chosen, implied = settings_apart((a, b))
    return [Setting(key, *texts) for key, texts in chosen], [Setting(key, *texts) for key, texts in implied]


def settings_apart(scenarios: Sequence[Mapping[str, Any]]) -> tuple[list[Texts], list[Texts]]:
    """Compare resolved scenarios.

    Returns what was chosen differently, and apart from that the defaults of tables that only some of them have: those
    of another kind of network, for instance; each with a text for every scenario.
    """
    every = [dict(_values(data)) for data in scenarios]
    chosen: list[Texts] = []
    implied: list[Texts] = []
    for key in dict.fromkeys(key for one in every for key in one):
        found = [one.get(key) for one in every]
        texts = [ABSENT if value is None else value.text for value in found]
        if len(set(texts)) > 1:
            by_default = None in found and all(value is None or value.is_default for value in found)
            (implied if by_default else chosen).append((key, texts))
    return chosen, implied


def _values(data: Mapping[str, Any]) -> Iterator[tuple[str, _Value]]:
    try:
        model: Any = Scenario.model_validate(data)
    except (ValidationError, TwinError):  # of a package that isn't here, or another version: no default is known
        model = None
    yield from _below(dict(data), model, "")


def _below(value: Any, model: Any, key: str) -> Iterator[tuple[str, _Value]]:
    """Yield the values of nested tables by their keys; lists of tables or points by entry."""
    if isinstance(value, dict):
        for name, item in value.items():
            here = f"{key}.{name}" if key else name
            if isinstance(model, BaseModel):
                attribute, field = _field(model, name)
                below = getattr(model, attribute, None)
                if not _is_nested(item):
                    yield here, _leaf(item, below, field)
                    continue
            else:
                below = model.get(name) if isinstance(model, dict) else None
            yield from _below(item, below, here)
    elif _is_nested(value):
        for i, item in enumerate(value):
            below = model[i] if isinstance(model, (list, tuple)) and i < len(model) else None
            yield from _below(item, below, f"{key}[{i}]")
    else:
        yield key, _Value(_shown(value, ""), False)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(i, (dict, list)) for i in value))


def _field(model: BaseModel, name: str) -> tuple[str, FieldInfo | None]:
    fields = type(model).model_fields
    if name in fields:
        return name, fields[name]
    return next(((own, field) for own, field in fields.items() if field.alias == name), (name, None))


def _leaf(value: Any, parsed: Any, field: FieldInfo | None) -> _Value:
    if field is None:
        return _Value(_shown(value, ""), False)
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return _Value(_shown(value, unit), bool(parsed == field.get_default(call_default_factory=True)))


def _shown(value: Any, unit: str) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_shown(item, '') for item in value)}]"
    if unit == "Hz":
        unit, value = next(((name, value / scale) for name, scale in _HERTZ.items() if value >= scale), (unit, value))
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip() if isinstance(value, (int, float)) and not isinstance(value, bool) else text
