"""Drones that keep apart by what the edge knows of them."""

from __future__ import annotations

import numpy as np
import pytest

from twin.errors import ScenarioError

HEAD_ON = """schema = 1
world = "city"
duration = "20 s"
[robots.pair]
kind = "drone"
count = 2
controller = "avoid"
positions = [[0, 0, 150], [48, 0, 150]]
[robots.pair.task]
kind = "hover"
points = [[48, 0, 150], [0, 0, 150]]
[robots.pair.spec]
sensors = [{ kind = "navigation" }]
[robots.edge]
kind = "edge"
"""
RADII, MARGIN, HORIZON, LAG = 2 * 0.35, 0.6, 4.0, 1 / 3.5


@pytest.fixture
def pair(tmp_path, stage):
    """Two drones that want to change places."""

    def make(*overrides):
        (tmp_path / "pair.toml").write_text(HEAD_ON)
        return stage(str(tmp_path / "pair.toml"), *overrides)

    return make


def test_two_drones_head_on_over_an_ideal_network_keep_the_sum_of_their_radii(pair, figures):
    """ORCA keeps radii and margin for velocities that are there at once; a drone has them with a lag of 1 / kd.

    To pass at R after `horizon` the two have to differ by R / horizon across, which the lag makes late by R lag /
    horizon in all.
    """
    summary, last = figures(pair(), 13)
    kept = RADII + MARGIN
    assert summary["separation_min"] >= kept - kept * LAG / HORIZON
    assert summary["separation_min"] >= RADII and summary["collisions"] == 0
    assert last.bodies.position == pytest.approx(np.array([[48, 0, 150], [0, 0, 150]]), abs=1.0), "both got there"


def test_without_avoidance_they_collide(pair, figures):
    summary, _ = figures(pair("robots.pair.controller=trajectory"), 7)
    assert summary["collisions"] > 0 and summary["separation_min"] < RADII


def test_on_board_no_network_would_carry_what_they_share(pair):
    with pytest.raises(ScenarioError, match='robots.pair.runs_on: found "onboard"'):
        pair("robots.pair.runs_on=onboard")
