"""A buoy: what it does is in its controllers and its dynamics."""

from twin.controller import Robot


class Buoy(Robot):
    """A floating robot."""
