"""The programme against every choice there is, on small random tables."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.siting.control import chains, mask_of, needs, outcome, unserved
from twin.siting.solve import Costs, Cut, Problem, least_money, most_control, most_coverage


@st.composite
def tables(draw, most_cases=1):
    """A problem of at most 6 columns, with the tables (C, T, N) and windows that its cases come from."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, steps, robots = (draw(st.integers(*ends)) for ends in ((1, 6), (2, 8), (1, 3)))
    site = np.unique(np.sort(rng.integers(0, count, count)), return_inverse=True)[1]
    carrier = rng.integers(0, 2, count)
    costs = Costs(*(rng.integers(0, 20, n).astype(float) for n in (site.max() + 1, count, 2)))
    how_many = draw(st.integers(1, most_cases))
    cases = [rng.random((count, steps, robots)) < rng.uniform(0.2, 0.9) for _ in range(how_many)]
    window = rng.integers(0, 3, robots)
    problem = Problem(costs, tuple(site.tolist()), tuple(carrier.tolist()),
                      tuple(tuple(chains(case, window)) for case in cases), 0, draw(st.integers(1, 2)))  # fmt: skip
    return problem, cases, window


def held(problem, chosen):
    return min(outcome(case, chosen, problem.groups, problem.redundancy).held for case in problem.cases)


def every(problem):
    return range(1 << len(problem.site))


@settings(max_examples=30, deadline=None)
@given(tables(), st.integers(0, 60))
def test_most_control_is_that_of_every_choice(made, budget):
    problem, _, _ = made
    found = most_control(problem, float(budget))
    best = max((held(problem, one), -problem.cost(one)) for one in every(problem) if problem.cost(one) <= budget)
    assert found.proven
    assert (held(problem, found.chosen), -problem.cost(found.chosen)) == best


@settings(max_examples=25, deadline=None)
@given(tables(most_cases=3), st.integers(0, 60))
def test_the_worst_case_counts_and_is_never_better_than_a_case_alone(made, budget):
    problem, _, _ = made
    found = most_control(problem, float(budget))
    best = max(held(problem, one) for one in every(problem) if problem.cost(one) <= budget)
    assert held(problem, found.chosen) == best
    for case in problem.cases:
        alone = replace(problem, cases=(case,))
        assert best <= held(alone, most_control(alone, float(budget)).chosen)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_least_money_is_that_of_every_choice_that_loses_nobody(made):
    problem, _, _ = made
    found = least_money(problem)
    whole = [problem.cost(one) for one in every(problem) if not any(
        step is not None for case in problem.cases for step in
        outcome(case, one, problem.groups, problem.redundancy).lost)]  # fmt: skip
    assert (found is None) == (not whole)
    if found is not None:
        assert problem.cost(found.chosen) == min(whole)


@settings(max_examples=25, deadline=None)
@given(tables(), st.integers(0, 60))
def test_most_coverage_is_that_of_every_choice(made, budget):
    problem, (serves,), _ = made
    problem = replace(problem, redundancy=1)
    found = most_coverage(problem, needs(serves), float(budget))
    covered = {one: -unserved(serves, [c for c in range(len(problem.site)) if one >> c & 1]) for one in every(problem)
               if problem.cost(one) <= budget}  # fmt: skip
    assert covered[found.chosen] == max(covered.values())


@settings(max_examples=25, deadline=None)
@given(tables(), st.integers(0, 40), st.integers(0, 20), st.data())
def test_more_money_more_places_and_longer_patience_are_never_worse(made, budget, more, data):
    problem, (serves,), window = made
    value = held(problem, most_control(problem, float(budget)).chosen)
    assert held(problem, most_control(problem, float(budget + more)).chosen) >= value
    patient = replace(problem, cases=(tuple(chains(serves, window + 1)),))
    assert held(patient, most_control(patient, float(budget)).chosen) >= value
    gone = data.draw(st.integers(0, len(problem.site) - 1))
    fewer = problem.with_cut(Cut(1 << gone, most=0))
    assert held(problem, most_control(fewer, float(budget)).chosen) <= value


@settings(max_examples=25, deadline=None)
@given(tables(), st.integers(0, 60), st.sampled_from([1e-3, 7.0, 1e6]), st.randoms(use_true_random=False))
def test_the_order_of_candidates_and_the_unit_of_money_change_neither_control_nor_cost(made, budget, unit, random):
    problem, (serves,), window = made
    chosen = most_control(problem, float(budget)).chosen
    order = list(range(len(problem.site)))
    random.shuffle(order)
    other = replace(
        problem, site=tuple(problem.site[c] for c in order), carrier=tuple(problem.carrier[c] for c in order),
        costs=Costs(unit * problem.costs.site, unit * problem.costs.column[order], unit * problem.costs.carrier),
        cases=(tuple(chains(serves[order], window)),),
    )  # fmt: skip
    again = most_control(other, unit * budget).chosen
    assert held(other, again) == held(problem, chosen)
    assert np.isclose(other.cost(again), unit * problem.cost(chosen), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(tables(), st.integers(0, 63))
def test_who_is_unserved_is_lost_or_still_patient(made, chosen):
    """Each robot may go unserved for no longer than it lasts, again and again, without being lost."""
    problem, (serves,), window = made
    columns = [c for c in range(len(problem.site)) if chosen >> c & 1]
    of = outcome(problem.cases[0], mask_of(columns))
    for robot, step in enumerate(of.lost):
        gaps = ~serves[columns][:, :, robot].any(axis=0)
        longest = max((len(run) for run in "".join("x" if gap else " " for gap in gaps).split()), default=0)
        assert (step is not None) == (longest > window[robot])
        if step is not None:
            assert gaps[step - window[robot] : step + 1].all()


def test_a_cut_takes_a_plan_and_all_that_hold_it_away():
    serves = np.ones((3, 4, 1), dtype=bool)
    problem = Problem(Costs(np.array([1.0, 2.0, 3.0]), np.zeros(3), np.zeros(1)), (0, 1, 2), (0, 0, 0),
                      (tuple(chains(serves, np.zeros(1, int))),))  # fmt: skip
    plans = []
    for _ in range(3):
        found = most_control(problem, 10.0)
        plans.append(found.chosen)
        problem = problem.with_cut(Cut(found.chosen, most=found.chosen.bit_count() - 1))
    assert plans == [0b001, 0b010, 0b100]
    assert held(problem, most_control(problem, 10.0).chosen) == 0


def test_what_stands_already_is_there_and_can_make_a_budget_impossible():
    serves = np.array([[[True]], [[False]]])
    costs = Costs(np.array([4.0, 1.0]), np.zeros(2), np.zeros(1))
    problem = Problem(costs, (0, 1), (0, 0), (tuple(chains(serves, np.zeros(1, int))),), kept=0b10)
    assert most_control(problem, 5.0).chosen == 0b11
    assert most_control(problem, 4.0).chosen == 0b10
    assert most_control(problem, 0.5) is None
