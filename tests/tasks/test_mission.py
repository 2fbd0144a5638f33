"""Missions from plan files: where they lead, and when; what is reached."""

import json
from math import pi

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.specs import MissionSpec
from twin.state import BodyState, Frame, Node
from twin.tasks.make import make_task
from twin.tasks.site import TaskContext
from twin.world.builder import GeometryBuilder
from twin.world.georeference import GeoReference
from twin.world.world import World

ORIGIN = GeoReference(11.59, 48.15, 560.0)
GROUND = 2.0
SEA = 515.0  # m, home above it


@pytest.fixture(scope="module")
def world():
    builder = GeometryBuilder()
    corners = [[-500, -500, GROUND], [500, -500, GROUND], [500, 500, GROUND], [-500, 500, GROUND]]
    builder.add_polygon([np.array(corners, float)], "concrete")
    return World("field", builder.build(), ORIGIN)


def at(x, y):
    """Return latitude and longitude of a point of the plane of the world's origin."""
    longitude, latitude, _ = ORIGIN.to_geodetic(np.array([[x, y, 0.0]]))[0]
    return latitude, longitude


def simple(command, *params, frame=3):
    return {"command": command, "frame": frame, "params": list(params), "type": "SimpleItem", "autoContinue": True}


def placed(command, x, y, z, params=(0, 0, 0, None), frame=3):
    return simple(command, *params, *at(x, y), z, frame=frame)


@pytest.fixture
def mission(tmp_path, world):
    """Make the task of a plan of items whose home is at (10, -20)."""

    def make(*items, count=1, sea=SEA, place=world, **more):
        plan = {"fileType": "Plan", "version": 1, "mission": {"version": 2, "hoverSpeed": 5, "items": items,
                "plannedHomePosition": [*at(10, -20), sea]}}  # fmt: skip
        (tmp_path / "a.plan").write_text(json.dumps(plan))
        spec = MissionSpec(kind="mission", plans=("a.plan",), **more)
        return make_task(spec, count, None, TaskContext(place, lambda path: tmp_path / path))

    return make


def ends(task, row=0):
    return np.array([target.place for target in task.targets[row]])


def test_altitudes_above_home_and_above_the_sea_are_above_the_ground_that_home_stands_on(mission):
    """The level surface falls by d^2 / 2R: 0.8 mm at 100 m."""
    task = mission(placed(22, 10, -20, 30), placed(16, 100, -20, 30), placed(16, 0, 0, SEA + 12, frame=0))
    assert ends(task) == pytest.approx(np.array([[10, -20, 32], [100, -20, 32], [0, 0, 14]]), abs=2e-3)
    start = task.reference(0, 0.0)
    assert start.position == pytest.approx([10, -20, GROUND + 0.09]) and not start.parked


def test_a_mission_with_everything_ends_parked_where_it_began(mission):
    task = mission(
        placed(22, 10, -20, 20), placed(16, 50, -20, 20, (4, 0, 0, 90)), simple(178, 1, 2.5, -1, 0, 0, 0, 0, frame=2),
        placed(19, 50, 0, 20, (6, 0, 10, None)), placed(18, 50, 30, 20, (2, 0, -10, None)), placed(21, 0, 0, 0),
        simple(93, 5, -1, -1, -1, 0, 0, 0, frame=2), placed(22, 0, 0, 15), simple(20, 0, 0, 0, 0, 0, 0, 0, frame=2),
    )  # fmt: skip
    assert task.notes == []
    way = task._ways[0].stretches
    stays = [s.duration for s in way if s.length == 0.0 and s.duration > 0]
    assert stays == pytest.approx([4.0, 6.0, 1.0, 5.0, 1.0])  # hold, loiter, a second after each landing, delay
    circle = next(s for s in way if s.clockwise)
    assert circle.length == pytest.approx(2 * 2 * pi * 10) and circle.clockwise == -1
    assert [s.speed for s in way if s.length > 35] == [5.0, 2.5, 2.5]  # to (50, -20) as the plan's, then as said
    assert way[3].at(1.9).yaw == pytest.approx(0.0, abs=0.1), "90 degrees from north is east"
    end = task.reference(0, 1e5)
    assert end.parked and end.position == pytest.approx([10, -20, GROUND + 0.09])
    standing = [s for s in way if s.parked]
    assert {tuple(np.round(s.start, 3)) for s in standing[1:3]} == {(0.0, 0.0, GROUND + 0.09)}


def test_further_robots_start_later_and_fly_aside(mission):
    task = mission(placed(22, 10, -20, 20), placed(16, 50, -20, 20), count=3, interval=4.0, offset=(0, 3, 0))
    for row in range(3):
        assert ends(task, row) == pytest.approx(ends(task) + [0, 3 * row, 0])
        for time in (1.0, 7.0, 30.0):
            late, first = task.reference(row, time + 4.0 * row), task.reference(0, time)
            assert late.position == pytest.approx(first.position + [0, 3 * row, 0])
    assert task.reference(2, 7.9).parked and not task.reference(2, 8.1).parked


def test_what_is_skipped_is_counted_and_said(mission):
    task = mission(placed(22, 10, -20, 20), simple(206, 5, 0, 1, 0, 0, 0, 0, frame=2), simple(178, 2, 3, 0, 0, 0, 0, 0),
                   simple(93, -1, 12, 0, 0, 0, 0, 0), placed(17, 20, 0, 20), placed(16, 30, 0, 20))  # fmt: skip
    counted = {"command 206": 1, "command 178": 1, "command 93": 1, "item after a loiter without end": 1}
    assert task.unused == [counted]
    assert task.notes == ["a.plan: not used: 1 x command 178, 1 x command 206, 1 x command 93, "
                          "1 x item after a loiter without end"]  # fmt: skip
    assert task.judge("g", [Node("g", "g", "drone", 0)]).figures()["items_unused"] == 4


WRONG = [
    (placed(16, 0, 0, 20, frame=10), r"items\[0\].frame: found 10; allowed: \(3, 6\) above home, \(0, 5\)"),
    (simple(16, 0, 0, 0, None, 40.0, 11.59, 20), r"items\[0\].params\[4:\]: 90. km from home; allowed: 50 km"),
    (simple(16, 0, 0, 0, None, None, None, 20), r"items\[0\].params\[4:\]: found None, None, 20"),
    (placed(16, 0, 0, 20, (-1, 0, 0, None)), r"items\[0\].params\[0\]: found -1; allowed: 0 to 86400"),
    (placed(18, 0, 0, 20, (1, 0, 0, None)), r"items\[0\].params\[2\]: found a radius of 0 m"),
    (simple(178, 1, 0, -1, 0, 0, 0, 0), r"items\[0\].params\[1\]: found 0 m/s"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "message"), WRONG)
def test_what_cannot_be_flown_is_refused_with_its_place(mission, item, message):
    with pytest.raises(ScenarioError, match=f"a.plan: mission.{message}"):
        mission(item)


def test_heights_above_the_sea_need_that_of_home(mission):
    with pytest.raises(ScenarioError, match=r"items\[0\].frame: found a height above the sea"):
        mission(placed(16, 0, 0, 520, frame=0), sea=None)


def test_a_landing_beyond_the_world_s_ground_is_refused(mission):
    with pytest.raises(ScenarioError, match="has no ground at"):
        mission(placed(22, 10, -20, 20), placed(21, 2000, 0, 0))


def test_a_home_far_away_says_how_to_put_it_elsewhere(mission, world):
    there = World("field", world.geometry, GeoReference(8.5, 47.4, 500.0))
    with pytest.raises(ScenarioError, match="plannedHomePosition: world 'field' has no ground at .*`home` of the task"):
        mission(placed(22, 10, -20, 20), place=there)


def test_a_world_without_an_origin_needs_to_be_told_where_home_is(mission, world):
    nowhere = World("field", world.geometry, None)
    with pytest.raises(ScenarioError, match="home: world 'field' has no origin"):
        mission(placed(22, 10, -20, 20), place=nowhere)
    task = mission(placed(22, 10, -20, 20), placed(16, 60, -20, 20), place=nowhere, home=(-100, 50, GROUND))
    assert ends(task) == pytest.approx(np.array([[-100, 50, 22], [-50, 50, 22]]), abs=2e-2)  # meridians converge


def test_the_judge_counts_what_was_come_near_to_in_its_time(mission):
    task = mission(placed(22, 10, -20, 20), placed(16, 50, -20, 20), placed(16, 10, -20, 20), reach=1.5)
    judge = task.judge("g", [Node("g", "g", "drone", 0)])
    still, zero = np.array([[0.0, 0, 0, 1]]), np.zeros((1, 3))

    def see(time, place):
        bodies = BodyState(np.array([place], float), still, zero, zero, np.zeros(0), np.zeros(0), np.zeros(2, np.int64))
        judge.take(Frame(round(time * 1e9), bodies, None, {}, ("nominal",)))
        figures = judge.figures()
        return figures["waypoints_reached"], figures["waypoints_missed"], figures["completion_time"]

    first, second, third = task.targets[0]
    assert see(first.due, (10, -20, 22)) == (1, 0, None), "the same place is due again, but later"
    assert see(second.due + 0.1, (50, -22, 22)) == (1, 1, None), "2 m away"
    assert see(third.due, (10, -21, 22)) == (2, 1, None)
    assert see(third.due + 1.0, (50, -21, 22)) == (3, 0, pytest.approx(third.due + 1.0))


@pytest.mark.parametrize("here", [(0, 0), (None, None)])
def test_a_takeoff_and_a_loiter_at_zero_or_null_are_here(mission, here):
    # ArduPilot's and QGroundControl's plans (QGroundControl#5272, #7777): 0, 0 or null stand for where the robot is
    task = mission(simple(22, 0, 0, 0, None, *here, 10), placed(16, 60, -20, 10), simple(19, 5, 0, 0, 0, *here, 0))
    assert ends(task) == pytest.approx(np.array([[10, -20, 12], [60, -20, 12], [60, -20, 12]]), abs=2e-3)
    climb = task.targets[0][0]
    for share in (0.0, 0.5, 1.0):
        assert task.reference(0, climb.earliest + share * (climb.due - climb.earliest)).position[:2] == (
            pytest.approx([10, -20])
        )


def test_a_further_robot_takes_off_where_it_stands(mission):
    task = mission(simple(22, 0, 0, 0, None, 0, 0, 10), count=2, offset=(0, 5, 0))
    assert ends(task, 1) == pytest.approx(np.array([[10, -15, 12]]), abs=2e-3)


@pytest.mark.parametrize(("item", "message"), [
    (simple(22, 0, 0, 0, None, 0, 0, None), "found 0.0, 0.0, None"),
    (simple(16, 0, 0, 0, None, None, 0, 10), "found None, 0.0, 10.0"),
    (simple(22, 0, 0, 0, None, 0, 0, 10, frame=7), "found 7; allowed"),
])  # fmt: skip
def test_half_a_place_is_none(mission, item, message):
    with pytest.raises(ScenarioError, match=message):
        mission(item)


@pytest.mark.parametrize("items", [
    [simple(206, 25, 0, 1, 0, 0, 0, 0, frame=2)], [simple(93, 5, 0, 0, 0, 0, 0, 0)], [simple(178, 1, 5, 0, 0, 0, 0, 0)],
    [{"type": "ComplexItem", "complexItemType": "StructureScan"}],
])  # fmt: skip
def test_a_plan_of_which_nothing_is_flown_is_refused(mission, items):
    with pytest.raises(ScenarioError, match="mission.items: nothing of it is flown; not used: "):
        mission(*items)


def test_over_no_places_there_is_no_figure(mission):
    task = mission(placed(22, 10, -20, 30))
    assert task.judge("nobody", []).figures() == {"items_unused": 0}
