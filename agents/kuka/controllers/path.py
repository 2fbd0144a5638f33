"""Lead the tool along a path: by positions for the drives to reach, or by a velocity loop over the network."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.errors import ScenarioError
from twin.mechanism.joint_path import joints_at, plan_joints
from twin.mechanism.tree import read_mechanism
from twin.specs import RobotSpec, Spec
from twin.state import F64, Action, Observation
from twin.tasks.tool_path import ToolPath
from twin.units import Seconds


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
        mechanism = read_mechanism(body.urdf)
        tool, start = mechanism.tool(task.spec.link, task.spec.place), body.joint_start()
        lower, upper = (np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))
        try:
            self.path = plan_joints(mechanism.tree, tool, (lower, upper), start, task.point, task.length)
        except ValueError as error:
            raise ScenarioError(f"{spec.name}: {error}") from error
        self.still = np.zeros(body.width - len(start))  # no suction, no brake

    def act(self, observation: Observation) -> Action:
        """Return joint positions or velocities, no suction and no brake."""
        if self.interface == "position":
            return self._send(self._planned(observation.time / NS + self.parameters.lead)[0])
        if observation.sensed is None:
            return Action()
        joints, _ = self._planned(observation.sensed.time / NS)
        _, speed = self._planned(observation.time / NS)
        return self._send(speed + self.parameters.gain * (joints - observation.sensed["joint_position"]))

    def _send(self, joints: F64) -> Action:
        return Action(np.concatenate([joints, self.still]))

    def _planned(self, time: float) -> tuple[F64, F64]:
        """Return joints and their velocities at `time` [s]."""
        way, speed = self.task.along(time)
        joints, change = joints_at(self.path, way)
        return joints, change * speed
