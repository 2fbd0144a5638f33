"""What a drone does on its own when the link no longer brings it commands worth following."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NOMINAL,
    NS,
    Action,
    DurationNs,
    Observation,
    RobotSpec,
    Sample,
    Spec,
    Speed,
    unit,
    validate,
)

HOVER, LAND, LANDED = "hover", "land", "landed"
STOP_ROTORS = -15.0
"""m/s2 upwards: below free fall, where the rotors stop."""


class HoverThenLand:
    """nominal -> hover -> land -> landed; fresh commands lead back from hover, and only from there.

    It takes over when no command came for `command_timeout`, or when the newest one answers a state older
    than `state_age`. Until the first command both clocks run from time 0. It flies by the drone's own
    sensors: brakes, holds the place where it comes to rest, then descends; standing still on the way down
    means touchdown, and the rotors stay off from there.
    """

    class Parameters(Spec):
        """When to take over, and how to fly then."""

        command_timeout: DurationNs = Field(default=NS // 2, gt=0)
        state_age: DurationNs = Field(default=NS, gt=0)
        hover_time: DurationNs = Field(default=3 * NS, ge=0)
        land_speed: Speed = Field(default=0.7, gt=0)
        touchdown_time: DurationNs = Field(default=NS, gt=0)
        braking: Annotated[float, unit("m/s2")] = Field(default=3.0, gt=0)
        kp: Annotated[float, unit("1/s2")] = Field(default=1.0, gt=0)
        kd: Annotated[float, unit("1/s")] = Field(default=2.0, gt=0)
        max_acceleration: Annotated[float, unit("m/s2")] = Field(default=5.0, gt=0)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Start in nominal mode."""
        table = spec.kind.failsafe_parameters
        self.parameters = validate(self.Parameters, table, file=spec.name, key="failsafe_parameters")
        self.mode = NOMINAL
        self.since = 0  # ns, when the mode began
        self.descending = 0  # ns, when the drone last went down

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        now, sensed = observation.time, observation.sensed
        if sensed is None:
            return self.mode
        if self.mode == LAND:
            if sensed["velocity"][2] < -0.3 * self.parameters.land_speed:
                self.descending = now
            if now - self.descending > self.parameters.touchdown_time:
                self._enter(LANDED, now)
        elif self.mode in (NOMINAL, HOVER):
            self._watch(now, sensed, self._is_stale(observation))
        return self.mode

    def act(self, observation: Observation) -> Action:
        """Hold, descend or stay down."""
        assert observation.sensed is not None
        if self.mode == LANDED:
            return Action(np.array([0.0, 0.0, STOP_ROTORS, self.yaw]))
        p, velocity = self.parameters, observation.sensed["velocity"]
        wanted = p.kp * (self.place - observation.sensed["position"]) - p.kd * velocity
        if self.mode == LAND:
            wanted[2] = p.kd * (-p.land_speed - velocity[2])
        size = float(np.sqrt(wanted @ wanted))
        return Action(np.append(wanted * min(1.0, p.max_acceleration / max(size, 1e-9)), self.yaw))

    def _is_stale(self, observation: Observation) -> bool:
        heard, answers = max(observation.heard, 0), max(observation.answers, 0)
        p = self.parameters
        return observation.time - heard > p.command_timeout or observation.time - answers > p.state_age

    def _watch(self, now: int, sensed: Sample, stale: bool) -> None:
        if not stale:
            self._enter(NOMINAL, now)
        elif self.mode == NOMINAL:
            self._enter(HOVER, now)
            self.place, self.yaw = self._resting_place(sensed), _yaw(sensed["orientation"])
        elif now - self.since >= self.parameters.hover_time:
            self._enter(LAND, now)
            self.descending = now

    def _enter(self, mode: str, now: int) -> None:
        if mode != self.mode:
            self.mode, self.since = mode, now

    def _resting_place(self, sensed: Sample) -> F64:
        velocity = sensed["velocity"]
        speed = float(np.sqrt(velocity @ velocity))
        place: F64 = sensed["position"] + velocity * (speed / (2 * self.parameters.braking))
        return place


def _yaw(orientation: F64) -> float:
    x, y, z, w = orientation
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
