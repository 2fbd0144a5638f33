"""Navigation as a robot has it on board: a filter over its inertial unit and what else it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.numerics.rotation import axes_of
from twin.protocols import Field, Sensor
from twin.sensors.barometer import EXPONENT, LAPSE, STANDARD
from twin.sensors.kalman import ERRORS, HEADING, HEIGHT, MEASURED, PAST, STATE, predict, remember, update
from twin.sensors.setting import Setting, reseed, teller
from twin.specs import BarometerSpec, CompassSpec, EstimateSpec, GnssSpec, ImuSpec, RobotKind
from twin.state import F64, I64, NEVER, BodyState, Event, Sample, Truth

_START = key("estimate")
_TICKS = 1000
"""Hz of control at most, for which there is room to remember"""
_FLOOR = 1e-3
"""m or rad: no reading is taken for better"""
_BIAS = range(15, 18)
"""Errors of the fixes' biases among all"""
PARTS = {"position": slice(0, 3), "velocity": slice(3, 6), "angular_velocity": slice(6, 9),
         "orientation": slice(9, 13), "position_sigma": slice(13, 16)}  # fmt: skip


class Filters(NamedTuple):
    """The filters of n robots between readings; what the arrays hold: `twin.sensors.kalman`."""

    state: F64  # (n, 19)
    covariance: F64  # (n, 18, 18)
    past: F64  # (n, H, 8)
    head: I64  # (n,)
    stamps: I64  # (n, 4) ns, of the imu, fix, height and heading taken in last
    density: F64  # (5,)
    offset: F64  # (n, 3) m


class Estimate:
    """Reads position, velocity, angular_velocity, orientation and position_sigma by a Kalman filter on board.

    It needs an imu; gnss, barometer and compass are taken in as they come, each at the time that it is of. It begins
    at the true state with drawn errors of the stated deviations, and knows the noise of all sensors, but for the walk
    of a barometer and the bias of a compass, which it takes for white.

    Raises:
        ScenarioError: there is no imu, or it is asked for more than 1000 times per second.
    """

    fuses = True

    def __init__(self, spec: EstimateSpec, setting: Setting, sensor: Sensor) -> None:
        specs = {one.kind: one for one in setting.kind.sensors}
        imu, gnss = specs.get("imu"), specs.get("gnss")
        if not isinstance(imu, ImuSpec) or setting.kind.control > _TICKS:
            message = f"an estimate needs an imu, and a control rate of {_TICKS} Hz at most"
            raise ScenarioError(message, key="sensors")
        self._spec, self._setting, n = spec, setting, len(setting.names)
        self._sensor, self._told, self._seed = sensor, teller(sensor), setting.seed
        lasts = gnss.bias_time if isinstance(gnss, GnssSpec) else np.inf
        self._density = np.array(
            [imu.accelerometer_noise, imu.gyro_noise, imu.accelerometer_walk, imu.gyro_walk, lasts], dtype=float
        )
        self._biases = np.repeat([imu.gyro_bias, imu.accelerometer_bias, 0.0], 3)
        self._variance = _variances(gnss, specs.get("barometer"), specs.get("compass"))
        oldest = max((one.delay for one in setting.kind.sensors), default=0)
        self._state, self._covariance = np.zeros((n, STATE)), np.zeros((n, ERRORS, ERRORS))
        self._past, self._head = np.zeros((n, 4 + oldest * _TICKS // NS, PAST)), np.zeros(n, dtype=np.int64)
        self._offset = np.zeros((n, 3))  # m, standard deviation of the bias of fixes; 0 before the first
        self._stamps: I64 = np.full((n, 4), NEVER, dtype=np.int64)  # of the imu, fix, height and heading taken in last
        self._filters = Filters(
            state=self._state,
            covariance=self._covariance,
            past=self._past,
            head=self._head,
            stamps=self._stamps,
            density=self._density,
            offset=self._offset,
        )

    @staticmethod
    def fields(spec: EstimateSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {
            "position": Field(3, "m", "of the centre of mass, world axes", spec.position, "m"),
            "velocity": Field(3, "m/s", "of the centre of mass, world axes", spec.velocity, "m/s"),
            "angular_velocity": Field(3, "rad/s", "world axes", 0.0, "rad/s"),
            "orientation": Field(4, "1", "quaternion xyzw, body to world", spec.orientation, "rad"),
            "position_sigma": Field(3, "m", "the filter's own standard deviation", 0.0, "m"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        samples = self._sensor.read(truth, index, rows)
        for body, row in zip(index, rows, strict=True):
            if self._stamps[row, 0] == NEVER or time <= self._stamps[row, 0]:
                self._start(int(row), bodies, int(body))
        measured = np.full((len(rows), MEASURED, 3), np.nan)
        inertial, stamps = np.empty((len(rows), 6)), np.empty(len(rows), dtype=np.int64)
        for i, (row, sample) in enumerate(zip(rows, samples, strict=True)):
            inertial[i, :3], inertial[i, 3:] = sample["specific_force"], sample["angular_rate"]
            stamps[i] = sample.when("specific_force")
            self._collect(int(row), sample, int(stamps[i]), measured[i])
        out = np.empty((len(rows), 16))
        _step(self._filters, rows, stamps, inertial, measured, out)
        self._stamps[rows, 0] = stamps
        return [
            _with(sample, int(stamp), {name: line[part] for name, part in PARTS.items()})
            for sample, stamp, line in zip(samples, stamps, out, strict=True)
        ]

    def events(self) -> list[Event]:
        """Return, and forget, what the sensors below the filter had to say since the last call."""
        return self._told()

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on, in the sensors below the filter too."""
        self._seed = seed
        reseed(self._sensor, seed)

    def _start(self, row: int, bodies: BodyState, body: int) -> None:
        """Begin at the truth with drawn errors."""
        spec, name = self._spec, key(self._setting.names[row])
        sigma = np.repeat([spec.position, spec.velocity, spec.orientation], 3)
        drawn = sigma * [normal(self._seed, _START, name, 0, j) for j in range(9)]
        state = np.concatenate([bodies.position[body], bodies.velocity[body], bodies.orientation[body], np.zeros(9)])
        self._state[row] = _displaced(state, drawn)
        self._covariance[row] = np.diag(np.concatenate([sigma, self._biases]) ** 2)
        self._stamps[row], self._head[row], self._offset[row] = NEVER, 0, 0.0
        self._past[row], self._past[row, :, 0] = 0.0, NEVER  # no reading is of a time before the first

    def _collect(self, row: int, sample: Sample, now: int, out: F64) -> None:
        """Write what is new in a sample to `out` (8, 3): value, variance and age."""
        stamps = self._stamps[row]
        if "gnss_position" in sample.values and (stamp := sample.when("gnss_position")) != stamps[1]:
            stamps[1] = stamp
            if not np.isnan(sample["gnss_position"][0]):
                self._collect_fix(row, sample, out)
                out[:6, 2] = (now - stamp) / NS
        for name, which, place in (("pressure_altitude", HEIGHT, 2), ("heading", HEADING, 3)):
            if name in sample.values and (stamp := sample.when(name)) != stamps[place]:
                stamps[place] = stamp
                out[which] = sample[name][0], self._variance[place + 1], (now - stamp) / NS

    def _collect_fix(self, row: int, sample: Sample, out: F64) -> None:
        """Write a fix to `out`; at the first one, its bias is unknown."""
        white, bias, speed = self._variance[:3]
        squared = sample["gnss_sigma"] ** 2
        out[:3, 0], out[3:6, 0] = sample["gnss_position"], sample["gnss_velocity"]
        out[:3, 1], out[3:6, 1] = white * squared + _FLOOR**2, speed * squared + _FLOOR**2
        if not self._offset[row].any():
            self._covariance[row, _BIAS, _BIAS] = bias * squared
        self._offset[row] = np.sqrt(bias * squared)


def _variances(gnss: object, barometer: object, compass: object) -> F64:
    """Return variances (5,): a fix's white part, lasting part and velocity over the fix's; a height's; a heading's."""
    white = bias = speed = height = heading = 0.0
    if isinstance(gnss, GnssSpec) and (whole := gnss.noise**2 + gnss.bias**2):
        white, bias, speed = gnss.noise**2 / whole, gnss.bias**2 / whole, gnss.speed_noise**2 / whole
    if isinstance(barometer, BarometerSpec):
        height = (barometer.noise * STANDARD / (LAPSE * EXPONENT * 101_325.0)) ** 2
    if isinstance(compass, CompassSpec):
        heading = compass.noise**2 + compass.bias**2
    return np.array([white, bias, speed, height + _FLOOR**2, heading + _FLOOR**2])


def _with(sample: Sample, stamp: int, values: Mapping[str, F64]) -> Sample:
    """Return a sample with more fields, which are of `stamp`."""
    times = {} if stamp == sample.time else dict.fromkeys(values, stamp)
    return Sample(sample.time, {**sample.values, **values}, {**sample.times, **times})


@kernel
def _displaced(state: F64, error: F64) -> F64:
    """Return a state (19,) with errors (9,) of place, velocity and orientation."""
    out = state.copy()
    out[:6] += error[:6]
    x, y, z, w = state[6], state[7], state[8], state[9]
    a, b, c = 0.5 * error[6], 0.5 * error[7], 0.5 * error[8]
    turned = np.array([x + w * a + b * z - c * y, y + w * b + c * x - a * z, z + w * c + a * y - b * x,
                       w - a * x - b * y - c * z])  # fmt: skip
    out[6:10] = turned / np.sqrt(turned @ turned)
    return out


@kernel
def _step(f: Filters, rows: I64, stamps: I64, inertial: F64, measured: F64, out: F64) -> None:
    for i in range(len(rows)):
        row = rows[i]
        x, p, last = f.state[row], f.covariance[row], f.stamps[row, 0]
        if last != stamps[i]:
            if last >= 0:
                predict(x, p, inertial[i], (stamps[i] - last) / 1e9, f.density, f.offset[row])
            f.head[row] = remember(x, f.past[row], f.head[row], stamps[i] / 1e9)
        update(x, p, f.past[row], f.head[row], measured[i])
        out[i, :6] = x[:6]
        out[i, 6:9] = axes_of(x[6:10]) @ (inertial[i, 3:] - x[10:13])
        out[i, 9:13] = x[6:10]
        for k in range(3):
            out[i, 13 + k] = np.sqrt(p[k, k])
