"""What robots say of themselves, kept until a scan of that time or later takes it in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.state import F64

_KEPT = 64
"""Reports of one robot that wait for a scan."""


class Report(NamedTuple):
    """What a robot says of its own state."""

    name: str
    time: int  # ns, of that state
    state: F64  # (6,) m, m/s
    deviation: tuple[float, float]  # of each axis: position [m], velocity [m/s]


class Reported(NamedTuple):
    """What n robots have said, moved to the time of a scan."""

    name: NDArray[np.str_]  # (n,)
    state: F64  # (n, 6) m, m/s
    covariance: F64  # (n, 6, 6)


class Reports:
    """Reports by robot. Each is taken once: the newest that isn't newer than the scan."""

    def __init__(self, agility: float) -> None:
        """Take the density of the acceleration's noise [m2/s3]."""
        self._agility, self._waiting = agility, dict[str, list[Report]]()

    def hear(self, report: Report) -> None:
        """Keep a report."""
        waiting = self._waiting.setdefault(report.name, [])
        waiting.append(report)
        del waiting[:-_KEPT]

    def taken(self, time: int) -> Reported:
        """Return what holds at `time` [ns], in the order of names, and forget what is older."""
        found = []
        for name, waiting in sorted(self._waiting.items()):
            past = [report for report in waiting if report.time <= time]
            self._waiting[name] = [report for report in waiting if report.time > time]
            if past:
                found.append(max(past, key=lambda report: report.time))
        state = np.array([report.state for report in found]).reshape(-1, 6)
        covariance = np.array([np.diag(np.repeat(report.deviation, 3)) ** 2 for report in found]).reshape(-1, 6, 6)
        elapsed = np.array([(time - report.time) / NS for report in found])
        names = np.array([report.name for report in found], dtype=np.str_)
        return Reported(names, *moved(state, covariance, elapsed, self._agility))


def moved(state: F64, covariance: F64, elapsed: F64 | float, agility: float) -> tuple[F64, F64]:
    """Return states (n, 6) and covariances (n, 6, 6) `elapsed` [s] (n,) later, at nearly constant velocity.

    White noise of acceleration adds agility (dt^3/3, dt^2/2; dt^2/2, dt) per axis (Bar-Shalom 2001, 6.2.2).
    """
    dt = np.broadcast_to(np.asarray(elapsed, dtype=float), len(state))[:, None, None]
    one = np.eye(3)
    move, noise = np.tile(np.eye(6), (len(state), 1, 1)), np.zeros((len(state), 6, 6))
    move[:, :3, 3:] = dt * one
    noise[:, :3, :3], noise[:, 3:, 3:] = dt**3 / 3.0 * one, dt * one
    noise[:, :3, 3:] = noise[:, 3:, :3] = dt**2 / 2.0 * one
    later = np.einsum("nij,nj->ni", move, state)
    return later, np.asarray(move @ covariance @ move.transpose(0, 2, 1) + agility * noise)
