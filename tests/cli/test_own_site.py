"""A site of one's own, from a map to a verdict: each command is one that the step before suggested."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from shapely import box

from twin.assembly.starter_scenario import ABOVE_ROOF, CLEARANCE, mast_places, round_above
from twin.world.builder import GeometryBuilder
from twin.world.opening import open_world

HOUSES = {(0, 0): 20, (90, 0): 14, (0, 80): 17, (90, 80): 11, (45, 40): 8}
"""South-west corner [m] of houses of 20 m by 20 m: their heights [m]."""


def town():
    """Return a town as OpenStreetMap has it, near 25 east and 60 north."""
    nodes, ways = [], []
    for i, ((x, y), height) in enumerate(HOUSES.items()):
        for j, (dx, dy) in enumerate(((0, 0), (20, 0), (20, 20), (0, 20))):
            lon, lat = 25.0 + (x + dx) / 55_800, 60.0 + (y + dy) / 111_400
            nodes.append(f'<node id="{10 * i + j + 1}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"/>')
        corners = "".join(f'<nd ref="{10 * i + j + 1}"/>' for j in (0, 1, 2, 3, 0))
        tags = f'<tag k="building" v="yes"/><tag k="height" v="{height}"/>'
        ways.append(f'<way id="{1000 + i}" version="1">{corners}{tags}</way>')
    return f"<osm version='0.6'>{''.join(nodes + ways)}</osm>"


def suggested(said, start):
    """Return the words of the command in `said` that starts so."""
    return shlex.split(re.search(rf"{re.escape(start)}[^\n;]*", said)[0])[1:]


def test_from_a_map_to_a_verdict_by_what_each_step_suggests(command):
    pytest.importorskip("osmium", reason="the extra `osm` is not installed")
    Path("town.osm").write_text(town())
    code, out, err = command("world", "import", "town.osm", "worlds/town")
    assert code == 0 and "5 of 5 buildings" in out, err
    code, out, err = command(*suggested(err, "twin new scenario"))
    assert code == 0 and "worlds/town/scenarios/round.toml" in out, err
    code, out, err = command(*suggested(out, "twin new controller"))
    assert code == 0, err
    code, out, err = command(*suggested(out, "twin run town/round"), "--duration", "1 s", "--trust")
    assert code in (0, 6) and "ray-traced" in out and "5G NR slot by slot, 3 cells with handover" in out, err
    report = suggested(" ".join(out.split()), "twin report")
    recording = report[1]
    code, out, err = command("info", recording, "--json")
    figures = json.loads(out)
    assert figures["packets_delivered"] > 500 and figures["collisions"] == 0
    assert figures["packets_lost"] < 0.02 * figures["packets_sent"] and figures["tracking_max"] < 2.0
    pytest.importorskip("plotly", reason="the extra `report` is not installed")
    code, out, err = command(*report[:4])
    assert code == 0 and Path("report.html").stat().st_size > 1_000_000, err


def test_masts_stand_on_roofs_and_the_round_is_above_all_it_may_meet():
    builder = GeometryBuilder()
    builder.add_surface(box(-200, -200, 300, 300), 0.0, "wet_ground")
    for (x, y), height in HOUSES.items():
        owner = builder.add_object(f"house {x} {y}")
        builder.add_box((x, y, 0), (x + 20, y + 20, height), "concrete", owner)
    geometry = builder.build()
    places = mast_places(geometry, 3)
    on = {(int(x // 90 * 90), int(y // 80 * 80)): z for x, y, z in places}
    assert on == {(0, 0): 25.0, (90, 0): 19.0, (0, 80): 22.0}, "the higher half, far from one another"
    corners = round_above(geometry, places)
    assert np.all(corners[:, 2] == max(HOUSES.values()) + ABOVE_ROOF + CLEARANCE)
    assert np.ptp(corners[:, 0]) >= 80.0 and np.ptp(corners[:, 1]) >= 80.0


def test_what_cannot_be_is_refused_and_nothing_is_overwritten(command):
    assert command("new", ".")[0] == 0
    assert open_world(Path("worlds/yard")).name == "yard"
    for words, part in (
        (["round", "--world", "yrad"], "did you mean 'yard'"),
        (["round", "--world", "yard", "--masts", "0"], "--masts: found 0; allowed: 1 to 50"),
        (["a/b", "--world", "yard"], "allowed: a file's name"),
        (["round"], "twin new scenario NAME --world WORLD"),
    ):
        code, out, err = command("new", "scenario", *words)
        assert code == 2 and part in " ".join(err.split()), err
    code, out, err = command("new", "scenario", "tour", "--world", "yard")
    assert code == 1 and "tour.toml: is there already" in " ".join(err.split())
