"""A multirotor: what it does is in its controllers, its failsafe and its dynamics."""

from twin.controller import Robot


class Drone(Robot):
    """A flying robot that takes commands by radio."""
