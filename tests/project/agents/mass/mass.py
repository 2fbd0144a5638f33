"""A ball."""

from twin.robots.robot import Robot


class Mass(Robot):
    """Nothing but a robot."""
