"""Pacing by the wall clock: never early, late ticks counted, and said when it gets too much."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from twin.runs.pacing import RealTime

SCENARIO = Path(__file__).resolve().parents[2] / "tests/project/worlds/void/scenarios/height.toml"
MS = 1_000_000


@dataclass
class Tick:
    time: int


def arrivals(pacing, ticks, slow=lambda tick: 0.0):
    def frames():
        for n in range(ticks):
            time.sleep(slow(n))
            yield Tick(n * 5 * MS)

    return [(frame.time, time.monotonic()) for frame in pacing.paced(frames())]


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_no_frame_comes_before_its_time(speed):
    seen = arrivals(RealTime(speed), 30)[1:]
    (t0, w0) = seen[0]
    assert all(wall - w0 >= (t - t0) / 1e9 / speed - 1e-4 for t, wall in seen)


def test_a_slow_tick_is_a_missed_deadline_and_said_once():
    said = []
    pacing = RealTime(1.0, said.append)
    arrivals(pacing, 60, slow=lambda tick: 0.3 if tick in (10, 11) else 0.0)
    figures = pacing.figures()
    assert figures["ticks_paced"] == 58
    assert figures["deadline_misses"] >= 48, "0.6 s late: 48 ticks of 5 ms aren't enough to catch up by waiting less"
    assert figures["lateness_max"] > 0.55
    assert len(said) == 1 and "can't keep up" in said[0] and "at speed 1" in said[0]


def test_the_command_paces_and_reports(command):
    start = time.monotonic()
    arguments = (SCENARIO, "--duration", "0.5 s", "-o", "run.h5", "--real-time")
    code, out, err = command("run", *arguments, "--json")
    took = time.monotonic() - start
    figures = json.loads(out)
    assert code == 0, err
    assert took >= 0.49 and figures["ticks_paced"] == pytest.approx(499, abs=1)
    assert 0 <= figures["deadline_misses"] <= figures["ticks_paced"]
    assert figures["real_time_factor"] < 1.05
    code, out, err = command("run", *arguments, "--force", "--speed", "5000")
    assert code == 0 and "deadlines missed" in out, err


def test_speed_without_real_time_is_refused(command):
    code, out, err = command("run", SCENARIO, "--speed", "2")
    assert code == 2 and "--speed needs --real-time" in err
    code, out, err = command("run", SCENARIO, "--real-time", "--speed", "0")
    assert code == 2
