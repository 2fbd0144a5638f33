"""Where the parts of an SDF world or model stand, by the frame semantics of SDF 1.7 and later.

http://sdformat.org/tutorials?tut=pose_frame_semantics_proposal
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers import shapes

_OWN = (None, "", "world", "__model__", "__root__")
"""Names of the frame of the world or model that something stands in."""


@dataclass(slots=True)
class Placed:
    """A link, frame, joint or model of a scope."""

    pose: Element | None  # its <pose>
    base: str | None = None  # frame that the pose is relative to unless it says another
    inner: Scope | None = None  # what a model holds
    placement: str | None = None  # frame of a model that its pose stands for


@dataclass(slots=True)
class Scope:
    """A world or a model: what in it may be the frame of something else, by name."""

    file: Path
    items: dict[str, Placed] = field(default_factory=dict)
    _found: dict[str, F64] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def add(self, name: str, placed: Placed) -> None:
        """Add something that poses may be relative to; of equal names the first one counts."""
        self.items.setdefault(name, placed)

    def of(self, name: str | None) -> F64:
        """Return the transform (4, 4) of a frame to that of the scope.

        Raises:
            WorldError: there is none of this name, or it stands on itself.
        """
        if name in _OWN:
            return np.eye(4)
        assert name is not None
        if name not in self._found:
            if name in self._open:
                raise WorldError(f"{self.file}: frame {name!r} is relative to itself")
            self._open.add(name)
            self._found[name] = self._resolved(name)
        return self._found[name]

    def placed(self, placed: Placed, name: str) -> F64:
        """Return the transform (4, 4) of an item to that of the scope."""
        at = self.pose(placed.pose, name, placed.base)
        if placed.inner is None or placed.placement in _OWN:
            return at
        result: F64 = at @ np.linalg.inv(placed.inner.of(placed.placement))
        return result

    def pose(self, pose: Element | None, name: str, base: str | None) -> F64:
        """Return the transform (4, 4) of a <pose>, relative to `base` unless it says otherwise."""
        if pose is None:
            return self.of(base)
        relative = pose.get("relative_to") or pose.get("frame") or base
        result: F64 = self.of(relative) @ pose_matrix(pose, f"{self.file}: pose of {name}")
        return result

    def _resolved(self, name: str) -> F64:
        first, _, rest = name.partition("::")
        item = self.items.get(name) or self.items.get(first)
        if item is None or (rest and name not in self.items and item.inner is None):
            there = ", ".join(self.items) or "none"
            raise WorldError(f"{self.file}: a pose is relative to {name!r}; frames there: {there}")
        at = self.placed(item, name)
        if name in self.items:
            return at
        assert item.inner is not None
        result: F64 = at @ item.inner.of(rest)
        return result


def pose_matrix(pose: Element, place: str) -> F64:
    """Return the transform (4, 4) of the numbers of a <pose>.

    Raises:
        WorldError: they aren't a pose.
    """
    kind = (pose.get("rotation_format") or "euler_rpy").strip()
    if kind == "quat_xyzw":
        values = shapes.numbers(pose.text, 7, 0.0, place)
        if not (pose.text or "").strip():
            return np.eye(4)
        return shapes.quaternion_pose(values[:3], values[3:], place)
    if kind != "euler_rpy":
        raise WorldError(f"{place}: found rotation_format {kind!r}; allowed: euler_rpy, quat_xyzw")
    values = shapes.numbers(pose.text, 6, 0.0, place)
    degrees = pose.get("degrees", "false").strip() in ("1", "true")
    return shapes.pose(values[:3], np.radians(values[3:]) if degrees else values[3:])
