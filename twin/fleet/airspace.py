"""What an edge server knows of the robots that it flies, and the velocities that keep them apart."""

from __future__ import annotations

import numpy as np

from twin.fleet.orca import avoiding
from twin.numerics.kernels import kernel
from twin.state import F64, I64, NEVER, Sample


class Airspace:
    """Newest known place and velocity of each robot; as old as the network makes them.

    A command acts after its own way down, which is taken to last as long as the newest sample's way up. All are carried
    on at their known velocities to that instant. Meanwhile each may have accelerated by up to a: for a time t since its
    sample it can be a t^2 / 2 from there, and that is added to the distance to be kept, for both.
    """

    def __init__(self, count: int) -> None:
        self.position, self.velocity = np.zeros((count, 3)), np.zeros((count, 3))
        self.time = np.full(count, NEVER, dtype=np.int64)  # ns, of the samples

    def tell(self, row: int, sensed: Sample) -> None:
        """Take the newest sample of a robot."""
        self.position[row], self.velocity[row], self.time[row] = sensed["position"], sensed["velocity"], sensed.time

    def permitted(
        self,
        row: int,
        now: int,
        preferred: F64,
        *,
        distance: float,
        acceleration: float,
        speed: float,
        horizon: float,
        parting: float,
    ) -> tuple[F64, float]:
        """Return `preferred`, or the permitted velocity (3,) nearest to it, and by how much [m/s] that still misses.

        Args:
            row: of the robot.
            now: ns.
            preferred: velocity (3,) m/s.
            distance: to be kept from others [m], had their states no age.
            acceleration: by which a robot may have changed its velocity since [m/s2].
            speed: that is not exceeded [m/s].
            horizon: for how long nobody may get too near [s].
            parting: within which those get apart that are too near already [s].
        """
        rules = (distance, acceleration, speed, horizon, parting)
        velocity = np.empty(3)
        missed = _permitted(self.position, self.velocity, self.time, row, now, preferred, rules, velocity)
        return (preferred if np.array_equal(velocity, preferred) else velocity), missed


@kernel
def _permitted(
    position: F64,
    velocity: F64,
    time: I64,
    row: int,
    now: int,
    preferred: F64,
    rules: tuple[float, float, float, float, float],
    out: F64,
) -> float:
    """Write the permitted velocity into `out` (3,); return by how much it misses."""
    distance, acceleration, speed, horizon, parting = rules
    count = len(time)
    gap, closing, kept = np.empty((count, 3)), np.empty((count, 3)), np.empty(count)
    mine = 1e-9 * (2 * now - 2 * time[row])  # s, from the sample to when the command acts
    near = 0
    for other in range(count):
        if other == row or time[other] == NEVER:
            continue
        age = 1e-9 * (2 * now - time[row] - time[other])
        square = 0.0
        for k in range(3):
            gap[near, k] = position[other, k] - position[row, k] + age * velocity[other, k] - mine * velocity[row, k]
            closing[near, k] = velocity[row, k] - velocity[other, k]
            square += gap[near, k] * gap[near, k]
        kept[near] = distance + 0.5 * acceleration * (age * age + mine * mine)
        if square < (kept[near] + 2.0 * speed * horizon) ** 2:
            near += 1
    out[:], missed = avoiding(
        gap[:near], closing[:near], kept[:near], velocity[row], preferred, speed, horizon, parting
    )
    return missed
