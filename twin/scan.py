"""What base stations detect in one look, as they tell it, and with what only the simulation knows."""

from __future__ import annotations

from dataclasses import dataclass

from twin.state import F64, I32, I64

RESOLVED = 2.0
"""Cells of range or rate at which two echoes are two: half of the main lobe of the taper."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a pair of sites has detected in one coherent processing interval (CPI), as it tells: n detections."""

    time: int  # ns, of the bodies that it saw: the middle of the CPI
    transmitter: F64  # (3,) m, place of the site that sent
    receiver: F64  # (3,) m
    axes: F64  # (3, 3) of the receiver's array to world axes; x is its boresight
    range: F64  # (n,) m, half of the way to the target and back
    rate: F64  # (n,) m/s, at which that grows, but for whole multiples of `ambiguity`
    direction: F64  # (n, 3) unit vectors from the receiver, world axes
    snr_db: F64  # (n,) over noise and interference in the cell
    deviation: F64  # (n, 4) standard deviations of range, rate, and the direction along z and y of the array
    ambiguity: float  # m/s, 0 where rates are what they are


@dataclass(frozen=True, slots=True, eq=False)
class Cpi:
    """A scan with what only the simulation knows of it."""

    scan: Scan
    transmitter: int  # node
    receiver: int  # node
    source: I64  # (n,) node of the target that most of a detection comes from, -1 for noise
    bounces: I32  # (n,) interactions of that echo on its way, besides the target: 0 for the target itself
    noise_dbm: float  # of a resource element: thermal, own transmitter, other sites
    clutter_db: float  # what cancelling leaves of clutter in its worst cell, over that
    threshold_db: float  # over noise
    cells: float  # of range and Doppler
    range_cell: float  # m, over bandwidth: c / (2 B)
    rate_cell: float  # m/s, over duration: lambda / (2 T)
