"""Profiles: each says where it stands and whether that was checked, and reads as requirements of a scenario."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from twin.errors import ScenarioError
from twin.project.profiles import describe_profile, expanded, read_profile
from twin.project.project import Project
from twin.specs.profile import parse_entry, parse_use
from twin.specs.requirement import parse_requirement

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
PROJECT = Project(ROOT)
OWN = """
title = "What this site asks for"
document = "Site rule 7"
clause = "2"
default = ["all"]
[parts.all]
title = "All robots"
requirements = ["flows.telemetry.reliability >= 50 % within 50 ms", "robots.*.speed_max < 20 m/s"]
"""

NO_PROFILE_FITS = {
    "factory/picking": "pictures of 60 Hz guide an arm: no standard at hand states what they need",
    "harbour/buoy-relay": "reports over sidelinks, hop by hop: asked of its flows themselves",
    "harbour/station": "thrusters commanded each second: far slower than what TS 22.104 states",
    "harbour/wave-energy": "latching once a wave: likewise",
}


def texts(use, project=PROJECT):
    return [str(one) for one in expanded([parse_entry(use)], project)]


@pytest.mark.parametrize("path", sorted(ROOT.glob("worlds/*/scenarios/*.toml")), ids=lambda path: path.stem)
def test_a_built_in_scenario_uses_a_profile_where_one_fits(path):
    used = [use for use in tomllib.loads(path.read_text())["requirements"] if str(use).startswith("profile:")]
    assert bool(used) != (f"{path.parents[1].name}/{path.stem}" in NO_PROFILE_FITS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("profiles/*.toml")), ids=lambda path: path.stem)
def test_every_built_in_profile_says_where_it_stands(path):
    profile = read_profile(path)
    assert profile.document and profile.clause and profile.source and profile.verified != "own"
    for name in profile.parts:
        for requirement in profile.requirements(parse_use(f"profile:{path.stem}/{name}")):
            assert parse_requirement(str(requirement)).scope == requirement.scope
            assert requirement.origin.profile == path.stem and requirement.origin.clause


@pytest.mark.parametrize(
    ("name", "least"),
    [("uav-c2/stick", (0.999, 40_000_000)), ("uav-c2/waypoints", (0.999, 10**9)),
     ("tele-driving", (0.99999, 20_000_000)),
     ("haptic/mobile", (0.9999, 20_000_000)), ("5qi/85", (0.99999, 5_000_000)), ("xr/ar-vr", (0.99, 10_000_000)),
     ("motion-control/2", (0.999999, 1_000_000)), ("remote-panels/emergency-stop", (0.99999999, 8_000_000))],
)  # fmt: skip
def test_values_are_those_of_the_reference(name, least):
    (first, *_) = expanded([parse_entry(f"profile:{name}")], PROJECT)
    assert (first.limit, first.scope.within) == (pytest.approx(least[0], abs=1e-12), least[1])


def test_a_use_may_choose_part_packets_group_and_times():
    assert texts("profile:uav-c2 for courier after take-off")[0] == (
        "flows.command[courier].reliability >= 99.9 % within 40 ms after take-off"
    )
    assert texts("profile:uav-c2/video-in-sight as video for courier") == [
        "flows.video[courier].reliability >= 99.9 % within 1 s",
        "flows.video[courier].throughput >= 2 Mbit/s",
    ]
    assert texts("profile:uav-daa for a")[0] == "flows.state[a][*].rate >= 10 Hz"
    assert texts("profile:sensing-3")[0] == "sensing.horizontal_error <= 1 m"


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("profile:uav-c3", "no profile 'uav-c3'.*did you mean 'uav-c2'"),
        ("profile:uav-c2/stik", "did you mean 'stick'"),
        ("profile:uav-c2 as video", "found 'as video'"),
        ("profile:sensing-1 for a", "found 'for a'"),
    ],
)
def test_what_a_profile_can_not_give_is_refused(use, says):
    with pytest.raises(ScenarioError, match=says):
        texts(use)


@pytest.mark.parametrize("use", ["profile:uav-c2 afterwards", "profile:", "profile:uav-c2 within 3 s"])
def test_a_use_that_makes_no_sense_is_refused(use):
    with pytest.raises(ValueError, match="allowed:"):
        parse_use(use)


def test_a_project_has_its_own_and_a_recording_notes_it(command):
    Path("profiles").mkdir()
    Path("profiles/site.toml").write_text(OWN)
    wanted = ("--set", 'requirements=["profile:site for ball", "profile:motion-control"]')
    fixed = ("--set", "network.kind=fixed", "--set", "network.delay=20 ms", "--duration", "1 s")
    for folder in ("worlds", "agents"):
        shutil.copytree(ROOT / "tests/project" / folder, folder)
    scenario = "worlds/void/scenarios/height.toml"
    found = describe_profile("profile:site", Project(Path.cwd()))
    assert found["verified"] == "own" and found["parts"]["all"]["clause"] == "2"
    code, out, err = command("run", scenario, "-o", "run.h5", *fixed, *wanted, "--json")
    assert code in (5, 6), err
    first, second, third, _ = json.loads(out)["requirements"]
    assert first["requirement"] == "flows.telemetry[ball].reliability >= 50 % within 50 ms" and first["passed"]
    assert first["origin"]["document"] == "Site rule 7" and second["metric"] == "robots.ball.speed_max"
    assert third["origin"]["verified"] == "secondary" and third["origin"]["clause"] == "table 5.2-1, annex C"
    said = command("info", "run.h5")[1]
    assert "values from secondary sources, not verified: 3GPP TS 22.104" in " ".join(said.split())


def test_a_profile_file_that_is_wrong_says_where():
    path = Path(ROOT / "tests/project/none.toml")
    with pytest.raises(ScenarioError, match="no such file"):
        read_profile(path)


def test_it_is_described(command):
    code, out, err = command("describe", "profile:uav-c2")
    assert code == 0 and "3GPP TS 22.125" in out and "not verified" in out and "stick (default)" in out
    assert "uav-c2" in command("list", "profiles")[1]
