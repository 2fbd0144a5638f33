"""Drones in formation: by what the edge knows of their leader, and by the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.errors import ScenarioError
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.specs import FormationSpec
from twin.state import Observation, Sample
from twin.tasks import make_task

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = "worlds/city/scenarios/formation.toml"
MS = NS // 1000


@pytest.fixture
def pair():
    """A leader and its follower, 3 m behind and 4 m to the left."""
    way = ((0, 0, 20), (60, 0, 20), (60, 60, 20))
    task = make_task(FormationSpec(kind="formation", waypoints=way, speed=5.0, offsets=((-3, 4, 0),)), 2)
    kind = load_kind(ROOT / "agents/drone")
    loaded = plugins.load_controller("formation", ROOT / "agents/drone").value
    made = [loaded(), loaded()]
    for row, controller in enumerate(made):
        controller.reset(RobotSpec(f"w-{row}", "w", row, kind, task), np.random.default_rng(0))
    loaded.meet(made)
    return made, task


def sample(time, position, velocity=(0.0, 0.0, 0.0), heading=0.0, rate=0.0):
    turn = (0, 0, np.sin(heading / 2), np.cos(heading / 2))
    values = {"position": position, "velocity": velocity, "orientation": turn, "angular_velocity": (0, 0, rate)}
    return Sample(time, {name: np.array(value, dtype=float) for name, value in values.items()})


def test_the_follower_stays_with_a_leader_that_is_off_the_plan(pair):
    (leader, follower), task = pair
    now = 10 * NS
    assert follower.reference(Observation(now, "w-1", sample(now, (0, 0, 0)))).position == pytest.approx(
        task.reference(1, 10.0).position
    ), "nobody has heard of the leader"
    leader.reference(Observation(now, "w-0", sample(now, (7, 8, 30), (2, 0, 0), np.pi / 2, 0.5)))
    goal = follower.reference(Observation(now, "w-1", sample(now, (0, 0, 0))))
    assert goal.position == pytest.approx([7 - 4, 8 - 3, 30])  # behind is south, left is west
    assert goal.velocity == pytest.approx(np.array([2, 0, 0]) + np.cross([0, 0, 0.5], [-4, -3, 0]))


def test_the_leader_is_taken_to_the_instant_of_the_follower_s_own_sample(pair):
    (leader, follower), _ = pair
    now = 10 * NS
    leader.reference(Observation(now, "w-0", sample(now - 60 * MS, (7, 8, 30), (5, 0, 0))))
    for age in (0, 40, 80):
        goal = follower.reference(Observation(now, "w-1", sample(now - age * MS, (0, 0, 0))))
        assert goal.position == pytest.approx([7 + 5e-3 * (60 - age) - 3, 8 + 4, 30])


def test_another_task_is_refused(pair):
    (leader, _), task = pair
    spec = replace(leader.spec, task=None)
    with pytest.raises(ScenarioError, match="w-0"):
        type(leader)().reset(spec, np.random.default_rng(0))


@pytest.mark.parametrize("controller", ["formation", "trajectory"])
def test_the_wedge_holds_over_a_network_of_20_ms(stage, figures, controller):
    summary, _ = figures(stage(SCENARIO, "network.kind=fixed", f"robots.wedge.controller={controller}"), 6)
    assert summary["formation_error_max"] < 1.0 and summary["separation_min"] > 2.5
    assert summary["failsafes"] == summary["collisions"] == 0
