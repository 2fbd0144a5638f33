"""Land on a deck that heaves, from the state that it streams."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from twin.controller import F64, NEVER, NS, Action, Metres, Observation, Reference, RobotSpec, Sample, Seconds, Speed

from .trajectory import STOP_ROTORS, Trajectory

DECK = "deck"


class Deck(Trajectory):
    """Follows the deck from above, comes down over it at a steady speed, and stops the rotors on it.

    What is known of the deck is as old as the network makes it. As it is, it leaves sqrt(int 4 sin^2(w tau/2) S dw)
    of the deck's heave; `predict` carries it on at its own speed for the time since it was sensed.
    """

    needs_task = False

    class Parameters(Trajectory.Parameters):
        """The deck, and how to come down on it."""

        vessel: str = "deck"
        pad: tuple[Metres, Metres, Metres] = (0.0, 0.0, 0.9)  # in the vessel's axes, from its centre of mass
        gear: Metres = Field(default=0.09, ge=0)  # from the drone's feet to its centre of mass
        height: Metres = Field(default=2.0, gt=0)  # over the pad, where it waits
        wait: Seconds = Field(default=8.0, ge=0)  # over the pad, within `near` of it
        near: Metres = Field(default=0.8, gt=0)
        descent: Speed = Field(default=0.3, gt=0)  # relative to the deck
        press: Metres = Field(default=0.3, gt=0)  # how far below the pad it aims before it stops the rotors
        touch: Metres = Field(default=0.15, gt=0)  # over the pad, below which it stands on it
        smoothing: Seconds = Field(default=0.25, gt=0)  # of the deck's acceleration, from its velocities
        predict: bool = False

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the deck."""
        super().reset(spec, rng)
        self.parameters = spec.parameters or self.Parameters()
        self.hears = (self.parameters.vessel,)
        self.deck: Sample | None = None
        self.rush = np.zeros(3)  # m/s2, acceleration of the deck
        self.landed = False
        self.over, self.height, self.before = NEVER, self.parameters.height, NEVER

    def act(self, observation: Observation) -> Action:
        """Return the command for one robot; none before both it and the deck are known."""
        for packet in observation.inbox:
            if packet.kind == DECK:
                self._hear(packet.payload)
        if observation.sensed is None or self.deck is None:
            return Action()
        place, _ = self._pad(observation.time)
        rise = float(observation.sensed["position"][2] - place[2])
        aside = float(np.hypot(*(observation.sensed["position"] - place)[:2]))
        self.landed = self.landed or (self.height < -self.parameters.press and rise < self.parameters.touch)
        self._come_down(observation.time, aside)
        age = (observation.time - self.deck.time) / NS
        log = {"rise": rise, "aside": aside, "wanted": self.height, "deck_age": age}
        if self.landed:
            return Action(np.array([0.0, 0.0, STOP_ROTORS, 0.0]), log=log)
        return Action(super().act(observation).command, log=log)

    def reference(self, observation: Observation) -> Reference:
        """Return the point `height` over the pad, moving with it."""
        place, speed = self._pad(observation.time)
        sinking = -self.parameters.descent if self.height < self.parameters.height else 0.0
        up = np.array([0.0, 0.0, 1.0])
        return Reference(place + self.height * up, speed + sinking * up, self.rush, 0.0)

    def _hear(self, deck: Sample) -> None:
        """Take the newest sample of the deck, and what its velocity changed by."""
        if self.deck is not None and deck.time > self.deck.time:
            step = (deck.time - self.deck.time) / NS
            change = (deck["velocity"] - self.deck["velocity"]) / step
            self.rush = self.rush + (change - self.rush) * min(1.0, step / self.parameters.smoothing)
        if self.deck is None or deck.time > self.deck.time:
            self.deck = deck

    def _pad(self, now: int) -> tuple[F64, F64]:
        """Return where the drone's centre of mass is when it stands on the pad, and the pad's velocity."""
        deck, p = self.deck, self.parameters
        assert deck is not None
        arm = _turned(deck["orientation"], np.array([*p.pad[:2], p.pad[2] + p.gear]))
        speed = deck["velocity"] + np.cross(deck["angular_velocity"], arm)
        age = (now - deck.time) / NS if p.predict else 0.0
        return deck["position"] + arm + age * speed, speed

    def _come_down(self, now: int, aside: float) -> None:
        """Wait over the pad, then lower the height; wind that blows it aside stops the descent."""
        p = self.parameters
        if aside > p.near:
            self.over = self.over if self.height < p.height else NEVER
        elif self.over == NEVER:
            self.over = now
        elif now - self.over >= p.wait * NS and self.before != NEVER:
            self.height -= p.descent * (now - self.before) / NS
        self.before = now


def _turned(q: F64, v: F64) -> F64:
    """Return v, given in the axes of a body with orientation q (xyzw), in world axes."""
    t = 2.0 * np.cross(q[:3], v)
    turned: F64 = v + q[3] * t + np.cross(q[:3], t)
    return turned
