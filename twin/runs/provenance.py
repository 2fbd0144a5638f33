"""What a recording says about where it comes from; nothing of the machine or the hour it was made at."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import twin
from twin.assembly.built import Built
from twin.numerics.kernels import sources_digest
from twin.project.plugins import Loaded, load_installed, scheme_of
from twin.project.profiles import profile_files
from twin.recording.schema import Header, Layout, RadioInfo, components
from twin.registry import CHANNELS, DYNAMICS, NETWORKS, SCHEDULERS, SCHEMES, SENSORS, TASKS, Registry
from twin.specs import RecordedSpec, RecordedTime, TraceSpec
from twin.specs.scenario import Scenario
from twin.state import Frame

PACKAGES = ("h5py", "mesa", "numba", "numpy", "pybullet", "pyproj", "scipy")


def header(built: Built, scenario: Scenario, first: Frame, *, paths: bool = False) -> Header:
    """Return the header of the run that starts with frame `first`."""
    return Header(
        layout=Layout.of(first),
        robots=built.nodes,
        radios=[RadioInfo(radio.owner, radio.carrier) for radio in built.radios],
        scenario_text=scenario.to_toml(),
        duration=scenario.duration,
        seed=scenario.seed,
        physics_rate_hz=scenario.rates.physics,
        channel_rate_hz=scenario.rates.channel,
        record_rate_hz=scenario.rates.record,
        command_fields={e.name: components(e.body.command) for e in built.entries if e.body is not None},
        world=scenario.world,
        world_hash=built.world.digest,
        code_version=twin.__version__,
        sources_digest=sources_digest(),
        packages=_packages(),
        paths=paths,
        hops=getattr(scenario.network, "hops", False),
        sensing=scenario.sensing is not None,
        plugins=_plugins(built, scenario),
        inputs=_inputs(built, scenario),
    )


def origins(built: Built, scenario: Scenario) -> dict[str, Any]:
    """Return what a run is made of, as its header has it: world, sources, plugins, inputs, as digests."""
    return {"world": built.world.digest, "sources": sources_digest(), "plugins": _plugins(built, scenario),
            "inputs": _inputs(built, scenario)}  # fmt: skip


def _plugins(built: Built, scenario: Scenario) -> dict[str, str]:
    """Return the code that was loaded by path, and what packages brought, with its sha256."""
    loaded = [source for entry in built.entries for source in entry.sources] + list(_brought(built, scenario))
    found = {source.reference: source.sha256 for source in loaded}
    return found | {f"{one.reference} imports {name}": sha for one in loaded for name, sha in one.siblings.items()}


def _brought(built: Built, scenario: Scenario) -> Iterator[Loaded]:
    """Yield what installed packages brought besides robots and controllers."""
    used: list[tuple[Registry, str | None]] = [(NETWORKS, scenario.network.kind), (CHANNELS, scenario.channel.kind)]
    used += [(SCHEDULERS, carrier.scheduler) for carrier in getattr(scenario.network, "carriers", {}).values()]
    for entry in built.entries:
        used += [(SENSORS, sensor.kind) for sensor in entry.kind.sensors]
        used.append((DYNAMICS, None if entry.body is None else entry.body.dynamics))
        used.append((TASKS, None if entry.stated.task is None else entry.stated.task.kind))
        used.append((SCHEMES, scheme_of(entry.stated.controller or entry.kind.controller or "")))
    for registry, name in used:
        if name is not None and (point := registry.installed().get(name)):
            yield replace(load_installed(point), reference=f"{registry.group}:{name}")


def _inputs(built: Built, scenario: Scenario) -> dict[str, str]:
    """Return the files besides code and geometry that decide what a run does, with their sha256."""
    files = {str(path): built.project.file(path) for path in _named(scenario)}
    files |= profile_files(scenario.requirements, built.project)
    if built.world.folder is not None:
        series = _files(built.world.environment(scenario.seed, scenario.environment).spec.model_dump())
        files |= {name: built.world.folder / name for name in ("world.toml", *map(str, series))}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.is_file()}


def _named(scenario: Scenario) -> Iterator[Path]:
    """Yield the files that a scenario names."""
    match scenario.network:
        case TraceSpec(file=path) | RecordedSpec(recording=path):
            yield path
    for entry in scenario.robots.values():
        if isinstance(entry.service_time, RecordedTime):
            yield entry.service_time.recording
        if entry.task is not None:
            yield from _files(entry.task.model_dump())


def _files(value: Any) -> Iterator[Path]:
    """Yield all paths in nested tables."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _files(item)


def _packages() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
