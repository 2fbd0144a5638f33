"""Bad input of floating bodies and their moorings, and the buoys' controllers."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.errors import ScenarioError, WorldError
from twin.physics.dynamics.hull import waterplane
from twin.physics.dynamics.make import make_dynamics
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.specs.environment import EnvironmentSpec
from twin.specs.scenario import Scenario, load_scenario
from twin.state import Observation, Sample
from twin.world.environment import Environment
from twin.world.sea import Seaway

ROOT = Path(__file__).resolve().parents[2]
STATION = "worlds/harbour/scenarios/station.toml"
LINE = "robots.guard.spec.body.parameters.mooring=[{{anchor=[40.0, 0.0], length={length}, weight=5.0}}]"


def controller(kind, name, **parameters):
    folder = ROOT / "agents" / kind
    made = plugins.load_controller(name, folder).value
    spec = RobotSpec("b", "b", 0, load_kind(folder), None, made.Parameters(**parameters))
    ready = made()
    ready.reset(spec, np.random.default_rng(0))
    return ready


def heaving(time, height, speed):
    values = {"position": np.array([0.0, 0.0, height]), "velocity": np.array([0.0, 0.0, speed])}
    return Observation(time, "b", Sample(time, values))


RUNS = [("array", "buoy-49"), ("buoy-relay", "buoy-6"), ("drone-on-deck", "deck"), ("station", "guard-2"),
        ("wave-energy", "harvester-3")]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), RUNS)
def test_the_scenarios_of_the_harbour_run_twice_alike_and_their_bodies_float(stage, name, body):
    """A second of each, twice: nobody leaves its place by more than the waves' 1.2 m."""
    ends = []
    for _ in range(2):
        built = stage(f"worlds/harbour/scenarios/{name}.toml")
        first, *_, last = built.twin.frames(NS)
        ends.append(last.bodies)
    (row,) = (node.body for node in built.nodes if node.name == body)
    assert np.abs(ends[0].position[row] - first.bodies.position[row]).max() < 1.2
    assert np.array_equal(ends[0].position, ends[1].position) and np.array_equal(ends[0].velocity, ends[1].velocity)


def test_a_recorded_scenario_leaves_to_the_world_what_it_does_not_state():
    scenario, _ = load_scenario(ROOT / STATION)
    again = Scenario.model_validate(tomllib.loads(scenario.to_toml()))
    assert again.environment.model_dump(exclude_unset=True) == scenario.environment.model_dump(exclude_unset=True)


def test_a_body_that_is_deeper_than_the_sea_is_refused(stage):
    with pytest.raises(ScenarioError, match="sea floor at 1.5 m"):
        stage(STATION, "environment.sea.depth=1.5 m")


@pytest.mark.parametrize(("length", "says"), [(10.0, "shorter than"), (25.0, "must reach")])
def test_a_line_too_short_for_its_place_is_refused(stage, length, says):
    with pytest.raises(ScenarioError, match=says):
        stage(STATION, LINE.format(length=length))


def test_a_buoy_needs_a_sea(tmp_path):
    with pytest.raises(WorldError, match="no sea"):
        Seaway(Environment(EnvironmentSpec(), tmp_path, 1), tmp_path, 1)


@pytest.mark.parametrize("setting", ["environment.sea.peak_period=-3 s", "environment.sea.significant_height=-1 m"])
def test_a_sea_that_can_not_be_is_refused(stage, setting):
    with pytest.raises(ScenarioError, match="environment.sea"):
        stage(STATION, setting)


def test_a_buoy_made_lighter_by_a_scenario_floats_higher_by_what_it_displaces_less(stage):
    """Its mass is swept without another URDF: rho A dz = dm."""
    built = stage(STATION, "robots.guard.spec.body.parameters.mass=390 kg")
    built.twin.reset()
    heavy = stage(STATION)
    light, usual = (next(g.dynamics for g in b.physics.groups if g.name == "guard") for b in (built, heavy))
    assert light.mass == 390.0
    rise = light.float_height - usual.float_height
    assert rise == pytest.approx((usual.mass - 390.0) / (1025.0 * waterplane(usual.hull)), rel=1e-6)


@pytest.mark.parametrize("kind", ["buoy", "wave_energy"])
def test_the_kinds_float_upright_at_the_height_of_their_own_scenarios(kind):
    body = load_kind(ROOT / "agents" / kind).body
    dynamics = make_dynamics(body.dynamics, body.parameters, 1, ROOT / "agents" / kind)
    assert dynamics.float_height == pytest.approx({"buoy": -1.3, "wave_energy": -0.8}[kind], abs=2e-3)


def test_a_report_has_height_and_period_of_a_single_wave():
    """A cosine of 0.5 m has 4 sqrt(m0) = 4 * 0.5 / sqrt(2) m; the window holds 12 of its periods."""
    buoy = controller("buoy", "spectrum", to="edge", window="60 s", segments=1)
    for n in range(602):
        action = buoy.act(heaving(n * NS // 10, 0.5 * np.cos(2 * np.pi * n / 50), 0.0))
        if action.messages:
            break
    assert action.log["significant_height"] == pytest.approx(4 * 0.5 / np.sqrt(2), rel=0.01)
    assert action.log["peak_period"] == pytest.approx(5.0, rel=0.01)
    assert (action.messages[0].to, action.messages[0].size) == ("edge", 340)


def test_latching_holds_at_the_turn_for_half_of_the_difference_of_periods():
    latching = controller("wave_energy", "latching")
    held = []
    for n in range(400):
        phase = 2 * np.pi * n / 120  # 6 s at 20 Hz
        action = latching.act(heaving(n * NS // 20, np.sin(phase), 2 * np.pi / 6 * np.cos(phase)))
        held.append(action.command[0] >= 1e6)
    starts = np.flatnonzero(~np.array(held[:-1]) & np.array(held[1:])) + 1
    lengths = [next(k for k in range(start, 400) if not held[k]) - start for start in starts[:-1]]
    wanted = (6.0 - latching.own_period) / 2 * 20
    assert lengths and all(abs(length - wanted) <= 1 for length in lengths)


def test_reactive_control_tunes_the_stiffness_to_the_waves():
    reactive = controller("wave_energy", "reactive", period="4 s", share=1.0)
    for n in range(1200):
        phase = 2 * np.pi * n / 120
        action = reactive.act(heaving(n * NS // 20, np.sin(phase), 0.0))
    w, p = 2 * np.pi / 6.0, reactive.parameters
    assert action.command[1] == pytest.approx(w * w * p.mass - p.stiffness, rel=0.02)


def test_buoys_on_lines_that_move_by_moordyn_run_twice_alike_and_stay(stage):
    pytest.importorskip("moordyn", exc_type=ImportError)
    lines = "[{anchor=['40 m','0 m'],length='44 m',weight=60.0,stiffness='2000 kN',segments=10}]"
    settings = ("robots.harvester.spec.body.parameters.mooring_model=moordyn", "network.kind=ideal",
                f"robots.harvester.spec.body.parameters.mooring={lines}")  # fmt: skip
    ends = []
    for _ in range(2):
        built = stage("worlds/harbour/scenarios/wave-energy.toml", *settings)
        twin = built.twin
        twin.reset()
        for _ in range(100):
            twin.step()
        ends.append(twin.bodies.position.tobytes())
        assert np.abs(twin.bodies.position[:, 0] - 340.0).max() < 1.0
        built.close()
    assert ends[0] == ends[1]


def test_lines_that_move_say_which_extra_they_need(stage, monkeypatch):
    monkeypatch.setitem(sys.modules, "moordyn", None)
    lines = LINE.format(length=60.0)
    with pytest.raises(ScenarioError, match=r"pip install -e '.*\[moordyn\]'"):
        stage(STATION, lines, "robots.guard.spec.body.parameters.mooring_model=moordyn")


def test_a_channel_over_the_sea_needs_a_sea(stage):
    with pytest.raises(ScenarioError, match="has no sea"):
        stage("height", "channel.kind=freespace", "channel.sea={}")
