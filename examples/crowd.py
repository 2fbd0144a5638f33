"""A crowd of plain Mesa agents shares the model with the drones; Mesa's DataCollector tells who was flown over."""

import mesa
import numpy as np

import twin

RADIUS = 15.0  # m, on the ground, round a drone


class Walker(mesa.Agent):
    """Walks through the district, and counts the seconds that a drone spends overhead."""

    def __init__(self, model, place):
        super().__init__(model)
        self.place, self.heading, self.overhead = place, model.rng.uniform(0, 2 * np.pi), 0.0

    def walk(self, dt, drones):
        """Go on for `dt` s below `drones` (n, 3) m."""
        self.heading += self.model.rng.normal(0.0, 0.3 * np.sqrt(dt))
        self.place = self.place + 1.4 * dt * np.array([np.cos(self.heading), np.sin(self.heading)])
        self.overhead += dt * (np.linalg.norm(drones[:, :2] - self.place, axis=1) < RADIUS).any()


built = twin.build("city/patrol", duration="10 s")
model = built.twin
crowd = [Walker(model, place) for place in model.rng.uniform(-60.0, 60.0, (50, 2))]
collector = mesa.DataCollector(agenttype_reporters={Walker: {"overhead": "overhead"}})
for frame in built.frames():
    if frame.time % 500_000_000 == 0 and frame.time:
        for walker in crowd:
            walker.walk(0.5, frame.bodies.position)
        collector.collect(model)

seconds = collector.get_agenttype_vars_dataframe(Walker).groupby("AgentID").overhead.last()
print(f"{(seconds > 0).sum()} of {len(crowd)} walkers were flown over, the worst for {seconds.max():.1f} s")
