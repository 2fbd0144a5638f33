"""Whether cells have room for what robots send: a check of a plan after it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.network.topology import noise_dbm
from twin.siting.columns import Carriers, Radios
from twin.siting.control import Mask
from twin.siting.mission import Mission
from twin.specs.nr import CarrierSpec
from twin.state import F64

_ATTENUATION, _MOST = 0.6, 4.4
"""Of Shannon's rate, and bit/s/Hz at most: TR 36.942 table A.2."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest moment of a plan."""

    load: float  # share of what the cell can carry
    column: int
    step: int
    robots: tuple[int, ...]  # that it serves then
    direction: str


@dataclass(frozen=True, slots=True)
class Ratios:
    """Signal to noise over whole carriers."""

    down: F64  # (C, T, N) dB
    up: F64  # (C, T, N) dB
    least: float  # dB, down, from which a robot is served


def shares(carrier: CarrierSpec) -> tuple[float, float]:
    """Return which shares of its time a carrier sends up and down."""
    if carrier.duplex != "tdd":
        return 1.0, 1.0
    down, _, up = carrier.special
    parts = {"U": (1.0, 0.0), "D": (0.0, 1.0), "S": (up / 14.0, down / 14.0)}
    pattern = [parts[slot] for slot in carrier.pattern.upper() if slot in parts]
    return sum(u for u, _ in pattern) / len(pattern), sum(d for _, d in pattern) / len(pattern)


def efficiency(snr_db: F64) -> F64:
    """Return the rate [bit/s/Hz] at signal-to-noise ratios: Shannon's, attenuated and cut."""
    return np.asarray(np.minimum(_MOST, _ATTENUATION * np.log2(1.0 + 10.0 ** (snr_db / 10.0))))


def peak(
    own: Radios, mission: Mission, carriers: Carriers, ratios: Ratios, columns: Sequence[int], traffic: float
) -> Peak:
    """Return the busiest moment of `columns`, each robot at the one that it hears best; `traffic` multiplies the load.

    Robots that nobody serves count nowhere.
    """
    rows = list(columns)
    if not rows:
        return Peak(0.0, -1, 0, (), "up")
    snr = ratios.down
    server = snr[rows].argmax(axis=0)  # (T, N)
    heard = snr[rows].max(axis=0) > ratios.least
    worst = Peak(0.0, rows[0], 0, (), "up")
    for place, column in enumerate(rows):
        carrier = carriers[own.columns[column].carrier]
        mine = heard & (server == place)
        for direction, ratio, share, load in (
            ("up", ratios.up[column], shares(carrier)[0], mission.load[:, 0]),
            ("down", snr[column], shares(carrier)[1], mission.load[:, 1]),
        ):
            rate = np.maximum(efficiency(ratio), 1e-9) * carrier.bandwidth * max(share, 1e-9)
            busy = np.where(mine, traffic * load / rate, 0.0).sum(axis=1)
            step = int(busy.argmax())
            if busy[step] > worst.load:
                robots = tuple(np.flatnonzero(mine[step]).tolist())
                worst = Peak(float(busy[step]), column, step, robots, direction)
    return worst


def up_snr_db(own: Radios, mission: Mission, table: F64, carriers: Carriers) -> F64:
    """Return the ratio [dB] (C, T, N) at which columns hear robots that send over a whole carrier."""
    floor = np.array([
        noise_dbm(carriers[column.carrier].bandwidth, radio.noise_figure)
        for column, radio in zip(own.columns, own.specs, strict=True)
    ])  # fmt: skip
    power = np.array([
        [next((t.power for t in terminals if t.carrier == column.frequency), 0.0) for terminals in mission.radios]
        for column in own.columns
    ])  # fmt: skip
    return np.asarray(table + (power - floor[:, None])[:, None, :].astype(table.dtype))


def relief(serves: Sequence[Mask], at: Peak) -> Mask:
    """Return the columns of which two are needed where one overflows: all that serve one of its robots then."""
    found = 0
    for robot in at.robots:
        found |= serves[robot]
    return found | 1 << at.column
