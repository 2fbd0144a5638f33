"""A table of the city: 60 roofs and poles, 14 couriers between houses, 16 s at 10 Hz (benchmarks/couriers.toml).

Up to 180,000 no three sites can be paid for, and every one and two of 60 can be tried.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from twin.siting.control import chains, mask_of, needs, outcome, unserved
from twin.siting.solve import Costs, Problem, least_money, most_control, most_coverage


@pytest.fixture(scope="module")
def table():
    with np.load(Path(__file__).with_name("couriers.npz")) as kept:
        count = int(np.prod(kept["shape"]))
        serves = np.unpackbits(kept["serves"], count=count).astype(bool).reshape(kept["shape"])
        costs = Costs(kept["site"], kept["column"], kept["carrier"], float(kept["fixed"]))
        window = kept["window"]
    rows = tuple(range(len(serves)))
    return serves, Problem(costs, rows, (0,) * len(rows), (tuple(chains(serves, window)),))


@pytest.fixture(scope="module")
def every(table):
    """Every plan of at most two sites: cost, steps without control, steps without a server."""
    serves, problem = table
    sets = [(), *((a,) for a in range(60)), *combinations(range(60), 2)]
    masks = [mask_of(one) for one in sets]
    return [(problem.cost(mask), outcome(problem.cases[0], mask).missed, unserved(serves, one) if one else None, mask)
            for one, mask in zip(sets, masks, strict=True)]  # fmt: skip


def test_three_sites_cost_more_than_is_tried(table):
    _, problem = table
    cheapest = np.sort(problem.costs.site + problem.costs.column)[:3].sum()
    assert cheapest + problem.costs.carrier[0] + problem.costs.fixed > 180e3


@pytest.mark.parametrize("budget", [110e3, 140e3, 150e3, 165e3, 172e3, 180e3])
def test_most_control_is_that_of_every_one_and_two_sites(table, every, budget):
    _, problem = table
    found = most_control(problem, budget)
    best = min((missed, cost) for cost, missed, _, _ in every if cost <= budget)
    assert found.proven
    got = outcome(problem.cases[0], found.chosen).missed, problem.cost(found.chosen)
    assert got == (best[0], pytest.approx(best[1]))


@pytest.mark.parametrize("budget", [140e3, 165e3, 180e3])
def test_most_coverage_is_that_of_every_one_and_two_sites(table, every, budget):
    serves, problem = table
    found = most_coverage(problem, needs(serves), budget)
    best = min(gone for cost, _, gone, _ in every if cost <= budget and gone is not None)
    assert unserved(serves, [c for c in range(60) if found.chosen >> c & 1]) == best


def test_least_money_is_at_most_that_of_the_cheapest_two_that_lose_nobody(table, every):
    _, problem = table
    found = least_money(problem)
    assert outcome(problem.cases[0], found.chosen).missed == 0
    assert problem.cost(found.chosen) <= min(cost for cost, missed, _, _ in every if missed == 0)


def test_cp_sat_finds_the_same(table):
    """Where OR-tools is installed, which the project doesn't need."""
    cp_model = pytest.importorskip("ortools.sat.python.cp_model", reason="needs OR-tools: pip install ortools")
    _, problem = table
    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{c}") for c in range(60)]
    money = np.round(problem.costs.site + problem.costs.column).astype(int)
    budget = 300_000 - int(problem.costs.fixed + problem.costs.carrier[0])
    model.add(sum(int(m) * v for m, v in zip(money, x, strict=True)) <= budget)
    worth, given = [], 0
    for chain in problem.cases[0]:
        given, before = given + chain.given, None
        for mask, weight in zip(chain.sets, chain.weights, strict=True):
            y = model.new_bool_var("")
            model.add(sum(x[c] for c in range(60) if mask >> c & 1) >= y)
            if before is not None:
                model.add_implication(y, before)
            worth.append(weight * y)
            before = y
    model.maximize(sum(worth))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    found = most_control(problem, 300e3)
    assert outcome(problem.cases[0], found.chosen).held == given + round(solver.objective_value)
