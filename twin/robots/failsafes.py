"""Failsafes that robots of several kinds share; a robot's folder names them in a failsafe.py of its own."""

from __future__ import annotations

from math import pi
from typing import Annotated

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.numerics.kernels import kernel
from twin.protocols import RobotSpec
from twin.specs import Spec
from twin.specs.toml_text import validate
from twin.state import F64, NOMINAL, Action, Observation, Sample
from twin.units import DurationNs, Metres, Radians, Seconds, unit

HOLD, STOPPED = "hold", "stopped"
_CREEP = 0.05
"""m/s below which a robot stands, and nothing is ahead of it"""


class BrakeAndHold:
    """nominal -> hold -> nominal: without fresh commands the brake, last in the command, stops and holds the robot.

    It takes over when no command came for `command_timeout`, or when the newest one answers a state older than
    `state_age`; until the first command both clocks run from time 0.
    """

    class Parameters(Spec):
        """When to take over."""

        command_timeout: DurationNs = Field(default=NS // 10, gt=0)
        state_age: DurationNs = Field(default=NS, gt=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode."""
        table = spec.kind.failsafe_parameters
        self.parameters = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters")
        assert spec.kind.body is not None
        self.command = spec.kind.body.vector("initial")
        self.command[-1] = 1.0

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        now, p = observation.time, self.parameters
        heard, answers = max(observation.heard, 0), max(observation.answers, 0)
        return HOLD if now - heard > p.command_timeout or now - answers > p.state_age else NOMINAL

    def act(self, observation: Observation) -> Action:
        """Brake."""
        return Action(self.command)


class ProtectiveStop:
    """nominal -> stopped -> nominal for what a lidar sees in the way, nominal -> hold -> nominal by old commands.

    The protective field is the strip that the robot needs to stop: v^2 / (2 braking) + v `reaction` + `margin` ahead
    of its front, whichever way it drives, and `side` wider than itself (ISO 13855). It goes on once the field was
    free for `restart`; with `always`, it is on guard as well while the controller is on board.
    """

    always = True

    class Parameters(Spec):
        """The robot, and when to take over."""

        command_timeout: DurationNs = Field(default=NS // 5, gt=0)
        state_age: DurationNs = Field(default=NS, gt=0)
        braking: Annotated[float, unit("m/s2")] = Field(gt=0)
        reaction: Seconds = Field(default=0.1, ge=0)  # of lidar and drives
        front: Metres = Field(gt=0)  # from the lidar to each end of the robot
        half_width: Metres = Field(gt=0)
        margin: Metres = Field(default=0.1, ge=0)
        side: Metres = Field(default=0.05, ge=0)
        restart: DurationNs = Field(default=NS, ge=0)
        view: Radians = Field(default=2 * pi, gt=0)  # of the lidar

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode."""
        table = spec.kind.failsafe_parameters
        self.parameters = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters")
        assert spec.kind.body is not None
        self.command = np.zeros(spec.kind.body.width)
        self.mode = NOMINAL
        self.resumed = 0  # ns, when it went on last
        self.blocked = 0  # ns, when something was in the field last
        self.ray: F64 | None = None  # (2, B) direction of each beam

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        now, p = observation.time, self.parameters
        if observation.sensed is not None and self._is_blocked(observation.sensed):
            self.mode, self.blocked = STOPPED, now
        elif self.mode != STOPPED or now - self.blocked >= p.restart:
            if self.mode == STOPPED:
                self.resumed = now  # a controller on board is only asked from here on
            heard, answers = max(observation.heard, self.resumed), max(observation.answers, self.resumed)
            self.mode = HOLD if now - heard > p.command_timeout or now - answers > p.state_age else NOMINAL
        return self.mode

    def act(self, observation: Observation) -> Action:
        """Come to rest."""
        return Action(self.command)

    def _is_blocked(self, sensed: Sample) -> bool:
        p, ranges = self.parameters, sensed["ranges"]
        if self.ray is None:
            whole = p.view >= 2 * pi
            angles = np.linspace(-p.view / 2, p.view / 2, len(ranges), endpoint=not whole)
            self.ray = np.stack([np.cos(angles), np.sin(angles)])
        velocity = sensed["odometry_velocity"][:2]
        speed = float(np.sqrt(velocity @ velocity))
        if speed >= _CREEP:
            self.ahead = velocity / speed
        elif self.mode == STOPPED:
            speed = 0.0  # what stopped it may still be there
        else:
            return False
        ahead, left = self.ahead.tolist()
        # The robot's own extent along and across the way it drives.
        front = abs(ahead) * p.front + abs(left) * p.half_width
        half = abs(ahead) * p.half_width + abs(left) * p.front + p.side
        far = front + speed * (speed / (2 * p.braking) + p.reaction) + p.margin
        return _is_any_in(self.ray, ranges, ahead, left, far, half)


@kernel
def _is_any_in(ray: F64, ranges: F64, ahead: float, left: float, far: float, half: float) -> bool:
    """Tell whether a beam's end is up to `far` ahead and less than `half` aside; `ray` (2, B) are its directions."""
    for b in range(ranges.size):
        x = (ahead * ray[0, b] + left * ray[1, b]) * ranges[b]
        y = (ahead * ray[1, b] - left * ray[0, b]) * ranges[b]
        if 0.0 < x < far and abs(y) < half:
            return True
    return False
