"""Stream how the deck moves to whoever wants to land on it or to work over it."""

from __future__ import annotations

import numpy as np

from twin.controller import Action, Bytes, Message, Observation, RobotSpec, Spec

DECK = "deck"
"""Kind of the messages; their payload is the sample that the vessel's sensors took."""


class Stream:
    """Sends each sample of the vessel's own sensors to one node; the thrusters rest."""

    runs_on = "onboard"

    class Parameters(Spec):
        """Whom to tell, and how large a message is."""

        to: str = "edge"
        size: Bytes = 80

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Take over the parameters."""
        self.parameters = spec.parameters or self.Parameters()

    def act(self, observation: Observation) -> Action:
        """Send the newest sample."""
        if observation.sensed is None:
            return Action()
        return Action(messages=(Message(self.parameters.to, observation.sensed, self.parameters.size, DECK),))
