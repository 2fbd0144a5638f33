"""A buoy: what it does is in its controllers and its dynamics."""

from twin.robots.robot import Robot


class Buoy(Robot):
    """A floating robot."""
