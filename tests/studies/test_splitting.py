"""Splitting is unbiased: against plain runs of a stand-in, at its edges exactly, and it says when it can't tell.

The long comparison, 250,000 plain runs, is `just splitting`.
"""

import os
from itertools import count
from math import inf, sqrt

import numpy as np
import pytest

from twin.studies.splitting import ROOTS, SHARE, Leaf, chance, grow, next_levels

from .stand_in import TICKS, StandIn, plain

LEVELS = [1.2, 2.2, 3.5, 5.0]


def trees(number, levels, copies, limit, first=10**9, horizon=0.8):
    seeds = count(10**12)
    return [grow(StandIn(first + i, limit, seeds, horizon), levels, copies) for i in range(number)]


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_what_never_happens_has_probability_0_and_what_always_does_1(copies):
    never, always = trees(40, LEVELS, copies, inf), trees(40, LEVELS, copies, 1e-6)
    assert chance(always, TICKS).probability == 1.0
    assert {leaf.hit for tree in never for leaf in tree} == {False}
    assert sum(leaf.weight for tree in never for leaf in tree) == pytest.approx(40.0)
    found = chance(never, TICKS)
    assert found.interval.lower == 0.0
    assert found.interval.upper == pytest.approx(1 - 0.025 ** (1 / 40)), "nobody of 40: by Clopper and Pearson"


def test_one_copy_is_plain_runs_exactly():
    hits, ticks = plain(10**9, 200, 0.7)
    grown = trees(200, LEVELS, 1, 0.7)
    assert all(len(tree) == 1 and tree[0].weight == 1.0 for tree in grown)
    assert sum(leaf.hit for tree in grown for leaf in tree) == hits > 5
    assert sum(leaf.steps for tree in grown for leaf in tree) == ticks
    assert chance(grown, TICKS).probability == hits / 200


@pytest.fixture(scope="module")
def many():
    return plain(5, 10_000, 1.019)[0] / 10_000


@pytest.mark.parametrize("levels", [[1.2, 2.0], [0.3, 0.35, 2.9]])
def test_it_is_unbiased_whatever_the_levels_are(levels, many):
    """Of probability 1e-2: 10,000 plain runs and 500 trees agree within 3.3 sigma of their difference."""
    p, found = many, np.array([sum(leaf.weight for leaf in t if leaf.hit) for t in trees(500, levels, 4, 1.019)])
    sigma = sqrt(p * (1 - p) / 10_000 + found.var(ddof=1) / len(found))
    assert abs(found.mean() - p) < 3.3 * sigma


def test_weights_of_a_tree_are_those_of_its_root():
    for tree in trees(50, [0.5, 1.0], 3, inf):
        assert sum(leaf.weight for leaf in tree) == pytest.approx(1.0)


def test_no_number_is_stated_while_few_roots_carry_hits():
    def tree(hit):
        return [Leaf(0.5, hit), Leaf(0.5, False)]

    few = chance([tree(i < ROOTS - 1) for i in range(1000)], 100.0)
    assert few.probability is None and few.rooted == ROOTS - 1
    assert 0.029 < few.interval.upper < 0.05
    enough = chance([tree(i < ROOTS) for i in range(1000)], 100.0)
    assert enough.probability == pytest.approx(0.015)


def test_paths_without_an_end_widen_the_interval_to_both_sides():
    def tree(hit):
        return [Leaf(0.5, hit), Leaf(0.5, False)]

    whole = chance([tree(i < 100) for i in range(1000)], 100.0)
    broken = chance([tree(True if i < 100 else None if i < 200 else False) for i in range(1000)], 100.0)
    assert broken.unfinished == 100
    assert broken.interval.lower == whole.interval.lower
    assert broken.interval.upper > 0.1 > whole.interval.upper


def test_levels_of_a_pilot_are_reached_by_a_fifth_each():
    pilot = [[Leaf(1.0, False, score=float(i))] for i in range(125)]
    first, second = next_levels(pilot, [])
    for level, before in ((first, 125), (second, sum(i >= first for i in range(125)))):
        assert sum(i >= level for i in range(125)) == pytest.approx(SHARE * before, abs=1)
    assert next_levels([[Leaf(1.0, i % 4 == 0, score=float(i))] for i in range(100)], []) == []


def test_a_pilot_finds_levels_that_make_a_rare_event_common():
    levels = []
    for number in range(5):
        more = next_levels(trees(100, levels, 5, 1.867, first=10**8 * (number + 1)), levels)
        if not more:
            break
        levels += more
    grown = trees(200, levels, 5, 1.867)
    found = chance(grown, TICKS)
    assert len(levels) >= 2 and found.rooted > 5
    assert found.interval.lower < 1.3e-3 < found.interval.upper


@pytest.mark.skipif("TWIN_LONG" not in os.environ, reason="minutes: just splitting")
def test_against_a_quarter_of_a_million_plain_runs():
    """At 1.3e-3, by 50,000 trees: no bias, 12 times the steps in plain runs, and intervals that cover as they say."""
    hits, ticks = plain(11 * 10**6, 250_000, 1.867)
    p = hits / 250_000
    grown = trees(50_000, LEVELS, 4, 1.867)
    found = chance(grown, ticks / 250_000)
    sums = np.array([sum(leaf.weight for leaf in tree if leaf.hit) for tree in grown])
    z = (found.probability - p) / sqrt(p * (1 - p) / 250_000 + sums.var(ddof=1) / len(sums))
    covers = [one.interval.lower <= found.probability <= one.interval.upper for i in range(0, 50_000, 1000)
              if (one := chance(grown[i : i + 1000], TICKS)).probability is not None]  # fmt: skip
    print(f"plain {p:.4g}, trees {found.probability:.4g} of {found.rooted} roots with a hit, z {z:.2f}, "
          f"gain {found.gain:.3g}, {sum(covers)} of {len(covers)} intervals of 1000 trees cover")  # fmt: skip
    assert abs(z) < 3.0 and found.gain >= 10.0 and np.mean(covers) >= 0.85
