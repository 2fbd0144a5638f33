"""What looks like a slip in how a scenario is placed, though it can be run: masts in the air, routes through walls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from twin.assembly.entries import Entry
from twin.clock import NS
from twin.protocols import Course
from twin.state import F64, I64
from twin.world.bvh import MISS, SEGMENT_MARGIN, closest_hits
from twin.world.world import World

POLE, MAST = 10.0, 50.0
"""Metres that a base station may stand above a roof, and above the ground, before it seems to hang in the air."""
TOUCH, MOUNT = 0.2, 1.5
"""Metres to a face within which it is in the wall's reach, and within which it may be mounted on it."""
STEP, LONGEST = 0.2, 120.0
"""Seconds between looks along a course, and of the part that is looked at."""
MOST_ROBOTS = 20
_SIDES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)


def remarks(entries: Sequence[Entry], world: World, duration: int) -> list[str]:
    """Return in words what is placed as hardly anybody means it; `duration` [ns] is the run's."""
    if not len(world.geometry.triangles):
        return []
    return [text for entry in entries for text in (*_of_sites(entry, world), *_of_course(entry, world, duration))]


def _of_sites(entry: Entry, world: World) -> Iterator[str]:
    if entry.body is not None or not entry.kind.radios:
        return
    for spec, place in zip(entry.specs, entry.position, strict=True):
        where = f"{spec.name} at ({', '.join(f'{x:g}' for x in place)}) m"
        triangle, distance = closest_hits(world.bvh, np.tile(place, (6, 1)), _SIDES, 0.0, np.inf)
        near = int(np.argmin(distance))
        if distance[near] < TOUCH:
            wall = _thing(world, triangle[near])
            yield f"{where} is {100 * distance[near]:.0f} cm from {wall}: its wall is in the way"
        under, height = triangle[-1], distance[-1]
        if under == MISS or distance[:-1].min() < MOUNT:
            continue
        thing = _thing(world, under)
        if height > (MAST if thing == "the ground" else POLE):
            yield f"{where} hangs in the air, {height:.1f} m above {thing}"


def _of_course(entry: Entry, world: World, duration: int) -> Iterator[str]:
    kind = getattr(entry.stated.task, "kind", "")
    if entry.body is None or not isinstance(entry.task, Course) or kind not in ("route", "formation"):
        return
    times = np.arange(0.0, min(duration / NS, LONGEST), STEP)
    most = _acceleration(entry)
    for spec in entry.specs[:MOST_ROBOTS]:
        goals = [entry.task.reference(spec.row, t) for t in times.tolist()]
        way = np.array([goal.position for goal in goals])
        blocked = _blocked(world, way)
        if len(blocked):
            x, y, z = way[blocked[0]]
            yield f"the course of {spec.name} leads through a wall near ({x:.0f}, {y:.0f}, {z:.0f}) m"
        wanted = np.array([np.abs(goal.acceleration).max() for goal in goals])
        k = int(wanted.argmax())
        if wanted[k] > most:
            yield (f"the course of {spec.name} asks for {wanted[k]:.1f} m/s2 at {times[k]:.1f} s; "
                   f"it can command {most:g}")  # fmt: skip


def _blocked(world: World, way: F64) -> I64:
    """Return which legs of a way (n, 3) m lead through a face, by the kernel that places robots as well."""
    legs = np.diff(way, axis=0)
    length = np.linalg.norm(legs, axis=1)
    moving: I64 = np.flatnonzero(length > 2.0 * SEGMENT_MARGIN)
    directions = legs[moving] / length[moving, None]
    _, distance = closest_hits(world.bvh, way[moving], directions, SEGMENT_MARGIN, np.inf)
    return np.asarray(moving[distance < length[moving] - SEGMENT_MARGIN])


def _acceleration(entry: Entry) -> float:
    """Return the acceleration [m/s2] that a robot may be commanded along each axis; without such a command, any."""
    assert entry.body is not None
    start = 0
    for field in entry.body.command:
        if field.name == "acceleration":
            upper: F64 = entry.body.vector("upper")[start : start + field.size]
            return float(upper.min())
        start += field.size
    return float("inf")


def _thing(world: World, triangle: int) -> str:
    owner = int(world.geometry.face_object[world.geometry.triangle_face[triangle]])
    return "the ground" if owner < 0 else world.geometry.objects[owner]
