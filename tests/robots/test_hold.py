"""What becomes of a remote command that no further one follows."""

from pathlib import Path

import numpy as np
import pytest

from twin.assembly.build import build
from twin.errors import ScenarioError
from twin.project.project import Project
from twin.project.robots import load_kind
from twin.specs.scenario import load_scenario
from twin.state import COMMAND, Packet

FILE = Path(__file__).resolve().parents[1] / "project/worlds/void/scenarios/height.toml"
MS = 10**6


@pytest.fixture
def due():
    """Return make(*overrides): the two balls of a scenario, whose control tick it is."""
    made = []

    def make(*overrides):
        scenario, _ = load_scenario(FILE, overrides)
        made.append(build(scenario, Project.around(FILE)))
        made[-1].twin.reset()
        return made[-1].twin.groups[0].due(0)

    yield make
    for built in made:
        built.close()


def command(due, arrived, stamp):
    robot = due.robots[0]
    robot.inbox.append(Packet(1, robot.node, COMMAND, 0, 60, stamp, stamp, np.array([1.0, 2.0, 3.0]), arrived=arrived))


def told(due, time):
    decisions = due.act(time)
    return decisions.commands.tolist(), [(event.kind, event.robot) for event in decisions.events]


def test_a_command_is_held_for_ever_unless_its_robot_says_otherwise(due):
    balls = due()
    command(balls, 10 * MS, 5 * MS)
    assert told(balls, 10 * MS) == ([[1.0, 2.0, 3.0]], [])
    assert told(balls, 10**12) == ([], [])


def test_after_its_time_a_command_is_zero_once_until_the_next_one(due):
    alone = ("robots.ball.count=1", "robots.ball.positions=[[0, 0, 501]]")
    balls = due('robots.ball.spec.hold={after = "50 ms", then = "zero"}', *alone)
    command(balls, 1000 * MS, 995 * MS)
    assert told(balls, 1000 * MS) == ([[1.0, 2.0, 3.0]], [])
    assert told(balls, 1045 * MS) == ([], [])
    assert told(balls, 1050 * MS) == ([[0.0, 0.0, 0.0]], [("zeroed", "ball")])
    assert told(balls, 1100 * MS) == ([], [])
    command(balls, 1105 * MS, 1100 * MS)
    assert told(balls, 1105 * MS) == ([[1.0, 2.0, 3.0]], [])
    assert told(balls, 1155 * MS) == ([[0.0, 0.0, 0.0]], [("zeroed", "ball")])


def test_a_failsafe_takes_over_by_the_same_time_and_must_be_there(due):
    with pytest.raises(ScenarioError, match='hold.then: found "failsafe", but this robot has none'):
        due('robots.ball.spec.hold={after = "50 ms", then = "failsafe"}')
    folder = Path(__file__).resolve().parents[2] / "agents/drone"
    kind = load_kind(folder, {"hold": {"after": "80 ms", "then": "failsafe"}})
    assert kind.failsafe_parameters["command_timeout"] == "80 ms"
