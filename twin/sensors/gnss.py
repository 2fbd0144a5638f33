"""A GPS receiver: which satellites it sees past the world's faces, and what their ranges' errors make of a fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.errors import ScenarioError
from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.protocols import Field
from twin.sensors.errors import Delay
from twin.sensors.gps import SLOTS, sky
from twin.sensors.setting import Setting
from twin.specs import GnssSpec, RobotKind
from twin.state import F64, I64, NEVER, Event, Readings, Truth
from twin.world.bvh import Bvh, any_hit

U64 = NDArray[np.uint64]
FEWEST = 4
"""Satellites of a fix: three coordinates and the receiver's clock."""
_RANGE, _BIAS, _RATE = key("gnss"), key("gnss bias"), key("gnss rate")
PARTS = {"gnss_position": slice(0, 3), "gnss_velocity": slice(3, 6), "gnss_sigma": slice(6, 9),
         "gnss_dop": slice(9, 11), "gnss_satellites": slice(11, 12)}  # fmt: skip


class Errors(NamedTuple):
    """What is wrong with the ranges of k receivers, and by what it is drawn."""

    bias: F64  # (k, satellites) m
    sigma: F64  # (3,) deviation: white [m], white and bias together [m], of range rates [m/s]
    seed: int
    names: U64  # (k,) keys
    time: int  # ns


class Gnss:
    """Reads position, velocity, their accuracy and the satellites of a fix by least squares over all ranges seen.

    A satellite counts if it stands above the mask and no face of the world lies before it. With the directions u to
    them, rows (-u, 1) of G, range errors e give the errors (G'G)^-1 G'e of place and clock, of standard deviation
    sigma sqrt diag (G'G)^-1; velocities alike (Kaplan and Hegarty, Understanding GPS, 2nd ed., 7.3). With fewer than
    four satellites there is no fix: all but their number is nan. Losing and finding one are events.

    Raises:
        ScenarioError: the world has no place on the earth.
    """

    def __init__(self, spec: GnssSpec, setting: Setting) -> None:
        if setting.world.georeference is None:
            message = "a gnss receiver needs a place on the earth: give world.toml an [origin]"
            raise ScenarioError(message, key="sensors")
        n = len(setting.names)
        self._spec, self._setting, self._origin = spec, setting, setting.world.georeference
        self._seed = setting.seed
        self._names: U64 = np.array([key(name) for name in setting.names], dtype=np.uint64)
        self._delay = Delay(spec.delay, n)
        self._bias, self._time = np.zeros((n, SLOTS)), np.full(n, NEVER, dtype=np.int64)
        self._fix = [True] * n
        self._events: list[Event] = []

    @staticmethod
    def fields(spec: GnssSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        sigma = float(np.hypot(spec.noise, spec.bias))
        return {
            "gnss_position": Field(3, "m", "of the centre of mass, world axes; nan without a fix", sigma, "m x DOP"),
            "gnss_velocity": Field(3, "m/s", "world axes; nan without a fix", spec.speed_noise, "m/s x DOP"),
            "gnss_sigma": Field(3, "m", "standard deviation of the position, east, north, up", 0.0, "m"),
            "gnss_dop": Field(2, "1", "horizontal and vertical dilution of precision", 0.0, "1"),
            "gnss_satellites": Field(1, "1", f"in view and used; a fix takes {FEWEST}", 0.0, "1"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        table = np.empty((len(rows), 12))
        true = np.concatenate([bodies.position[index], bodies.velocity[index]], axis=1)
        stamps = self._delay.apply(time, rows, true)
        self._walk(time, rows)
        spec = self._spec
        errors = Errors(
            bias=self._bias[rows],
            sigma=np.array([spec.noise, float(np.hypot(spec.noise, spec.bias)), spec.speed_noise]),
            seed=self._seed,
            names=self._names[rows],
            time=time,
        )
        _fixes(self._setting.world.bvh, true, self._sky(time), float(np.sin(spec.mask)), errors, table)
        for row, line in zip(rows, table, strict=True):
            self._tell(time, int(row), int(line[11]))
        return Readings(stamps, {name: table[:, part] for name, part in PARTS.items()})

    def events(self) -> list[Event]:
        """Return, and forget, the fixes lost and found since the last call."""
        events, self._events = self._events, []
        return events

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._seed = seed

    def _sky(self, time: int) -> F64:
        environment = self._setting.environment
        return sky(self._origin, time / NS if environment is None else environment.weather(time).time_of_day)

    def _walk(self, time: int, rows: I64) -> None:
        """Let the biases of these receivers' ranges go on to `time` [ns]: exp(-t/T) of each is left."""
        if not self._spec.bias:
            return
        last = self._time[rows]
        fresh = (last == NEVER) | (time <= last)
        left = np.where(fresh, 0.0, np.exp(-(time - last) / NS / self._spec.bias_time))
        self._bias[rows] *= left[:, None]
        bias = self._bias[rows]
        _draw(self._seed, _BIAS, self._names[rows], time, self._spec.bias * np.sqrt(1.0 - left**2), bias)
        self._bias[rows], self._time[rows] = bias, time

    def _tell(self, time: int, row: int, seen: int) -> None:
        fix = seen >= FEWEST
        if fix != self._fix[row]:
            self._fix[row] = fix
            kind, detail = ("gnss fix" if fix else "gnss lost"), f"{seen} satellites in view"
            self._events.append(Event(time, kind, self._setting.names[row], detail, float(seen)))


@kernel
def _draw(seed: int, stream: np.uint64, names: U64, time: int, sigma: F64, table: F64) -> None:
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            table[i, j] += sigma[i] * normal(seed, stream, names[i], time, j)


@kernel
def _fixes(bvh: Bvh, truth: F64, sky: F64, least: float, errors: Errors, out: F64) -> None:
    """Write a fix (k, 12) for each true place and velocity (k, 6) by satellites `sky` whose z is at `least`."""
    sigma = errors.sigma
    for i in range(truth.shape[0]):
        place = (truth[i, 0], truth[i, 1], truth[i, 2])
        rows, seen = np.empty((sky.shape[0], 4)), np.empty(sky.shape[0], np.int64)
        count = 0
        for s in range(sky.shape[0]):
            if sky[s, 2] >= least and not any_hit(bvh, place, (sky[s, 0], sky[s, 1], sky[s, 2]), 0.0, np.inf):
                rows[count, :3], rows[count, 3] = -sky[s], 1.0
                seen[count] = s
                count += 1
        out[i, :11], out[i, 11] = np.nan, count
        if count < FEWEST:
            continue
        g = rows[:count]
        spread = np.linalg.inv(g.T @ g)
        ranges, rates = np.empty(count), np.empty(count)
        for j in range(count):
            drawn = normal(errors.seed, _RANGE, errors.names[i], errors.time, seen[j])
            ranges[j] = errors.bias[i, seen[j]] + sigma[0] * drawn
            rates[j] = sigma[2] * normal(errors.seed, _RATE, errors.names[i], errors.time, seen[j])
        out[i, :3] = truth[i, :3] + (spread @ (g.T @ ranges))[:3]
        out[i, 3:6] = truth[i, 3:] + (spread @ (g.T @ rates))[:3]
        for k in range(3):
            out[i, 6 + k] = sigma[1] * np.sqrt(spread[k, k])
        out[i, 9], out[i, 10] = np.sqrt(spread[0, 0] + spread[1, 1]), np.sqrt(spread[2, 2])
