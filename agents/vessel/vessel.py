"""A vessel: what it does is in its controllers and its dynamics."""

from twin.robots.robot import Robot


class Vessel(Robot):
    """A floating robot with a deck."""
