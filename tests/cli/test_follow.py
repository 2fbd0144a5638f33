"""`twin follow`: a run is seen while it is written, and its end is told."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLYER = ROOT / "tests/recording/flyer.py"


@pytest.fixture
def flying(tmp_path):
    """Fly for some seconds in real time, in a process of its own."""
    started = []

    def fly(seconds):
        line = [sys.executable, str(FLYER), "run.h5", "ticks", str(seconds), "1", "3"]
        process = subprocess.Popen(line, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=-1)
        started.append(process)
        assert process.stdout.readline() == b"started\n"
        return process

    yield fly
    for process in started:
        process.kill()
        process.wait()


def test_it_shows_all_of_a_run_and_ends_with_it(command, flying):
    begin = time.monotonic()
    flying(3)
    code, out, err = command("follow", "run.h5", "--every", "0.2", "--json")
    looks = [json.loads(line) for line in out.splitlines()]
    assert code == 0, err
    assert len(looks) >= 3 and time.monotonic() - begin < 20
    assert [look["time"] for look in looks] == sorted({look["time"] for look in looks})
    assert looks[-1]["time"] == 3.0
    assert sum(look["delivered"] for look in looks) == 3 * 301, "each packet is told of once"
    assert [event["time"] for look in looks for event in look["events"]] == [i / 10 for i in range(31)]


def test_a_killed_run_is_told(command, flying):
    process = flying(60)
    time.sleep(1.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    code, out, err = command("follow", "run.h5")
    assert code == 3 and "incomplete: the run was killed" in out and "contact  robot0  at tick 0" in out


def test_of_a_finished_run_it_shows_all_at_once(command):
    scenario = ROOT / "tests/project/worlds/void/scenarios/height.toml"
    command("run", scenario, "-o", "run.h5", "-q", "--duration", "0.5 s")
    code, out, err = command("follow", "run.h5")
    assert code == 0 and out.splitlines()[-1] == "complete" and "404 packets, 0 lost" in out
