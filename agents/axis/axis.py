"""A servo axis: what it does is its drive's and its controller's business."""

from twin.controller import Robot


class Axis(Robot):
    """One driven joint with a radio."""
