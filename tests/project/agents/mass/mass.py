"""A ball."""

from twin.robot import Robot


class Mass(Robot):
    """Nothing but a robot."""
