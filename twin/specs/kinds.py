"""Tables of several kinds, open to those that installed packages bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from twin.errors import PluginError
from twin.registry import Registry


@dataclass(frozen=True, slots=True)
class Open:
    """Annotates a union of specs: a `kind` that a package brings is read by the `Spec` of what it brings."""

    registry: Registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a table by the built-in union, or by a package's own model."""

        def read(value: Any, built_in: Any) -> Any:
            kind = value.get("kind") if isinstance(value, Mapping) else None
            if isinstance(kind, str) and kind not in self.registry.built_in and kind in self.registry:
                return self.model(kind).model_validate(value)
            if isinstance(value, BaseModel) and getattr(value, "kind", None) in self.registry.installed():
                return value
            return built_in(value)

        by_its_class = core_schema.simple_ser_schema("any")
        return core_schema.no_info_wrap_validator_function(read, handler(source), serialization=by_its_class)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add what packages bring to the kinds that are built in."""
        inner: Any = schema
        found = handler(inner["schema"])
        for kind in self.registry.installed():
            node = handler(_referred(self.model(kind)))
            found["oneOf"].append(node)
            found["discriminator"]["mapping"][kind] = node["$ref"]
        return found

    def model(self, kind: str) -> type[BaseModel]:
        """Return the spec of a kind that a package brings.

        Raises:
            PluginError: it has none.
        """
        found = getattr(self.registry[kind], "Spec", None)
        if not (isinstance(found, type) and issubclass(found, BaseModel) and "kind" in found.model_fields):
            message = f"its `Spec` is {found!r}; allowed: a class derived from twin.specs.Spec with a field `kind`"
            raise PluginError(f"installed {self.registry.what} {kind!r}: {message}")
        return found


def _referred(model: type[BaseModel]) -> CoreSchema:
    """Return the schema of a model under a name, so that a JSON schema has it among its definitions."""
    named: Any = {"ref": f"{model.__module__}.{model.__qualname__}:{id(model)}", **model.__pydantic_core_schema__}
    return core_schema.definitions_schema(named, [])


@dataclass(frozen=True, slots=True)
class Named:
    """Annotates a name that a registry must have."""

    registry: Registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse a name that isn't there."""

        def known(name: str) -> str:
            if name not in self.registry:
                raise ValueError(f"found {name!r}; {self.registry.allowed(name)}")
            return name

        return core_schema.no_info_after_validator_function(known, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say which names there are."""
        return {"type": "string", "enum": list(self.registry)}
