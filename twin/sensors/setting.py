"""What all sensors are made of and for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from twin.link import Radio
from twin.numerics.seeds import Reseeds
from twin.protocols import Dynamics, Field, Sensor, Tells
from twin.specs import RobotKind
from twin.state import F64, I64, Event
from twin.world.environment import Environment
from twin.world.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What sensors are made for: the robots of one group, what moves them, and the world round them."""

    names: Sequence[str]
    kind: RobotKind
    dynamics: Dynamics
    world: World
    seed: int
    bodies: Mapping[str, I64] = field(default_factory=dict)  # group -> its rows of a BodyState
    outlines: F64 = field(default_factory=lambda: np.empty((0, 6)))  # m, box round each body of the twin, in its axes
    environment: Environment | None = None
    nodes: I64 = field(default_factory=lambda: np.empty(0, np.int64))  # of the robots: who owns which radios
    radios: Sequence[Radio] = ()  # of the whole twin, by the indices that links have


def teller(sensor: Sensor) -> Callable[[], list[Event]]:
    """Return what says what happened to a sensor since the last call: nothing, of most of them."""
    return sensor.events if isinstance(sensor, Tells) else list


def reseed(sensor: Sensor, seed: int) -> None:
    """Let a sensor draw by `seed` from now on, if it draws."""
    if isinstance(sensor, Reseeds):
        sensor.reseed(seed)


class SensorKind(Protocol):
    """A class of sensors, as `twin.registry.SENSORS` has them.

    Optional attributes:

    - `Spec`: the model of its table in robot.toml, where a package brings it; derived from `twin.specs.ReadingSpec`;
    - `streams = True`: to an edge server its readings travel as packets of their own, `spec.frame` bytes each;
    - `fuses = True`: it is made with the sensor of all others besides, and reads theirs and its own.

    One that draws at random has `reseed(seed)` as well: its draws go on with another seed.
    """

    def fields(self, spec: Any, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of, by name."""

    def __call__(self, spec: Any, setting: Setting) -> Sensor:
        """Make the sensors of a group's robots."""
