"""Scenarios, robots and worlds of a small project: refused in words, or built and run; check and run agree."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import tomli_w

from fuzzing.harness import ROOT, Target, Wrong
from fuzzing.mutations import NUMBERS, WORDS, bytes_changed, places, text_changed, tree_changed, xml_changed
from twin.assembly.build import build
from twin.errors import RunError, TwinError
from twin.project.project import Project
from twin.runs.run import run
from twin.specs.scenario import load_scenario
from twin.world.opening import open_world

END = 20_000_000
"""ns that are run of what is accepted."""
GENERATOR = '''
from twin.world.builder import GeometryBuilder


def field(size=50.0, height=10.0, count=2):
    """Return level ground with blocks."""
    builder = GeometryBuilder()
    builder.add_box((-size, -size, -1), (size, size, 0), "concrete", -1)
    for i in range(int(count)):
        x = 10.0 * i - 20
        builder.add_box((x, 20, 0), (x + 5, 25, height), "brick", builder.add_object(f"block {i}", ("building=yes",)))
    return builder.build()
'''
WORLD = """schema = 1
name = "field"
description = "Level ground with two blocks"
source = "field.py:field"

[parameters]
size = 50.0
height = 12.0

[origin]
longitude = 11.5
latitude = 48.1
height = "500 m"

[[materials]]
surface = "wall"
object = "block*"
material = "glass"
thickness = "12 mm"

[environment]
temperature = 288.0
rain = 2.0

[environment.wind]
speed = "3 m/s"
bearing = "20 deg"
gust_intensity = 0.1
"""
SCENARIO = """schema = 1
description = "Two drones and a site"
world = "field"
duration = "2 s"
seed = 1
requirements = ["tracking_max < 2 m", "packets_lost = 0", "rtt_p99 < 100 ms"]

[rates]
physics = "200 Hz"
channel = "50 Hz"
record = "50 Hz"

[channel]
kind = "freespace"

[network]
kind = "simple"

[robots.scout]
kind = "drone"
count = 2
positions = [[0, 0, 5], [5, 0, 5]]
controller = "trajectory"
yaw = ["0 deg", "90 deg"]

[robots.scout.task]
kind = "hover"
points = [[0, 0, 6], [5, 1, 6]]

[robots.runner]
kind = "drone"
positions = [[-5, 0, 5]]
runs_on = "edge"
service_time = { kind = "fixed", time = "1 ms" }

[robots.runner.task]
kind = "route"
waypoints = [[-5, 0, 5], [-5, 9, 5], [-9, 9, 8]]
speed = "2 m/s"

[robots.edge]
kind = "edge"

[robots.site]
kind = "base_station"
positions = [[0, 15, 10]]
"""
KINDS = {
    "network": [{"kind": "ideal"}, {"kind": "fixed", "delay": "5 ms", "loss": 0.1}, {"kind": "simple"}, {"kind": "nr"}],
    "channel": [{"kind": "freespace"}, {"kind": "raytracing", "order": 1}],
}  # fmt: skip
ROBOT = """schema = 1
like = "drone"
description = "A drone of our own"
telemetry = "200 B"

[body]
urdf = "mine.urdf"

[failsafe_parameters]
hover_time = "2 s"

[[sensors]]
kind = "navigation"
noise = { position = "5 cm", velocity = "0.05 m/s", orientation = "0.5 deg", angular_velocity = "0.5 deg/s" }
"""


def write_project(folder: Path) -> None:
    """Write the project as it is meant."""
    (folder / "worlds/field/scenarios").mkdir(parents=True)
    (folder / "agents").mkdir()
    (folder / "worlds/field/field.py").write_text(GENERATOR)
    (folder / "worlds/field/world.toml").write_text(WORLD)
    (folder / "worlds/field/scenarios/a.toml").write_text(SCENARIO)


def check_and_run(folder: Path) -> None:
    """Do what `twin check` and then `twin run` do.

    Raises:
        TwinError: it is refused.
        Wrong: only the run refuses it.
    """
    path = folder / "worlds/field/scenarios/a.toml"
    sets = folder / "set.txt"
    overrides = sets.read_text(encoding="utf-8", errors="surrogatepass").split("\0") if sets.is_file() else []
    project = Project.around(path.parent)
    loaded, _ = load_scenario(path, overrides)
    with closing(build(loaded, project)) as built:
        built.physics.reset()
    loaded, _ = load_scenario(path, overrides)
    try:
        outcome = run(build(loaded, project), loaded, folder / "run.h5", until=END)
    except RunError:
        return
    except TwinError as error:
        raise Wrong(f"check passes, run refuses: {error}") from error
    if outcome.error is not None and not isinstance(outcome.error, RunError):
        raise Wrong(f"check passes, run ends with {outcome.error!r}")


def warm(folder: Path) -> None:
    """Load and compile what the cases need."""
    write_project(folder)
    path = folder / "worlds/field/scenarios/a.toml"
    for network in KINDS["network"]:
        data = tomllib.loads(SCENARIO) | {"network": network, "channel": KINDS["channel"][network["kind"] == "nr"]}
        path.write_text(tomli_w.dumps(data))
        (folder / "run.h5").unlink(missing_ok=True)
        check_and_run(folder)


def dumped(tree: Any) -> str:
    """Return tables as TOML; what TOML has no words for as text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key).encode("utf-8", "replace").decode(): plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4000:
            return "many digits"
        return "null" if value is None else value

    try:
        return tomli_w.dumps(plain(tree)) if isinstance(tree, dict) else str(tree)
    except (RecursionError, ValueError):  # deeper than it can be written, or a number of too many digits
        return "x = " + "[" * 400 + "]" * 400


def toml_changed(text: str, chance: Random) -> tuple[str, str]:
    """Change the text, or the tables that it stands for."""
    if chance.random() < 0.4:
        return text_changed(text, chance)
    tree, done = tree_changed(tomllib.loads(text), chance)
    return dumped(tree), done


def scenario_target() -> Target:
    """Return the target of scenario files."""

    def change(chance: Random, folder: Path) -> str:
        write_project(folder)
        data, before = tomllib.loads(SCENARIO), ""
        if chance.random() < 0.4:
            part = chance.choice(list(KINDS))
            data[part] = chance.choice(KINDS[part])
            before = f"{part} = {data[part]}, "
        text, done = toml_changed(dumped(data), chance)
        path = folder / "worlds/field/scenarios/a.toml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return before + done

    return Target("scenario", change, check_and_run, 100, warm)


def override_target() -> Target:
    """Return the target of `--set`."""

    def change(chance: Random, folder: Path) -> str:
        write_project(folder)
        found = places(tomllib.loads(SCENARIO))
        sets = []
        for _ in range(chance.choice([1, 1, 2])):
            key = ".".join(map(str, chance.choice(found)))
            value = chance.choice(
                [*NUMBERS, *WORDS, '"trace"', "nr", "{kind='nr'}", "[1,2,3]", "[[1,2,3]]", "[" * 1000, "5 ms"]
            )
            text = f"{key}={value}"
            if chance.random() < 0.4:
                text, _ = text_changed(text, chance)
            if chance.random() < 0.05:
                text = ".".join(["a"] * chance.choice([30, 1000, 100_000])) + "=1"
            sets.append(text.replace("\0", "?"))
        (folder / "set.txt").write_text("\0".join(sets), encoding="utf-8", errors="surrogatepass")
        return repr(sets)[:300]

    return Target("set", change, check_and_run, 60, warm)


def robot_target() -> Target:
    """Return the target of robot.toml and its URDF."""
    urdf = (ROOT / "agents/drone/quadrotor.urdf").read_text()

    def change(chance: Random, folder: Path) -> str:
        write_project(folder)
        home = folder / "agents/mine"
        home.mkdir()
        toml, model, done = ROBOT, urdf, ""
        if chance.random() < 0.5:
            toml, done = toml_changed(ROBOT, chance)
        else:
            model, done = chance.choice([xml_changed, text_changed])(urdf, chance)
        (home / "robot.toml").write_text(toml, encoding="utf-8", errors="surrogatepass")
        (home / "mine.urdf").write_text(model, encoding="utf-8", errors="surrogatepass")
        scenario = folder / "worlds/field/scenarios/a.toml"
        scenario.write_text(SCENARIO.replace('kind = "drone"', 'kind = "mine"', 1))
        return done

    return Target("robot", change, check_and_run, 100, warm)


def world_target() -> Target:
    """Return the target of world.toml, and of the geometry that it may store."""
    stored: dict[str, bytes] = {}

    def read(folder: Path) -> None:
        world = open_world(folder / "worlds/field")
        world.environment(1)
        world.collision_obj()

    def begin(folder: Path) -> None:
        from twin.world.geometry import save_geometry

        write_project(folder)
        read(folder)
        save_geometry(open_world(folder / "worlds/field").geometry, folder / "geometry.npz")
        stored["npz"] = (folder / "geometry.npz").read_bytes()

    def change(chance: Random, folder: Path) -> str:
        write_project(folder)
        home = folder / "worlds/field"
        if chance.random() < 0.6:
            text, done = toml_changed(WORLD, chance)
            (home / "world.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
            return done
        (home / "world.toml").write_text('schema = 1\nname = "field"\n')
        data, done = (bytes_changed if chance.random() < 0.5 else _member_changed)(stored["npz"], chance)
        (home / "geometry.npz").write_bytes(data)
        return f"geometry.npz: {done}"

    return Target("world", change, read, 200, begin)


def _member_changed(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Change the array of one member, its dtype or its shape, in a whole archive."""
    import numpy as np

    with np.load(io.BytesIO(data)) as archive:
        arrays = dict(archive)
    name = chance.choice(list(arrays))
    array = arrays[name]
    changes: list[tuple[str, Callable[[], Any]]] = [
        ("gone", lambda: None), ("int8", lambda: array.astype("S3" if array.dtype.kind == "U" else "int8")),
        ("complex", lambda: np.zeros(array.shape, complex)), ("object", lambda: np.array("x" * 99)),
        ("flat", lambda: array.ravel()), ("short", lambda: array[:1]), ("nan", lambda: np.full(array.shape, np.nan)),
        ("large", lambda: np.full(array.shape, 2e9)), ("negative", lambda: np.full(array.shape, -5)),
        ("empty", lambda: array[:0]), ("huge index", lambda: np.full(array.shape, 2**62)), ("scalar", lambda: np.float64(1)),
    ]  # fmt: skip
    what, made = chance.choice(changes)
    arrays.pop(name)
    if (changed := made()) is not None:
        arrays[name] = changed
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue(), f"{name} {what}"


def targets() -> list[Target]:
    """Return the targets of projects."""
    return [scenario_target(), override_target(), robot_target(), world_target()]
