"""Observations and actions of learning robots as flat vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.clock import NS
from twin.errors import PluginError, ScenarioError
from twin.extras import install
from twin.project.readings import fields_of
from twin.protocols import Course, RobotSpec
from twin.specs import CommandField, RobotKind
from twin.state import F64, Observation, Reference

try:
    from gymnasium import spaces
except ImportError as error:
    raise PluginError(f"learning environments need an extra: {error}: {install('learn')}") from error

_GOALS = {"error": 3, "velocity_error": 3, "acceleration": 3}


@dataclass(frozen=True, slots=True)
class Coding:
    """Observations and actions as flat vectors."""

    low: F64
    high: F64
    parts: Mapping[str, slice]  # of the observation

    def observation_space(self) -> Any:
        """Return the space of observations: SI units, unbounded."""
        return spaces.Box(-np.inf, np.inf, (max(part.stop for part in self.parts.values()),), np.float64)

    def action_space(self) -> Any:
        """Return the space of actions: -1 to 1 spans each command's limits."""
        return spaces.Box(-1.0, 1.0, self.low.shape, np.float32)

    def command(self, action: Any) -> F64:
        """Return the command (width,) that an action in [-1, 1] stands for.

        Raises:
            ScenarioError: another shape, or not finite.
        """
        vector = np.asarray(action, dtype=np.float64)
        if vector.shape != self.low.shape or not np.isfinite(vector).all():
            raise ScenarioError(f"an action must be {len(self.low)} finite numbers, found {action!r}")
        return self.low + (np.clip(vector, -1.0, 1.0) + 1.0) / 2.0 * (self.high - self.low)

    def encode(self, spec: RobotSpec, seen: Observation) -> F64:
        """Return what the policy sees: zeros until the first sample has arrived."""
        out = np.zeros(max(part.stop for part in self.parts.values()))
        sensed = seen.sensed
        if sensed is None:
            return out
        for name, value in sensed.values.items():
            out[self.parts[name]] = value
        out[self.parts["age"]] = (seen.time - sensed.time) / NS
        if (goal := reference(spec, seen.time)) is not None:
            out[self.parts["error"]] = goal.position - sensed["position"]
            out[self.parts["velocity_error"]] = goal.velocity - sensed["velocity"]
            out[self.parts["acceleration"]] = goal.acceleration
        return out


def coding(kind: RobotKind, has_task: bool, limits: Mapping[str, tuple[float, float]]) -> Coding:
    """Return how a robot kind's observations and commands are laid out.

    Raises:
        ScenarioError: a command's field has no bounds, or `limits` names a field that isn't there.
    """
    assert kind.body is not None, "only robots with bodies learn"
    names = [field.name for field in kind.body.command]
    if unknown := [name for name in limits if name not in names]:
        raise ScenarioError(f"limits: no field {unknown[0]!r} in the command; there are: {', '.join(names)}")
    fields = [field for field in kind.body.command for _ in range(field.size)]
    own = zip(fields, kind.body.vector("lower"), kind.body.vector("upper"), strict=True)
    bounds = [_bounds(field, limits.get(field.name, (float(low), float(high)))) for field, low, high in own]
    sensed = {name: field.size for _, fields in fields_of(kind) for name, field in fields.items()}
    sizes = sensed | {"age": 1} | (_GOALS if has_task else {})
    ends = np.cumsum(list(sizes.values()))
    parts = {name: slice(int(end) - size, int(end)) for (name, size), end in zip(sizes.items(), ends, strict=True)}
    return Coding(np.array([low for low, _ in bounds]), np.array([high for _, high in bounds]), parts)


def _bounds(field: CommandField, limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if field.unit == "rad" and not np.isfinite([low, high]).all():
        return -np.pi, np.pi
    if not np.isfinite([low, high]).all():
        raise ScenarioError(f"{field.name} has no bounds to learn in: give limits={{{field.name!r}: (low, high)}}")
    return low, high


def reference(spec: RobotSpec, time: int) -> Reference | None:
    """Return where the task wants the robot at `time` [ns], None without a task."""
    return spec.task.reference(spec.row, time / NS) if isinstance(spec.task, Course) else None
