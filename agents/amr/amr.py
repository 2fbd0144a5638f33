"""A mobile robot with two driven wheels: what it does is in its controllers, its failsafe and its dynamics."""

from twin.controller import Robot


class Amr(Robot):
    """A mobile robot that takes velocity commands by radio."""
