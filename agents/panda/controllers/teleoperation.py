"""An operator leads the arm by a haptic device and feels what the tool touches."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.controller import (
    FELT,
    NEVER,
    NS,
    Action,
    Kilograms,
    Observation,
    Point,
    Posture,
    RobotSpec,
    ScenarioError,
    Spec,
    Teleoperation,
    inverse_kinematics,
    read_mechanism,
)

DOWN = np.diag([1.0, -1.0, -1.0])
"""Axes of a tool that looks down."""


class Teleoperate:
    """Position forward, force back: 1000 times per second the hand's place leaves and the newest force is felt.

    Hand and device are a mass that a spring and a damper lead along the way the operator means (a hand's
    impedance: Hogan, ASME J. Dyn. Sys. 107, 1985); the force felt pushes it away from there.
    """

    runs_on = "edge"
    trigger = "1 kHz"

    class Parameters(Spec):
        """The operator's side."""

        base: Point  # of the arm, world axes
        mass: Kilograms = Field(default=1.0, gt=0)
        stiffness: float = Field(default=300.0, gt=0)  # N/m
        damping: float = Field(default=35.0, gt=0)  # N s/m
        reflection: float = Field(default=0.25, ge=0)  # force felt per force on the tool

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Take the device in hand."""
        if not isinstance(spec.task, Teleoperation) or spec.parameters is None or spec.kind.body is None:
            raise ScenarioError(f"{spec.name}: teleoperation needs a task of that kind, and `parameters`: base")
        self.task, self.parameters = spec.task, spec.parameters
        body = spec.kind.body
        mechanism = read_mechanism(body.urdf)
        self.tree, self.tool = mechanism.tree, mechanism.tool(spec.task.spec.link, spec.task.spec.place)
        lower, upper = (np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))
        self.joints = body.joint_start()
        self.posture = Posture(lower, upper, rest=self.joints)
        self.opening = body.vector("initial")[7]
        start = self.task.hand(0.0)
        self.place, self.velocity, self.time = start.position.copy(), np.zeros(3), NEVER

    def act(self, observation: Observation) -> Action:
        """Move the hand by one step and send the arm after it."""
        if observation.sensed is None:
            return Action()
        p, now = self.parameters, observation.time
        felt = p.reflection * observation.sensed["tool_force"]
        if self.time != NEVER:
            meant, dt = self.task.hand(now / NS), (now - self.time) / NS
            pull = p.stiffness * (meant.position - self.place) + p.damping * (meant.velocity - self.velocity)
            self.velocity += dt * (meant.acceleration + (pull + felt) / p.mass)
            self.place += dt * self.velocity
        self.time = now
        goal = self.place - np.array(p.base)
        self.joints = inverse_kinematics(
            self.tree, self.tool, self.posture, self.joints, goal, DOWN, 3
        )
        command = np.concatenate([self.joints[:7], [self.opening, 0.0]])
        return Action(command, log={FELT: float(np.sqrt(felt @ felt))})
