from dataclasses import replace

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.siting.candidates import Candidate, from_file, grid, roofs, streets
from twin.siting.sight import candidates, cells, seen, spread
from twin.siting.spec import GridSpec, RoofsSpec, StreetsSpec

HEAD = "name,x,y,z,kind,cost\n"


def test_masts_stand_at_the_inset_corners_and_in_the_middle_of_high_roofs(town):
    places, dropped = roofs(town, RoofsSpec(least_height=6.0, inset=1.0, mast=3.0))
    expected = [(x, y, z) for (x0, x1), z in (((-40, -20), 23.0), ((20, 40), 15.0))
                for x, y in ((x0 + 1, -9), (x1 - 1, -9), (x0 + 1, 9), (x1 - 1, 9), ((x0 + x1) / 2, 0))]  # fmt: skip
    assert sorted(map(tuple, places.round(6).tolist())) == sorted(expected)
    assert [(d.why, d.count) for d in dropped] == [("something is above", 0), ("lower than 6 m", 5)]


def test_poles_stand_beside_walls_on_open_ground(town):
    places, _ = streets(town, StreetsSpec(pole=8.0, wall=(1.5, 8.0), grid=4.0))
    assert len(places)
    assert (places[:, 2] == 8.0).all()
    for x, y, _ in places:
        gap = min(np.hypot(max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)) for x0, x1, y0, y1 in
                  ((20, 40, -10, 10), (-40, -20, -10, 10), (-1, 1, 20, 22)))  # fmt: skip
        assert gap > 0.0
        assert gap <= 8.0


def test_points_of_a_grid_are_inside_of_nothing(town):
    places, dropped = grid(town, "ceiling", GridSpec(height=10.0, step=10.0, area=(-45.0, -10.0, 45.0, 10.0)))
    assert len(places) + dropped[0].count == 9 * 2
    assert all(thing is None for thing in town.inside(places))
    assert dropped[0].count == 8


def test_sight_is_that_of_straight_lines(town):
    """From a mast in the middle of the east roof: over its edge 10 m away and 3 m below, ground from 50 m on."""
    mast = np.array([[30.0, 0.0, 15.0]])
    shadow = 10.0 * 15.0 / 3.0
    targets = np.array([[30.0, -shadow - 1, 0.01], [30.0, -shadow + 1, 0.01], [30.0, -80.0, 30.0]])
    assert seen(town, mast, targets, lambda done, total: None) == [pytest.approx(2 / 3)]


def test_the_best_are_taken_apart_from_each_other_and_ties_by_order():
    places = np.array([[0.0, 0, 0], [3, 0, 0], [10, 0, 0], [20, 0, 0]])
    score = np.array([0.5, 0.9, 0.5, 0.5])
    assert spread(places, score, 5.0, 9, []) == [1, 2, 3]
    assert spread(places, score, 5.0, 2, []) == [1, 2]
    assert spread(places, score, 5.0, 9, [np.array([9.0, 0, 0])]) == [1, 3]


def test_each_cell_of_the_mission_counts_once(flight):
    points = cells(flight)
    assert len(np.unique(np.floor(points / 5), axis=0)) == len(points)
    crowd = replace(flight, position=np.random.default_rng(1).uniform(0, 500, (20, 200, 3)))
    assert len(cells(crowd)) <= 512


def test_candidates_have_names_by_kind_and_say_what_was_left_out(town, flight, spec):
    found, dropped = candidates(town, spec(roofs={"separation": "10 m"}), flight, [])
    assert [one.name for one in found] == [f"roof-{i}" for i in range(len(found))]
    assert {one.kind for one in found} == {"roof"}
    everything = 15
    assert len(found) + sum(one.count for one in dropped) == everything


def test_what_stands_keeps_others_away(town, flight, spec):
    kept = [Candidate("site", "site", (30.0, 0.0, 15.0))]
    found, _ = candidates(town, spec(roofs={"separation": "60 m", "most": 5}), flight, kept)
    assert found[0] == kept[0]
    assert all(one.place[0] < -20 for one in found[1:])


def test_nothing_left_is_said_with_what_each_filter_took(town, flight, spec):
    with pytest.raises(ScenarioError) as error:
        candidates(town, spec(roofs={"least_height": "30 m"}), flight, [])
    assert str(error.value) == "candidates: no candidate is left: 15 of roof: lower than 30 m"


def test_a_list_gives_heights_above_the_ground_and_its_own_costs(town, tmp_path):
    file = tmp_path / "sites.csv"
    file.write_text("name,x,y,z,azimuth,tilt,power,kind,cost\nmast,0,-50,30,0,0,43,roof,\nown,0,50,8,0,0,43,roof,1e3\n")
    found = from_file(town, file, ["roof"])
    assert found == [Candidate("mast", "roof", (0.0, -50.0, 30.0), 30.0), Candidate("own", "roof", (0.0, 50.0, 8.0),
                     8.0, 1000.0)]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [
    ("", "holds no candidate"),
    ("name,x,y,z\na,0,0,9\n", "lacks the columns kind; needed: name, x, y, z, kind"),
    (HEAD + "a,0,0,nine,roof,\n", "line 2, z: found 'nine'; allowed: a finite number"),
    (HEAD + "a,0,inf,9,roof,\n", "line 2, y: found 'inf'; allowed: a finite number"),
    (HEAD + "a,0,0,9,rof,\n", "line 2, kind: found 'rof'; allowed: roof, street; did you mean 'roof'?"),
    (HEAD + ",0,0,9,roof,\n", "line 2, name: found nothing"),
    (HEAD + "a,0,0,9,roof,\nb,30,0,9,roof,\n", "line 3: b is inside of east"),
    (HEAD + "a,0,0,9,roof,-5\n", "line 2, cost: found -5; allowed: at least 0"),
])  # fmt: skip
def test_a_list_that_is_wrong_is_refused_with_its_line(town, tmp_path, text, said):
    file = tmp_path / "sites.csv"
    file.write_text(text)
    with pytest.raises(ScenarioError) as error:
        from_file(town, file, ["roof", "street"])
    assert str(error.value) == f"{file}: {said}"


@pytest.mark.parametrize(("rows", "said"), [
    ("a,0,0,9,roof,\na,0,50,9,roof,\n", "two candidates are called 'a'"),
    ("a,0,0,9,roof,\nb,0,0,9,roof,\n", "b and a are both at (0, 0, 9) m"),
])  # fmt: skip
def test_two_at_one_place_or_of_one_name_are_refused(town, flight, spec, tmp_path, rows, said):
    file = tmp_path / "sites.csv"
    file.write_text(HEAD + rows)
    with pytest.raises(ScenarioError) as error:
        candidates(town, spec(roofs=None, file=file), flight, [])
    assert str(error.value) == f"candidates: {said}"
