"""Sensitivities against functions whose indices are known."""

import numpy as np
import pytest
from scipy.stats import qmc

from twin.errors import ScenarioError
from twin.specs.toml_text import validate
from twin.studies.plan import Plan
from twin.studies.sensitivity import (
    answer_of,
    flips,
    influences,
    rank_correlation,
    rbd_fast,
    sampled,
    sobol_shares,
)

FIRST, TOTAL = [0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]
"""Of Ishigami's function with a = 7, b = 0.1 (Ishigami and Homma 1990)."""
RANGES = {name: [-np.pi, np.pi] for name in "abc"}


def ishigami(x):
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def hypercube(n, d=3):
    return np.pi * (2 * qmc.LatinHypercube(d, rng=1).random(n) - 1)


def test_shares_of_ishigami_by_a_latin_hypercube():
    x = hypercube(300)
    found = influences(rbd_fast, x, ishigami(x))
    for one, share in zip(found, FIRST, strict=True):
        assert one.value == pytest.approx(share, abs=0.06)
        assert one.interval.lower <= share <= one.interval.upper


def test_shares_of_ishigami_by_a_saltelli_design():
    """Of 1024 (3 + 2) points: first order to 0.02, total to 0.02; with 64 their intervals say that they are useless."""
    for n, within in ((1024, 0.02), (64, None)):
        plan = validate(Plan, {"scenario": "x", "range": RANGES, "design": f"saltelli:{n}"})
        x = np.array([list(point.values.values()) for point in plan.points()])
        assert len(x) == plan.size == 5 * n
        found = sobol_shares(ishigami(x), 3)
        for ones, shares in ((found.first, FIRST), (found.total, TOTAL)):
            if within:
                assert [one.value for one in ones] == pytest.approx(shares, abs=within)
            else:
                assert max(one.interval.upper - one.interval.lower for one in ones) > 0.3


def test_a_sum_shares_its_variance_as_squares_of_its_weights():
    """y = 3 a + 4 b: shares 9/25 and 16/25; c has none, and correlations have the signs of the weights."""
    x = hypercube(400)
    y = 3 * x[:, 0] - 4 * x[:, 1]
    assert rbd_fast(x, y) == pytest.approx([0.36, 0.64, 0.0], abs=0.06)
    first, second, third = rank_correlation(x, y)
    assert 0.5 < first < 0.7 and -0.9 < second < -0.7 and abs(third) < 0.15
    assert rank_correlation(x, np.exp(y)) == pytest.approx([first, second, third]), "ranks know no scale"


def test_intervals_cover():
    """A line with noise, 60 times: its share of 1/2 lies within nearly all of the nominal 95 % intervals."""
    rng, inside = np.random.default_rng(2), 0
    for _ in range(60):
        x = rng.uniform(-1, 1, (100, 1))
        (one,) = influences(rbd_fast, x, x[:, 0] + rng.normal(0, np.sqrt(1 / 3), 100))
        inside += one.interval.lower <= 0.5 <= one.interval.upper
    assert inside >= 52  # of 57 expected, three sigma of counting off


def test_a_verdict_flips_by_the_parameter_that_turns_it():
    x = hypercube(100)
    answers = ["failed" if row[1] > np.pi / 2 else "passed" for row in x]
    found = flips(x, answers, "passed")
    assert found.flipped == 25 and found.interval.lower < 0.25 < found.interval.upper
    assert found.by[1].interval.lower > 0.3 and max(found.by[0].value, found.by[2].value) < 0.2
    assert flips(x, ["passed"] * 100, "passed").by == []


def test_runs_without_an_end_have_not_passed_and_one_failure_fails():
    good = {"answer": "passed", "status": "complete"}
    assert answer_of([good, good]) == "passed"
    assert answer_of([good, {"answer": "failed", "status": "complete"}]) == "failed"
    for bad in ({"answer": None, "status": "died"}, {"answer": "passed", "status": "stopped"}):
        assert answer_of([good, bad]) == "inconclusive"


def test_a_run_without_a_figure_counts_as_is_said_or_not_at_all():
    plan = validate(Plan, {"scenario": "x", "range": {"a": ["0 ms", "9 ms"]}, "design": "lhs:30", "seeds": "1:2"})
    rows = [{"point": point.values, "figures": {"rtt_p50": 0.1} if i else {}} for i, point in enumerate(plan.points())]
    found = sampled(plan, rows)
    assert found.units == ["ms"] and found.x.shape == (30, 1)
    with pytest.raises(ScenarioError, match="1 runs have no rtt_p50; say by --absent"):
        found.figure("rtt_p50", None)
    assert found.figure("rtt_p50", 0.3)[:2] == pytest.approx([0.2, 0.1])
    with pytest.raises(ScenarioError, match="1 of 60 runs are missing"):
        sampled(plan, rows[1:])
    few = validate(Plan, {"scenario": "x", "range": {"a": [0, 1]}, "design": "lhs:8"})
    with pytest.raises(ScenarioError, match="found 8 points; allowed: 25 at least"):
        sampled(few, rows[:8])
