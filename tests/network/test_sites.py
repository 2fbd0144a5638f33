"""Base stations: where their antennas are and look."""

from math import radians

import pytest

from twin.assembly.build import build
from twin.errors import ScenarioError
from twin.project.project import find_scenario
from twin.specs.scenario import load_scenario

RADIO = "robots.site.spec.radios=[{carrier = '3.5 GHz', mount = [1, 0, 2], antenna = {azimuth = '30 deg'}}]"


def patrol(*changes: str):
    project, path = find_scenario("city/patrol")
    return project, load_scenario(path, ["network.kind=nr", "robots.patrol.count=1", *changes])[0]


def test_a_site_turns_its_mounts_and_antennas_by_its_yaw():
    """A quarter turn takes a mount 1 m ahead to 1 m to the left, and 30 degrees to 120."""
    project, scenario = patrol(RADIO, "robots.site.yaw=['90 deg', 0]")
    turned, straight = build(scenario, project).twin.network.topology.cells
    assert turned.mount == pytest.approx((-100.0, 1.0, 42.0))
    assert turned.antenna.azimuth == pytest.approx(radians(120.0))
    assert straight.mount == (101.0, 0.0, 42.0)
    assert straight.antenna.azimuth == radians(30.0)


def test_there_is_one_yaw_for_all_or_one_for_each():
    with pytest.raises(ScenarioError, match="found 3; allowed: 2, one for each of `count` robots"):
        patrol("robots.site.yaw=[0, 0, 0]")
