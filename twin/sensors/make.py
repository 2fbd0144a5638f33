"""Specs -> sensors; a robot's sample is the union of what its sensors read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from twin.clock import NS
from twin.project.readings import fields_of
from twin.protocols import Sensor, Stream
from twin.registry import SENSORS
from twin.sensors.setting import SensorKind, Setting, reseed, teller
from twin.specs import SensorSpec
from twin.state import F64, I64, Event, Readings, Sample, Truth


def make_sensor(setting: Setting, *, remote: bool = False) -> Sensor:
    """Return those sensors of a group's robots as one whose readings are telemetry, or needed on board.

    Raises:
        ScenarioError: they can't be together, or one can't be on such a robot.
    """
    fields_of(setting.kind)
    specs = [spec for spec in setting.kind.sensors if not (remote and _has(spec, "streams"))]
    sensors = [_make(spec, setting) for spec in specs if not _has(spec, "fuses")]
    sensor = sensors[0] if len(sensors) == 1 else Together(sensors)
    for spec in specs:
        if _has(spec, "fuses"):
            sensor = SENSORS[spec.kind](spec, setting, sensor)
    return sensor


def make_streams(setting: Setting) -> list[Stream]:
    """Return the sensors of a group's robots whose readings leave as packets of their own."""
    streaming: list[Any] = [spec for spec in setting.kind.sensors if _has(spec, "streams")]
    return [
        Stream(spec.kind, spec.frame, spec.rate, spec.delay, SENSORS[spec.kind](spec, setting)) for spec in streaming
    ]


def _has(spec: SensorSpec, trait: str) -> bool:
    """Tell whether the class of this kind is marked so; see `SensorKind`."""
    return getattr(SENSORS[spec.kind], trait, False)


def _make(spec: SensorSpec, setting: Setting) -> Sensor:
    kind: SensorKind = SENSORS[spec.kind]
    if spec.rate is None:
        return kind(spec, setting)
    prompt = kind(spec.model_copy(update={"delay": 0}), setting)
    return Sampled(prompt, spec.rate, spec.delay, len(setting.names))


class Sampled:
    """Reads at the first control tick at or after n/rate s, n = 0, 1, 2, ...; a reading is there `delay` ns later.

    The newest one that is there holds until the next; the first one of all is there at once.
    """

    def __init__(self, sensor: Sensor, rate_hz: int, delay: int, robots: int) -> None:
        self._sensor, self._told, self._rate, self._delay = sensor, teller(sensor), rate_hz, delay
        self._beat = [-1] * robots
        self._readings: list[deque[Sample]] = [deque() for _ in range(robots)]  # the one that is there, then later ones

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time = truth.time
        beat = time * self._rate // NS
        due = [i for i, row in enumerate(rows) if self._beat[row] != beat]
        if due:
            for i, sample in zip(due, self._sensor.read(truth, index[due], rows[due]), strict=True):
                self._beat[rows[i]] = beat
                self._readings[rows[i]].append(sample)
        return [self._there(self._readings[row], time) for row in rows]

    def events(self) -> list[Event]:
        """Return, and forget, what the sensor had to say since the last call."""
        return self._told()

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        reseed(self._sensor, seed)

    def _there(self, readings: deque[Sample], time: int) -> Sample:
        while len(readings) > 1 and readings[1].time + self._delay <= time:
            readings.popleft()
        return readings[0]


class Together:
    """Several sensors as one: a sample has the fields of all; its time is that of the newest."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self._sensors, self._told = sensors, [teller(sensor) for sensor in sensors]

    def read(self, truth: Truth, index: I64, rows: I64) -> Sequence[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        parts = [sensor.read(truth, index, rows) for sensor in self._sensors]
        if not parts:
            return [Sample(truth.time, {})] * len(rows)
        tables = [part for part in parts if isinstance(part, Readings)]
        if len(tables) == len(parts) and all(table.stamps == tables[0].stamps for table in tables):
            return Readings(tables[0].stamps, {name: x for table in tables for name, x in table.columns.items()})
        return [_union(samples) for samples in zip(*parts, strict=True)]

    def events(self) -> list[Event]:
        """Return, and forget, what the sensors had to say since the last call."""
        return [event for told in self._told for event in told()]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        for sensor in self._sensors:
            reseed(sensor, seed)


def _union(samples: Sequence[Sample]) -> Sample:
    values: dict[str, F64] = {}
    for sample in samples:
        values.update(sample.values)
    stamps = [sample.time for sample in samples]
    newest = max(stamps)
    if min(stamps) == newest:
        return Sample(newest, values)
    return Sample(newest, values, {name: s.time for s in samples if s.time != newest for name in s.values})
