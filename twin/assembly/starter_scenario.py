"""A new scenario for a world: masts on its roofs and drones on a round above them."""

from __future__ import annotations

from pathlib import Path
from string import Template

import numpy as np

from twin.errors import ScenarioError, TwinError, is_name
from twin.project import starter
from twin.state import F64
from twin.world.geometry import Geometry
from twin.world.opening import open_world

ABOVE_ROOF, CLEARANCE = 5.0, 10.0
"""Metres of masts above their roofs, and of drones above everything that they may meet."""
WITHIN = 150.0
"""Metres round the middle of what stands in a world in which masts are placed, if it has roofs there."""
_LEAST_HALF = 40.0  # m, of the round that drones fly
_MOST = {"masts": 50, "drones": 200}
_LEVEL = 0.7  # least z of the normal of a roof


def start_scenario(name: str, world: Path, masts: int, drones: int) -> Path:
    """Write `scenarios/NAME.toml` into a world's folder; return it.

    Raises:
        ScenarioError: the name, or a number of masts or drones, isn't allowed.
        TwinError: the file is there already, or can't be written, or the world can't be opened.
    """
    if not is_name(name) or any(letter in name for letter in "\"'[]"):
        raise ScenarioError(f"found {name!r}; allowed: a file's name", key="NAME")
    for what, count in (("masts", masts), ("drones", drones)):
        if not 1 <= count <= _MOST[what]:
            raise ScenarioError(f"found {count}; allowed: 1 to {_MOST[what]}", key=f"--{what}")
    path = world / "scenarios" / f"{name}.toml"
    if path.exists():
        raise TwinError(f"{path}: is there already")
    opened = open_world(world)
    places = mast_places(opened.geometry, masts)
    words = {"name": name, "world": opened.name, "drones": drones, "masts": masts, "above": f"{ABOVE_ROOF:g}",
             "positions": _listed(places), "waypoints": _listed(round_above(opened.geometry, places))}  # fmt: skip
    text = Template((starter.TEMPLATE.parent / "scenario.template").read_text()).substitute(words)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise TwinError(f"{path}: can't be written: {error.strerror or error}") from error
    return path


def mast_places(geometry: Geometry, count: int) -> F64:
    """Return places (count, 3) m on roofs: on the highest one near the middle, then on those farthest from others."""
    roofs = _roofs(geometry)
    if not len(roofs):  # an empty site: in a row over its middle
        low, high = geometry.bounds()
        middle = (np.asarray(low) + high) / 2
        row = np.linspace(-0.5, 0.5, count) if count > 1 else np.zeros(1)
        return np.array([[middle[0] + 4 * _LEAST_HALF * part, middle[1], high[2] + 25.0] for part in row])
    middle = np.median(roofs[:, :2], axis=0)
    near = roofs[np.linalg.norm(roofs[:, :2] - middle, axis=1) <= WITHIN]
    near = near if len(near) >= count else roofs
    high = near[near[:, 2] >= np.median(near[:, 2])]
    high = high if len(high) >= count else near
    chosen = [int(np.argmax(high[:, 2]))]
    while len(chosen) < count:
        apart = np.linalg.norm(high[:, None, :2] - high[None, chosen, :2], axis=2).min(axis=1)
        chosen.append(int(np.argmax(apart)))
    return high[chosen] + [0.0, 0.0, ABOVE_ROOF]


def round_above(geometry: Geometry, masts: F64) -> F64:
    """Return four corners (4, 3) m of a round about masts (n, 3), above all that stands within it."""
    middle = (masts[:, :2].min(axis=0) + masts[:, :2].max(axis=0)) / 2
    half = np.maximum(np.ptp(masts[:, :2], axis=0) / 2, _LEAST_HALF)
    low, high = middle - half, middle + half
    points = geometry.vertices[geometry.triangles]
    reaches = ((points[..., :2].max(axis=1) > low - CLEARANCE) & (points[..., :2].min(axis=1) < high + CLEARANCE)).all(
        axis=1
    )
    top = max(float(points[reaches, :, 2].max(initial=-np.inf)), float(masts[:, 2].max()))
    corners = np.array([[low[0], low[1]], [high[0], low[1]], high, [low[0], high[1]]])
    return np.column_stack([corners, np.full(4, top + CLEARANCE)])


def _roofs(geometry: Geometry) -> F64:
    """Return a point (n, 3) m on the roof of each object that has one: in the middle of its largest high triangle."""
    owner = geometry.face_object[geometry.triangle_face]
    level = (geometry.face_normal[geometry.triangle_face, 2] > _LEVEL) & (owner >= 0)
    corners = geometry.vertices[geometry.triangles[level]]
    owner, centre = owner[level], corners.mean(axis=1)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    found = []
    for one in np.unique(owner):
        mine = np.flatnonzero(owner == one)
        top = mine[centre[mine, 2] > centre[mine, 2].max() - 0.5]
        found.append(centre[top[np.argmax(area[top])]])
    return np.array(found).reshape(-1, 3)


def _listed(points: F64) -> str:
    return ", ".join(f"[{x:.1f}, {y:.1f}, {z:.1f}]" for x, y, z in points)
