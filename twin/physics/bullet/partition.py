"""Which bodies share a PyBullet world, how often each world steps, and that nobody leaves where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

import numpy as np

from twin.errors import RunError, ScenarioError
from twin.mechanism.tree import read_mechanism
from twin.numerics.kernels import kernel
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.interaction import Regions, packed, reach, separate
from twin.physics.bullet.world import BulletWorld
from twin.state import F64, I64
from twin.units import duration_text


def worlds_of(groups: Sequence[BodyGroup], rate_hz: int) -> list[tuple[int, list[int]]]:
    """Return the rate [Hz] of each world and the rows of its bodies: those that can never touch share none.

    All of one world, and all of one group, step as often as the most frequent of them in ticks of `rate_hz`.
    """
    sets, rates = separate(_regions(groups)), {group.name: rate_of(group, rate_hz) for group in groups}
    group_of = [group.name for group in groups for _ in group.names]
    for _ in groups:
        for rows in sets:
            most = lcm(*(rates[group_of[row]] for row in rows))
            rates.update({group_of[row]: most for row in rows})
    alike = {rate: [rows for rows in sets if rates[group_of[rows[0]]] == rate] for rate in sorted({*rates.values()})}
    return [(rate, rows) for rate, theirs in alike.items() for rows in packed(theirs)]


def rate_of(group: BodyGroup, rate_hz: int) -> int:
    """Return the rate [Hz] of a group's steps on its own account: several in a tick of `rate_hz`, or one in several.

    Raises:
        ScenarioError: one doesn't divide the other.
    """
    rate = group.spec.rate or rate_hz
    if rate % rate_hz and rate_hz % rate:
        near = [k * rate_hz for k in (rate // rate_hz, rate // rate_hz + 1) if k]
        if rate < rate_hz:
            legal = [divisor for divisor in range(1, rate_hz + 1) if rate_hz % divisor == 0]
            near = [max(d for d in legal if d < rate), min(d for d in legal if d > rate)]
        message = f"its physics at {rate} Hz doesn't divide ticks of {rate_hz} Hz; allowed next to it: "
        raise ScenarioError(message + " or ".join(f"{k} Hz" for k in near), key=f"robots.{group.name}.spec.body.rate")
    return rate


class Zones:
    """The boxes that bodies may be in: their worlds were chosen by them.

    Raises:
        ScenarioError: a body starts outside of its zone.
    """

    def __init__(self, groups: Sequence[BodyGroup]) -> None:
        self._names = [name for group in groups for name in group.names]
        zones = [group.spec.zone for group in groups for _ in group.names]
        self._rows = np.array([row for row, zone in enumerate(zones) if zone is not None], dtype=np.int64)
        boxes = np.array([zone for zone in zones if zone is not None]).reshape(-1, 2, 3)
        self._low, self._high = boxes[:, 0], boxes[:, 1]
        for group in groups:
            outside = group.spec.zone is not None and np.any(
                (group.position < group.spec.zone[0]) | (group.position > group.spec.zone[1])
            )
            if outside:
                message = f"a robot starts outside of its zone, {group.spec.zone}"
                raise ScenarioError(message, key=f"robots.{group.name}.spec.body.zone")

    def check(self, position: F64, time: int) -> None:
        """Look at the places (N, 3) of all bodies at `time` [ns].

        Raises:
            RunError: a body left its zone, where what it would meet may be in another world.
        """
        i = _outside(position, self._rows, self._low, self._high)
        if i < len(self._rows):
            place = ", ".join(f"{x:.2f}" for x in position[self._rows[i]])
            box = f"({', '.join(map(str, self._low[i]))}) to ({', '.join(map(str, self._high[i]))})"
            name = self._names[self._rows[i]]
            raise RunError(f"{name} left its zone at {duration_text(time)}: it is at ({place}) m, allowed: {box} m")


@kernel
def _outside(position: F64, rows: I64, low: F64, high: F64) -> int:
    """Return which of `rows` is the first whose position isn't between its corners; how many they are if none is."""
    for i in range(len(rows)):
        for k in range(3):
            if not low[i, k] <= position[rows[i], k] <= high[i, k]:
                return i
    return len(rows)


def _regions(groups: Sequence[BodyGroup]) -> Regions:
    """Return where each body can ever be."""
    low: list[F64] = []
    high: list[F64] = []
    radius: list[F64] = []
    for group in groups:
        n, zone = len(group.names), group.spec.zone
        if group.spec.fixed:
            low, high = [*low, group.position], [*high, group.position]
        else:
            corners = np.array(zone or (np.full(3, -np.inf), np.full(3, np.inf)))
            low, high = [*low, np.tile(corners[0], (n, 1))], [*high, np.tile(corners[1], (n, 1))]
        radius.append(np.full(n, _reach(group) if group.spec.fixed or zone else 0.0))
    return Regions(np.concatenate(low), np.concatenate(high), np.concatenate(radius))


def _reach(group: BodyGroup) -> float:
    """Return how far [m] from its root link's frame, or its centre of mass, a part of a body ever is."""
    alone = BulletWorld(1, 0.0, None)
    alone.add(0, group.spec, group.position[0], group.orientation[0])
    extent = alone.extent(0)
    alone.close()
    return reach(read_mechanism(group.spec.urdf), extent)
