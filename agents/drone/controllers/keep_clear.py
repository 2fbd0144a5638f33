"""Follow the task's reference, and keep clear of what a tracker says is in the air."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.controller import (
    F64,
    NS,
    Action,
    Message,
    Metres,
    Observation,
    Reference,
    Report,
    RobotSpec,
    Sample,
    Seconds,
    Speed,
    Tracked,
)

from .trajectory import Trajectory

_SUBSCRIPTION, _REPORT = 20, 60
"""Bytes of the messages to the tracker."""


class KeepClear(Trajectory):
    """What `trajectory` does, unless a track will come too near: then it goes aside at `speed`.

    It subscribes to the robot `tracker`, tells it each `reporting` where it is, and knows nothing else of others.
    Logged as `dodge` [m/s] is how far its velocity is from what it was after.
    """

    hears = ("tracker",)

    class Parameters(Trajectory.Parameters):
        """How far from others, and how soon."""

        kd: float = Field(default=3.5, gt=0)  # 1/s
        clear: Metres = Field(default=15.0, gt=0)  # from any track, at the closest approach
        horizon: Seconds = Field(default=5.0, gt=0)
        speed: Speed = Field(default=6.0, gt=0)  # aside
        reporting: Seconds = Field(default=0.1, gt=0)  # between its reports
        deviation: tuple[float, float] = (0.1, 0.1)  # m and m/s, that it reports

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Know of nobody yet."""
        super().reset(spec, rng)
        self.rules = spec.parameters or self.Parameters()
        self.heard: Tracked | None = None
        self.reported, self.dodge = -NS, 0.0
        self.subscribed = False

    def reference(self, observation: Observation) -> Reference:
        """Return where the task wants the robot; or, from where it is, a velocity that leads aside."""
        goal, sensed, self.dodge = super().reference(observation), observation.sensed, 0.0
        for packet in observation.inbox:
            if packet.kind == "tracks" and (self.heard is None or packet.payload.time > self.heard.time):
                self.heard = packet.payload
        if goal.parked or self.heard is None or sensed is None:
            return goal
        aside = self._aside(observation.time, sensed["position"], goal.velocity)
        self.dodge = float(np.linalg.norm(aside))
        if self.dodge == 0.0:
            return goal
        pull = self.rules.kp / self.rules.kd * np.clip(goal.position - sensed["position"], -2.0, 2.0)
        return Reference(sensed["position"], goal.velocity + pull + aside, np.zeros(3), goal.yaw)

    def _aside(self, time: int, position: F64, velocity: F64) -> F64:
        """Return the velocity (3,) [m/s] away from where tracks will come nearest."""
        assert self.heard is not None
        rules, others = self.rules, self.heard.identity != self.spec.name
        state = self.heard.state[others]
        away = state[:, :3] + (time - self.heard.time) / NS * state[:, 3:] - position
        closing = state[:, 3:] - velocity
        speed = np.maximum((closing * closing).sum(axis=1), 1e-6)
        soon = np.clip(-(away * closing).sum(axis=1) / speed, 0.0, rules.horizon)
        miss = away + soon[:, None] * closing
        aside = np.zeros(3)
        for gap, towards in zip(np.linalg.norm(miss, axis=1).tolist(), miss, strict=True):
            if gap < rules.clear:
                # Head on there is no side to prefer: to the right of the own way, as in the rules of the air.
                right = np.array([velocity[1], -velocity[0], 0.0]) / max(float(np.linalg.norm(velocity[:2])), 1e-3)
                off = right - towards / max(gap, 1e-3) * min(1.0, gap)
                aside += rules.speed * (1.0 - gap / rules.clear) * off / max(float(np.linalg.norm(off)), 1e-3)
        return aside

    def act(self, observation: Observation) -> Action:
        """Return the command for one robot; subscribe with the first, and report."""
        action, sensed = super().act(observation), observation.sensed
        if action.command is None or sensed is None:
            return action
        messages = [] if self.subscribed else [Message("tracker", None, _SUBSCRIPTION, "subscribe")]
        self.subscribed = True
        if (sensed.time - self.reported) / NS >= self.rules.reporting:
            self.reported = sensed.time
            messages.append(Message("tracker", self._report(sensed), _REPORT, "report"))
        return Action(action.command, tuple(messages), {**action.log, "dodge": self.dodge})

    def _report(self, sensed: Sample) -> Report:
        state = np.concatenate([sensed["position"], sensed["velocity"]])
        return Report(self.spec.name, sensed.when("position"), state, self.rules.deviation)
