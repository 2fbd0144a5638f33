"""Lead the tool along a path: by positions for the drives to reach, or by a velocity loop over the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from twin.controller import F64, NS, Action, Observation, RobotSpec, ScenarioError, Seconds, Spec, ToolPath


class Path:
    """Joints are planned once for a whole lap; what is sent is what the arm's drives take.

    With `interface = "position"` they get the joints of `lead` ahead, which makes up for the lag of their own loop on
    an ideal network. With "velocity", the position loop is closed here: the planned velocity, and `gain` times how far
    the newest reading was off the plan of its own time.
    """

    runs_on = "edge"
    trigger = "100 Hz"
    service_time = "200 us"

    class Parameters(Spec):
        """How the path is followed."""

        lead: Seconds = Field(default=0.045, ge=0)  # position interface
        gain: float = Field(default=20.0, gt=0)  # 1/s, velocity interface

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Plan the joints.

        Raises:
            ScenarioError: there is no such task, the arm can't do it, or its drives take efforts.
        """
        body, task = spec.kind.body, spec.task
        if body is None or not isinstance(task, ToolPath):
            raise ScenarioError(f'{spec.name}: this controller needs a task of kind "tool_path"')
        self.interface = body.parameters.get("interface", "position")
        if self.interface not in ("position", "velocity"):
            raise ScenarioError(f"{spec.name}: found interface {self.interface!r}; allowed: position, velocity")
        self.task, self.parameters = task, spec.parameters or self.Parameters()
        self.width = body.width
        try:
            task.joints  # noqa: B018  planned now, since it may not be possible
        except ValueError as error:
            raise ScenarioError(f"{spec.name}: {error}") from error

    def act(self, observation: Observation) -> Action:
        """Return joint positions or velocities, no suction and no brake."""
        return self.act_batch([self], [observation])[0]

    @staticmethod
    def act_batch(controllers: Sequence[Path], observations: Sequence[Observation]) -> list[Action]:
        """Return the same for many arms: those of one entry have one plan; nothing before the first reading."""
        actions = [Action()] * len(controllers)
        sensing = [i for i, observation in enumerate(observations) if observation.sensed is not None]
        for task in dict.fromkeys(controllers[i].task for i in sensing):
            mine = [i for i in sensing if controllers[i].task is task]
            first, asked = controllers[mine[0]], [observations[i] for i in mine]
            joints = first.positions(asked) if first.interface == "position" else first.velocities(asked)
            commands = np.zeros((len(mine), first.width))  # no suction, no brake
            commands[:, : joints.shape[1]] = joints
            for i, command in zip(mine, commands, strict=True):
                actions[i] = Action(command)
        return actions

    def positions(self, observations: Sequence[Observation]) -> F64:
        """Return the joints (k, J) of `lead` ahead, for arms of this one's entry."""
        return self.task.planned(np.array([o.time / NS + self.parameters.lead for o in observations]))[0]

    def velocities(self, observations: Sequence[Observation]) -> F64:
        """Return the planned velocities (k, J) and what brings the arms back to the plan, likewise."""
        samples = [o.sensed for o in observations if o.sensed is not None]
        times = np.array([o.time / NS for o in observations] + [s.time / NS for s in samples])
        joints, planned = self.task.planned(times)
        measured = np.array([s["joint_position"] for s in samples])
        wanted: F64 = planned[: len(samples)] + self.parameters.gain * (joints[len(samples) :] - measured)
        return wanted
