"""What a drone does on its own: when its link brings no commands worth following, and when its battery runs low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NOMINAL,
    NS,
    Action,
    Bool,
    DurationNs,
    Metres,
    Observation,
    Observations,
    Readings,
    RobotSpec,
    Sample,
    Spec,
    Speed,
    unit,
    validate,
)

HOVER, RETURN, BATTERY, LAND, LANDED = "hover", "return", "battery return", "land", "landed"
STOP_ROTORS = -15.0
"""m/s2 upwards: below free fall, where the rotors stop."""
_LEARNT = 5 * NS
"""Time of flight from which the mean power so far stands for that of the way home"""


class HoldReturnLand:
    """nominal -> hover -> what `link_loss` says; nominal or hover -> battery return; any way home ends in land, landed.

    Without commands for `command_timeout`, or when the newest one answers a state older than `state_age`, it hovers:
    brakes, and holds the place where it comes to rest. After `hover_time` it stays (hold), flies home and lands there
    (return), or lands (land). Fresh commands lead back from hover, and only from there; until the first command both
    clocks run from time 0. With a battery sensor it flies home as well, whatever is commanded, once what is left is no
    more than the way home takes at the mean power so far, and `reserve` of a full battery. Home is where it started.
    It flies by its own sensors; standing still on the way down is touchdown, and the rotors stay off from there.
    """

    always = True  # the battery must be watched, too, while the controller is on board

    class Parameters(Spec):
        """When to take over, and how to fly then."""

        link_loss: Literal["hold", "return", "land"] = "land"
        command_timeout: DurationNs = Field(default=NS // 2, gt=0)
        state_age: DurationNs = Field(default=NS, gt=0)
        hover_time: DurationNs = Field(default=3 * NS, ge=0)
        reserve: float = Field(default=0.15, ge=0, lt=1)  # of a full battery
        return_height: Metres = Field(default=15.0, ge=0)  # over home, at least, on the way there
        return_speed: Speed = Field(default=5.0, gt=0)
        home_radius: Metres = Field(default=3.0, gt=0)  # within which it begins to land
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
        battery = spec.kind.body.parameters.get("battery") if spec.kind.body else None
        self.capacity = float(battery["energy"]) if battery else 0.0  # J
        self.mode = NOMINAL
        self.home: F64 | None = None
        self.since = 0  # ns, when the mode began
        self.descending = 0  # ns, when the drone last went down

    def update(self, observation: Observation) -> str:
        """Return the mode for now."""
        now, sensed = observation.time, observation.sensed
        if sensed is None:
            return self.mode
        if self.home is None:
            self.home = sensed["position"].copy()
        if self.mode == LAND:
            if sensed["velocity"][2] < -0.3 * self.parameters.land_speed:
                self.descending = now
            if now - self.descending > self.parameters.touchdown_time:
                self._enter(LANDED, observation)
        elif self.mode in (RETURN, BATTERY):
            if sensed["position"][2] > self.place[2] - 1.0:
                self.place[:2] = self.home[:2]  # high enough to fly there
            if self._aside(sensed) < self.parameters.home_radius:
                self._enter(LAND, observation)
        elif self.mode in (NOMINAL, HOVER):
            self._watch(observation)
        return self.mode

    @staticmethod
    def calm(failsafes: Sequence[HoldReturnLand], observations: Observations) -> Sequence[bool]:
        """Tell who is nominal and stays so: commands are fresh, and the battery holds what the way home takes."""
        p, now = failsafes[0].parameters, observations.time
        if not isinstance(observations.readings, Readings) or any(one.home is None for one in failsafes):
            return [False] * len(failsafes)
        stale = now - np.maximum(observations.heard, 0) > p.command_timeout
        stale |= now - np.maximum(observations.answers, 0) > p.state_age
        nominal = np.array([one.mode == NOMINAL for one in failsafes])
        calm: list[bool] = (nominal & ~stale & ~_are_low(failsafes, observations.readings, now)).tolist()
        return calm

    def act(self, observation: Observation) -> Action:
        """Hold, fly home, descend or stay down."""
        sensed, p = observation.sensed, self.parameters
        assert sensed is not None
        if self.mode == LANDED:
            return Action(np.array([0.0, 0.0, STOP_ROTORS, self.yaw]))
        speed = p.kp / p.kd * (self.place - sensed["position"])
        if self.mode in (RETURN, BATTERY):
            speed = np.append(_limited(speed[:2], p.return_speed), _limited(speed[2:], p.return_speed))
        elif self.mode == LAND:
            speed[2] = -p.land_speed
        wanted = _limited(p.kd * (speed - sensed["velocity"]), p.max_acceleration)
        return Action(np.append(wanted, self.yaw))

    def _watch(self, observation: Observation) -> None:
        """Look after battery and link."""
        sensed, p = observation.sensed, self.parameters
        assert sensed is not None
        heard, answers = max(observation.heard, 0), max(observation.answers, 0)
        stale = observation.time - heard > p.command_timeout or observation.time - answers > p.state_age
        if self._is_low(observation.time, sensed):
            self._enter(BATTERY, observation)
        elif not stale:
            self._enter(NOMINAL, observation)
        elif self.mode == NOMINAL:
            self._enter(HOVER, observation)
        elif observation.time - self.since >= p.hover_time and p.link_loss != "hold":
            self._enter(RETURN if p.link_loss == "return" else LAND, observation)

    def _is_low(self, now: int, sensed: Sample) -> bool:
        """Tell whether the battery holds no more than the way home and the reserve."""
        alone = Readings([sensed.time], {name: value[None] for name, value in sensed.values.items()})
        return bool(_are_low([self], alone, now)[0])

    def _enter(self, mode: str, observation: Observation) -> None:
        """Begin a mode: it holds where it comes to rest, rises there before it flies home, and lands at home."""
        sensed, p, now, home = observation.sensed, self.parameters, observation.time, self.home
        assert sensed is not None and home is not None
        if mode == self.mode:
            return
        if self.mode == NOMINAL:
            velocity = sensed["velocity"]
            self.place = sensed["position"] + velocity * (float(np.sqrt(velocity @ velocity)) / (2 * p.braking))
            self.yaw = _yaw(sensed["orientation"])
        if mode in (RETURN, BATTERY):
            self.place[2] = max(self.place[2], home[2] + p.return_height)
        if self.mode in (RETURN, BATTERY):
            self.place[:2] = home[:2]
        self.mode, self.since, self.descending = mode, now, now

    def _aside(self, sensed: Sample) -> float:
        """Return how far home is over ground [m]."""
        assert self.home is not None
        return float(np.hypot(*(self.home - sensed["position"])[:2]))


def _are_low(failsafes: Sequence[HoldReturnLand], sensed: Readings, now: int) -> Bool:
    """Tell whose battery (k,) holds no more than the way home and the reserve."""
    p, capacity = failsafes[0].parameters, failsafes[0].capacity
    if "state_of_charge" not in sensed.columns or now < _LEARNT or not capacity:
        return np.zeros(len(failsafes), dtype=bool)
    back = np.array([one.home for one in failsafes]) - sensed.columns["position"]
    cruise = np.maximum(p.return_height, -back[:, 2])
    seconds = (np.hypot(back[:, 0], back[:, 1]) + cruise + back[:, 2]) / p.return_speed + cruise / p.land_speed
    seconds += 2 * p.kd / p.kp + p.touchdown_time / NS  # to speed up, to slow down, and to be sure to be down
    needed = sensed.columns["energy_used"][:, 0] / (now / NS) * seconds + p.reserve * capacity
    low: Bool = sensed.columns["state_of_charge"][:, 0] * capacity < needed
    return low


def _limited(vector: F64, most: float) -> F64:
    size = float(np.sqrt(vector @ vector))
    limited: F64 = vector * min(1.0, most / max(size, 1e-9))
    return limited


def _yaw(orientation: F64) -> float:
    x, y, z, w = orientation
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
