"""Mobile robots in a run: rounds, right of way, charging, protective stop, and the same again bit for bit."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from twin.clock import NS

FLEET = "worlds/factory/scenarios/amr-fleet.toml"
LOOP = """schema = 1
world = "factory"
duration = "60 s"
[network]
kind = "fixed"
delay = "10 ms"
[robots.amr]
kind = "{kind}"
count = 2
{more}
[robots.amr.task]
kind = "rounds"
dwell = "1 s"
chargers = ["c"]
lanes = [[[0, -1], [6, -1], [6, 1], [0, 1], [0, -1]]]
places = {{ a = [0, -1], b = [6, -1], c = [6, 1] }}
rounds = [["a", "b"], ["b", "a"]]
[robots.edge]
kind = "edge"
"""


@pytest.fixture
def loop(tmp_path, stage):
    """Two robots on a small loop of the factory, with more lines for them."""

    def make(kind="amr", more="", *overrides):
        (tmp_path / "loop.toml").write_text(LOOP.format(kind=kind, more=more))
        return stage(str(tmp_path / "loop.toml"), *overrides)

    return make


@pytest.mark.parametrize("kind", ["amr", "mecanum"])
def test_two_robots_go_round_without_meeting(loop, figures, kind):
    summary, last = figures(loop(kind), 25)
    assert summary["missions"] >= 2 and summary["safety_stops"] == summary["collisions"] == 0
    assert summary["separation_min"] > 1.1, "the clearance"
    assert summary["lane_error_max"] < 0.1
    assert last.bodies.position[:, 2] == pytest.approx(0.2, abs=0.005), "they stay on the floor"


def test_with_little_charge_a_robot_is_sent_to_a_charger_and_goes_on_when_it_is_full(loop):
    battery = "[robots.amr.spec.body.parameters.battery]\nenergy = '10 kJ'\ncharge = 0.15\ncharger = 2000.0"
    built = loop("amr", battery)
    charge = {node: [] for node, robot in enumerate(built.nodes) if robot.group == "amr"}
    for frame in built.twin.frames(45 * NS):
        for _, node, name, value in frame.logs:
            if name == "state_of_charge":
                charge[node].append(value)
    full = [node for node, values in charge.items() if min(values) < 0.2 and max(values) > 0.85]  # to 90 %
    assert full, "there is one charger, and time for one robot at least"
    assert charge[full[0]][-1] < max(charge[full[0]])
    assert np.hypot(*(frame.bodies.position[built.nodes[full[0]].body, :2] - (6.0, 1.0))) > 1.0, "it went on"


def test_without_commands_all_come_to_rest_and_stay_there(loop, figures):
    _, last = figures(loop("amr", "", "network.loss=1.0"), 3)
    assert [mode for mode, node in zip(last.modes, loop("amr").nodes, strict=True) if node.body >= 0] == ["hold"] * 2
    assert np.abs(last.bodies.velocity).max() < 1e-6


STRAIGHT = """
import numpy as np
from twin.state import Action

class Straight:
    runs_on = "onboard"
    def reset(self, spec, rng):
        pass
    def act(self, observation):
        return Action(np.array([1.2, 0.0]))
"""
TWO = """schema = 1
world = "factory"
duration = "20 s"
[robots.amr]
kind = "amr"
positions = [[0, 0, 0]]
controller = "./straight.py:Straight"
[robots.box]
kind = "mecanum"
positions = [[6, 0.1, 0]]
controller = "./straight.py:Still"
"""


def test_a_robot_stops_for_another_one_even_if_its_own_computer_drives_on(tmp_path, stage, monkeypatch):
    monkeypatch.chdir(tmp_path)
    still = STRAIGHT.replace("Straight", "Still").replace("[1.2, 0.0]", "[0.0, 0.0, 0.0]")
    (tmp_path / "straight.py").write_text(STRAIGHT + still)
    (tmp_path / "two.toml").write_text(TWO)
    frames = list(stage(str(tmp_path / "two.toml")).twin.frames(9 * NS))
    assert not [e for f in frames for e in f.events if e.kind == "contact"]
    assert any(e.detail.endswith("to stopped") for f in frames for e in f.events)
    gap = frames[-1].bodies.position[1, 0] - frames[-1].bodies.position[0, 0] - 0.9  # half of both lengths
    # The field ends 10 cm before the other one; less is left after a scan, and after each new start.
    assert 0.0 < gap < 0.35
    assert frames[-1].modes[0] == "stopped", "it still sees it"


def test_a_robot_that_stands_before_something_blocks_its_lane_and_the_others_go_round(tmp_path, stage, monkeypatch):
    """A box stands on the straight lane: the first robot stops before it, the second one takes the other lane."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "still.py").write_text(STRAIGHT.replace("Straight", "Still").replace("[1.2, 0.0]", "[0.0, 0.0, 0.0]"))
    lanes = "[[[0, 0], [8, 0], [8, -2], [-4, -2], [-4, 0], [0, 0]], [[0, 0], [2, 2], [6, 2], [8, 0]]]"
    (tmp_path / "blocked.toml").write_text(f"""schema = 1
world = "factory"
duration = "60 s"
[robots.amr]
kind = "amr"
count = 2
parameters = {{ patience = "3 s" }}
[robots.amr.task]
kind = "rounds"
dwell = "0 s"
lanes = {lanes}
places = {{ a = [0, 0], b = [8, 0], c = [-4, 0], d = [8, -2] }}
rounds = [["a", "b"], ["c", "d"]]
[robots.box]
kind = "mecanum"
positions = [[4.5, 0, 0]]
controller = "./still.py:Still"
[robots.edge]
kind = "edge"
""")
    built = stage(str(tmp_path / "blocked.toml"))
    events, detours = [], 0
    for frame in built.twin.frames(24 * NS):
        events += frame.events
        detours = max([detours, *(value for _, _, name, value in frame.logs if name == "detours")])
    robots = {node.name: node for node in built.nodes}
    place = frame.bodies.position[robots["amr-1"].body]
    assert frame.modes[built.nodes.index(robots["amr-0"])] == "stopped"
    assert detours == 1 and place[0] > 7.0, "it came by"
    assert not [event for event in events if event.kind == "contact"]


@pytest.mark.parametrize("scenario", [FLEET, "worlds/factory/scenarios/mixed.toml"])
def test_the_same_again_bit_for_bit(stage, scenario):
    seen = set()
    for _ in range(2):
        state = hashlib.sha256()
        for frame in stage(scenario).twin.frames(NS // 5):
            for array in (frame.bodies.position, frame.bodies.velocity, *frame.commands.values()):
                state.update(array.tobytes())
            state.update(repr((frame.logs, frame.events, [(p.created, p.arrived) for p in frame.packets])).encode())
        seen.add(state.hexdigest())
    assert len(seen) == 1
