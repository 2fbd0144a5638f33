"""A vessel: what it does is in its controllers and its dynamics."""

from twin.controller import Robot


class Vessel(Robot):
    """A floating robot with a deck."""
