"""Where implementations are found: each slot has one registry, and installed packages add to it by entry points.

A scenario or robot.toml says a name; the registry says what stands behind it, as `module:name`. To add something
to twin is one file and one line here. A package writes the same line into its pyproject.toml, below
`[project.entry-points."twin.sensors"]` or whichever registry it is; nothing is imported before it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from twin.errors import PluginError, nearest


class Registry:
    """Implementations by name: those built in, as `module:name`, and the entry points of `group`."""

    def __init__(self, group: str, what: str, built_in: Mapping[str, str]) -> None:
        self.group, self.what, self.built_in = group, what, built_in

    def __iter__(self) -> Iterator[str]:
        yield from self.built_in
        yield from self.installed()

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self.installed()

    def __getitem__(self, name: str) -> Any:
        """Return what is called `name`.

        Raises:
            PluginError: nothing is, or a package brings it and it can't be imported.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return getattr(import_module(module), attribute)
        if point := self.installed().get(name):
            return load(point)
        raise PluginError(f"no {self.what} {name!r}; {self.allowed(name)}")

    def installed(self) -> dict[str, EntryPoint]:
        """Return what packages add, by name.

        Raises:
            PluginError: two of them bring one name, or one that is built in.
        """
        found = installed(self.group)
        for name in found.keys() & self.built_in.keys():
            raise PluginError(f"{self.group}: {name!r} of {found[name].value} is built in already; uninstall it")
        return found

    def allowed(self, name: object = "") -> str:
        """Return which names there are, and the one nearest to `name`, as errors say it."""
        return f"allowed: {', '.join(self)}{nearest(str(name), self)}"


def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of installed packages in `group` by name.

    Raises:
        PluginError: two packages bring the same name.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(_points(tuple(sys.path)).select(group=group), key=lambda point: (point.name, point.value)):
        if point.name in found:
            both = f"{found[point.name].value} and {point.value}"
            raise PluginError(f"{group}: {point.name!r} is there twice: {both}; uninstall one")
        found[point.name] = point
    return found


@cache
def _points(path: tuple[str, ...]) -> Any:
    return entry_points()  # reads the files of every installed package: 30 ms


def load(point: EntryPoint) -> Any:
    """Return what an entry point names.

    Raises:
        PluginError: it can't be imported.
    """
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        said = f"installed plug-in {point.name!r} = {point.value}: {type(error).__name__}: {error}"
        raise PluginError(said) from error


CHANNELS = Registry("twin.channels", "channel", {
    "freespace": "twin.assembly.channel:free_space",
    "raytracing": "twin.assembly.channel:ray_tracer",
})  # fmt: skip

NETWORKS = Registry("twin.networks", "network", {
    "ideal": "twin.assembly.network:ideal",
    "fixed": "twin.assembly.network:fixed",
    "trace": "twin.assembly.network:trace",
    "recorded": "twin.assembly.network:recorded",
    "simple": "twin.assembly.network:simple",
    "nr": "twin.assembly.network:nr",
})  # fmt: skip

SCHEDULERS = Registry("twin.schedulers", "scheduler", {
    "round-robin": "twin.network.nr.metric:ROUND_ROBIN",
    "proportional-fair": "twin.network.nr.metric:PROPORTIONAL_FAIR",
    "earliest-deadline": "twin.network.nr.metric:EARLIEST_DEADLINE",
    "strict-priority": "twin.network.nr.metric:STRICT_PRIORITY",
})  # fmt: skip

DYNAMICS = Registry("twin.dynamics", "dynamics", {
    "conveyed": "twin.physics.dynamics.conveyor:Conveyed",
    "force": "twin.physics.dynamics.point_force:PointForce",
    "hydrodynamics": "twin.physics.dynamics.hydrodynamics:Hydrodynamics",
    "manipulator": "twin.physics.dynamics.manipulator:Manipulator",
    "rotorcraft": "twin.physics.dynamics.rotorcraft:Rotorcraft",
    "wave_energy": "twin.physics.dynamics.hydrodynamics:WaveEnergy",
    "wheels": "twin.physics.dynamics.wheels:Wheels",
})  # fmt: skip

SENSORS = Registry("twin.sensors", "sensor", {
    "altimeter": "twin.sensors.altimeter:Altimeter",
    "barometer": "twin.sensors.barometer:Barometer",
    "battery": "twin.sensors.battery:Battery",
    "camera": "twin.sensors.camera:Camera",
    "compass": "twin.sensors.compass:Compass",
    "estimate": "twin.sensors.estimate:Estimate",
    "gnss": "twin.sensors.gnss:Gnss",
    "imu": "twin.sensors.imu:Imu",
    "joints": "twin.sensors.joints:Joints",
    "lidar": "twin.sensors.lidar:Lidar",
    "navigation": "twin.sensors.navigation:Navigation",
    "odometry": "twin.sensors.odometry:Odometry",
    "tool_force": "twin.sensors.tool_force:ToolForce",
    "vacuum": "twin.sensors.vacuum:Vacuum",
})  # fmt: skip

TASKS = Registry("twin.tasks", "task", {
    "formation": "twin.tasks.formation:Formation",
    "hand_over": "twin.tasks.hand_over:HandOver",
    "hover": "twin.tasks.hover:Hover",
    "landing": "twin.tasks.landing:Landing",
    "mission": "twin.tasks.mission:Mission",
    "picking": "twin.tasks.picking:Picking",
    "rounds": "twin.tasks.rounds:Rounds",
    "route": "twin.tasks.route:Route",
    "teleoperation": "twin.tasks.teleoperation:Teleoperation",
    "tool_path": "twin.tasks.tool_path:ToolPath",
})  # fmt: skip

SCHEMES = Registry("twin.schemes", "scheme of controllers", {
    "process": "twin.interfaces.external:load_external",
    "tcp": "twin.interfaces.external:load_external",
    "ipc": "twin.interfaces.external:load_external",
    "mavlink": "twin.interfaces.mavlink:load_mavlink",
    "vda5050": "twin.interfaces.vda5050.controller:load_vda5050",
})  # fmt: skip
"""By what stands before the colon of a controller's reference, such as `mavlink:udpin:0.0.0.0:14540`."""
