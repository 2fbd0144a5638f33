"""A site that an engineer brings along: imported, flown over, recorded."""

import json
from pathlib import Path

import pytest

SCENARIO = """
schema = 1
world = "suzhou"
duration = "4 s"

[robots.patrol]
kind = "drone"
count = 2
task = { kind = "route", speed = "6 m/s", waypoints = [[-80, -80, 60], [80, -80, 60], [0, 80, 60]] }

[robots.edge]
kind = "edge"

[robots.site]
kind = "base_station"
positions = [[0, 0, 45]]
"""


def test_the_imported_suzhou_flies(command, shared_data):
    source = shared_data / "city/suzhou_buildings.geojson"
    code, out, err = command("world", "import", source, "worlds/suzhou", "--origin", "auto")
    assert code == 0, err
    code, out, err = command("world", "info", "worlds/suzhou", "--json")
    assert code == 0 and json.loads(out)["objects"] == 3076
    Path("worlds/suzhou/scenarios").mkdir()
    Path("worlds/suzhou/scenarios/patrol.toml").write_text(SCENARIO)
    code, out, err = command("run", "suzhou/patrol", "-o", "run.h5", "--json")
    figures = json.loads(out)
    assert code == 0, err
    assert figures["collisions"] == 0 and figures["packets_delivered"] > 700
    assert figures["tracking_rms"] < 1.0


@pytest.mark.parametrize("below", [-50.0])
def test_a_robot_that_starts_below_the_ground_is_refused(command, shared_data, below):
    source = shared_data / "city/suzhou_buildings.geojson"
    command("world", "import", source, "worlds/suzhou", "--origin", "auto")
    Path("worlds/suzhou/scenarios").mkdir()
    Path("worlds/suzhou/scenarios/patrol.toml").write_text(SCENARIO.replace("60]", f"{below}]"))
    code, out, err = command("check", "suzhou/patrol")
    assert code == 2 and "patrol-0" in err and "ground" in err
