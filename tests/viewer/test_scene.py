"""What is drawn is what was recorded."""

from pathlib import Path

import numpy as np
import pytest
from shapely import box

pytest.importorskip("viser", reason="the extra `view` is not installed")

from twin.errors import TwinError
from twin.state import RoutedLinks
from twin.viewer.models import Model
from twin.viewer.radio import GAINS, gain_colours, path_lines
from twin.viewer.replay import Replay
from twin.viewer.surfaces import surfaces
from twin.world.builder import GeometryBuilder

ROOT = Path(__file__).resolve().parents[2]


def test_every_triangle_is_drawn_once_and_higher_buildings_are_darker():
    builder = GeometryBuilder()
    builder.add_surface(box(0, 0, 100, 100), 50.0, "fresh_water")
    for i, height in enumerate((10.0, 30.0)):
        owner = builder.add_object(f"house_{i}")
        builder.add_box((10 + 40 * i, 10, 50), (30 + 40 * i, 30, 50 + height), "brick", owner, floor=False)
    geometry = builder.build()
    found = surfaces(geometry)
    drawn = np.concatenate([s.vertices[s.triangles] for s in found])
    expected = geometry.vertices[geometry.triangles]
    assert sorted(map(bytes, drawn.reshape(-1, 9))) == sorted(map(bytes, expected.reshape(-1, 9)))
    water, low, high = found
    assert water.colour[2] > water.colour[0], "blue"
    assert high.colour < low.colour
    assert low.vertices[:, 2].max() == 60.0 and high.vertices[:, 2].max() == 80.0


def test_a_model_has_the_size_of_its_urdf():
    model = Model(ROOT / "agents/drone/quadrotor.urdf")
    assert list(model.links) == ["base"] and model.size == pytest.approx(0.57), "rotors at 0.16 m, of 0.125 m"
    position, turn = model.poses(np.zeros(0))["base"]
    assert np.array_equal(position, np.zeros(3)) and np.allclose(turn, [1, 0, 0, 0])


URDF = """<robot name="arm"><link name="base"><inertial><origin xyz="0 0 0.5"/><mass value="1"/>
<inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
<visual><geometry><box size="1 1 1"/></geometry></visual></link>
<link name="tip"><visual><geometry><sphere radius="0.1"/></geometry></visual></link>
<joint name="elbow" type="revolute"><parent link="base"/><child link="tip"/><origin xyz="0 0 2"/><axis xyz="0 0 1"/>
<limit lower="-3" upper="3" effort="1" velocity="1"/></joint></robot>"""


def test_links_turn_by_their_joints_and_stand_where_the_recorded_centre_of_mass_says(tmp_path):
    (tmp_path / "arm.urdf").write_text(URDF)
    poses = Model(tmp_path / "arm.urdf").poses(np.array([np.pi / 2]))
    assert np.allclose(poses["base"][0], [0, 0, -0.5]), "its origin is half a metre below what is recorded"
    assert np.allclose(poses["tip"][0], [0, 0, 1.5])
    assert np.allclose(poses["tip"][1], [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]), "a quarter turn about z"


def test_a_broken_urdf_is_named(tmp_path):
    (tmp_path / "arm.urdf").write_text("<robot")
    with pytest.raises(TwinError, match=r"arm\.urdf: can't be shown"):
        Model(tmp_path / "arm.urdf")


def test_a_replay_shows_the_newest_frame_at_each_time(second):
    replay = Replay(second, None, port=0)
    try:
        assert replay.server.get_host() == "127.0.0.1", "nobody else can look unless asked to"
        positions = second["state/position"][:]
        for row, at in ((0, 0.0), (10, 0.2), (10, 0.2199), (50, 1.0), (50, 9.0)):
            replay.show(at)
            for node, handle in replay.scene.robots.items():
                assert np.array_equal(handle.position, positions[row, second.robots[node].body])
        assert np.isnan(replay.round_trips(0.02)).all()
        assert np.all(replay.round_trips(0.5)[:2] == 0.040), "20 ms each way"
        assert all("ball" in note for note in replay.notes), "its URDF is not in a project around the recording"
    finally:
        replay.close()


def test_the_sea_is_drawn_where_the_waves_are_at_each_time(second):
    def surface(time, points):
        return np.sin(points[:, 0] / 10 + time / 1e9)

    replay = Replay(second, None, port=0, sea=surface)
    try:
        for at in (0.0, 0.5):
            replay.show(at)
            x, y, z = replay.scene.sea.mesh.vertices.T
            assert np.allclose(z, np.sin(x / 10 + at), atol=1e-5) and np.ptp(x) == np.ptp(y) > 0
    finally:
        replay.close()


def test_paths_go_over_their_vertices_and_show_their_gain():
    none, unit = np.zeros(2), np.zeros((2, 3))
    links = RoutedLinks(
        0, np.zeros(1, np.int32), np.ones(1, np.int32), np.full(1, -60.0), np.ones(1, bool), np.array([0, 2]),
        np.array([1e-3, 10 ** (-130 / 20)]), none, none, unit, unit, np.array([0, 2], np.int32),
        np.array([[[0.0, 0, 0], [0, 0, 0]], [[5, 5, 0], [5, -5, 0]]]),
    )  # fmt: skip
    a, b = np.zeros(3), np.array([10.0, 0, 0])
    points, colours = path_lines(links, [0], [(a, b)])
    ways = [(a, b), (a, [5, 5, 0]), ([5, 5, 0], [5, -5, 0]), ([5, -5, 0], b)]
    assert np.array_equal(points, np.array([np.stack(way) for way in ways], np.float32))
    assert np.array_equal(colours[:, 0], colours[:, 1]) and np.array_equal(colours[1], colours[3])
    best, worst = (gain_colours(np.array([gain]))[0] for gain in GAINS[::-1])
    assert np.array_equal(colours[0, 0], best) and np.array_equal(colours[1, 0], worst)


def test_a_file_is_written_once_and_plays(second, tmp_path):
    replay = Replay(second, None, port=0)
    try:
        replay.export(tmp_path / "run.html")
        with pytest.raises(TwinError, match="--force"):
            replay.export(tmp_path / "run.html")
        with pytest.raises(TwinError, match="can't be written"):
            replay.export(tmp_path / "run.h5/x.html")
    finally:
        replay.close()
    assert "__VISER_EMBED_DATA__" in (tmp_path / "run.html").read_text()
