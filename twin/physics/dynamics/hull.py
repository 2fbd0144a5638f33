"""What robot.toml says about a floating body, and its hull as kernels take it: columns and slices along body z."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field

from twin.physics.dynamics.mooring import LineSpec
from twin.specs import Spec
from twin.state import F64
from twin.units import Kilograms, Metres
from twin.world.spectra import GRAVITY

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
_RINGS = (1, 6, 12)
"""Columns in the rings of a round hull, all of one area."""


class CylinderSpec(Spec):
    """An upright circular cylinder (spar, discus); `keel` is z of its flat bottom from the centre of mass."""

    shape: Literal["cylinder"]
    diameter: Metres = Field(gt=0)
    height: Metres = Field(gt=0)
    keel: Metres


class SphereSpec(Spec):
    """A sphere; `keel` is z of its lowest point from the centre of mass."""

    shape: Literal["sphere"]
    diameter: Metres = Field(gt=0)
    keel: Metres


class MeshSpec(Spec):
    """A closed mesh, cut into `columns` by `columns` columns: a file in the robot's folder, or stated here."""

    shape: Literal["mesh"]
    columns: int = Field(default=16, ge=4, le=64)
    file: Path | None = None  # OBJ or STL in m, from the centre of mass; the one that the URDF collides with
    vertices: tuple[tuple[float, float, float], ...] = ()  # m, from the centre of mass
    triangles: tuple[tuple[int, int, int], ...] = ()


HullSpec = Annotated[CylinderSpec | SphereSpec | MeshSpec, Field(discriminator="shape")]


class FloatingParameters(Spec):
    """Hull, mass and coefficients of a floating body; triples are x, y, z in body axes.

    Defaults of the added mass: across, 1 for cylinders and meshes, 0.5 for spheres, times the displaced mass; along
    the axis, (2 pi / 3) rho R^3 below a flat bottom of radius R, half of it below a sphere.
    """

    mass: Kilograms = Field(gt=0)
    inertia: tuple[Positive, Positive, Positive]  # kg m2
    hull: HullSpec
    slices: int = Field(default=10, ge=1, le=100)
    water_density: Positive = 1025.0  # kg/m3
    added_mass: NonNegative | None = None  # across the axis, over the displaced mass
    heave_added_mass: Kilograms | None = Field(default=None, ge=0)
    drag: NonNegative = 1.0  # across the axis
    heave_drag: NonNegative = 1.1  # along it, of the largest section
    wind_drag: NonNegative = 1.0
    damping: tuple[NonNegative, NonNegative, NonNegative, NonNegative, NonNegative, NonNegative] = (0.0,) * 6
    radiation: bool = False  # add the heave damping of Haskind's relation at the natural period
    mooring: tuple[LineSpec, ...] = ()
    mooring_model: Literal["catenary", "moordyn"] = "catenary"  # at rest at each instant, or moving by MoorDyn

    def with_files(self, folder: Path) -> Self:
        """Return the same with the mesh of the hull read from its file in the robot's folder.

        Raises:
            ValueError: the file can't be read, or isn't in the folder.
        """
        if not isinstance(self.hull, MeshSpec) or self.hull.file is None:
            return self
        path = (folder / self.hull.file).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise ValueError(f"hull.file: found {str(self.hull.file)!r}; allowed: a file in {folder}")
        import trimesh  # 0.3 s

        mesh: Any = trimesh.load(path, force="mesh")
        both = {"vertices": mesh.vertices.tolist(), "triangles": mesh.faces.tolist()}
        hull = MeshSpec.model_validate({**self.hull.model_dump(exclude={"file"}), **both})
        return self.model_copy(update={"hull": hull})


class Hull(NamedTuple):
    """Constants of a kind of floating body, as kernels take them; C columns, S slices from keel to top."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2
    column: F64  # (C, 5) x, y m, area m2, bottom and top z m
    bottom: float  # m, z of the lowest point
    step: float  # m, height of a slice
    volume: F64  # (S,) m3
    width: F64  # (S,) m, across
    section: float  # m2, the largest
    density: float  # kg/m3, of water
    added: float  # over displaced mass
    heave_added: float  # kg
    drag: float
    heave_drag: float
    wind_drag: float
    damping: F64  # (6,) N s/m and N m s


def make_hull(p: FloatingParameters) -> Hull:
    """Return the constants that these parameters mean.

    Raises:
        ValueError: the body sinks, or its mesh isn't closed.
    """
    column = _columns(p.hull)
    bottom, top = float(column[:, 3].min()), float(column[:, 4].max())
    edges = np.linspace(bottom, top, p.slices + 1)
    inside = np.clip(column[:, 4, None], edges[:-1], edges[1:]) - np.clip(column[:, 3, None], edges[:-1], edges[1:])
    volume = column[:, 2] @ inside
    room = float(volume.sum() * p.water_density)
    if room <= p.mass:
        raise ValueError(f"the body sinks: it has a mass of {p.mass:g} kg and displaces at most {room:.4g} kg of water")
    step = (top - bottom) / p.slices
    area = volume / step
    section = float(area.max())
    sphere = p.hull.shape == "sphere"
    radius = np.sqrt(section / pi) if not isinstance(p.hull, SphereSpec) else p.hull.diameter / 2
    added = p.added_mass if p.added_mass is not None else 0.5 if sphere else 1.0
    heave = p.heave_added_mass
    if heave is None:
        heave = 2 * pi / 3 * p.water_density * radius**3 * (0.5 if sphere else 1.0)  # Hulme, JFM 121, 1982
    hull = Hull(
        mass=p.mass,
        inertia=np.array(p.inertia),
        column=column,
        bottom=bottom,
        step=step,
        volume=volume,
        width=2 * np.sqrt(area / pi),
        section=section,
        density=p.water_density,
        added=added,
        heave_added=heave,
        drag=p.drag,
        heave_drag=p.heave_drag,
        wind_drag=p.wind_drag,
        damping=np.array(p.damping),
    )
    if p.radiation:
        hull.damping[2] += haskind_damping(hull)
    return hull


def float_height(hull: Hull) -> float:
    """Return z [m] of the centre of mass above still water where the upright body floats freely."""
    low, high = hull.bottom, float(hull.column[:, 4].max())
    for _ in range(200):
        middle = (low + high) / 2
        wet = np.clip(middle - hull.column[:, 3], 0.0, hull.column[:, 4] - hull.column[:, 3]) @ hull.column[:, 2]
        low, high = (middle, high) if wet * hull.density < hull.mass else (low, middle)
    return -(low + high) / 2


def waterplane(hull: Hull) -> float:
    """Return the area [m2] of the water's surface that the floating body takes."""
    level = -float_height(hull)
    cut = (hull.column[:, 3] < level) & (level < hull.column[:, 4])
    return float(hull.column[cut, 2].sum())


def haskind_damping(hull: Hull) -> float:
    """Return the wave damping [N s/m] of a floating axisymmetric body in heave at its natural period in deep water.

    b = w^3 |X|^2 / (2 rho g^3), X the vertical wave force per amplitude (Falnes, Ocean Waves and Oscillating
    Systems, 2002, section 5.5), which for a body that is small to the wave is exp(-k draught) (c - w^2 a).
    """
    stiffness = hull.density * GRAVITY * waterplane(hull)
    w = np.sqrt(stiffness / (hull.mass + hull.heave_added))
    draught = -(float_height(hull) + hull.bottom)
    force = np.exp(-(w**2) / GRAVITY * draught) * (stiffness - w**2 * hull.heave_added)
    return float(w**3 * force**2 / (2 * hull.density * GRAVITY**3))


def _columns(hull: CylinderSpec | SphereSpec | MeshSpec) -> F64:
    """Return (C, 5): columns along body z."""
    if isinstance(hull, MeshSpec):
        return _mesh_columns(np.array(hull.vertices), np.array(hull.triangles, dtype=int), hull.columns)
    radius = hull.diameter / 2
    x, y = _disk(radius)
    area = np.full(len(x), pi * radius**2 / len(x))
    if isinstance(hull, CylinderSpec):
        return np.column_stack([x, y, area, np.full(len(x), hull.keel), np.full(len(x), hull.keel + hull.height)])
    # The mean half-length over each ring of equal area, so that the volume is exact.
    inner = (np.cumsum(_RINGS) - _RINGS) / sum(_RINGS)
    outer = np.cumsum(_RINGS) / sum(_RINGS)
    mean = 2 / 3 * radius * ((1 - inner) ** 1.5 - (1 - outer) ** 1.5) / (outer - inner)
    half, centre = np.repeat(mean, _RINGS), hull.keel + radius
    return np.column_stack([x, y, area, centre - half, centre + half])


def _disk(radius: float) -> tuple[F64, F64]:
    """Return places of columns of equal area whose second moment is that of the disk, pi R^4 / 4."""
    x, y, before, total = [0.0], [0.0], 1, sum(_RINGS)
    for count in _RINGS[1:]:
        r = radius * np.sqrt((before + count / 2) / total)
        angle = 2 * pi * (np.arange(count) + 0.5) / count
        x += (r * np.cos(angle)).tolist()
        y += (r * np.sin(angle)).tolist()
        before += count
    places = np.array([x, y])
    places *= np.sqrt(total * radius**2 / 4 / np.sum(places[0] ** 2))
    return places[0], places[1]


def _mesh_columns(vertices: F64, triangles: F64, n: int) -> F64:
    """Return the stretches of n x n vertical lines over the mesh's bounds that lie inside of it."""
    if not len(triangles):
        raise ValueError("hull: a mesh needs vertices and triangles")
    corner = vertices[triangles.astype(int)]  # (T, 3, 3)
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    cell = (high - low) / n
    rows = []
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    twice = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    flat = np.abs(twice) > 1e-14
    a, b, c, twice = a[flat], b[flat], c[flat], twice[flat]
    aside = np.array([1e-6, 1.7e-6])  # of a cell, so that no line runs through an edge between two triangles
    for x, y in (low + cell * (np.array([i, j]) + 0.5 + aside) for i in range(n) for j in range(n)):
        v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / twice
        w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / twice
        hit = (v >= 0) & (w >= 0) & (v + w <= 1)
        z = np.sort((a[:, 2] + v * (b[:, 2] - a[:, 2]) + w * (c[:, 2] - a[:, 2]))[hit])
        if len(z) % 2:
            raise ValueError(f"hull: the mesh isn't closed above x {x:.3g} m, y {y:.3g} m")
        rows += [(x, y, cell[0] * cell[1], bottom, top) for bottom, top in zip(z[::2], z[1::2], strict=True)]
    return np.array(rows)
