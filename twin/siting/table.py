"""The link table of a mission: what each radio that a site may get delivers to each robot, all the time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from twin.assembly.channel import make_channel
from twin.errors import ScenarioError, TwinError
from twin.link import Radio
from twin.numerics.kernels import cache_home, sources, sources_digest, sources_under
from twin.siting.mission import Mission
from twin.specs import AntennaSpec, ChannelSpec, RayTracingSpec
from twin.specs.scenario import Scenario
from twin.state import F64, BodyState
from twin.world.geometry import atomic
from twin.world.sea import Seaway
from twin.world.world import World

BLOCK = 10
"""Sites that are traced at once; what is done of them is kept when a trace is stopped."""
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A radio that a site may get."""

    site: int  # row of the candidates
    carrier: str
    frequency: float  # Hz
    place: tuple[float, float, float]  # m
    antenna: AntennaSpec
    gain: float  # dB, on top of the antenna's pattern


@dataclass(frozen=True, slots=True)
class Air:
    """What lies between sites and robots."""

    world: World
    channel: ChannelSpec
    sea: Seaway | None = None
    weather: str = ""  # all that the sea follows from

    def digest(self) -> str:
        """Return all that links follow from besides radios and places, the code that traces included."""
        return f"{self.world.digest} {self.channel.model_dump_json()} {self.weather} {_code()}"


def air_of(scenario: Scenario, world: World, rain: float | None = None) -> Air:
    """Return the air of a scenario, or the same in `rain` [mm/h].

    Raises:
        ScenarioError: its channel knows no rain.
    """
    channel = scenario.channel
    if rain is not None:
        if not isinstance(channel, RayTracingSpec):
            message = f'found rain, but the channel is of kind "{channel.kind}"; allowed: with "raytracing"'
            raise ScenarioError(message, key="robust.rain")
        air = channel.atmosphere.model_copy(update={"rain": rain})
        channel = channel.model_copy(update={"atmosphere": air})
    environment = world.environment(scenario.seed, scenario.environment)
    if environment.spec.sea is None:
        return Air(world, channel)
    sea = Seaway(environment, world.folder or Path.cwd(), scenario.seed)
    return Air(world, channel, sea, f"{environment.spec.model_dump_json()} {scenario.seed}")


@cache
def _code() -> str:
    return sources_digest(sources_under(["twin.channel.tracer", "twin.channel.freespace"], sources()))


def link_table(
    air: Air, mission: Mission, columns: Sequence[Column],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> F64:  # fmt: skip
    """Return the path gain [dB] with both antennas, (C, T, N) float32; -inf without a path or a radio for it.

    Robots are no obstacles. Each site's part is kept in the cache, so that another plan, or the same one after it was
    stopped, traces only what is new.
    """
    sites = list(dict.fromkeys(column.site for column in columns))
    rows = {site: [row for row, column in enumerate(columns) if column.site == site] for site in sites}
    made_of = f"{air.digest()} {mission.digest()}"
    files = {site: _file(made_of, [columns[row] for row in rows[site]]) for site in sites}
    missing = [site for site in sites if not files[site].is_file()]
    steps = len(mission.position)
    for first in range(0, len(missing), BLOCK):
        block = missing[first : first + BLOCK]
        own = [row for site in block for row in rows[site]]
        before, total = first * steps, len(missing) * steps

        def told(step: int, before: int = before, size: int = len(block), total: int = total) -> None:
            progress(before + step * size, total)

        traced = _trace(air, mission, [columns[row] for row in own], told)
        for site in block:
            with atomic(files[site], "wb") as opened:
                np.save(opened, traced[[own.index(row) for row in rows[site]]])
    table = np.empty((len(columns), *mission.position.shape[:2]), dtype=np.float32)
    for site in sites:
        table[rows[site]] = _read(files[site], (len(rows[site]), *table.shape[1:]))
    return table


def _file(made_of: str, columns: Sequence[Column]) -> Path:
    own = repr([(c.frequency, c.place, c.antenna.model_dump_json(), c.gain) for c in columns])
    name = hashlib.sha256(f"{made_of} {own}".encode()).hexdigest()[:24]
    return cache_home() / "siting" / "links" / name[:2] / f"{name}.npy"


def _read(file: Path, shape: tuple[int, ...]) -> F64:
    try:
        part: F64 = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise TwinError(f"{file}: can't be read: {error}; without it, its links are traced again") from error
    if part.shape != shape:
        raise TwinError(f"{file}: found {part.shape} values, expected {shape}; without it, its links are traced again")
    return part


def _trace(air: Air, mission: Mission, columns: Sequence[Column], told: Callable[[int], None]) -> F64:
    """Trace some columns over the whole mission."""
    radios = [
        Radio(i, 0, None, column.place, column.frequency, column.gain, antenna=column.antenna, role="cell")
        for i, column in enumerate(columns)
    ]
    robots: list[int] = []
    for robot, own in enumerate(mission.radios):
        for spec in own:
            robots.append(robot)
            radios.append(Radio(len(radios), 1, robot, spec.mount, spec.carrier, spec.gain, antenna=spec.antenna))
    changes = {"blockers": False, "max_paths": _ALL, "peers": False}
    fields = type(air.channel).model_fields
    alone = air.channel.model_copy(update={name: value for name, value in changes.items() if name in fields})
    channel = make_channel(alone, air.world, radios, [], air.sea)
    table = np.full((len(columns), *mission.position.shape[:2]), -np.inf, dtype=np.float32)
    of_terminal = np.array(robots)
    for step in range(len(table[0])):
        links = channel.trace(step * mission.step, _bodies(mission, step))
        cell, terminal = np.minimum(links.a, links.b), np.maximum(links.a, links.b) - len(columns)
        between = terminal >= 0
        table[cell[between], step, of_terminal[terminal[between]]] = links.path_gain_db[between]
        told(step + 1)
    return table


def _bodies(mission: Mission, step: int) -> BodyState:
    count = mission.position.shape[1]
    still, none = np.zeros((count, 3)), np.zeros(0)
    return BodyState(
        np.ascontiguousarray(mission.position[step]), np.ascontiguousarray(mission.orientation[step]), still, still,
        none, none, np.zeros(count + 1, dtype=np.int64),
    )  # fmt: skip
