"""A recorded run comes out the same again, bit for bit; if it does not, what differs first is named."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin.project.project import Project, find_scenario
from twin.recording.reader import Recording
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")
SCENARIOS = sorted(Project(ROOT).scenarios())
MINE = """
import time
import numpy as np
from twin.state import Action

class Mine:
    def reset(self, spec, rng):
        self.rng = rng
    def act(self, observation):
        return Action(np.array([0.0, 0.0, 9.81 + {extra}]))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the test project, with us in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def recorded(project, command):
    """Record half a second of the test project; return the file."""

    def record(*changes, name="recordings/run.h5"):
        Path("recordings").mkdir(exist_ok=True)
        sets = [part for change in changes for part in ("--set", change)]
        code, out, err = command("run", "void/height", "-o", name, "--duration", "0.5 s", "-q", *sets)
        assert code in (0, 3), err
        return name

    return record


def mine(extra):
    Path("mine.py").write_text(MINE.format(extra=extra))
    return "robots.ball.controller=./mine.py:Mine", "robots.ball.parameters={}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_built_in_scenario_comes_out_the_same(command, scenario):
    code, out, err = command("run", scenario, "-o", "run.h5", "--duration", "0.3 s", "-q")
    assert code in (0, 5, 6), err
    code, out, err = command("verify", "run.h5")
    assert code == 0 and not err and "streams are the same" in out, out + err


def test_scenarios_over_something_else_come_out_the_same_traced_over_nr_too(command):
    """What their lesson leaves out is only a word away."""
    traced = 0
    for scenario in SCENARIOS:
        loaded, _ = load_scenario(find_scenario(scenario, Project(ROOT))[1])
        if (loaded.channel.kind, loaded.network.kind) == ("raytracing", "nr"):
            traced += 1
            continue
        changes = ("--set", "channel.kind=raytracing", "--set", "network.kind=nr")
        code, _, err = command("run", scenario, "-o", "run.h5", "--force", "--duration", "0.1 s", "-q", *changes)
        assert code in (0, 5, 6), err
        code, out, err = command("verify", "run.h5")
        assert code == 0 and "streams are the same" in out, f"{scenario}: {out}{err}"
    assert traced >= 12, "most of them"


def test_ray_traced_in_a_world_without_a_sea(command):
    """Walls of glass that scatter: their paths are recorded, and come out the same."""
    sets = ("channel.kind=raytracing", "channel.rays=1000", "channel.tile=40 m",
            "channel.surfaces.glass.scattering=0.9")  # fmt: skip
    sets = [part for text in sets for part in ("--set", text)]
    words = ("run", PATROL, "--duration", "0.1 s", "-q", "--paths", "--force")
    counts = []
    for more in (sets, [*sets[:-1], "channel.surfaces.glass.scattering=0"]):
        code, out, err = command(*words, "-o", "run.h5", *more)
        assert code in (0, 5, 6), err
        with h5py.File("run.h5") as file:
            counts.append(len(file["paths/delay"]))
        code, out, err = command("verify", "run.h5")
        assert code == 0 and not err, out + err
    assert counts[0] > counts[1] + 100


def test_with_losses_jitter_and_random_draws_of_a_controller(command, recorded):
    run = recorded(*mine("self.rng.normal()"), "network.kind=fixed", "network.loss=0.2",
                   "network.jitter.kind=normal", "network.jitter.scale=5 ms")  # fmt: skip
    code, out, err = command("verify", run)
    assert code == 0, out + err


def test_one_flipped_bit_is_found_in_time_stream_and_robot(command, recorded):
    run = recorded()
    with h5py.File(run, "r+") as file:
        value = file["state/position"][17, 1, 2]
        file["state/position"][17, 1, 2] = (value.view(np.uint64) ^ np.uint64(1)).view(np.float64)
    code, out, err = command("verify", run)
    assert code == 4 and "1 of" in out and "first at 0.34 s: state/position of ball-1" in out
    found = json.loads(command("verify", run, "--json")[1])
    (stream,) = found["streams"]
    assert not found["same"] and (stream["time"], stream["where"]) == (340_000_000, "ball-1")


def test_a_controller_that_reads_the_wall_clock_is_found(command, recorded):
    code, out, err = command("verify", recorded(*mine("(time.monotonic_ns() % 997) * 1e-6")))
    assert code == 4 and "state/command/ball" in out and " of ball-" in out


def test_a_run_that_ended_early_is_verified_as_far_as_it_goes(command, recorded):
    run = recorded(*mine("0.0 if observation.time < 250_000_000 else 1 / 0"))
    with Recording(run) as recording:
        assert not recording.complete
    code, out, err = command("verify", run)
    assert code == 0, out + err


def test_a_simulation_that_stops_this_time_is_said(command, recorded):
    run = recorded(*mine("0.0"))
    mine("0.0 if observation.time < 250_000_000 else 1 / 0")
    code, out, err = command("verify", run)
    assert code == 4 and "stopped this time" in out and "ZeroDivisionError" in out


def test_measured_compute_times_are_played_back(command, project):
    sets = ("--set", "robots.ball.service_time=measured")
    code, out, err = command("run", "void/height", "-o", "run.h5", "--duration", "0.5 s", "-q", "--real-time", *sets)
    assert code == 0, err
    code, out, err = command("verify", "run.h5")
    assert code == 0 and not err, out + err


def test_every_file_that_decides_a_run_is_in_its_header_and_a_changed_one_is_said(command, project):
    Path("rtt.csv").write_text("time_s,round_trip_ms\n0,20\n")
    Path("worlds/void/gusts.csv").write_text("time,speed\n0,1\n")
    wind = 'environment.wind={ speed = { file = "gusts.csv", column = "speed" } }'
    shutil.copytree("agents/mass", "agents/own")
    toml = Path("agents/own/robot.toml")
    toml.write_text(toml.read_text().replace('dynamics = "force"', 'dynamics = "thrust.py:Thrust"'))
    Path("agents/own/thrust.py").write_text("from .force import Thrust\n")
    Path("agents/own/force.py").write_text("from twin.physics.dynamics.point_force import PointForce as Thrust\n")
    sets = ("network.kind=trace", "network.file=rtt.csv", "robots.ball.kind=own", wind)
    sets = [part for change in sets for part in ("--set", change)]
    code, out, err = command("run", "void/height", "-o", "run.h5", "--duration", "0.2 s", "-q", *sets)
    assert code == 0, err
    with Recording("run.h5") as recording:
        assert set(recording.header.inputs) == {"rtt.csv", "world.toml", "gusts.csv"}
        assert "thrust.py:Thrust" in recording.header.plugins
    code, out, err = command("verify", "run.h5")
    assert code == 0 and not err, err
    for name in ("rtt.csv", "worlds/void/gusts.csv", "worlds/void/world.toml", "agents/own/thrust.py",
                 "agents/own/force.py"):  # fmt: skip
        with open(name, "a") as file:
            file.write("\n")
    code, out, err = command("verify", "run.h5")
    assert code == 0, out + err
    for name in ("inputs: rtt.csv", "inputs: gusts.csv", "inputs: world.toml", "plugins: thrust.py:Thrust",
                 "plugins: thrust.py:Thrust imports force.py"):  # fmt: skip
        assert f"not as it was: {name}: " in err


def test_other_code_and_another_world_are_said(command, recorded):
    run = recorded(*mine("0.0"))
    with open("mine.py", "a") as file:
        file.write("# says nothing")
    world = Path("worlds/void/flat.py")
    world.write_text(world.read_text().replace("1000.0", "900.0"))
    code, out, err = command("verify", run)
    assert code == 0
    assert "not as it was: plugins: ./mine.py:Mine: " in err and "not as it was: world_hash: " in err


def test_a_recording_elsewhere_is_verified_by_the_project_here(command, recorded, tmp_path_factory):
    away = tmp_path_factory.mktemp("away") / "run.h5"
    shutil.move(recorded(), away)
    code, out, err = command("verify", away)
    assert code == 0, out + err


def test_a_scenario_that_can_not_be_built_here_says_why(command, recorded):
    run = recorded()
    shutil.rmtree("worlds/void")
    code, out, err = command("verify", run)
    assert code == 2 and "scenario of recordings/run.h5" in err and "no world 'void'" in err
