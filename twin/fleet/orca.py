"""Optimal reciprocal collision avoidance in three dimensions: each of two robots does half of what keeps them apart.

J. van den Berg, S. J. Guy, M. Lin, D. Manocha, "Reciprocal n-body collision avoidance", ISRR 2009 (STAR 70, 2011).
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64, I64

TOLERANCE = 1e-9
"""m/s by which a velocity may be beyond a half-space."""
_PARALLEL = 1e-12
"""Squared sine between normals that count as parallel."""
_HALVINGS = 30
_RIGHT = 0.01
"""Share of the wanted speed by which who has to give way would rather go to the right: two head-on would only brake."""


@kernel
def avoiding(
    gap: F64, closing: F64, radius: F64, own: F64, preferred: F64, most: float, horizon: float, step: float
) -> tuple[F64, float]:
    """Return the velocity (3,) nearest to `preferred` by which no neighbour gets too near within `horizon` [s].

    Who has to give way would rather do so to the right, as the rules of the air have it (ICAO annex 2, 3.2.2.2).
    Where nothing is permitted, it is the velocity that misses by the least, and by how much [m/s] comes second.

    Args:
        gap: (n, 3) m, from here to each neighbour.
        closing: (n, 3) m/s, own velocity less that of the neighbour.
        radius: (n,) m, distance to be kept from each.
        own: (3,) m/s, own velocity.
        preferred: (3,) m/s.
        most: speed that is not exceeded [m/s].
        horizon: for how long nobody may get too near [s].
        step: within which those get apart that are too near already [s].
    """
    normal, bound = half_spaces(gap, closing, radius, own, horizon, step)
    size = sqrt(preferred @ preferred)
    velocity = preferred.copy() if size <= most else preferred * (most / size)
    if _is_within(normal, bound, len(bound), velocity):
        return velocity, 0.0
    right = np.empty(3)
    _to_the_right(preferred, right)
    preferred = velocity + _RIGHT * min(size, most) * right
    if nearest_within(normal, bound, preferred, most, velocity):
        return velocity, 0.0
    low, high = 0.0, max(0.0, bound.max())  # standing still misses none by more than its bound
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if nearest_within(normal, bound - middle, preferred, most, velocity):
            high = middle
        else:
            low = middle
    nearest_within(normal, bound - high, preferred, most, velocity)
    return velocity, high


@kernel
def half_spaces(gap: F64, closing: F64, radius: F64, own: F64, horizon: float, step: float) -> tuple[F64, F64]:
    """Return normals (n, 3) and bounds (n,) [m/s] of the velocities normal . v >= bound that ORCA permits (eq. 5)."""
    count = gap.shape[0]
    normal, bound = np.empty((count, 3)), np.empty(count)
    for k in range(count):
        p, v = gap[k], closing[k]
        square = p @ p
        apart = square > radius[k] * radius[k]
        time = horizon if apart else step
        across = v - p / time  # from the middle of the sphere that ends the cone of forbidden velocities
        reach, back = radius[k] / time, 0.0
        inward = across @ p
        if apart and not (inward < 0.0 and inward * inward > radius[k] * radius[k] * (across @ across)):
            # On the cone's side: the sphere that touches it nearest to v has its middle at share * p.
            slope = radius[k] / sqrt(square - radius[k] * radius[k])
            share = (p @ v + slope * sqrt(_cross_square(p, v))) / square
            across, reach, back = v - share * p, radius[k] * share, radius[k] / sqrt(square)
        size = sqrt(across @ across)
        if size > 1e-9 * (1.0 + reach):
            normal[k] = across / size
        else:
            _to_the_right(p, normal[k])
            normal[k] = sqrt(1.0 - back * back) * normal[k] - back * p / sqrt(square)
        bound[k] = normal[k] @ own + 0.5 * (reach - size)
    return normal, bound


@kernel
def nearest_within(normal: F64, bound: F64, preferred: F64, most: float, out: F64) -> bool:
    """Write the point nearest to `preferred` of a ball of radius `most` cut by half-spaces; tell whether there is one.

    Half-spaces are taken one by one: a point that one cuts off moves to where that one and at most two before it
    are active.
    """
    count = normal.shape[0]
    active = np.empty(3, dtype=np.int64)
    trial, chosen = np.empty(3), np.empty(3)
    _candidate(normal, bound, active, 0, preferred, most, out)
    for i in range(count):
        if normal[i] @ out >= bound[i] - TOLERANCE:
            continue
        best = np.inf
        for j in range(-1, i):
            for k in range(-1, max(j, 0)):
                active[0], active[1], active[2] = i, j, k
                size = 1 + (j >= 0) + (k >= 0)
                if not _candidate(normal, bound, active, size, preferred, most, trial):
                    continue
                distance = float((trial - preferred) @ (trial - preferred))
                if distance < best and _is_within(normal, bound, i, trial):
                    best = distance
                    chosen[:] = trial
        if best == np.inf:
            return False
        out[:] = chosen
    return True


@kernel
def _candidate(normal: F64, bound: F64, active: I64, size: int, preferred: F64, most: float, out: F64) -> bool:
    """Write the point nearest to `preferred` on the planes `active[:size]`, within the ball, if there is one."""
    basis, middle = np.empty((3, 3)), np.zeros(3)
    out[:] = preferred
    for i in range(size):
        direction = normal[active[i]].copy()
        level = bound[active[i]] - float(middle @ direction)
        for j in range(i):
            direction -= basis[j] * (direction @ basis[j])
        square = direction @ direction
        if square < _PARALLEL:
            return False
        basis[i] = direction / sqrt(square)
        middle += basis[i] * (level / sqrt(square))  # of the planes' intersection, the point nearest to 0
    for i in range(size):
        out -= basis[i] * (out @ basis[i])
    out += middle
    if out @ out <= most * most or size == 3:
        return bool(out @ out <= most * most)
    room = most * most - middle @ middle
    along = out - middle
    length = along @ along
    if room < 0.0 or (length == 0.0 and room > 0.0):
        return False
    out[:] = middle + along * sqrt(room / length)
    return True


@kernel
def _is_within(normal: F64, bound: F64, count: int, point: F64) -> bool:
    for k in range(count):
        if normal[k] @ point < bound[k] - TOLERANCE:
            return False
    return True


@kernel
def _cross_square(a: F64, b: F64) -> float:
    square: float = (
        (a[1] * b[2] - a[2] * b[1]) ** 2 + (a[2] * b[0] - a[0] * b[2]) ** 2 + (a[0] * b[1] - a[1] * b[0]) ** 2
    )
    return square


@kernel
def _to_the_right(ahead: F64, out: F64) -> None:
    """Write the horizontal direction to the right of `ahead`; of straight up it is east, of straight down west."""
    flat = sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1])
    out[2] = 0.0
    if flat < 1e-9:
        out[0], out[1] = (1.0 if ahead[2] >= 0.0 else -1.0), 0.0
    else:
        out[0], out[1] = ahead[1] / flat, -ahead[0] / flat
