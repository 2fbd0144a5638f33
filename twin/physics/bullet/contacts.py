"""Contacts as events: one at the beginning of each contact, not one a tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from twin.state import F64, BodyState, Event

WORLD = "world"
_BODY_A, _BODY_B, _ON_A, _ON_B, _NORMAL_ON_B, _DISTANCE, _FORCE = 1, 2, 5, 6, 7, 8, 9  # of a PyBullet point
_TOUCHING = 1e-3  # m, gap at the start below which two bodies already touch

Pair = tuple[int, int]
"""Rows of two bodies, the smaller first; the world is the row after the last body."""


class Contacts:
    """Knows which pairs touch: from the first impulse between them until Bullet's margins part."""

    def __init__(self, names: Sequence[str], rows: Mapping[int, int]) -> None:
        self._names = [*names, WORLD]
        self._rows = rows  # Bullet's body id -> row
        self._touching: dict[Pair, None] = {}

    def start(self, points: Iterable[Sequence[Any]]) -> None:
        """Take note of what touches from the start, which is no event."""
        self._touching = {self._pair(point): None for point in points if point[_DISTANCE] < _TOUCHING}

    def update(self, points: Iterable[Sequence[Any]], before: BodyState, time: int) -> list[Event]:
        """Return an event per contact that began in the tick that ends at `time` [ns].

        `robot` and `detail` name the two; `value` is their closing speed [m/s] along the contact's normal,
        from the motion of both bases before the tick, thus before the impulse.
        """
        near: dict[Pair, None] = {}
        began: dict[Pair, float] = {}
        for point in points:
            pair = self._pair(point)
            if pair[0] == pair[1]:
                continue  # two links of one body
            near[pair] = None
            if point[_FORCE] > 0 and pair not in self._touching:
                began[pair] = max(began.get(pair, 0.0), self._closing_speed(point, before))
        self._touching = {pair: None for pair in near if pair in self._touching or pair in began}
        return [Event(time, "contact", self._names[a], self._names[b], began[a, b]) for a, b in sorted(began)]

    def _row(self, body: int) -> int:
        return self._rows.get(body, len(self._names) - 1)

    def _pair(self, point: Sequence[Any]) -> Pair:
        a, b = self._row(point[_BODY_A]), self._row(point[_BODY_B])
        return (a, b) if a < b else (b, a)

    def _closing_speed(self, point: Sequence[Any], before: BodyState) -> float:
        a = self._velocity(self._row(point[_BODY_A]), point[_ON_A], before)
        b = self._velocity(self._row(point[_BODY_B]), point[_ON_B], before)
        return max(0.0, float(np.dot(b - a, point[_NORMAL_ON_B])))

    def _velocity(self, row: int, at: Sequence[float], before: BodyState) -> F64:
        if row == len(self._names) - 1:
            return np.zeros(3)
        arm = np.asarray(at) - before.position[row]
        velocity: F64 = before.velocity[row] + np.cross(before.angular_velocity[row], arm)
        return velocity
