"""A controller of our own: it flies a drone along its task's reference, from the edge server.

twin makes one `Follow` for each robot, calls `reset` once, and then `act` each time telemetry has arrived.
A controller knows only what its `Observation` says: sensor samples and packets as they came through the
network, never the truth. The command that it returns travels back through the same network.
"""

import numpy as np
from pydantic import BaseModel

from twin.controller import NS, Action, Course, Observation, RobotSpec


class Gains(BaseModel):
    """What the scenario may set in `parameters`; anything else there is an error."""

    kp: float = 4.0  # 1/s2, acceleration per metre of error
    kd: float = 3.5  # 1/s, acceleration per m/s of error


class Follow:
    """Wanted acceleration, plus feedback of the errors of position and velocity."""

    Parameters = Gains
    runs_on = "edge"  # where it runs unless the scenario says otherwise; or "onboard"
    trigger = "arrival"  # it acts when telemetry arrives; or a rate such as "50 Hz"
    service_time = "2 ms"  # how long the server computes for one answer

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is; random numbers, if needed, come from `rng` so that runs repeat."""
        self.spec = spec
        self.gains: Gains = spec.parameters

    def act(self, observation: Observation) -> Action:
        """Return a command: acceleration (3,) m/s2 in world axes and yaw in rad (`twin describe drone`)."""
        sensed, task = observation.sensed, self.spec.task
        if sensed is None or not isinstance(task, Course):
            return Action()  # nothing to go by: the drone keeps the command that it has
        goal = task.reference(self.spec.row, observation.time / NS)  # time is in ns
        position_error = goal.position - sensed["position"]
        velocity_error = goal.velocity - sensed["velocity"]
        wanted = goal.acceleration + self.gains.kp * position_error + self.gains.kd * velocity_error
        age = (observation.time - sensed.time) / NS  # how old the sample is that we decide upon
        # `log` is recorded: plot it, or read it back: `twin.Run("run.h5").logs`.
        return Action(np.append(wanted, goal.yaw), log={"error": float(np.linalg.norm(position_error)), "age": age})
