"""A balloon: what it does is its dynamics' and its controller's business."""

from twin.controller import Robot


class Balloon(Robot):
    """A hull with a fan and a radio."""
