"""What a recording says about where it comes from; nothing of the machine or the hour it was made at."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import twin
from twin.assembly.built import Built
from twin.numerics.kernels import sources_digest
from twin.recording.schema import Header, Layout, RadioInfo, components
from twin.specs import MissionSpec, NrSpec, RecordedSpec, RecordedTime, SimpleSpec, TraceSpec
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
        command_fields={c.name: components(c.body.command) for c in built.casts if c.body is not None},
        world=scenario.world,
        world_hash=built.world.digest,
        code_version=twin.__version__,
        sources_digest=sources_digest(),
        packages=_packages(),
        paths=paths,
        hops=isinstance(scenario.network, (SimpleSpec, NrSpec)),
        plugins=_plugins(built),
        inputs=_inputs(built, scenario),
    )


def _plugins(built: Built) -> dict[str, str]:
    """Return the code that was loaded by path, with its sha256."""
    loaded = [source for c in built.casts for source in c.sources]
    found = {source.reference: source.sha256 for source in loaded}
    return found | {f"{one.reference} imports {name}": sha for one in loaded for name, sha in one.siblings.items()}


def _inputs(built: Built, scenario: Scenario) -> dict[str, str]:
    """Return the files besides code and geometry that decide what a run does, with their sha256."""
    files = {str(path): built.project.file(path) for path in _named(scenario)}
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
        if isinstance(entry.task, MissionSpec):
            yield from entry.task.plans


def _files(value: Any) -> Iterator[Path]:
    """Yield all paths in nested tables."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _files(item)


def _packages() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
