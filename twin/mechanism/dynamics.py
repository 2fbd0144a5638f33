"""What efforts a motion of a mechanism takes."""

from __future__ import annotations

from twin.kernels import kernel  # isort: skip  before numba
import numpy as np

from twin.mechanism.kinematics import link_frames
from twin.mechanism.tree import Tree
from twin.mechanism.vectors import ZERO, apply, apply_back, minus, plus, row_of, store, times
from twin.rotation import Vector, cross, dot
from twin.state import F64


@kernel
def inverse_dynamics(tree: Tree, q: F64, speed: F64, acceleration: F64, gravity: Vector) -> F64:
    """Return the joint efforts (J,) N m or N that give joints at `q` and `speed` this acceleration.

    Recursive Newton-Euler (Featherstone, Rigid Body Dynamics Algorithms, 2008, section 5.3) on a base at rest;
    `gravity` m/s2 in the base's axes.
    """
    n = len(q)
    turn, place = np.empty((n, 3, 3)), np.empty((n, 3))
    link_frames(tree, q, turn, place)
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
