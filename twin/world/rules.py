"""Rules of world.toml that say what faces are made of, and how thick: by surface, thing, tag, height and material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from twin.errors import ScenarioError, WorldError, nearest
from twin.specs import Spec
from twin.state import Bool
from twin.units import Metres
from twin.world.geometry import GROUND, Geometry
from twin.world.materials import check_material, default_thickness

STEEP = 0.5
"""A face whose normal has |z| below this is a wall: it stands at more than 60 degrees."""


class MaterialRule(Spec):
    """Faces that meet every condition given are of `material` or `thickness`; a later rule overrides an earlier one.

    A material without a thickness has that of `default_thickness`; a thickness alone leaves the material.
    """

    material: str | None = None
    thickness: Metres | None = Field(default=None, gt=0)
    surface: Literal["wall", "roof", "floor", "ground"] | None = None
    object: str | None = None  # pattern of names, such as "tower_*"
    tag: str | None = Field(default=None, pattern="=")  # pattern of the object's tags, such as "building=church"
    was: str | None = None  # the material until now
    above: Metres | None = None  # all of the face lies above this z
    below: Metres | None = None

    @model_validator(mode="after")
    def _says_something(self) -> MaterialRule:
        if self.material is None and self.thickness is None:
            raise ValueError("a rule needs a material, a thickness or both")
        return self


def apply_rules(geometry: Geometry, rules: Sequence[MaterialRule], file: Path) -> Geometry:
    """Return the geometry with its materials and their thickness changed.

    Raises:
        ScenarioError: a rule names no known material, or no face meets it.
    """
    slabs = list(zip(geometry.materials, geometry.thickness.tolist(), strict=True))
    material = geometry.face_material.copy()
    for i, rule in enumerate(rules):
        try:
            if rule.material is not None:
                check_material(rule.material)
        except WorldError as error:
            raise ScenarioError(str(error), file=file, key=f"materials[{i}]") from error
        chosen = _matches(geometry, rule, material, [name for name, _ in slabs])
        if not chosen.any():
            close = nearest(rule.tag, geometry.tags) if rule.tag is not None else ""
            raise ScenarioError(f"no face meets this rule{close}", file=file, key=f"materials[{i}]")
        present = material.copy()
        for old in np.unique(present[chosen]).tolist():
            slab = _slab(rule, *slabs[old])
            if slab not in slabs:
                slabs.append(slab)
            material[chosen & (present == old)] = slabs.index(slab)
    names, thickness = zip(*slabs, strict=True)
    return replace(geometry, face_material=material, materials=names, thickness=np.array(thickness))


def _slab(rule: MaterialRule, material: str, thickness: float) -> tuple[str, float]:
    """Return material and thickness [m] of faces that meet the rule, and what they were until now."""
    if rule.material is None:
        return material, thickness if rule.thickness is None else rule.thickness
    return rule.material, default_thickness(rule.material) if rule.thickness is None else rule.thickness


def _matches(geometry: Geometry, rule: MaterialRule, material: np.ndarray, names: Sequence[str]) -> Bool:
    chosen = np.ones(len(material), dtype=bool)
    if rule.surface is not None:
        chosen &= surface_kinds(geometry) == rule.surface
    if rule.object is not None:
        owners = [fnmatchcase(name, rule.object) for name in geometry.objects]
        chosen &= np.append(owners, False)[geometry.face_object]
    if rule.tag is not None:
        said = np.array([fnmatchcase(tag, rule.tag) for tag in geometry.tags], dtype=bool)
        owner, tag = geometry.object_tags.T
        owners = np.isin(np.arange(len(geometry.objects)), owner[said[tag]]).tolist()
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
