"""Tracks that a tracker logs, against what was there: GOSPA, errors, false tracks, time to the first one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from twin.clock import NS
from twin.state import F64, I64, Frame, Node

CUTOFF = 10.0
"""m, beyond which a track is none of a target."""
_AXES = ("x", "y", "z", "vx", "vy", "vz")
_HOUR = 3600.0


class _Telling(NamedTuple):
    """What a tracker said at once, and where all bodies were at the time of its tracks."""

    tracker: int  # node
    time: int  # ns, of the tracks
    number: I64  # (n,)
    state: F64  # (n, 6)
    bodies: F64  # (N, 6)


class TrackMeter:
    """Takes frames; figures are there once a tracker has told of tracks."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._tellings: list[_Telling] = []

    def take(self, frame: Frame) -> None:
        """Take what a frame tells."""
        told: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
        for time, node, name, value in frame.logs:
            if name.startswith("track"):
                told[time, node][name] = value
        for (time, node), values in told.items():
            if "tracks.age" in values:
                self._tellings.append(_telling(frame, time, node, values))

    def summary(self, targets: Collection[int]) -> dict[str, Any]:
        """Return figures over the nodes `targets`; nothing where no tracker told of any."""
        if not self._tellings or not targets:
            return {}
        chosen = sorted(targets)
        rows = np.array([self._nodes[node].body for node in chosen], dtype=np.int64)
        tally = _Tally(len(chosen))
        for telling in self._tellings:
            tally.take(telling, telling.bodies[rows])
        return tally.figures((self._tellings[-1].time - self._tellings[0].time) / NS)


class _Tally:
    """Sums over tellings of T targets."""

    def __init__(self, targets: int) -> None:
        self._gospa: list[float] = []
        self._errors: list[F64] = []  # (k, 3) m, m/s: distance, horizontal and vertical speed
        self._first = np.full(targets, np.nan)  # s
        self._told: dict[tuple[int, int], list[int]] = {}  # tracker and number: tellings, those with a target

    def take(self, telling: _Telling, truth: F64) -> None:
        """Assign tracks to targets (T, 6) at the least sum of squares."""
        off = telling.state[:, None] - truth[None]
        distance = np.linalg.norm(off[..., :3], axis=2)
        track, target = linear_sum_assignment(np.minimum(distance, CUTOFF) ** 2)
        near = distance[track, target] < CUTOFF
        track, target = track[near], target[near]
        self._gospa.append(gospa(distance[track, target], len(telling.number), len(truth)))
        speed = off[track, target, 3:]
        self._errors.append(
            np.column_stack([distance[track, target], np.hypot(speed[:, 0], speed[:, 1]), np.abs(speed[:, 2])])
        )
        new = target[np.isnan(self._first[target])]
        self._first[new] = telling.time / NS
        for row, number in enumerate(telling.number.tolist()):
            counts = self._told.setdefault((telling.tracker, number), [0, 0])
            counts[0] += 1
            counts[1] += row in track

    def figures(self, duration: float) -> dict[str, Any]:
        """Return them, over `duration` [s]."""
        errors = np.concatenate(self._errors)
        false = sum(2 * real < told for told, real in self._told.values())
        share = [float(np.percentile(column, 95.0)) if len(errors) else None for column in errors.T]
        known = self._first[~np.isnan(self._first)]
        return {
            "gospa": float(np.mean(self._gospa)),
            "false_tracks": false * _HOUR / duration if duration > 0.0 else None,
            "untracked": len(self._first) - len(known),
            "time_to_track": float(known.max()) if len(known) else None,
            "track_error": share[0], "horizontal_speed_error": share[1], "vertical_speed_error": share[2],
        }  # fmt: skip


def gospa(distance: F64, tracks: int, targets: int) -> float:
    """Return the GOSPA metric [m] of `tracks` and `targets`, of which some are assigned at `distance` (k,).

    Order 2, alpha 2, and a cut-off of 10 m: the root of the sum of squares and of c^2 / 2 for each that is missed or
    false (A. S. Rahmathullah et al., FUSION 2017, proposition 1).
    """
    unassigned = tracks + targets - 2 * len(distance)
    return float(np.sqrt((distance**2).sum() + 0.5 * CUTOFF**2 * unassigned))


def _telling(frame: Frame, time: int, node: int, values: dict[str, float]) -> _Telling:
    numbers = sorted({int(name.split(".")[1]) for name in values if name.startswith("track.")})
    state = np.array([[values[f"track.{n}.{axis}"] for axis in _AXES] for n in numbers]).reshape(-1, 6)
    then = time - round(values["tracks.age"] * NS)
    bodies = frame.bodies
    place = bodies.position + (then - frame.time) / NS * bodies.velocity
    return _Telling(node, then, np.array(numbers, dtype=np.int64), state, np.hstack([place, bodies.velocity]))
