"""What controllers were given can be recorded: each sample of the sensors, value by value."""

from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.recording.reader import Recording

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")


@pytest.fixture
def record(command):
    def run(name, *changes):
        sets = [part for change in changes for part in ("--set", change)]
        code, out, err = command("run", PATROL, "-o", name, "--duration", "0.5 s", "-q", *sets)
        assert code in (0, 5, 6), err
        return Recording(name)

    return run


def test_samples_without_noise_are_the_truth_at_their_time(record):
    sensor = "robots.patrol.spec.sensors=[{kind = 'navigation', delay = '20 ms'}]"
    with record("a.h5", "robots.patrol.log_sensors=true", "robots.patrol.phase=0", sensor) as run:
        logs, times = run.logs(), run["state/time"][:]
        for node, robot in enumerate(run.robots):
            if robot.body >= 0:
                mine = logs[logs["node"] == node]
                ages = mine["value"][mine["name"] == "sensed.age"]
                sampled = mine["time"][mine["name"] == "sensed.age"] - np.rint(ages * NS).astype(int)
                found = [mine["value"][mine["name"] == f"sensed.position.{i}"] for i in range(3)]
                truth = run["state/position"][:, robot.body][np.searchsorted(times, sampled)]
                assert len(ages) == 26 and ages[1:] == pytest.approx(0.02), "at 0, 20, ..., 500 ms"
                assert np.array_equal(np.stack(found, axis=1), truth)


def test_it_changes_nothing_else_and_is_off_by_default(record):
    with record("a.h5") as a, record("b.h5", "robots.patrol.log_sensors=true") as b:
        assert not any(name.startswith("sensed.") for name in np.unique(a.logs()["name"]).tolist())
        assert a["state/position"][:].tobytes() == b["state/position"][:].tobytes()
        assert a.duration == b.duration == NS // 2 and len(b.logs()) > len(a.logs())
