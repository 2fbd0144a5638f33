"""Radios and antennas of a robot."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat

from twin.specs.base import Point, Spec
from twin.units import GainDb, Hertz, PowerDbm, Radians


class AntennaSpec(Spec):
    """An antenna: the pattern of its elements, how it is turned on its mount, and the planar array of elements.

    The boresight is the mount's x axis, turned by roll, then tilted down, then turned to `azimuth` (counter-
    clockwise seen from above, from x). A dipole stands along z. Elements of an array lie in the y-z plane.
    """

    pattern: Literal["isotropic", "dipole", "tr38901"] | Path = "isotropic"  # a path is an MSI file
    slant: Radians = 0.0  # of the polarisation: 0 vertical, pi/2 horizontal
    azimuth: Radians = 0.0
    downtilt: Radians = 0.0
    roll: Radians = 0.0
    rows: int = Field(default=1, ge=1, le=64)
    columns: int = Field(default=1, ge=1, le=64)
    spacing: tuple[PositiveFloat, PositiveFloat] = (0.5, 0.5)  # between rows and between columns, in wavelengths
    beam: Literal["broadside", "dft", "mrc"] = "dft"  # fixed; the best of a DFT codebook; maximum ratio


Role = Literal["terminal", "cell"]
"""What a radio is to the network: a terminal is served, a cell serves."""


class RadioSpec(Spec):
    """One radio of a robot; its antenna sits at `mount` in body axes, in world axes without a body."""

    role: Role = "terminal"  # whatever carries it: a ship may carry a cell, a pole a terminal
    carrier: Hertz = Field(default=3.5e9, ge=0.5e9, le=300e9)
    power: PowerDbm = 23.0
    gain: GainDb = 0.0
    noise_figure: GainDb = 7.0
    mount: Point = (0.0, 0.0, 0.0)
    antenna: AntennaSpec = AntennaSpec()
