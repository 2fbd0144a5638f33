"""A multirotor: what it does is in its controllers, its failsafe and its dynamics."""

from twin.robots.robot import Robot


class Drone(Robot):
    """A flying robot that takes commands by radio."""
