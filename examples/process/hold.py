"""Follow the task's reference, in twin's own process or in another one.

`controller = "hold.py:Hold"` runs it inside, `controller = "process:hold.py"` in a process of its own;
hold.mjs does the same in JavaScript.
"""

import sys

import numpy as np

from twin.controller import Action, serve


class Hold:
    """Wanted acceleration plus feedback of position and velocity, each axis within `limit` [m/s2]."""

    def reset(self, spec, rng):
        """Take over the task."""
        self.spec, self.kp, self.kd, self.limit = spec, 4.0, 3.5, 6.0

    def act(self, observation):
        """Return acceleration (3,) and yaw; additions in the same order as in hold.mjs, so the same bits."""
        sensed = observation.sensed
        if sensed is None:
            return Action()
        goal = self.spec.task.reference(self.spec.row, observation.time / 1_000_000_000)
        error = goal.position - sensed["position"]
        wanted = goal.acceleration + self.kp * error + self.kd * (goal.velocity - sensed["velocity"])
        limited = np.minimum(np.maximum(wanted, -self.limit), self.limit)
        age = (observation.time - sensed.time) / 1_000_000_000
        return Action(np.append(limited, goal.yaw), log={"age": age})


if __name__ == "__main__":
    serve(Hold, *sys.argv[1:])
