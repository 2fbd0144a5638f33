"""The drone's folder: its kind, controllers and failsafe, flown by its own physics."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import Failsafe, RobotSpec
from twin.sensors.make import make_sensor
from twin.sensors.setting import Setting
from twin.specs import HoverSpec
from twin.state import NEVER, Action, Commands, Observation, Sample, Truth
from twin.tasks import make_task

DRONE = Path(__file__).resolve().parents[2] / "agents/drone"
MS, S = 1_000_000, 1_000_000_000
FLOOR = "v -99 -99 0\nv 99 -99 0\nv 99 99 0\nv -99 99 0\nf 1 2 3\nf 1 3 4\n"


@pytest.fixture
def kind():
    return load_kind(DRONE)


@pytest.fixture
def spec(kind):
    return RobotSpec("drone", "patrol", 0, kind, make_task(HoverSpec(kind="hover", points=((0, 0, 10),)), 1))


@pytest.fixture
def guarded(spec):
    """Return the drone's failsafe with parameters of one's own."""

    def make(**table):
        fast = dict(command_timeout="200 ms", state_age="400 ms", hover_time="3 s", land_speed="0.7 m/s")
        mine = replace(spec, kind=spec.kind.model_copy(update={"failsafe_parameters": {**fast, **table}}))
        made = plugins.load_class(spec.kind.failsafe, Failsafe, DRONE).value()
        made.reset(mine, np.random.default_rng(0))
        return made

    return make


@pytest.fixture
def failsafe(guarded):
    return guarded()


@pytest.fixture
def flight(kind, tmp_path):
    """Return fly(decide, seconds, ...): a drone over a floor, seen through its noisy sensors."""
    worlds = []

    def fly(decide, seconds, position=(0.0, 0.0, 10.0)):
        (tmp_path / "floor.obj").write_text(FLOOR)
        dynamics = make_dynamics(kind.body.dynamics, kind.body.parameters, 1, DRONE)
        turn = np.array([[0.0, 0.0, 0.0, 1.0]])
        group = BodyGroup("patrol", kind.body, dynamics, np.array([position]), turn, ["drone"])
        physics = BulletPhysics(500, [group], tmp_path / "floor.obj")
        worlds.append(physics)
        sensor, row = make_sensor(Setting(["drone"], kind, dynamics, None, 1)), np.array([0])
        bodies, commands, states = physics.reset(), Commands({"patrol": np.zeros((1, 4))}), []
        for tick in range(round(seconds * 500)):
            if tick % 10 == 0:
                (sample,) = sensor.read(Truth(physics.clock.now, bodies), row, row)
                action = decide(Observation(physics.clock.now, "drone", sample))
                if action.command is not None:
                    commands.values["patrol"][0] = action.command
                states.append((physics.clock.now, bodies.position[0], bodies.velocity[0]))
            bodies, _ = physics.step(commands)
        return states, dynamics

    yield fly
    for physics in worlds:
        physics.close()


def sample(time, position=(0.0, 0.0, 10.0), velocity=(0.0, 0.0, 0.0)):
    values = {
        "position": position,
        "velocity": velocity,
        "orientation": (0, 0, 0, 1),
        "angular_velocity": (0, 0, 0),
    }
    return Sample(time, {name: np.array(value, dtype=float) for name, value in values.items()})


def watch(failsafe, time, heard=NEVER, answers=NEVER, **sensed):
    return failsafe.update(Observation(time, "drone", sample(time, **sensed), (), heard, answers))


def test_the_kind_says_what_its_command_is(kind):
    assert kind.body.vector("initial").tolist() == [0, 0, 0, 0]
    assert kind.body.vector("lower").tolist() == [-15, -15, -15, -np.inf]
    assert plugins.controllers(DRONE) == ["avoid", "deck", "formation", "hover", "keep_clear", "trajectory"]


def test_fresh_commands_keep_it_nominal(failsafe):
    for time in range(0, 10 * S, 20 * MS):
        assert watch(failsafe, time, time, time - 40 * MS) == "nominal"


def test_before_the_first_command_the_clock_runs_from_zero(failsafe):
    assert watch(failsafe, 200 * MS) == "nominal"
    assert watch(failsafe, 220 * MS) == "hover"


def test_silence_leads_to_hover_then_land_and_commands_lead_back_from_hover_only(failsafe):
    assert watch(failsafe, 1000 * MS, 1000 * MS, 1000 * MS) == "nominal"
    assert watch(failsafe, 1220 * MS, 1000 * MS, 1000 * MS) == "hover"
    assert watch(failsafe, 1300 * MS, 1300 * MS, 1290 * MS) == "nominal"
    assert watch(failsafe, 2000 * MS, 1300 * MS, 1290 * MS) == "hover"
    assert watch(failsafe, 4980 * MS, 1300 * MS, 1290 * MS) == "hover"
    assert watch(failsafe, 5000 * MS, 1300 * MS, 1290 * MS) == "land"
    assert watch(failsafe, 5020 * MS, 5020 * MS, 5020 * MS) == "land"


def test_a_command_that_answers_an_old_state_counts_as_none(failsafe):
    assert watch(failsafe, 5 * S, 5 * S, 5 * S - 400 * MS) == "nominal"
    assert watch(failsafe, 5 * S, 5 * S, 5 * S - 401 * MS) == "hover"


def test_touchdown_is_standing_still_on_the_way_down_for_a_while(failsafe):
    watch(failsafe, 1 * S)
    assert watch(failsafe, 4 * S) == "land"
    for time in range(4 * S, 9 * S, 20 * MS):
        assert watch(failsafe, time, velocity=(0, 0, -0.7)) == "land"
    assert watch(failsafe, 9 * S + 960 * MS) == "land"
    assert watch(failsafe, 10 * S) == "landed"
    assert watch(failsafe, 11 * S, 11 * S, 11 * S) == "landed"


def test_a_wrong_parameter_of_the_failsafe_is_refused(failsafe, spec):
    for table in ({"hover_tim": "1 s"}, {"land_speed": "-1 m/s"}):
        bad = replace(spec, kind=spec.kind.model_copy(update={"failsafe_parameters": table}))
        with pytest.raises(ScenarioError, match=f"failsafe_parameters.{next(iter(table))}"):
            failsafe.reset(bad, np.random.default_rng(0))


def test_a_drone_left_alone_at_speed_brakes_holds_lands_and_stops_its_rotors(failsafe, flight):
    modes, link_dies = [], 2 * S

    def decide(observation):
        heard = min(observation.time, link_dies)
        modes.append(failsafe.update(replace(observation, heard=heard, answers=heard)))
        if modes[-1] != "nominal":
            return failsafe.act(observation)
        return Action(np.array([3.0, 0.0, 0.0, 0.0]))  # the edge flies it eastwards, up to some 6 m/s

    states, dynamics = flight(decide, 40)
    by_time = {time: (position, velocity) for time, position, velocity in states}
    assert list(dict.fromkeys(modes)) == ["nominal", "hover", "land", "landed"]
    held, motion = by_time[5 * S]
    assert np.linalg.norm(motion) < 1.0
    assert abs(held[2] - 10.0) < 1.0
    down, still = by_time[39 * S]
    assert down[2] < 0.15 and np.linalg.norm(still) < 0.01
    assert np.linalg.norm((down - held)[:2]) < 3.0
    assert dynamics.rotor_speed.max() < 1e-3


@pytest.mark.parametrize("action", ["hold", "return", "land"])
def test_a_drone_whose_link_dies_does_as_configured(guarded, flight, action):
    failsafe = guarded(link_loss=action, return_height="12 m")
    link_dies = 4 * S

    def decide(observation):
        heard = min(observation.time, link_dies)
        if failsafe.update(replace(observation, heard=heard, answers=heard)) != "nominal":
            return failsafe.act(observation)
        return Action(np.array([3.0, 0.0, 0.0, 0.0]))

    states, dynamics = flight(decide, {"hold": 25, "return": 60, "land": 30}[action])
    places = {time: position for time, position, _ in states}
    left, last = places[link_dies], states[-1][1]
    assert left[0] > 15.0  # the edge had flown it away from home
    aside, velocity = np.hypot(*last[:2]), states[-1][2]
    if action == "hold":
        rested = places[12 * S]
        assert failsafe.mode == "hover" and np.linalg.norm(last - rested) < 0.5
        assert abs(last[2] - left[2]) < 1.5
    else:
        assert failsafe.mode == "landed" and last[2] < 0.15 and dynamics.rotor_speed.max() < 1.0
        assert np.linalg.norm(velocity) < 0.01
        assert aside < 0.6 if action == "return" else aside > 15.0
    highest = max(position[2] for time, position, _ in states if time > link_dies)
    assert (highest > 21.0) == (action == "return")  # 12 m over home, which was at 10 m


def test_a_drone_comes_home_on_what_its_battery_keeps_for_that(guarded, flight, kind):
    small = {**kind.body.parameters["battery"], "energy": 9000.0}
    kind.body.parameters["battery"] = small
    failsafe = guarded(reserve=0.15, return_height="8 m")
    modes, left = [], []

    def decide(observation):
        now, position, velocity = observation.time, observation.sensed["position"], observation.sensed["velocity"]
        modes.append(failsafe.update(replace(observation, heard=now, answers=now)))
        left.append(float(observation.sensed["state_of_charge"][0]))
        if modes[-1] != "nominal":
            return failsafe.act(observation)
        return Action(np.array([2.0, 0.0, 8.0 - position[2] - 2.0 * velocity[2], 0.0]))  # on and on eastwards

    states, dynamics = flight(decide, 75, position=(0.0, 0.0, 0.2))
    assert list(dict.fromkeys(modes)) == ["nominal", "battery return", "land", "landed"]
    turned, landing, down = (modes.index(mode) for mode in ("battery return", "land", "landed"))
    assert states[turned][1][0] > 30.0
    assert np.hypot(*states[-1][1][:2]) < 0.6 and states[-1][1][2] < 0.15
    # Drag takes a tenth of the speed that it means to have: three of some thirty seconds.
    power = dynamics.used[0] / (states[down][0] / S)
    assert left[down] == pytest.approx(0.15, abs=3.0 * power / 9000.0)
    assert left[landing] > left[down] > 0.0


def test_home_is_farther_on_a_weaker_battery(guarded):
    """What is needed is the mean power so far times the way at its speed, the descent, and the reserve."""
    failsafe = guarded(reserve=0.1, return_height="10 m", return_speed="5 m/s", land_speed="1 m/s")
    capacity, used, now = failsafe.capacity, 150.0 * 100, 100 * S

    def mode(charge, away):
        failsafe.mode = "nominal"
        seen = sample(now, position=(away, 0.0, 10.0))
        battery = {"state_of_charge": np.array([charge]), "energy_used": np.array([used])}
        seen = replace(seen, values={**seen.values, **battery})
        return failsafe.update(Observation(now, "drone", seen, (), now, now))

    start = sample(0)
    failsafe.update(Observation(0, "drone", start, (), 0, 0))
    for away in (0.0, 100.0, 400.0):
        seconds = away / 5 + 10 / 5 + 10 / 1 + 2 * 2 + 1  # over ground, up 10 m, down 10 m; 2 kd/kp, touchdown_time
        needed = 0.1 + 150.0 * seconds / capacity
        assert mode(needed + 1e-6, away) == "nominal"
        assert mode(needed - 1e-6, away) == "battery return"


def test_hover_stays_where_the_first_sample_found_it(kind, spec, flight):
    controller = plugins.load_controller("hover", DRONE).value()
    controller.reset(replace(spec, task=None), np.random.default_rng(0))
    states, _ = flight(controller.act, 10, position=(3.0, -4.0, 12.0))
    noise = kind.sensors[0].noise.position
    late = np.array([position for time, position, _ in states if time > 5 * S])
    assert np.abs(late - [3.0, -4.0, 12.0]).max() < 5 * noise


def test_trajectory_without_a_task_is_refused(spec):
    controller = plugins.load_controller("trajectory", DRONE).value()
    with pytest.raises(ScenarioError, match="drone.*task"):
        controller.reset(replace(spec, task=None), np.random.default_rng(0))


def test_trajectory_limits_tilt_and_size_and_logs_it(spec):
    controller = plugins.load_controller("trajectory", DRONE).value()
    limits = controller.Parameters(max_tilt="30 deg", max_acceleration=6.0)
    controller.reset(replace(spec, parameters=limits), np.random.default_rng(0))
    act = controller.act(Observation(0, "drone", sample(0, position=(100.0, 0.0, 10.0))))
    x, y, z, _ = act.command
    assert x == pytest.approx(-9.81 * np.tan(np.pi / 6)) and y == z == 0.0
    assert act.log == {"error": 100.0, "limited": 1.0}
    act = controller.act(Observation(0, "drone", sample(0, position=(0.0, 0.0, -90.0))))
    assert act.command[:3].tolist() == [0.0, 0.0, 6.0]
    assert controller.act(Observation(0, "drone", None)).command is None


def test_base_stations_and_drones_are_kinds_of_their_own():
    for name in ("drone", "base_station"):
        kind = load_kind(DRONE.parent / name)
        assert plugins.load_object(kind.agent, DRONE.parent / name).value.__name__ == name.title().replace("_", "")
        assert len(kind.radios) == 1
