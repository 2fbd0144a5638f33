"""A hexa that flies by its own sensors, and what a run tells of commands beyond limits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from twin.assembly.build import build
from twin.project.project import Project
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "[origin]\nlongitude = 11.59\nlatitude = 48.15\nheight = 560.0\n"
HOVER = """schema = 1
world = "yard"
duration = "15 s"
rates = { physics = "500 Hz", channel = "10 Hz", record = "50 Hz" }
[robots.scout]
kind = "hexa"
count = 4
runs_on = "onboard"
task = { kind = "hover", points = [[0, 0, 20], [20, 0, 20], [0, 20, 20], [20, 20, 20]] }
"""
STEP = """schema = 1
world = "yard"
duration = "12 s"
requirements = ["settling_time < 10 s", "overshoot < 60 %", "energy < 1 Wh", "clipped = CLIPPED"]
[robots.one]
kind = "drone"
controller = "CONTROLLER"
runs_on = "onboard"
positions = [[0, 0, 20]]
phase = 0
task = { kind = "hover", points = [[0, 3, 20]] }
"""
WILD = '''"""Asks for more than is allowed, from 1 s to 2 s."""
import numpy as np
from twin.state import Action

class Wild:
    """Falls off the limits now and then."""

    def reset(self, spec, rng):
        """Nothing to forget."""

    def act(self, observation):
        """Return 17 m/s2 sideways for a second."""
        push = 17.0 if 10**9 <= observation.time < 2 * 10**9 else 0.0
        return Action(np.array([push, 0.0, 0.0, 0.0]))
'''


@pytest.fixture
def yard(tmp_path):
    """A project with a flat yard that has a place on the earth; return write(text) -> its scenario."""
    folder = tmp_path / "worlds/yard"
    shutil.copytree(ROOT / "tests/project/worlds/void", folder)
    text = (folder / "world.toml").read_text().replace('name = "void"', 'name = "yard"')
    (folder / "world.toml").write_text(text + ORIGIN)

    def write(scenario):
        path = folder / "run.toml"
        path.write_text(scenario)
        return path

    return write


def test_by_its_own_sensors_a_hexa_hovers_within_what_a_fix_is_off(yard):
    path = yard(HOVER)
    scenario, _ = load_scenario(path)
    built = build(scenario, Project.around(path.parent))
    try:
        goal = np.array([[0, 0, 20], [20, 0, 20], [0, 20, 20], [20, 20, 20]])
        gaps = np.array([frame.bodies.position - goal for frame in built.twin.frames(scenario.duration)][::10])
        sensed = [robot.sensed for robot in built.twin.robots]
    finally:
        built.close()
    fix = np.mean([sample["gnss_sigma"] for sample in sensed], axis=0)
    assert 0.5 < fix[0] < 2.0
    # Its alignment of 10 cm and the barometer know more than a fix; nothing may be worse than one.
    assert np.sqrt(np.mean(gaps[..., :2] ** 2)) < np.mean(fix[:2])
    assert np.abs(gaps[..., :2]).max() < 3 * np.max(fix[:2])
    assert np.abs(gaps[..., 2]).max() < 3 * 1.5 * 0.0832  # Pa of noise, m/Pa
    for robot, sample in enumerate(sensed):
        wrong = sample["position"] - gaps[-1, robot] - goal[robot]
        assert np.all(np.abs(wrong) < 5 * sample["position_sigma"] + 0.05)  # 50 ms since the last frame kept
        assert sample["range_below"][0] == pytest.approx(20 - 0.05 + gaps[-1, robot, 2], abs=0.15)


def test_a_hexa_flies_the_same_way_again(yard):
    path, flights = yard(HOVER.replace('"15 s"', '"1 s"')), []
    for _ in range(2):
        scenario, _ = load_scenario(path)
        built = build(scenario, Project.around(path.parent))
        try:
            places = [frame.bodies.position.tobytes() for frame in built.twin.frames(scenario.duration)]
            sensed = [value.tobytes() for robot in built.twin.robots for value in robot.sensed.values.values()]
        finally:
            built.close()
        flights.append((places, sensed))
    assert flights[0] == flights[1]


def run(command, path):
    code, out, err = command("run", path, "--json", "-o", "run.h5", "--force")
    assert code in (0, 5, 6), err
    return code, json.loads(out)


def test_a_step_has_settling_time_overshoot_and_energy_that_requirements_may_name(yard, command):
    code, summary = run(command, yard(STEP.replace("CONTROLLER", "trajectory").replace("CLIPPED", "0")))
    assert code == 0, (summary["requirements"], summary["settling_time"], summary["overshoot"])
    assert 0.5 < summary["settling_time"] < 10.0 and 0.0 <= summary["overshoot"] < 0.6
    assert summary["energy"] == sum(summary["battery_energy_by_robot"].values()) > 0
    # 12 s of hover: rotors at the weight's speed, 75 % efficient, 6 W for the rest; a step of 3 m takes little more.
    hover = 4 * 1.6e-7 * (9.81 / 4 / 1e-5) ** 1.5 / 0.75 + 6.0
    assert summary["energy"] == pytest.approx(12.0 * hover, rel=0.1)


def test_every_command_beyond_its_limits_is_counted_and_the_first_of_a_row_said(yard, command):
    path = yard(STEP.replace("CONTROLLER", "./wild.py:Wild").replace("CLIPPED", "50"))
    Path("wild.py").write_text(WILD)
    _, summary = run(command, path)
    assert summary["clipped"] == 50 and summary["clipped_by_robot"] == {"one": 50}  # a second at 50 Hz
    assert summary["events"]["clipped"] == 1
    verdicts = {verdict["metric"]: verdict["passed"] for verdict in summary["requirements"]}
    assert verdicts["clipped"] and not verdicts["settling_time"]
