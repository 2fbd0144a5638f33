"""Quasi-static mooring lines: elastic catenaries that may lie on the sea floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, cross, rotate
from twin.specs import Point, Spec
from twin.state import F64
from twin.units import Metres, Newtons

_ITERATIONS = 100


class LineSpec(Spec):
    """A line from the sea floor to the body; `anchor` is east and north of where the body starts."""

    anchor: tuple[Metres, Metres]
    length: Metres = Field(gt=0)  # unstretched
    weight: float = Field(gt=0)  # N/m, in water
    stiffness: Newtons = Field(default=1e8, gt=0)  # EA
    fairlead: Point = (0.0, 0.0, 0.0)  # body axes, from the centre of mass
    diameter: Metres = Field(default=0.02, gt=0)  # this and what follows only matters to lines that move by MoorDyn
    drag: float = Field(default=1.2, ge=0)  # across the line
    segments: int = Field(default=20, ge=2, le=200)


class Lines(NamedTuple):
    """The M lines of each of n bodies, as kernels take them; `tension` is their solution, kept as the next start."""

    fairlead: F64  # (M, 3) m, body axes
    length: F64  # (M,) m
    weight: F64  # (M,) N/m
    stiffness: F64  # (M,) N
    anchor: F64  # (n, M, 3) m, world
    tension: F64  # (n, M, 2) N at the fairlead: horizontal, vertical


def check_lines(specs: Sequence[LineSpec], position: F64, depth: float) -> None:
    """Refuse lines that don't reach from their anchors to bodies at `position` (n, 3) m over a level sea floor.

    Raises:
        ScenarioError: a line is too short.
    """
    for j, spec in enumerate(specs):
        foot = np.column_stack([position[:, :2] + np.array(spec.anchor), np.full(len(position), -depth)])
        reach = np.linalg.norm(position + np.array(spec.fairlead) - foot, axis=1)
        rise = float(np.max(position[:, 2] + spec.fairlead[2] + depth))
        if spec.length <= rise:
            message = f"line {j} of {spec.length:g} m is shorter than the {rise:.4g} m from the sea floor to the body"
            raise ScenarioError(message, key="body.parameters.mooring")
        if reach.max() > 1.02 * spec.length:
            message = f"line {j} of {spec.length:g} m must reach {reach.max():.4g} m to its anchor"
            raise ScenarioError(message, key="body.parameters.mooring")


def make_lines(specs: Sequence[LineSpec], position: F64, depth: float) -> Lines:
    """Return the lines of bodies that start at `position` (n, 3) m over a level sea floor.

    Raises:
        ScenarioError: a line doesn't reach from its anchor to the body.
    """
    check_lines(specs, position, depth)
    m = len(specs)
    anchor = np.zeros((len(position), m, 3))
    for j, spec in enumerate(specs):
        anchor[:, j, :2] = position[:, :2] + np.array(spec.anchor)
        anchor[:, j, 2] = -depth
    fairlead = np.array([spec.fairlead for spec in specs]).reshape(m, 3)
    column = {name: np.array([getattr(s, name) for s in specs]) for name in ("length", "weight", "stiffness")}
    return Lines(fairlead=fairlead, anchor=anchor, tension=np.zeros((len(position), m, 2)), **column)


@kernel
def add_mooring(lines: Lines, i: int, place: F64, q: Quaternion, force: F64) -> None:
    """Add to `force` (6,) what the lines of body i, at `place` (3,), pull at it with [N, N m, world axes]."""
    for j in range(lines.length.shape[0]):
        arm = rotate(q, (lines.fairlead[j, 0], lines.fairlead[j, 1], lines.fairlead[j, 2]))
        dx = lines.anchor[i, j, 0] - place[0] - arm[0]
        dy = lines.anchor[i, j, 1] - place[1] - arm[1]
        rise = place[2] + arm[2] - lines.anchor[i, j, 2]
        span = np.sqrt(dx * dx + dy * dy)
        level, down = catenary(
            span, rise, lines.length[j], lines.weight[j], lines.stiffness[j], lines.tension[i, j, 0],
            lines.tension[i, j, 1],
        )  # fmt: skip
        lines.tension[i, j, 0], lines.tension[i, j, 1] = level, down
        share = level / span if span > 0.0 else 0.0
        pull = (dx * share, dy * share, -down)
        turn = cross(arm, pull)
        for k in range(3):
            force[k] += pull[k]
            force[3 + k] += turn[k]


@kernel
def catenary(
    span: float, rise: float, length: float, weight: float, stiffness: float, level: float, down: float
) -> tuple[float, float]:
    """Return horizontal and vertical tension [N] at the upper end of a line, nan where there is no solution.

    `span` and `rise` [m] lead from the anchor to the upper end; `level` and `down` are a first guess, 0 for none.
    Newton's method on Jonkman's equations (NREL/TP-500-41958, 2007, 2.5.2) without friction on the floor.
    """
    if rise <= 0.0:
        return 0.0, 0.0
    hanging = 2.0 * rise / (1.0 + np.sqrt(1.0 + 2.0 * weight * rise / stiffness))
    if hanging + span <= length:
        return 0.0, weight * hanging  # straight down, the rest lies about
    if level <= 0.0:
        level, down = _first_guess(span, rise, length, weight)
    gap_x, gap_z = _gaps(level, down, span, rise, length, weight, stiffness)
    for _ in range(_ITERATIONS):
        xh, xv, zh, zv = _slopes(level, down, length, weight, stiffness)
        det = xh * zv - xv * zh
        step_h, step_v = (gap_x * zv - gap_z * xv) / det, (gap_z * xh - gap_x * zh) / det
        size, share = abs(gap_x) + abs(gap_z), 1.0
        while True:
            h, v = level - share * step_h, down - share * step_v
            if h > 0.0 and v > 0.0:
                gap_x, gap_z = _gaps(h, v, span, rise, length, weight, stiffness)
                if abs(gap_x) + abs(gap_z) < size or share < 1e-3:
                    break
            share *= 0.5
            if share < 1e-12:
                return np.nan, np.nan
        level, down = h, v
        if abs(gap_x) + abs(gap_z) < 1e-10 * length:
            return level, down
    return np.nan, np.nan


@kernel
def _first_guess(span: float, rise: float, length: float, weight: float) -> tuple[float, float]:
    """Return the start that Jonkman takes: by the sag of a line of this length, 0.2 where it is taut."""
    chord = span * span + rise * rise
    sag = 0.2
    if span > 0.0 and length * length > chord:
        sag = np.sqrt(3.0 * ((length * length - rise * rise) / (span * span) - 1.0))
    level = max(abs(weight * span / (2.0 * sag)), 1e-6 * weight * length)
    return level, 0.5 * weight * (rise / np.tanh(sag) + length)


@kernel
def _gaps(
    h: float, v: float, span: float, rise: float, length: float, w: float, stiffness: float
) -> tuple[float, float]:
    """Return by how much the upper end under tensions h, v lies beyond `span` and `rise`."""
    low = v - w * length  # vertical tension at the anchor
    top = np.sqrt(1.0 + (v / h) ** 2)
    if low <= 0.0:
        x = length - v / w + h / w * np.arcsinh(v / h) + h * length / stiffness
        return x - span, h / w * (top - 1.0) + v * v / (2.0 * stiffness * w) - rise
    x = h / w * (np.arcsinh(v / h) - np.arcsinh(low / h)) + h * length / stiffness
    z = h / w * (top - np.sqrt(1.0 + (low / h) ** 2)) + (v * length - 0.5 * w * length * length) / stiffness
    return x - span, z - rise


@kernel
def _slopes(h: float, v: float, length: float, w: float, stiffness: float) -> tuple[float, float, float, float]:
    """Return dx/dh, dx/dv, dz/dh, dz/dv of the upper end."""
    low = v - w * length
    a, top = v / h, np.sqrt(1.0 + (v / h) ** 2)
    if low <= 0.0:
        xh = (np.arcsinh(a) - a / top) / w + length / stiffness
        return xh, (1.0 / top - 1.0) / w, (1.0 / top - 1.0) / w, a / top / w + v / (stiffness * w)
    b, end = low / h, np.sqrt(1.0 + (low / h) ** 2)
    xh = (np.arcsinh(a) - np.arcsinh(b) - a / top + b / end) / w + length / stiffness
    cross_term = (1.0 / top - 1.0 / end) / w
    return xh, cross_term, cross_term, (a / top - b / end) / w + length / stiffness
