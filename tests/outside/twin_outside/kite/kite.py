"""A kite."""

from twin.robots.robot import Robot


class Kite(Robot):
    """Nothing but a robot."""
