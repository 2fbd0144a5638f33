import json

import numpy as np
import pytest
from click.testing import CliRunner

from twin.cli.channel import channel
from twin.world.builder import GeometryBuilder
from twin.world.geometry import save_geometry


@pytest.fixture
def world(tmp_path):
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]], dtype=float)], "concrete")
    save_geometry(builder.build(), tmp_path / "geometry.npz")
    (tmp_path / "world.toml").write_text('schema = 1\nname = "flat"\n')
    return tmp_path


def run(*words):
    return CliRunner().invoke(channel, [str(word) for word in words])


def link(scenario, source, target, *words):
    """Return what `twin channel link --json` says."""
    found = run("link", scenario, "--from", source, "--to", target, "--json", *words)
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_a_map_holds_all_quantities(world, tmp_path):
    found = run(
        "map",
        world,
        "--site",
        "0,0,20",
        "--area",
        "-40,-20,40,20",
        "--step",
        10,
        "--order",
        0,
        "-o",
        tmp_path / "m.npz",
    )
    assert found.exit_code == 0, found.output
    with np.load(tmp_path / "m.npz") as data:
        assert data["path_gain_db"].shape == (1, 4, 8)
        distance = np.sqrt(5.0**2 + 5.0**2 + 18.5**2)
        friis = 20 * np.log10(299_792_458.0 / 3.5e9 / (4 * np.pi * distance))
        assert data["path_gain_db"][0, 2, 4] == pytest.approx(friis, abs=1e-3)  # but for the air


def test_a_picture_at_each_height(world, tmp_path):
    words = ("--area", "-20,-20,20,20", "--step", 10, "--order", 1, "--height", 2, "--height", 30)
    assert run("map", world, "--site", "0,0,20", *words, "-o", tmp_path / "m.png").exit_code == 0
    assert (tmp_path / "m-2m.png").stat().st_size > 1000 and (tmp_path / "m-30m.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no transmitter"),
        (("--site", "0,0"), "found '0,0', expected 3 numbers"),
        (("--site", "0,0,nan"), "expected 3 numbers"),
        (("--site", "0,0,9", "--carrier", "3 apples"), "found '3 apples'; allowed: a frequency"),
        (("--site", "0,0,9", "--area", "5,5,1,1"), "which holds no point"),
        (("--site", "0,0,9", "-o", "map.txt"), "allowed: .png, .svg, .pdf, .npz"),
    ],
)
def test_what_cannot_be_is_said(world, tmp_path, words, message):
    found = run("map", world, "-o", tmp_path / "m.png", *words)
    assert found.exit_code == 2
    assert message in found.output


def test_scattering_adds_to_a_map(world, tmp_path):
    """Over concrete: more than the direct path alone, at every point."""
    words = ("map", world, "--site", "0,0,20", "--area", "-20,-20,20,20", "--step", 10, "--order", 0)
    for name, more in (("plain", ()), ("rough", ("--scattering", 0.5, "--tile", 8))):
        assert run(*words, *more, "-o", tmp_path / f"{name}.npz").exit_code == 0
    with np.load(tmp_path / "plain.npz") as plain, np.load(tmp_path / "rough.npz") as rough:
        assert (rough["path_gain_db"] > plain["path_gain_db"]).all()


def test_a_link_is_traced_as_its_scenario_says(stage):
    """Over waves and between hulls, of first order: the very paths of the run."""
    built = stage("worlds/harbour/scenarios/buoy-relay.toml")
    built.twin.reset()
    links, names = built.twin.links, [node.name for node in built.nodes]
    ends = [(names[built.radios[a].owner], names[built.radios[b].owner]) for a, b in zip(links.a, links.b, strict=True)]
    for pair in (("buoy-0", "buoy-1"), ("buoy-0", "site-1")):
        found, i = link("harbour/buoy-relay", *pair), ends.index(pair)
        assert found["path_gain_db"] == pytest.approx(links.path_gain_db[i], abs=1e-9)
        assert len(found["paths"]) == links.path_offset[i + 1] - links.path_offset[i]
    assert "off" in found["paths"][1]["way"]
    bare = link("harbour/buoy-relay", *pair, "--order", 0)
    assert [path["way"] for path in bare["paths"]] == ["direct"], "options go before the scenario"


BETWEEN = """schema = 1
world = "flat"
duration = "1 s"
[channel]
kind = "{kind}"
{more}
[robots.site]
kind = "base_station"
count = 2
positions = [[-1, 0, 9], [1, 0, 9]]
[robots.between]
kind = "drone"
task = {{ kind = "hover", points = [[0, 0, 9]] }}
[robots.edge]
kind = "edge"
"""


@pytest.mark.parametrize(
    ("kind", "more", "seen"),
    [("raytracing", "order = 0", False), ("raytracing", "order = 0\nblockers = false", True), ("freespace", "", False)],
)
def test_a_robot_between_the_ends_is_in_the_way(world, kind, more, seen):
    folder = world / "worlds/flat"
    folder.mkdir(parents=True)
    for name in ("world.toml", "geometry.npz"):
        (world / name).rename(folder / name)
    (folder / "scenario.toml").write_text(BETWEEN.format(kind=kind, more=more))
    ways = [path["way"] for path in link(folder / "scenario.toml", "site-0", "site-1")["paths"]]
    assert ("direct" in ways) == seen
