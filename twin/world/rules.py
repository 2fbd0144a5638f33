"""Rules of world.toml that say what faces are made of: by kind of surface, thing, height and present material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np

from twin.errors import ScenarioError, WorldError
from twin.specs import Spec
from twin.state import Bool
from twin.units import Metres
from twin.world.geometry import GROUND, Geometry
from twin.world.materials import check_material

STEEP = 0.5
"""A face whose normal has |z| below this is a wall: it stands at more than 60 degrees."""


class MaterialRule(Spec):
    """Faces that meet every condition given are made of `material`; a later rule overrides an earlier one."""

    material: str
    surface: Literal["wall", "roof", "floor", "ground"] | None = None
    object: str | None = None  # pattern of names, such as "tower_*"
    was: str | None = None  # the material until now
    above: Metres | None = None  # all of the face lies above this z
    below: Metres | None = None


def apply_rules(geometry: Geometry, rules: Sequence[MaterialRule], file: Path) -> Geometry:
    """Return the geometry with its materials changed.

    Raises:
        ScenarioError: a rule names no known material, or no face meets it.
    """
    names = list(geometry.materials)
    material = geometry.face_material.copy()
    for i, rule in enumerate(rules):
        try:
            check_material(rule.material)
        except WorldError as error:
            raise ScenarioError(str(error), file=file, key=f"materials[{i}]") from error
        chosen = _matches(geometry, rule, material, names)
        if not chosen.any():
            raise ScenarioError("no face meets this rule", file=file, key=f"materials[{i}]")
        if rule.material not in names:
            names.append(rule.material)
        material[chosen] = names.index(rule.material)
    return replace(geometry, face_material=material, materials=tuple(names))


def _matches(geometry: Geometry, rule: MaterialRule, material: np.ndarray, names: Sequence[str]) -> Bool:
    chosen = np.ones(len(material), dtype=bool)
    if rule.surface is not None:
        chosen &= surface_kinds(geometry) == rule.surface
    if rule.object is not None:
        owners = [fnmatchcase(name, rule.object) for name in geometry.objects]
        chosen &= np.append(owners, False)[geometry.face_object]
    if rule.was is not None:
        chosen &= np.array([name == rule.was for name in names])[material]
    if rule.above is not None or rule.below is not None:
        lowest, highest = _heights(geometry)
        chosen &= (lowest >= (-np.inf if rule.above is None else rule.above)) & (
            highest <= (np.inf if rule.below is None else rule.below)
        )
    return chosen


def surface_kinds(geometry: Geometry) -> np.ndarray:
    """Return wall, roof, floor or ground for each face, (F,)."""
    z = geometry.face_normal[:, 2]
    on_ground = np.where(geometry.face_object == GROUND, "ground", "roof")
    return np.where(z >= STEEP, on_ground, np.where(z <= -STEEP, "floor", "wall"))


def _heights(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    z = geometry.vertices[geometry.triangles, 2]
    lowest = np.full(len(geometry.face_normal), np.inf)
    highest = -lowest
    np.minimum.at(lowest, geometry.triangle_face, z.min(axis=1))
    np.maximum.at(highest, geometry.triangle_face, z.max(axis=1))
    return lowest, highest
