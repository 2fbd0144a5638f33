"""What the sensors of a robot read."""

from __future__ import annotations

from collections.abc import Mapping

from twin.errors import ScenarioError
from twin.protocols import Field
from twin.registry import SENSORS
from twin.specs import RobotKind, SensorSpec


def fields_of(kind: RobotKind) -> list[tuple[SensorSpec, Mapping[str, Field]]]:
    """Return what each sensor of a robot reads.

    Raises:
        ScenarioError: two of them read fields of one name.
    """
    found = [(spec, SENSORS[spec.kind].fields(spec, kind)) for spec in kind.sensors]
    seen: dict[str, int] = {}
    for i, (spec, fields) in enumerate(found):
        for name in fields:
            if seen.setdefault(name, i) != i:
                message = f"{spec.kind} reads {name!r}, but {kind.sensors[seen[name]].kind} does so already"
                raise ScenarioError(message, key=f"sensors[{i}]")
    return found
