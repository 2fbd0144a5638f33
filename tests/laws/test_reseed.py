"""Laws of a changed seed: one past, several futures, each a run that can be had from the start by its name."""

import copy
import hashlib
import inspect
import json
import os
import pickle
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from twin.assembly.build import build
from twin.clock import NS
from twin.errors import RunError, ScenarioError
from twin.network.nr.traffic import TrafficSource
from twin.numerics.draws import generator
from twin.numerics.seeds import Seeds
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.registry import SENSORS
from twin.robots.service import Drawn
from twin.runs.rerun import verify
from twin.runs.run import run
from twin.sensors.errors import Noise
from twin.specs import ExponentialTime
from twin.specs.nr import BackgroundSpec
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
T1, T2, END = (round(x * NS) for x in (0.2, 0.26, 0.32))
PUSHY = """
import numpy as np
from twin.controller import Action

class Pushy:
    runs_on = "edge"
    def reset(self, spec, rng): self.rng = rng
    def act(self, observation): return Action(np.array([0.0, 0.0, 9.81]) + self.rng.normal(0.0, 5.0, 3))
"""
NOISE = """
[robots.ball.spec]
sensors = [{ kind = "navigation", noise = { position = "1 m" }, delay = "10 ms" }]

[robots.ball.service_time]
kind = "exponential"
mean = "2 ms"

[network]
kind = "fixed"
delay = "10 ms"
loss = 0.2
jitter = { kind = "exponential", scale = "10 ms" }
"""
PATROL = ("robots.patrol.count=2", "duration=1 s")
CITY = ROOT / "tests/patrol.toml"
WORLDS = {
    "city": (CITY, *PATROL),
    "factory": (ROOT / "worlds/factory/scenarios/amr-fleet.toml", "robots.amr.count=2",
                "robots.amr.task.rounds=[['e0', 'e5'], ['e1', 'e6']]", "robots.amr.task.dwell=10 ms",
                "duration=1 s"),  # fmt: skip
    "harbour": (ROOT / "worlds/harbour/scenarios/inspection.toml", "robots.inspector.count=1", "duration=1 s"),
}
NETWORKS = ("ideal", "fixed", "trace", "recorded", "simple", "nr")
CASES = {
    "ball": (None,),
    "nr": (CITY, *PATROL, "network.kind=nr"),
    "nr, ray tracing": (CITY, *PATROL, "network.kind=nr", "channel.kind=raytracing"),
    "simple": (CITY, *PATROL, "network.kind=simple"),
    "ideal": (CITY, *PATROL, "network.kind=ideal"),
    "trace": (CITY, *PATROL, "network.kind=trace"),
    "recorded": (CITY, *PATROL, "network.kind=recorded"),
}
EVERY = {
    f"{network}, {channel}, {world}": (*tables, f"network.kind={network}", f"channel.kind={channel}")
    for world, tables in WORLDS.items() for channel in ("freespace", "raytracing") for network in NETWORKS
}  # fmt: skip


@pytest.fixture
def make(tmp_path):
    """Build a case with further overrides."""

    def made(case, *overrides):
        if case == "ball":
            site = tmp_path / "site"
            shutil.copytree(ROOT / "tests/project", site, dirs_exist_ok=True)
            (site / "pushy.py").write_text(PUSHY)
            file = site / "worlds/void/scenarios/height.toml"
            text = (ROOT / "tests/project/worlds/void/scenarios/height.toml").read_text()
            text = text.replace("parameters = { target = 502.0 }", 'controller = "pushy.py:Pushy"')
            file.write_text(text + NOISE)
        else:
            file = (CASES | EVERY)[case][0]
        tables = (CASES | EVERY)[case][1:]
        scenario, _ = load_scenario(file, (*tables, *files_of(tables, file, tmp_path), *overrides))
        return build(scenario, Project.around(file.parent)), scenario

    return made


def files_of(tables, file, folder):
    """Return where a network that needs a file finds one: round trips of 20 ms, or an ideal run of the same robots."""
    if "network.kind=trace" in tables:
        (folder / "trips.csv").write_text("time_s,round_trip_ms\n0,20\n")
        return [f"network.file={folder}/trips.csv"]
    if "network.kind=recorded" not in tables:
        return []
    if not (folder / "ideal.h5").exists():
        scenario, _ = load_scenario(file, (*tables, "network.kind=ideal"))
        run(build(scenario, Project.around(file.parent)), scenario, folder / "ideal.h5")
    return [f"network.recording={folder}/ideal.h5"]


def go(built, until):
    """Step to a time and return a digest of all that happened on the way."""
    state = hashlib.sha256()
    while built.twin.clock.now < until:
        built.twin.step()
        frame = built.twin.frame
        for array in (frame.bodies.position, frame.bodies.velocity, *frame.commands.values()):
            state.update(array.tobytes())
        facts = [(p.source, p.kind, p.sequence, p.created, p.stamp, p.arrived, p.fate) for p in frame.packets]
        state.update(repr((facts, frame.events, frame.logs, frame.modes)).encode())
    return state.hexdigest()


def started(built):
    built.twin.reset()
    go(built, T1)
    return built


def fork(future):
    """Return what `future` returns in a child of this process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, json.dumps(future()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said)


def renamed(built, *changes):
    """Go on to the end, each change (time, seed) made in a fork of the one before; return the last one's digest."""
    if not changes:
        return go(built, END)
    at, seed = changes[0]

    def future():
        built.twin.seeds.reseed(seed)
        return renamed(built, *changes[1:])

    go(built, at)
    return fork(future)


def under(*changes, tick=2_000_000):
    return "reseed=[" + ", ".join(f"{{at='{at + tick} ns', seed={seed}}}" for at, seed in changes) + "]"


@pytest.mark.skipif("TWIN_LONG" not in os.environ, reason="minutes: just forks")
@pytest.mark.parametrize("case", EVERY)
def test_a_fork_is_exact_over_every_network_channel_and_world(case, make):
    check_forks(case, make)


@pytest.mark.parametrize("case", CASES)
def test_a_fork_is_a_run_of_its_own_name(case, make):
    check_forks(case, make)


def check_forks(case, make):
    """Without a new seed a child is the parent going on; with one, the run that had it from the start on."""
    tick = 1_000_000 if case == "ball" else 2_000_000
    parent = started(make(case)[0])
    child = fork(lambda: go(parent, END))
    seven, eight = (renamed(parent, (T1, seed)) for seed in (7, 8))
    assert seven != eight, "sensors draw, whatever the network does"
    assert renamed(parent, (T1, 7)) == seven
    grandchild = fork(lambda: renamed(parent, (T1, 7), (T2, 9)))
    assert child == go(parent, END), "the parent goes on as if nobody had been forked"
    parent.close()

    for changes, wanted in (((T1, 7),), seven), (((T1, 7), (T2, 9)), grandchild):
        again = started(make(case, under(*changes, tick=tick))[0])
        go(again, changes[-1][0])
        assert go(again, END) == wanted
        again.close()


def test_a_recording_with_another_seed_on_the_way_verifies(make, tmp_path):
    built, scenario = make("ball", under((T1, 7), tick=1_000_000), "duration=0.4 s")
    run(built, scenario, tmp_path / "run.h5")
    with Recording(tmp_path / "run.h5") as recording:
        assert "reseed" in recording.scenario_text
        assert verify(recording, built.project).same


def test_without_one_a_scenario_says_nothing_of_it(make):
    assert "reseed" not in make("ball")[1].to_toml()


def test_generators_stay_the_objects_that_they_are_and_begin_anew():
    seeds = Seeds(1)
    mine = seeds.generator("controller", "a")
    mine.random(5)
    seeds.reseed(2)
    assert mine.random() == generator(2, "controller", "a").random()


def test_draws_to_come_are_those_of_the_new_seed_and_a_bias_walks_on():
    """White noise of a later reading is that of a sensor that always had the seed; a bias keeps what it has walked."""
    rows, white = np.arange(1), np.array([1.0])
    changed, other = (Noise("a", ["r"], seed, white) for seed in (1, 2))
    table = np.zeros((1, 1))
    changed.add(0, rows, table)
    changed.reseed(2)
    found, wanted = np.zeros((1, 1)), np.zeros((1, 1))
    changed.add(NS, rows, found)
    other.add(NS, rows, wanted)
    assert found == wanted

    walks = [Noise("a", ["r"], 1, np.zeros(1), np.array([1.0])) for _ in range(2)]
    tables = [[np.zeros((1, 1)) for _ in range(3)] for _ in walks]
    for walk, readings in zip(walks, tables, strict=True):
        for second, reading in enumerate(readings[:2]):
            walk.add(second * NS, rows, reading)
    walks[1].reseed(2)
    for walk, readings in zip(walks, tables, strict=True):
        walk.add(2 * NS, rows, readings[2])
    steps = [float((readings[2] - readings[1])[0, 0]) for readings in tables]
    assert tables[0][1] == tables[1][1] and steps[0] != steps[1]


def test_service_times_and_background_traffic_go_on_by_their_numbers():
    spec = ExponentialTime(kind="exponential", mean=2_000_000)
    changed, other = Drawn(spec, 1, "r"), Drawn(spec, 2, "r")
    assert changed.draw(3) != other.draw(3)
    changed.reseed(2)
    assert changed.draw(4) == other.draw(4)

    load = BackgroundSpec(model="xr", terminals=("r",), direction="uplink", rate=60.0, size=1000)
    source, same = TrafficSource(load, 1, "r"), TrafficSource(load, 1, "r")
    past = source.until(NS)
    source.seed = 2
    future, plain = source.until(2 * NS), same.until(2 * NS)
    assert plain[: len(past)] == past and future != plain[len(past) :]
    assert [number for number, _, _ in future] == list(range(len(past), len(past) + len(future)))
    assert abs(len(future) - 60) <= 1, "the phase is of the whole train: frames neither crowd nor leave a gap"


@pytest.mark.parametrize("kind", SENSORS.built_in)
def test_every_sensor_that_has_a_seed_takes_a_new_one(kind):
    module, _, name = SENSORS.built_in[kind].partition(":")
    sensor = getattr(import_module(module), name)
    draws = "seed" in inspect.getsource(import_module(module)).replace("reseed", "")
    assert hasattr(sensor, "reseed") == draws


def test_a_twin_can_not_be_copied(make):
    built, _ = make("ball")
    built.twin.reset()
    for thing in (built.twin, *built.physics.worlds[:1]):
        with pytest.raises(RunError, match="can't be copied"):
            pickle.dumps(thing)
        with pytest.raises(RunError, match="can't be copied"):
            copy.deepcopy(thing)
    built.close()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("reseed=[{at='12 us', seed=1}]", "reseed[0].at: found 12 us; allowed: a tick, 1 ms"),
        ("reseed=[{at='2.5 ms', seed=1}]", "allowed: a tick, 2 ms or 3 ms"),
        ("reseed=[{at='2 ms', seed=1}, {at='2 ms', seed=2}]", "reseed[1].at: found 2 ms; allowed: after 2 ms"),
        ("reseed=[{at='9 s', seed=1}]", "within the duration"),
        ("reseed=[{at='1 s', seed=-1}]", "at least 0"),
    ],
)
def test_what_is_wrong_is_said(make, written, said):
    with pytest.raises(ScenarioError) as error:
        make("ball", written)
    assert said in str(error.value)


def test_what_keeps_draws_of_its_own_is_refused(make):
    program = "process:python3 -c pass"
    with pytest.raises(ScenarioError, match="keeps its own draws"):
        make("ball", "reseed=[{at='0.1 s', seed=1}]", f"robots.ball.controller={program}")
