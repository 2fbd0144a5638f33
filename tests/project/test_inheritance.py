"""What a robot inherits, leaves out and states anew; what a scenario states anew of it."""

from pathlib import Path

import pytest

from twin.errors import ScenarioError
from twin.mechanism.urdf import number_of, parse_urdf
from twin.project.robots import load_kind
from twin.specs.environment import SeaSpec
from twin.specs.toml_text import validate

ROOT = Path(__file__).resolve().parents[2]


def kind(folder, text, override=None):
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine/robot.toml").write_text(f"schema = 1\n{text}")
    return load_kind(folder / "mine", override)


def test_an_inherited_key_can_be_left_out(tmp_path):
    mine = kind(tmp_path, 'like = "drone"\nwithout = ["body.parameters.battery", "failsafe"]')
    assert "battery" not in mine.body.parameters and mine.failsafe is None
    assert mine.body.parameters["mass"] == "1 kg", "the rest is inherited"
    again = kind(tmp_path, 'like = "drone"', {"without": ["sensors"]})
    assert again.sensors == ()


def test_what_is_left_out_must_be_there(tmp_path):
    with pytest.raises(ScenarioError, match=r"without: found 'body.parameters.batery', which isn't inherited"):
        kind(tmp_path, 'like = "drone"\nwithout = ["body.parameters.batery"]')


def test_a_hull_of_another_shape_replaces_the_inherited_one(tmp_path):
    """A cylinder's height is no part of a sphere."""
    hull = {"shape": "sphere", "diameter": "1 m", "keel": "-0.5 m"}
    mine = kind(tmp_path, 'like = "buoy"', {"body": {"parameters": {"hull": hull}}})
    assert mine.body.parameters["hull"] == hull
    same = kind(tmp_path, 'like = "buoy"', {"body": {"parameters": {"hull": {"diameter": "0.6 m"}}}})
    assert same.body.parameters["hull"]["shape"] == "cylinder" and "height" in same.body.parameters["hull"]


@pytest.mark.parametrize("where", ["body", "parameters"])
def test_mass_and_inertia_are_stated_by_a_scenario_without_a_new_urdf(tmp_path, where):
    stated = {"mass": "1.5 kg", "inertia": [0.01, 0.011, 0.02]}
    override = {"body": stated if where == "body" else {"parameters": stated}}
    body = kind(tmp_path, 'like = "drone"', override).body
    inertial = parse_urdf(body.urdf).find("link/inertial")
    assert number_of(inertial.find("mass"), "value") == 1.5
    assert [number_of(inertial.find("inertia"), f"i{a}{a}") for a in "xyz"] == [0.01, 0.011, 0.02]
    assert [float(str(body.parameters["mass"]).split()[0]), list(body.parameters["inertia"])] == [
        1.5, [0.01, 0.011, 0.02]
    ], "physics and onboard control agree"  # fmt: skip


def test_the_mass_of_a_body_without_parameters_of_its_own_is_stated_alike(tmp_path):
    body = kind(tmp_path, 'like = "part"', {"body": {"mass": "3 kg"}}).body
    assert number_of(parse_urdf(body.urdf).find("link/inertial/mass"), "value") == 3.0


def test_the_mass_of_a_multirotor_made_of_its_parameters_is_stated_alike(tmp_path):
    body = kind(tmp_path, 'like = "hexa"', {"body": {"mass": "4 kg"}}).body
    assert number_of(parse_urdf(body.urdf).find("link/inertial/mass"), "value") == 4.0


@pytest.mark.parametrize("period", ["1 ms", "0.4 s", "61 s"])
def test_waves_that_gravity_does_not_carry_are_refused(period):
    with pytest.raises(ScenarioError, match=f"peak_period: found '{period}'; allowed: "):
        validate(SeaSpec, {"significant_height": "1 m", "peak_period": period})
