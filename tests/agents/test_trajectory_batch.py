"""One call for all drones gives each the numbers of its own call."""

from pathlib import Path

import numpy as np
import pytest

from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.robots.decisions import decide
from twin.specs import RouteSpec
from twin.state import Observation, Sample
from twin.tasks import make_task

DRONE = Path(__file__).resolve().parents[2] / "agents/drone"
WAYPOINTS = [[0, 0, 10], [20, 5, 12], [0, 9, 8]]


@pytest.mark.parametrize("blind", [False, True])
def test_a_batch_is_each_ones_own_answer(blind):
    kind = load_kind(DRONE)
    trajectory = plugins.load_class("controllers/trajectory.py:Trajectory", object, DRONE).value
    task = make_task(RouteSpec(kind="route", waypoints=WAYPOINTS, speed="4 m/s"), 3)
    rng = np.random.default_rng(5)

    def made():
        found = [trajectory() for _ in range(3)]
        for row, controller in enumerate(found):
            controller.reset(RobotSpec(f"d{row}", "d", row, kind, task), rng)
        return found

    alone, together = made(), made()
    for tick in range(5):
        time = tick * 20_000_000
        samples = [Sample(time, {"position": rng.normal(size=3) * 5, "velocity": rng.normal(size=3)}) for _ in range(3)]
        if blind:
            samples[1] = None
        seen = [Observation(time, f"d{row}", sample, (), 0, 0) for row, sample in enumerate(samples)]
        wanted = [controller.act(o) for controller, o in zip(alone, seen, strict=True)]
        found = decide(together, seen)
        for one, other in zip(wanted, found, strict=True):
            assert (one.command is None) == (other.command is None)
            assert one.command is None or one.command.tobytes() == other.command.tobytes()
            assert one.log == other.log
        assert [c.integral.tobytes() for c in alone] == [c.integral.tobytes() for c in together]
