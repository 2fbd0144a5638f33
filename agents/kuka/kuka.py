"""An arm: what it does is in its controllers, its failsafe and its dynamics."""

from twin.controller import Robot


class Kuka(Robot):
    """A robot arm that takes joint commands by radio."""
