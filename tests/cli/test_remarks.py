"""`twin check` remarks on what is placed as hardly anybody means it."""

import json
from pathlib import Path

import pytest

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")

# The house at (100, 0) is 14 x 22 m and 11 storeys of 3.2 m high; the tower stands at the origin, 7 m about it.
SLIPS = [
    ("robots.site.positions.0=[-100, 0, 60]", "site-0 at (-100, 0, 60) m hangs in the air, 24.8 m above building_"),
    ("robots.site.positions.0=[0, 30, 80]", "site-0 at (0, 30, 80) m hangs in the air, 80.0 m above the ground"),
    ("robots.site.positions.0=[-92.9, 0, 20]", "site-0 at (-92.9, 0, 20) m is 10 cm from building_"),
    ("robots.patrol.task.waypoints=[[-60, 0, 30], [0, 0, 30], [60, 0, 30], [0, 60, 30]]", "leads through a wall near"),
    ("robots.patrol.task.speed=60 m/s", "it can command 15"),
]


def remarked(command, *changes):
    sets = [part for change in changes for part in ("--set", change)]
    code, out, err = command("check", PATROL, "--json", *sets)
    assert code == 0, err
    found = json.loads(out)["remarks"]
    assert all(text in err for text in found)
    return found


def test_masts_on_roofs_and_a_route_above_them_are_nothing_to_remark_on(command):
    assert remarked(command) == []


@pytest.mark.parametrize(("change", "words"), SLIPS)
def test_a_slip_is_remarked_on(command, change, words):
    assert any(words in text for text in remarked(command, change, "robots.patrol.count=1"))
