"""A thing that robots handle."""

from twin.controller import Robot


class Part(Robot):
    """It lies where it is put and goes where belts take it."""
