"""`twin follow`: a run is seen while it is written, and its end is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin.analysis.follow import Follower
from twin.clock import NS
from twin.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[2]
FLYER = ROOT / "tests/recording/flyer.py"


@pytest.fixture
def flying(tmp_path):
    """Fly for three seconds in a process of its own, that waits for a line after each."""
    started = []

    def fly():
        line = [sys.executable, str(FLYER), "run.h5", "ticks", "3", "0", "3"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FLYER_WAITS": "1"}
        process = subprocess.Popen(line, cwd=tmp_path, env=environment, stdin=-1, stdout=-1)
        started.append(process)
        assert process.stdout.readline() == b"started\n"
        return process

    yield fly
    for process in started:
        process.kill()
        process.wait()


def on(process):
    process.stdin.write(b"\n")
    process.stdin.flush()


def looks_until(follower, time):
    """All that is told until a time [s] is committed."""
    looks = []
    while not looks or looks[-1].time < time:
        if (look := follower.look()) is not None:
            looks.append(look)
    return looks


def test_each_look_tells_only_of_what_is_new(flying, tmp_path):
    process = flying()
    with Recording(tmp_path / "run.h5") as recording:
        follower, looks = Follower(recording), []
        for second in (1, 2, 3):
            on(process)
            looks += looks_until(follower, second - 0.01)
            assert follower.look() is None and looks[-1].time == second - 0.01
        on(process)
        looks += looks_until(follower, 3.0)
    assert len(looks) >= 4
    assert sum(look.delivered for look in looks) == 3 * 301, "each packet is told of once"
    assert [event.time for look in looks for event in look.events] == [i * NS // 10 for i in range(31)]


def test_it_shows_all_of_a_run_and_ends_with_it(command, flying):
    process = flying()
    for _ in range(4):
        on(process)
    code, out, err = command("follow", "run.h5", "--every", "0.2", "--json")
    looks = [json.loads(line) for line in out.splitlines()]
    assert code == 0, err
    assert looks[-1]["time"] == 3.0 and sum(look["delivered"] for look in looks) == 3 * 301


def test_a_killed_run_is_told(command, flying, tmp_path):
    process = flying()
    on(process)
    with Recording(tmp_path / "run.h5") as recording:
        looks_until(Follower(recording), 0.99)
    process.kill()
    process.wait()
    code, out, err = command("follow", "run.h5")
    assert code == 3 and "incomplete: the run was killed" in out and "contact  robot0  at tick 0" in out


def test_of_a_finished_run_it_shows_all_at_once(command):
    scenario = ROOT / "tests/project/worlds/void/scenarios/height.toml"
    command("run", scenario, "-o", "run.h5", "-q", "--duration", "0.5 s")
    code, out, err = command("follow", "run.h5")
    assert code == 0 and out.splitlines()[-1] == "complete" and "404 packets, 0 lost" in out
