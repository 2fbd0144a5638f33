"""A mobile robot with mecanum wheels: what it does is in its controllers, its failsafe and its dynamics."""

from twin.controller import Robot


class Mecanum(Robot):
    """A mobile robot that takes velocity commands by radio and drives sideways, too."""
