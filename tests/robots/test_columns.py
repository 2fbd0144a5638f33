"""What robots sense, decide and log by columns is, to the bit, what each would alone."""

from pathlib import Path

import numpy as np
import pytest

from twin.assembly.build import build
from twin.errors import RunError
from twin.project.project import Project
from twin.robots import group as groups
from twin.robots.decisions import calm, decide, decided
from twin.specs.scenario import load_scenario
from twin.state import NOMINAL, Actions, Observation

VOID = Path(__file__).resolve().parents[1] / "project/worlds/void/scenarios/height.toml"

DRONES = """
schema = 1
world = "void"
duration = "1 s"
[rates]
physics = "100 Hz"
channel = "1 Hz"
[robots.drones]
kind = "drone"
count = 3
{where}
positions = [[0, 0, 10], [4, 0, 10], [8, 0, 10]]
task = {{ kind = "route", waypoints = [[0, 0, 10], [9, 5, 12], [0, 9, 8]], speed = "4 m/s" }}
"""


class OneByOne:
    """A sensor whose samples are made one by one."""

    def __init__(self, sensor):
        self.sensor = sensor

    def read(self, truth, index, rows):
        return list(self.sensor.read(truth, index, rows))


def told(built, seconds=0.5):
    """Return all that a run says of its robots, frame by frame."""
    return [
        (frame.bodies.position.tobytes(), {name: held.tobytes() for name, held in frame.commands.items()},
         list(frame.logs), list(frame.events), list(frame.modes))
        for frame in built.twin.frames(round(seconds * 1e9))
    ]  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """Return made(where): the drones, not started yet."""
    found = []

    def make(where):
        path = tmp_path / "drones.toml"
        path.write_text(DRONES.format(where=where) + ("" if where else '[robots.edge]\nkind = "edge"\n'))
        found.append(build(load_scenario(path)[0], Project.around(VOID)))
        return found[-1]

    yield make
    for built in found:
        built.close()


@pytest.mark.parametrize("where", ['runs_on = "onboard"', ""])
def test_a_flight_is_the_same_one_by_one(made, monkeypatch, where):
    together = told(made(where))
    assert together[0] != together[-1] and (not where or together[-1][2]), "they fly, and what decides on board logs"
    monkeypatch.setattr(groups, "decided", decide)
    monkeypatch.setattr(groups, "calm", lambda failsafes, observations: [False] * len(failsafes))
    alone = made(where)
    for group in alone.twin.groups:
        group.sensor = OneByOne(group.sensor)
    assert told(alone) == together


@pytest.mark.parametrize(
    "actions",
    [
        Actions(np.zeros((2, 4))),
        Actions(np.zeros((3, 4)), {"error": np.zeros(2)}),
        Actions(np.zeros((3, 4)), {"error": np.zeros((3, 1))}),
        Actions(np.zeros((3, 4)), {"error": 1.0}),
    ],
)
def test_columns_of_another_length_are_refused(actions):
    class Wrong:
        act_batch = staticmethod(lambda controllers, observations: actions)

    with pytest.raises(RunError, match="Wrong must return 3 commands, and as many numbers for each name"):
        decided([Wrong()] * 3, [Observation(0, "drone", None)] * 3)


def test_a_list_of_numbers_is_a_column():
    class Lists:
        act_batch = staticmethod(lambda controllers, observations: Actions(np.zeros((2, 4)), {"error": [1, 2]}))

    assert decided([Lists()] * 2, [Observation(0, "drone", None)] * 2).log["error"].tolist() == [1.0, 2.0]


def test_who_replaces_update_is_asked_one_by_one():
    """`calm` speaks for the `update` beside it, not for that of a class that derives from it."""

    class Watch:
        calm = staticmethod(lambda failsafes, observations: [True] * len(failsafes))

        def update(self, observation):
            return NOMINAL

    class Stricter(Watch):
        def update(self, observation):
            return "stopped"

    class Same(Watch):
        pass

    seen = [Observation(0, "drone", None)]
    assert calm([Watch()], seen) == calm([Same()], seen) == [True] and calm([Stricter()], seen) == [False]


def test_an_answer_for_too_few_is_refused():
    class Forgetful:
        calm = staticmethod(lambda failsafes, observations: [True])

    with pytest.raises(RunError, match="Forgetful.calm must answer for 2 robots, found 1"):
        calm([Forgetful()] * 2, [Observation(0, "drone", None)] * 2)
