"""Kernels of a floating body: what the water and the wind do to it, and the water that moves along with it.

Buoyancy and Froude-Krylov forces follow from the gradient theorem over the wetted volume below the instantaneous
local surface: F = sum of rho V (g z + a_w) over columns and slices. Across the axis Morison's equation holds on
velocity and acceleration relative to the water, along it the drag and added mass of the bottom (Journee and
Massie, Offshore Hydromechanics, 2001, chapter 12). The body is small to the waves.
"""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross, dot
from twin.physics.dynamics.hull import Hull
from twin.state import F64
from twin.world.spectra import GRAVITY

AIR_DENSITY = 1.225  # kg/m3


@kernel
def add_at(force: F64, arm: Vector, push: Vector) -> None:
    """Add `push` [N] at `arm` [m] to `force` (6,): force and torque."""
    turn = cross(arm, push)
    for k in range(3):
        force[k] += push[k]
        force[3 + k] += turn[k]


@kernel
def buoyancy(hull: Hull, turn: F64, height: float, slope_x: float, slope_y: float, wet: F64, force: F64) -> float:
    """Add the buoyancy of the body to `force`; write wetted volumes of its slices; return metres per metre of axis.

    `height` is that of the centre of mass above the surface there; `turn` (3, 3) leads from body to world axes.
    What is returned is by how much the distance from the sloping surface grows along body z.
    """
    wet[:] = 0.0
    climb: float = turn[2, 2] - slope_x * turn[0, 2] - slope_y * turn[1, 2]
    for c in range(hull.column.shape[0]):
        x, y = hull.column[c, 0], hull.column[c, 1]
        px = turn[0, 0] * x + turn[0, 1] * y
        py = turn[1, 0] * x + turn[1, 1] * y
        pz = turn[2, 0] * x + turn[2, 1] * y
        above = height + pz - slope_x * px - slope_y * py
        low, high = hull.column[c, 3], hull.column[c, 4]
        if abs(climb) > 1e-9:
            cut = min(max(-above / climb, low), high)
            low, high = (low, cut) if climb > 0.0 else (cut, high)
        elif above > 0.0:
            high = low
        if high <= low:
            continue
        area, middle = hull.column[c, 2], 0.5 * (low + high)
        arm = (px + turn[0, 2] * middle, py + turn[1, 2] * middle, pz + turn[2, 2] * middle)
        add_at(force, arm, (0.0, 0.0, hull.density * GRAVITY * area * (high - low)))
        for j in range(wet.shape[0]):
            bottom = hull.bottom + j * hull.step
            wet[j] += area * max(0.0, min(high, bottom + hull.step) - max(low, bottom))
    return climb


@kernel
def add_across(
    hull: Hull, axis: Vector, spin: Vector, motion: Vector, wet: F64, water: F64, force: F64, added: F64
) -> None:
    """Add Froude-Krylov, inertia and drag forces on all slices to `force`, their added mass to `added` (6, 6).

    `water` (S, 6) is mean velocity and acceleration of the water, current included, over the wet part of each slice.
    """
    for j in range(wet.shape[0]):
        if wet[j] <= 0.0:
            continue
        z = hull.bottom + (j + 0.5) * hull.step
        arm = (axis[0] * z, axis[1] * z, axis[2] * z)
        sweep = cross(spin, arm)
        flow = (
            water[j, 0] - motion[0] - sweep[0], water[j, 1] - motion[1] - sweep[1], water[j, 2] - motion[2] - sweep[2],
        )  # fmt: skip
        pull = (water[j, 3], water[j, 4], water[j, 5])
        along, pull_along = dot(flow, axis), dot(pull, axis)
        px, py, pz = flow[0] - along * axis[0], flow[1] - along * axis[1], flow[2] - along * axis[2]
        share, mass = wet[j] / hull.volume[j], hull.density * wet[j]
        drag = 0.5 * hull.density * hull.drag * hull.width[j] * hull.step * share * np.sqrt(px * px + py * py + pz * pz)
        extra, back = mass * (1.0 + hull.added), mass * hull.added * pull_along
        push = (
            extra * pull[0] - back * axis[0] + drag * px,
            extra * pull[1] - back * axis[1] + drag * py,
            extra * pull[2] - back * axis[2] + drag * pz,
        )
        add_at(force, arm, push)
        _add_mass(added, mass * hull.added, -mass * hull.added, axis, arm)


@kernel
def add_along(hull: Hull, axis: Vector, motion: Vector, share: float, keel: F64, force: F64, added: F64) -> None:
    """Add what the water at the `keel` (6,) does along the axis: inertia of its added mass, and drag.

    `share` is how much of the lowest slice is wet.
    """
    if share <= 0.0:
        return
    flow = (keel[0] - motion[0], keel[1] - motion[1], keel[2] - motion[2])
    speed, pull = dot(flow, axis), keel[3] * axis[0] + keel[4] * axis[1] + keel[5] * axis[2]
    size = share * (
        hull.heave_added * pull + 0.5 * hull.density * hull.heave_drag * hull.section * abs(speed) * speed
    )
    for k in range(3):
        force[k] += size * axis[k]
    _add_mass(added, 0.0, share * hull.heave_added, axis, (0.0, 0.0, 0.0))


@kernel
def _add_mass(added: F64, every: float, axial: float, axis: Vector, arm: Vector) -> None:
    """Add the mass every I + axial a a^T at `arm` to the matrix about the centre of mass: [P, -P S; S P, -S P S]."""
    cross_matrix = np.array([[0.0, -arm[2], arm[1]], [arm[2], 0.0, -arm[0]], [-arm[1], arm[0], 0.0]])
    for i in range(3):
        for k in range(3):
            added[i, k] += axial * axis[i] * axis[k] + (every if i == k else 0.0)
    if every == 0.0:
        return
    for i in range(3):
        row = cross((arm[0], arm[1], arm[2]), (axis[0], axis[1], axis[2]))
        for k in range(3):
            coupled = every * cross_matrix[i, k] + axial * row[i] * axis[k]  # S P
            added[3 + i, k] += coupled
            added[k, 3 + i] += coupled
            square = 0.0
            for n in range(3):
                square -= cross_matrix[i, n] * cross_matrix[n, k]
            added[3 + i, 3 + k] += every * square + axial * row[i] * row[k]


@kernel
def add_damping(hull: Hull, motion: Vector, spin: Vector, keel: F64, force: F64) -> None:
    """Add linear damping by wave radiation, relative to the water at the `keel` (6,) in heave, at rest across."""
    lift = keel[2]
    force[0] -= hull.damping[0] * motion[0]
    force[1] -= hull.damping[1] * motion[1]
    force[2] -= hull.damping[2] * (motion[2] - lift)
    for k in range(3):
        force[3 + k] -= hull.damping[3 + k] * spin[k]


@kernel
def add_wind(hull: Hull, axis: Vector, motion: Vector, wet: F64, wind: Vector, force: F64) -> None:
    """Add the wind's drag on the dry slices of the body, each as high as its dry share."""
    wx, wy, wz = wind[0] - motion[0], wind[1] - motion[1], wind[2] - motion[2]
    speed = np.sqrt(wx * wx + wy * wy + wz * wz)
    for j in range(wet.shape[0]):
        dry = 1.0 - wet[j] / hull.volume[j]
        if dry > 1e-12:
            z = hull.bottom + (j + 1.0 - 0.5 * dry) * hull.step
            size = 0.5 * AIR_DENSITY * hull.wind_drag * hull.width[j] * hull.step * dry * speed
            add_at(force, (axis[0] * z, axis[1] * z, axis[2] * z), (size * wx, size * wy, size * wz))


@kernel
def borne(
    hull: Hull, turn: F64, motion: Vector, spin: Vector, added: F64, damping: float, force: F64, out: F64
) -> None:
    """Write the wrench (6,) that gives the bare body the motion that `force` gives it with its added mass.

    F' = M (M + A)^-1 F, with weight and gyroscopic torques in F and taken out of F' again, since Bullet adds those
    of the bare body. A explicit force -A a would diverge for A > M; this is stable for any ratio. Kirchhoff's
    equations give the momentum of the water its own gyroscopic part. `damping` [N s/m x s] acts on vertical speed
    implicitly, so that a brake may be as strong as it likes.
    """
    inertia = np.zeros((6, 6))
    for i in range(3):
        inertia[i, i] = hull.mass
        for k in range(3):
            for n in range(3):
                inertia[3 + i, 3 + k] += turn[i, n] * hull.inertia[n] * turn[k, n]
    momentum = np.zeros(9)  # linear and angular of the water, angular of the body
    for i in range(6):
        for k in range(3):
            momentum[i] += added[i, k] * motion[k] + added[i, 3 + k] * spin[k]
    for i in range(3):
        for k in range(3):
            momentum[6 + i] += inertia[3 + i, 3 + k] * spin[k]
    linear = (momentum[0], momentum[1], momentum[2])
    drift = cross(spin, linear)
    water, push = cross(spin, (momentum[3], momentum[4], momentum[5])), cross(motion, linear)
    gyro = cross(spin, (momentum[6], momentum[7], momentum[8]))
    total, system = force.copy(), inertia + added
    total[2] -= hull.mass * GRAVITY
    for k in range(3):
        total[k] -= drift[k]
        total[3 + k] -= water[k] + push[k] + gyro[k]
    system[2, 2] += damping
    out[:] = np.dot(inertia, np.linalg.solve(system, total))
    out[2] += hull.mass * GRAVITY
    for k in range(3):
        out[3 + k] += gyro[k]
