"""Base stations: where their antennas are and look."""

from math import radians
from pathlib import Path

import pytest

from twin.assembly.build import build
from twin.errors import ScenarioError
from twin.project.project import find_scenario
from twin.specs.scenario import load_scenario

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")

RADIO = (
    "robots.site.spec.radios=[{role = 'cell', carrier = '3.5 GHz', mount = [1, 0, 2], antenna = {azimuth = '30 deg'}}]"
)


def patrol(*changes: str):
    project, path = find_scenario(PATROL)
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


def test_a_body_may_carry_a_cell_and_a_pole_a_terminal():
    """Roles are what radios say: here a drone serves another one, and the site is served."""
    said = "robots.{}.spec.radios=[{{carrier = '3.5 GHz', role = '{}'}}]"
    project, scenario = patrol("robots.patrol.count=2", "robots.site.count=1", "robots.site.positions=[[-100, 0, 40]]",
                               "robots.mast.kind=drone", "robots.mast.task={kind='hover', points=[[-100, 0, 60]]}",
                               said.format("mast", "cell"), said.format("site", "terminal"))  # fmt: skip
    built = build(scenario, project)
    topology, nodes = built.twin.network.topology, built.nodes
    assert [nodes[cell.owner].group for cell in topology.cells] == ["mast"]
    assert [nodes[radio.owner].group for radio in topology.terminals] == ["patrol", "patrol", "site"]
    frames = list(built.twin.frames(100_000_000))
    built.close()
    told = [packet for frame in frames for packet in frame.packets if nodes[packet.source].group == "patrol"]
    assert told and {packet.fate for packet in told} <= {"delivered", "queued"}
