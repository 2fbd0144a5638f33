"""What a picture shows is what was recorded."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from shapely import box

from twin.analysis.picture import draw
from twin.analysis.plan import GROUND_COLOURS, draw_plan
from twin.analysis.tracks import round_trips, sites, tracks
from twin.world.builder import GeometryBuilder

MS = 1_000_000


def test_a_round_trip_is_the_longest_since_the_point_before_else_the_latest():
    #         10    20    30    40    50    60  ms
    # arrived    ^12 ^18        ^40       (^61 comes too late to be seen)
    # stamp      2   13         5
    time = np.arange(10, 70, 10) * MS
    found = round_trips(time, np.array([12, 18, 40, 61]) * MS, np.array([2, 13, 5, 50]) * MS)
    assert found[1:].tolist() == [0.010, 0.005, 0.035, 0.035, 0.035] and np.isnan(found[0])


def test_without_a_command_there_is_no_round_trip():
    assert np.isnan(round_trips(np.arange(3), np.zeros(0, int), np.zeros(0, int))).all()


def test_tracks_hold_positions_and_the_delay_of_the_network(second):
    flown = tracks(second)
    assert [track.robot for track in flown] == ["ball-0", "ball-1"]
    for body, track in enumerate(flown):
        assert np.array_equal(track.position, second["state/position"][:, body])
        assert not track.on_failsafe.any()
        assert np.isnan(track.round_trip[:2]).all(), "frames at 0 and 20 ms"
        assert np.all(track.round_trip[2:] == 0.040), "20 ms each way"


def test_only_radios_without_a_body_are_sites(second):
    assert sites(second) == []


def test_a_picture_holds_its_figures_and_says_when_the_plan_is_another(second):
    figure = draw(second, None, "drawn without its world")
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "round trip p50 40.0 ms" in texts and "network fixed (20 ms)" in texts
    assert "drawn without its world" in texts
    (map_axes, key_axes) = figure.axes
    assert map_axes.get_aspect() in ("auto", 1.0)
    x, y = map_axes.get_xlim(), map_axes.get_ylim()
    shape = map_axes.get_window_extent()
    assert (x[1] - x[0]) / (y[1] - y[0]) == pytest.approx(shape.width / shape.height), "a metre is a metre"
    assert key_axes.get_xlabel().startswith("round trip of the latest command (ms)")


def test_a_plan_shows_roofs_above_ground_and_darker_where_higher():
    builder = GeometryBuilder()
    builder.add_surface(box(0, 0, 100, 100), 50.0, "fresh_water")
    for i, height in enumerate((10.0, 30.0)):
        owner = builder.add_object(f"house_{i}")
        builder.add_box((10 + 40 * i, 10, 50), (30 + 40 * i, 30, 50 + height), "brick", owner, floor=False)
    axes = Figure().add_axes((0, 0, 1, 1))
    key = draw_plan(axes, builder.build(), np.zeros(2), np.full(2, 100.0))
    fill, edges = axes.collections
    colours = fill.get_facecolors()
    assert key.norm.vmax == pytest.approx(30.0), "height above the house's own foot, not above z = 0"
    assert len(colours) == 3 * 2 and len(edges.get_segments()) == 2 * 4, "two triangles a square, four edges a roof"
    assert np.array_equal(colours[0], to_rgba(GROUND_COLOURS["water"])), "lowest first"
    assert colours[-1, 0] < colours[2, 0], "the higher roof is the darker one"


def test_a_plan_leaves_out_what_is_not_in_view():
    builder = GeometryBuilder()
    builder.add_surface(box(0, 0, 10, 10), 0.0, "concrete")
    axes = Figure().add_axes((0, 0, 1, 1))
    assert draw_plan(axes, builder.build(), np.full(2, 50.0), np.full(2, 60.0)) is None
    assert not axes.collections[0].get_paths()
