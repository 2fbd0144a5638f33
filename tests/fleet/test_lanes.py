"""Lanes as a graph, and right of way on it: no shared places, no rings of waiting robots."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.fleet.lanes import Lanes
from twin.fleet.traffic import Traffic

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]


def lanes(*paths, spacing=2.0, clearance=1.0):
    return Lanes([np.array(path, dtype=float) for path in paths], spacing, clearance)


def test_a_path_becomes_nodes_no_further_apart_than_the_spacing():
    made = lanes(SQUARE, spacing=1.9)
    assert len(made.node) == 12 and len(made.lane) == 12
    length = np.linalg.norm(made.node[made.lane[:, 1]] - made.node[made.lane[:, 0]], axis=1)
    assert length == pytest.approx(4 / 3, abs=2e-4), "points are kept to a tenth of a millimetre"


def test_a_lane_that_begins_on_another_one_joins_it_there():
    made = lanes(SQUARE, [[1, 0], [1, -2], [3, -2], [3, 0]], spacing=10.0)
    way = [made.node[node].tolist() for node in made.route(made.at([0, 0]), made.at([3, -2]))]
    assert way == [[1, 0], [1, -2], [3, -2]]
    assert made.route(made.at([3, 0]), made.at([1, 0])) != [], "round the square"


def test_lanes_are_one_way():
    made = lanes([[0, 0], [4, 0]])
    with pytest.raises(ScenarioError, match="no lanes lead from"):
        made.route(made.at([4, 0]), made.at([0, 0]))


def test_lanes_that_cross_without_a_point_are_refused():
    with pytest.raises(ScenarioError, match="cross"):
        lanes([[0, 0], [4, 0]], [[2, -2.5], [2, 2.5]], spacing=10.0)


def test_a_place_off_the_lanes_is_refused_with_the_nearest_point():
    with pytest.raises(ScenarioError, match=r"the nearest is \(4, 4\)"):
        lanes(SQUARE).at([4, 4.2])


def test_distance_from_the_nearest_lane():
    assert lanes(SQUARE).offset(np.array([[2.0, 0.5], [5.0, 5.0]])) == pytest.approx([0.5, 2**0.5])


def test_nobody_is_let_into_a_place_that_is_held_or_too_near():
    made = lanes([[0, 0], [8, 0]], [[4, 0.8], [8, 0.8]])
    traffic = Traffic(made, [made.at([0, 0]), made.at([6, 0.8])])
    traffic.send(0, made.at([8, 0]))
    assert traffic.grant(0), "(2, 0) is free"
    assert traffic.grant(0), "(4, 0) is 2.2 m away from who stands at (6, 0.8)"
    assert not traffic.grant(0), "(6, 0) is within the clearance of (6, 0.8)"


def test_a_node_is_held_until_its_robot_is_well_away():
    made = lanes([[0, 0], [8, 0]])
    traffic = Traffic(made, [made.at([2, 0]), made.at([0, 0])])
    for row in (0, 1):
        traffic.send(row, made.at([8, 0]))
    assert traffic.grant(0) and not traffic.grant(1)
    traffic.pass_node(0)
    traffic.leave_behind(0, 2.9, 0.0, clearance=1.0)
    assert not traffic.grant(1)
    traffic.leave_behind(0, 3.1, 0.0, clearance=1.0)
    assert traffic.grant(1)


def test_the_last_free_place_of_a_ring_is_not_given_to_who_would_close_it():
    ring = lanes([[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]], [[-2, 0], [0, 0]])
    spots = {"a": [0, 0], "b": [2, 0], "c": [2, 2], "d": [0, 2], "in": [-2, 0]}
    place = {name: ring.at(at) for name, at in spots.items()}
    traffic = Traffic(ring, [place["b"], place["c"], place["d"], place["in"]])
    for row, goal in enumerate(["a", "b", "c", "c"]):  # each of the first three wants the next place of the ring
        traffic.send(row, place[goal])
    assert not traffic.grant(3), "with it in the ring nobody could ever move"
    assert traffic.grant(2), "but who is in the ring may move up"


def test_who_may_go_on_and_stands_is_driven_round_where_there_is_another_way():
    straight, aside = [[0, 0], [4, 0], [8, 0], [12, 0]], [[0, 0], [4, 4], [8, 4], [12, 0]]
    for paths in ([straight, aside], [straight]):
        made = lanes(*paths, spacing=10.0)
        goal = made.at([12, 0])
        traffic = Traffic(made, [made.at([4, 0]), made.at([0, 0])])
        for row in (0, 1):
            traffic.send(row, goal)
        assert traffic.grant(0) and not traffic.grant(1)
        traffic.trips[0].moved = 5
        assert not traffic.lead_round(1, stuck_since=5), "it has moved since"
        assert not traffic.lead_round(0, stuck_since=6), "nobody is in its way"
        assert traffic.lead_round(1, stuck_since=6) == (aside in paths)
    traffic = Traffic(made := lanes(straight, aside, spacing=10.0), [made.at([4, 0]), made.at([0, 0])])
    for row in (0, 1):
        traffic.send(row, made.at([12, 0]))
    assert traffic.grant(0) and traffic.lead_round(1, stuck_since=6)
    while traffic.grant(1):
        pass
    assert [made.places[node] for node in traffic.trips[1].route] == [(4, 4), (8, 4), (12, 0)]
    assert traffic.trips[1].granted == 3


def test_a_lane_of_fewer_than_two_points_is_refused():
    for path in ([], [[1, 2]]):
        with pytest.raises(ScenarioError, match=f"a lane of {len(path)} points; allowed: 2 or more"):
            lanes(SQUARE, path)


def test_a_lane_that_stays_where_it_is_is_refused():
    with pytest.raises(ScenarioError, match=r"a lane has \(9, 2\) m twice in a row; allowed: each point once"):
        lanes(SQUARE, [[1, 2], [9, 2], [9, 2], [9, 5]])


def test_a_spacing_that_cuts_into_too_many_pieces_is_refused():
    with pytest.raises(ScenarioError, match="16 m of lanes in pieces of 1e-05 m are 1600000 pieces; allowed: 3000"):
        lanes(SQUARE, spacing=1e-5)
