"""`[sensing]` of a scenario: base stations that look for the echoes of their own signals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.specs.base import Spec
from twin.units import DurationNs, GainDb, Metres, NonNegativeNs, Speed

PairNames = tuple[str, str]


class SensingSpec(Spec):
    """A coherent processing interval (CPI) of pulses on a carrier, again and again, and what is made of its echoes.

    A pulse holds each subcarrier once in `symbols` symbols for each beam, as a positioning reference signal of that
    comb does (TS 38.211 7.4.1.7). Those symbols are the last of downlink slots and carry no data.
    """

    carrier: str  # of the network: its cells sense, with its resource blocks, slots, arrays and power
    refresh: DurationNs = Field(gt=0)  # from one CPI of a cell to the next
    pulses: int = Field(default=64, ge=8, le=1024)  # of one CPI
    interval: DurationNs = Field(gt=0)  # between pulses, whole slots
    stagger: int = Field(default=0, ge=0, le=100)  # most slots by which a pulse comes later, drawn once for each
    symbols: Literal[1, 2, 4, 6, 12] = 2  # of one pulse and beam
    beams: tuple[int, int] = (8, 1)  # across and up, evenly spaced in sine space
    cells: tuple[str, ...] = ()  # robots that carry those that sense; none: all on the carrier
    turns: bool = False  # one cell after another while the others are silent; else all at once, hearing each other
    pairs: Literal["monostatic", "all"] | tuple[PairNames, ...] = "monostatic"  # transmitter and receiver
    reach: Metres = Field(gt=0)  # farthest range looked at
    speed: Speed = Field(gt=0)  # fastest range rate that must not be ambiguous
    false_alarm: float = Field(default=1e-6, ge=1e-12, le=0.1)  # in one cell of range, Doppler and direction
    residual: GainDb = Field(le=0)  # of the own transmitter, after isolation and cancelling, over its power
    clutter: bool = True  # from the site's faces, where the channel is traced
    scattering: float = Field(default=0.3, ge=0, le=1)  # of faces whose surface says nothing of it
    cancelling: GainDb = Field(default=-60.0, le=0)  # what stays of clutter in each Doppler cell, over its power
    order: int = Field(default=2, ge=0, le=4)  # reflections of each leg to a target
    targets: tuple[str, ...] = ()  # robots that must have a radar cross-section; none: all that have one
    processing: NonNegativeNs = 5_000_000  # from the end of a CPI until its detections leave
    report: str = "edge"  # robot without a body that gets them
