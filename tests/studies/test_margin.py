from math import inf

import pytest

from twin.errors import ScenarioError
from twin.studies.margin import SCAN, find_border, worst

A, B = "rtt_p50 < 1 s", "rtt_p99 < 1 s"


class Counted:
    """A margin as a function of a value, and how often it was asked."""

    def __init__(self, margin):
        self.margin, self.asked = margin, 0

    def __call__(self, places):
        self.asked += len(places)
        return [self.margin(x) for x in places]


MARGINS = [
    lambda x: 73.0 - x,
    lambda x: x - 73.0,
    lambda x: 1 - (x / 73.0) ** 4,
    lambda x: 1.0 if x < 73.0 else -inf,
    lambda x: 0.0 if x < 73.0 else -1e9,
]


@pytest.mark.parametrize("margin", MARGINS)
def test_it_finds_the_border_from_either_side(margin):
    measure = Counted(margin)
    border = find_border(measure, 20.0, 200.0, 0.5)
    assert abs(border.holds - border.breaks) <= 0.5
    assert min(border.holds, border.breaks) <= 73.0 <= max(border.holds, border.breaks)
    assert margin(border.holds) >= 0.0 > margin(border.breaks)
    assert border.looked == measure.asked


@pytest.mark.parametrize("margin", [*MARGINS, lambda x: inf if x < 73.0 else -inf, lambda x: 0.0 if x < 73.0 else -0.01,
                                    lambda x: 1e-9 if x < 73.0 else -1e9])  # fmt: skip
def test_no_margin_takes_many_more_looks_than_halving(margin):
    """Halving 45 to 0.05 takes 10 looks; two false positions and a halving in turn at most three times as many."""
    measure = Counted(margin)
    find_border(measure, 20.0, 200.0, 0.05)
    assert measure.asked - SCAN <= 30


def test_a_smooth_margin_takes_fewer_looks_than_halving():
    """Halving 45 to 0.05 takes 10 looks; a curved margin takes fewer."""
    measure = Counted(lambda x: 1 - (x / 73.0) ** 2)
    find_border(measure, 20.0, 200.0, 0.05)
    assert measure.asked - SCAN < 10


@pytest.mark.parametrize(("margin", "said"), [(lambda x: 1.0, "no border between 20 and 200: 20 holds, 65 holds"),
                                              (lambda x: abs(x - 110.0) - 30.0, "more than one border")])  # fmt: skip
def test_what_has_no_border_or_several_is_refused(margin, said):
    with pytest.raises(ScenarioError) as error:
        find_border(Counted(margin), 20.0, 200.0, 1.0)
    assert said in str(error.value)


def test_a_run_that_died_has_no_margin():
    good = {"status": "complete", "margins": {A: 0.5, B: 0.1}}
    assert worst([good, {**good, "margins": {A: -0.2, B: 1.0}}]) == -0.2
    for bad in ({**good, "status": "stopped"}, {**good, "margins": {A: None}}, {"status": "died", "margins": {}}):
        assert worst([good, bad]) == -inf


def test_a_count_tells_no_distance():
    """A met `= 0` has a margin of 0, wherever its border is: it says only on which side a value lies."""
    count = "collisions = 0"
    row = {"status": "complete", "margins": {A: 0.5, count: -0.0}}
    assert worst([row]) == 0.5
    assert worst([{**row, "margins": {count: -0.0}}]) == inf
    assert worst([{**row, "margins": {A: 0.5, count: -1.0}}]) == -inf
