"""A scheme of controllers: `constant:0,0.5,0` is a command that never changes."""

import numpy as np

from twin.project.plugins import Loaded
from twin.state import Action


class Constant:
    """Answers every sample with one command."""

    command = np.zeros(3)

    def reset(self, spec, rng):
        """Forget nothing."""

    def act(self, observation):
        """Say the same again, and write down what the robot receives."""
        return Action(self.command, log={"received": float(observation.sensed["received"][0])})


def load_constant(reference, spec, *folders):
    """Return the class of controllers behind a reference."""
    command = np.array([float(part) for part in reference.partition(":")[2].split(",")])
    return Loaded(type("Constant", (Constant,), {"command": command}), reference, "")
