"""Keep a place in a formation by what is known of its leader."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.controller import NS, Controller, Observation, Reference, RobotSpec, Sample, ScenarioError, turned
from twin.controller import Formation as Task

from .trajectory import Trajectory


class Formation(Trajectory):
    """The leader follows the task; the others keep their offsets from where its newest telemetry has it.

    So they stay with a leader that is blown or led off its way. Leader and follower are compared at the instant of the
    follower's own sample, to which the leader is carried on at its velocity: equal ages cancel. Of the plan they take
    the acceleration only. (`trajectory` does the same task as a virtual structure: each follows the plan.)
    """

    leader: Formation  # of the entry

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is.

        Raises:
            ScenarioError: its task isn't a formation.
        """
        super().reset(spec, rng)
        if not isinstance(spec.task, Task):
            raise ScenarioError(f'{spec.name}: this controller needs a task of kind "formation"')
        self.offset = spec.task.offsets[spec.row]
        self.known: Sample | None = None

    @staticmethod
    def meet(controllers: Sequence[Controller]) -> None:
        """Tell all robots of an entry who leads."""
        fleet = [controller for controller in controllers if isinstance(controller, Formation)]
        for controller in fleet:
            controller.leader = fleet[0]

    def reference(self, observation: Observation) -> Reference:
        """Return the robot's place; that of the plan until the leader is known."""
        plan, own = super().reference(observation), observation.sensed
        assert own is not None
        self.known = own
        leader = self.leader.known
        if self.leader is self or leader is None:
            return plan
        ahead = (own.time - leader.time) / NS
        rate = float(leader["angular_velocity"][2])
        arm = turned(self.offset, _heading(leader) + rate * ahead)
        velocity = leader["velocity"] + rate * np.array([-arm[1], arm[0], 0.0])
        place = leader["position"] + ahead * leader["velocity"] + arm
        return Reference(place, velocity, plan.acceleration, plan.yaw)


def _heading(sensed: Sample) -> float:
    x, y, z, w = sensed["orientation"]
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
