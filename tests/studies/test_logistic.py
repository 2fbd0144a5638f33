"""A border that only a probability has: found where it is, and as surely as is said."""

import numpy as np
import pytest
from scipy.special import expit, logit

from twin.errors import ScenarioError
from twin.studies.logistic import Posterior, find_likely


class Flips:
    """Runs that break at x by a logistic curve, and where they were made."""

    def __init__(self, middle, scale, seed=0):
        self.middle, self.scale, self.rng = middle, scale, np.random.default_rng(seed)

    def __call__(self, places):
        return [bool(self.rng.random() < expit((x - self.middle) / self.scale)) for x in places]


@pytest.mark.parametrize(("probability", "middle", "scale"), [(0.5, 73.0, 5.0), (0.05, 73.0, 5.0), (0.05, 120.0, -9.0)])
def test_its_interval_covers(probability, middle, scale):
    """100 searches of 100 runs: of a nominal 95 %, less three sigma of counting. A single run would be 6 ms off."""
    truth = middle + scale * logit(probability)
    found = [find_likely(Flips(middle, scale, seed), 20.0, 200.0, probability, 100) for seed in range(100)]
    assert sum(one.interval.lower <= truth <= one.interval.upper for one in found) >= 100 * 0.95 - 3 * 2.2
    assert all(len(one.runs) == 100 and one.rises == (scale > 0) for one in found)
    assert np.mean([one.value for one in found]) == pytest.approx(truth, abs=abs(scale))
    assert np.mean([one.even for one in found]) == pytest.approx(middle, abs=0.6 * abs(scale))


def test_more_runs_know_it_better_and_ends_may_be_given_either_way():
    few, many = (find_likely(Flips(73.0, 5.0), 20.0, 200.0, 0.5, n).interval for n in (40, 400))
    assert many.upper - many.lower < 0.6 * (few.upper - few.lower)
    back = find_likely(Flips(73.0, 5.0), 200.0, 20.0, 0.5, 100)
    assert back.rises and back.interval.lower < 73.0 < back.interval.upper


def test_a_posterior_is_that_of_bayes():
    """Two runs, held at 0 and broken at 1: weights are products of the values of the curve."""
    known = Posterior(0.0, 1.0)
    known.take(0.0, broken=False)
    known.take(1.0, broken=True)
    middle, scale = known.border(0.5)[:, 0], np.geomspace(1 / 300, 0.5, 40)
    weight = expit((middle[:, None] - 0.0) / scale) * expit((1.0 - middle[:, None]) / scale)
    assert known.mean(0.5) == pytest.approx(float((weight / weight.sum() * middle[:, None]).sum())) == 0.5
    assert known.quantile(0.5, 0.5) == pytest.approx(0.5, abs=0.006)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda places: [False for x in places], "no border between 20 and 200: 0 of 4 break at 20"),
        (lambda places: [60 < x < 100 for x in places], "no border between 20 and 200"),
        (lambda places: [60 < x < 100 or x > 190 for x in places], "more than one border: 0 of 4 break at 20, 4 of 4"),
    ],
)
def test_what_has_no_border_or_several_is_refused(broken, said):
    with pytest.raises(ScenarioError) as error:
        find_likely(broken, 20.0, 200.0, 0.5, 100)
    assert said in str(error.value)
