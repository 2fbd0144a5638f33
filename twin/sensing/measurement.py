"""What a detection measures of a body that moves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.scan import Scan
from twin.state import F64


class Expected(NamedTuple):
    """What a scan would measure of n states: range, rate, and the direction's z and y in the receiver's array."""

    value: F64  # (n, 4)
    slope: F64  # (n, 4, 6) by position and velocity


def expected(scan: Scan, state: F64) -> Expected:
    """Return what a scan would measure of states (n, 6), position [m] and velocity [m/s]."""
    position, velocity = state[:, :3], state[:, 3:]
    way_in, size_in = _towards(position - scan.transmitter)
    way_out, size_out = _towards(position - scan.receiver)
    middle = 0.5 * (way_in + way_out)
    value, slope = np.empty((len(state), 4)), np.zeros((len(state), 4, 6))
    value[:, 0], slope[:, 0, :3] = 0.5 * (size_in + size_out), middle
    value[:, 1], slope[:, 1, 3:] = (middle * velocity).sum(axis=1), middle
    for way, size in ((way_in, size_in), (way_out, size_out)):
        along = (velocity * way).sum(axis=1, keepdims=True)
        slope[:, 1, :3] += 0.5 * (velocity - along * way) / size[:, None]
    for k, axis in ((2, scan.axes[:, 2]), (3, scan.axes[:, 1])):
        sine = way_out @ axis
        value[:, k], slope[:, k, :3] = sine, (axis - sine[:, None] * way_out) / size_out[:, None]
    return Expected(value, slope)


def measured(scan: Scan) -> F64:
    """Return what a scan has measured, (n, 4), as `expected` has it."""
    sines = scan.direction @ scan.axes[:, [2, 1]]
    return np.column_stack([scan.range, scan.rate, sines])


def unwrapped(difference: F64, ambiguity: float) -> F64:
    """Return differences of rates [m/s] as near to 0 as whole multiples of `ambiguity` bring them."""
    if ambiguity == 0.0:
        return difference
    return np.asarray(difference - ambiguity * np.round(difference / ambiguity))


def _towards(difference: F64) -> tuple[F64, F64]:
    size = np.maximum(np.linalg.norm(difference, axis=1), 1e-6)
    return difference / size[:, None], size
