"""A wave-energy buoy: what it does is in its controllers and its dynamics."""

from twin.controller import Robot


class WaveEnergy(Robot):
    """A buoy that takes energy out of the waves."""
