"""What an edge server knows of the robots that it flies, and the velocities that keep them apart."""

from __future__ import annotations

import numpy as np

from twin.clock import NS
from twin.fleet.orca import avoiding
from twin.state import F64, NEVER, Sample


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
        age = (2 * now - self.time[row] - self.time) / NS  # s, from each sample to when the command acts
        place = self.position + age[:, None] * self.velocity
        gap = place - place[row]
        kept = distance + 0.5 * acceleration * (age**2 + age[row] ** 2)
        near = (self.time != NEVER) & (np.einsum("nk,nk->n", gap, gap) < (kept + 2.0 * speed * horizon) ** 2)
        near[row] = False
        if not near.any() and preferred @ preferred <= speed * speed:
            return preferred, 0.0
        own = self.velocity[row]
        velocity, missed = avoiding(
            gap[near], own - self.velocity[near], kept[near], own, preferred, speed, horizon, parting
        )
        return (preferred if np.array_equal(velocity, preferred) else velocity), missed
