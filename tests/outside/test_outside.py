"""A package from outside adds a sensor, a dynamics, a scheduler, a scheme, a task and a network: no file of twin knows.

`twin_outside` lies beside this file as an installed package does, with its entry points; processes of their own find
it on their path.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KITES = HERE / "site/worlds/void/scenarios/kites.toml"
WIND, MASS, DRAG, PUSH = 6.0, 1.0, 0.5, 0.25  # m/s, kg, N s/m, N


def python(*arguments):
    environment = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}"}
    return subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)


def fly(*overrides):
    result = python(HERE / "fly.py", KITES, *overrides)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def flown():
    return fly()


def test_its_dynamics_feels_the_wind_and_knows_the_ground(flown):
    """m v' = c (w - v) from rest: v = w (1 - exp(-c t / m)), by Euler's steps of 1 ms to 0.05 %."""
    end = flown["time"][-2] / 1e9
    for velocity in flown["velocity"]:
        assert velocity[0] == pytest.approx(WIND * (1 - math.exp(-DRAG * end / MASS)), rel=1e-3)
        assert velocity[2] == pytest.approx(0.0, abs=1e-9)
    assert flown["ground"] == pytest.approx([0.0] * len(flown["ground"]), abs=1e-12)


def test_its_scheme_of_controllers_decides(flown):
    """From the first command on, which the network brings within 50 ms, the same push north: v = f/c (1 - exp)."""
    assert flown["command"] == [[0.0, PUSH, 0.0]] * 12
    end = flown["time"][-2] / 1e9
    least, most = (PUSH / DRAG * (1 - math.exp(-DRAG * t / MASS)) for t in (end - 0.05, end))
    for velocity in flown["velocity"]:
        assert least < velocity[1] < most


def test_its_sensor_reads_links(flown):
    """The first reading, of the nearest kite 100 m away in free space: Friis, power and gains of the base station."""
    friis = 20 * math.log10(299_792_458.0 / (4 * math.pi * 3.5e9 * 100.0))
    assert max(flown["received"]) == pytest.approx(flown["power"] + 8.0 + friis, abs=0.01)
    assert min(flown["received"]) < max(flown["received"]) - 0.1


def test_its_scheduler_serves_as_the_built_in_one_of_the_same_rule(flown):
    """The first deadline first, said in Python by a package and compiled in twin: every packet to the nanosecond."""
    same = fly("network.carriers.n78.scheduler=earliest-deadline")
    assert flown["fates"] == same["fates"] and len(same["fates"]) > 1000
    assert fly("network.carriers.n78.scheduler=round-robin")["fates"] != same["fates"]


def test_its_task_says_where_they_start(flown):
    assert flown["place"][0] == [[100.0, 5.0 * row, 10.0] for row in range(12)]


def test_its_network_carries():
    flights = {delay for *_, fate, delay in fly("network.kind=pigeon", "network.flight=25 ms")["fates"]
               if fate == "delivered"}  # fmt: skip
    assert flights == {25_000_000}


def test_what_it_brings_is_recorded_with_its_digest(tmp_path):
    run = python(ROOT / "cli.py", "run", KITES, "--duration", "50 ms", "-o", tmp_path / "kites.h5")
    assert run.returncode in (0, 5, 6), run.stdout + run.stderr
    info = python(ROOT / "cli.py", "info", tmp_path / "kites.h5", "--json")
    plugins = json.loads(info.stdout)["plugins"]
    for name in ("sensors:signal", "dynamics:kite", "schedulers:first-deadline", "schemes:constant", "tasks:drift"):
        assert len(plugins[f"twin.{name}"]) == 64


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("network.carriers.n78.scheduler=first-dedline", "did you mean 'first-deadline'?"),
        ("network.kind=pidgeon", "did you mean 'pigeon'?"),
        ("network.kind=pigeon network.flihgt=1", "unknown key; allowed: delay_budget, flight, kind"),
        ("robots.kite.task.kind=drift robots.kite.task.start=[1,2]", "robots.kite.task.start"),
    ],
)
def test_what_is_wrong_with_it_is_said_as_of_what_is_built_in(override, said):
    check = python(ROOT / "cli.py", "check", KITES, *(f"--set={one}" for one in override.split(" ")))
    assert check.returncode == 2
    assert said in " ".join((check.stdout + check.stderr).split())
