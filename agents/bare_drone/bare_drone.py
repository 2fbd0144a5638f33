"""A multirotor without an autopilot of its own: whoever controls it drives its motors."""

from twin.controller import Robot


class BareDrone(Robot):
    """A flying robot that takes motor setpoints."""
