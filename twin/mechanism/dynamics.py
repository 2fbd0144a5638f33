"""What efforts a motion of a mechanism takes, and what motion efforts make."""

from __future__ import annotations

import numpy as np

from twin.mechanism.kinematics import link_frames
from twin.mechanism.tree import Tree
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross, dot
from twin.numerics.vectors import ZERO, apply, apply_back, minus, plus, row_of, store, times
from twin.state import F64


@kernel
def inverse_dynamics(tree: Tree, q: F64, speed: F64, acceleration: F64, gravity: Vector) -> F64:
    """Return the joint efforts (J,) N m or N that give joints at `q` and `speed` this acceleration.

    Recursive Newton-Euler (Featherstone, Rigid Body Dynamics Algorithms, 2008, section 5.3) on a base at rest;
    `gravity` m/s2 in the base's axes.
    """
    turn, place = np.empty((len(q), 3, 3)), np.empty((len(q), 3))
    link_frames(tree, q, turn, place)
    return _taken(tree, turn, place, speed, acceleration, gravity)


@kernel
def _taken(tree: Tree, turn: F64, place: F64, speed: F64, acceleration: F64, gravity: Vector) -> F64:
    """Return the joint efforts (J,) that this motion takes, of links at `place` (J, 3) m with axes (J, 3, 3)."""
    n = len(place)
    rates, gains, pulls = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    forces, moments = np.empty((n, 3)), np.empty((n, 3))  # on the link, about its origin
    for row in tree.order:
        before, axis = tree.parent[row], apply(turn[row], row_of(tree.axis, row))
        rate, gain, pull = ZERO, ZERO, times(-1.0, gravity)  # turning, its change, acceleration less gravity
        if before >= 0:
            arm = minus(row_of(place, row), row_of(place, before))
            rate, gain = row_of(rates, before), row_of(gains, before)
            pull = plus(row_of(pulls, before), _carried(rate, gain, arm))
        swing = cross(rate, axis)
        if tree.slides[row]:
            pull = plus(pull, plus(times(acceleration[row], axis), times(2.0 * speed[row], swing)))
        else:
            gain = plus(gain, plus(times(acceleration[row], axis), times(speed[row], swing)))
            rate = plus(rate, times(speed[row], axis))
        centre = apply(turn[row], row_of(tree.centre, row))
        force = times(tree.mass[row], plus(pull, _carried(rate, gain, centre)))
        moment = plus(_spin(tree.inertia[row], turn[row], rate, gain), cross(centre, force))
        store(rates, row, rate)
        store(gains, row, gain)
        store(pulls, row, pull)
        store(forces, row, force)
        store(moments, row, moment)
    return _felt(tree, turn, place, forces, moments)


@kernel
def _carried(rate: Vector, gain: Vector, arm: Vector) -> Vector:
    """Return the acceleration at the end of an arm by the turning of its other end."""
    return plus(cross(gain, arm), cross(rate, cross(rate, arm)))


@kernel
def _spin(inertia: F64, turn: F64, rate: Vector, gain: Vector) -> Vector:
    """Return the moment that changes a link's turning (Euler)."""
    grown = apply(turn, apply(inertia, apply_back(turn, gain)))
    carried = apply(turn, apply(inertia, apply_back(turn, rate)))
    return plus(grown, cross(rate, carried))


@kernel
def _felt(tree: Tree, turn: F64, place: F64, forces: F64, moments: F64) -> F64:
    """Return what each joint carries of the forces on its link and on all behind it."""
    out = np.empty(len(forces))
    for i in range(len(out) - 1, -1, -1):
        row = tree.order[i]
        before, axis = tree.parent[row], apply(turn[row], row_of(tree.axis, row))
        force, moment = row_of(forces, row), row_of(moments, row)
        out[row] = dot(axis, force) if tree.slides[row] else dot(axis, moment)
        if before >= 0:
            arm = minus(row_of(place, row), row_of(place, before))
            store(forces, before, plus(row_of(forces, before), force))
            store(moments, before, plus(row_of(moments, before), plus(moment, cross(arm, force))))
    return out


@kernel
def forward_dynamics(tree: Tree, q: F64, speed: F64, effort: F64, gravity: Vector) -> F64:
    """Return the joint accelerations (J,) that efforts (J,) N m or N give a mechanism on a base at rest.

    Composite rigid bodies and the recursion of Newton and Euler for what motion and gravity take (Featherstone,
    Rigid Body Dynamics Algorithms, 2008, sections 6.1 and 6.2); `gravity` m/s2 in the base's axes.
    """
    n = len(q)
    turn, place = np.empty((n, 3, 3)), np.empty((n, 3))
    link_frames(tree, q, turn, place)
    out = effort - _taken(tree, turn, place, speed, np.zeros(n), gravity)
    masses = _mass_matrix(tree, turn, place)
    _solve(masses, out)
    return out


@kernel
def _mass_matrix(tree: Tree, turn: F64, place: F64) -> F64:
    """Return the inertia (J, J) that joints feel of each other; its lower triangle only where they are related."""
    n = len(place)
    mass, moment, inertia = tree.mass.copy(), np.empty((n, 3)), np.empty((n, 3, 3))  # about the base's origin
    for row in range(n):
        centre = plus(row_of(place, row), apply(turn[row], row_of(tree.centre, row)))
        store(moment, row, times(mass[row], centre))
        _moved(tree.inertia[row], turn[row], centre, mass[row], inertia[row])
    out = np.zeros((n, n))
    for i in range(n - 1, -1, -1):
        row = tree.order[i]
        before = tree.parent[row]
        turning, sliding = _motion_of(tree, turn, place, row)
        heft = row_of(moment, row)
        force = plus(times(mass[row], sliding), cross(turning, heft))
        torque = plus(apply(inertia[row], turning), cross(heft, sliding))
        other = row
        while other >= 0:
            turning, sliding = _motion_of(tree, turn, place, other)
            out[row, other] = out[other, row] = dot(turning, torque) + dot(sliding, force)
            other = tree.parent[other]
        if before >= 0:
            mass[before] += mass[row]
            for a in range(3):
                moment[before, a] += moment[row, a]
                for b in range(3):
                    inertia[before, a, b] += inertia[row, a, b]
    return out


@kernel
def _motion_of(tree: Tree, turn: F64, place: F64, row: int) -> tuple[Vector, Vector]:
    """Return how a joint's unit speed turns what is behind it, and moves what of that is at the base's origin."""
    axis = apply(turn[row], row_of(tree.axis, row))
    if tree.slides[row]:
        return ZERO, axis
    return axis, cross(row_of(place, row), axis)


@kernel
def _moved(inertia: F64, turn: F64, centre: Vector, mass: float, out: F64) -> None:
    """Write the inertia (3, 3) of a link about the base's origin, in the base's axes."""
    for b in range(3):
        column = apply(turn, apply(inertia, (turn[b, 0], turn[b, 1], turn[b, 2])))
        for a in range(3):
            out[a, b] = column[a] - mass * centre[a] * centre[b]
        out[b, b] += mass * dot(centre, centre)


@kernel
def _solve(matrix: F64, out: F64) -> None:
    """Replace `out` (n,) by x of matrix x = out; the matrix, positive definite, becomes its factor (Cholesky)."""
    n = len(out)
    for j in range(n):
        for i in range(j, n):
            left = matrix[i, j]
            for k in range(j):
                left -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(left) if i == j else left / matrix[j, j]
    for i in range(n):
        for k in range(i):
            out[i] -= matrix[i, k] * out[k]
        out[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            out[i] -= matrix[k, i] * out[k]
        out[i] /= matrix[i, i]
