"""What can't work is refused before it moves, and what no force here is meant for is told."""

from pathlib import Path

import numpy as np
import pytest

from twin.errors import RunError, ScenarioError
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.checks import FASTEST, holds
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.state import Commands

ROOT = Path(__file__).resolve().parents[2]


def group(name, places, override=None):
    body = load_kind(ROOT / "agents" / name, override).body
    dynamics = make_dynamics(body.dynamics, body.parameters, len(places), ROOT, body.urdf)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (len(places), 1))
    return BodyGroup(name, body, dynamics, np.array(places), turn, [f"{name}-{i}" for i in range(len(places))])


def physics(rate, *groups):
    return BulletPhysics(rate, list(groups))


@pytest.mark.parametrize("midway", [False, True])
@pytest.mark.parametrize("damped", [0.1, 1.0])
def test_a_loop_is_held_just_as_long_as_its_steps_stay_bounded(midway, damped):
    """Marched by hand: the limit that `holds` finds by eigenvalues is where the motion begins to grow."""

    def grows(w):
        x, v, a = 1.0, 0.0, 0.0
        for _ in range(4000):
            here, speed = (x + 0.5 * v + 0.125 * a, v + 0.5 * a) if midway else (x, v)
            a = -w * w * here - 2 * damped * w * speed
            x, v = (x + v + 0.5 * a, v + a) if midway else (x + v + a, v + a)
            if abs(x) > 1e3:
                return True
        return False

    limit = next(w for w in np.arange(0.02, 3.0, 0.02) if not holds(w * w, 2 * damped * w, 1.0, midway=midway))
    assert not grows(limit - 0.04) and grows(limit + 0.04)


def test_a_gain_beyond_what_the_step_can_hold_is_refused_with_the_rate_that_holds_it():
    stiff = {"body": {"parameters": {"rate_gain": [400.0, 20.0, 8.0]}}}
    words = r"roll loop of 3200 1/s2 and 400 1/s.*steps of 5 ms.*physics at \d+ Hz"
    with pytest.raises(ScenarioError, match=words) as e:
        physics(200, group("drone", [[0.0, 0.0, 5.0]], stiff)).reset()
    enough = int(str(e.value).split("physics at ")[1].split(" Hz")[0])
    physics(enough, group("drone", [[0.0, 0.0, 5.0]], stiff)).reset()
    fast = {"body": {"parameters": {"bandwidth": "40 Hz"}}}
    with pytest.raises(ScenarioError, match="position loop"):
        physics(200, group("kuka", [[0.0, 0.0, 0.0]], fast)).reset()


def test_drones_that_start_inside_of_each_other_are_refused():
    with pytest.raises(ScenarioError, match=r"drone-0 and drone-1 start 0\.\d+ m inside of each other"):
        physics(500, group("drone", [[0.0, 0.0, 5.0], [0.1, 0.0, 5.0]])).reset()
    physics(500, group("drone", [[0.0, 0.0, 5.0], [2.0, 0.0, 5.0]])).reset()


def test_an_arm_on_a_free_base_is_refused():
    with pytest.raises(ScenarioError, match="found a free base under dynamics 'manipulator'.*allowed: `fixed = true`"):
        physics(500, group("kuka", [[0.0, 0.0, 0.0]], {"body": {"fixed": False}}))


def test_what_is_shot_away_is_told_once_and_ends_the_run_off_the_map():
    """1 MN on a part: faster than sound within a tick or two, and off any local map in seconds."""
    command = [{"name": "f", "size": 3, "unit": "N"}]
    shot = {"without": ["body.parameters"], "body": {"dynamics": "force", "command": command}}
    world = physics(500, group("part", [[0.0, 0.0, 5.0]], shot))
    world.reset()
    push, events = Commands({"part": np.array([[1e6, 0.0, 0.0]])}), []
    with pytest.raises(RunError, match="part-0 is more than 1000 km from the origin"):
        for _ in range(2000):
            events += world.step(push)[1]
    told = [event for event in events if event.kind == "too fast"]
    assert len(told) == 1 and told[0].value > FASTEST and told[0].robot == "part-0"
