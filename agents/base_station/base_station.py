"""A radio site: a place and a radio; what it does with packets is the network's business."""

from twin.controller import Robot


class BaseStation(Robot):
    """A node without a body that robots reach by radio."""
