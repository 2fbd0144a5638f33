"""Going on until it is decided: no more runs than that takes, and wrong no more often than it says."""

import numpy as np
import pytest

from twin.studies.deciding import LOOK, until_decided
from twin.studies.plan import Point
from twin.studies.statements import Wanted
from twin.studies.sweep import Planned


class Coins:
    """A sweep whose runs violate their requirement with a probability that depends on the point."""

    def __init__(self, chances, most, rng):
        self.runs = [Planned(f"{i}-{seed}", Point({"i": i}, seed), None) for i in range(len(chances))
                     for seed in range(most)]  # fmt: skip
        self._chances, self._rng, self._rows = chances, rng, {}

    def run(self, runner, progress, some):
        for run in some:
            bad = self._rng.random() < self._chances[run.point.values["i"]]
            self._rows[run.name] = {"point": run.point.values, "status": "complete", "margins": {"rtt_p50 < 1 s": 0.1},
                                    "figures": {"rtt_p50": self._rng.random()},
                                    "requirements": {"rtt_p50 < 1 s": "failed" if bad else "passed"}}  # fmt: skip

    def rows(self):
        return [self._rows[run.name] for run in self.runs if run.name in self._rows]


def decide(chances, most=500, seed=1):
    sweep = Coins(chances, most, np.random.default_rng(seed))
    return until_decided(sweep, None, Wanted(), lambda: None)


def test_each_point_stops_when_it_is_decided():
    good, bad = decide([0.0, 0.5])
    assert good.answer == "passed" and bad.answer == "failed"
    assert bad.runs <= 3 * LOOK < good.runs < 250 and good.runs % LOOK == bad.runs % LOOK == 0


def test_what_can_not_be_decided_ends_with_the_runs():
    (one,) = decide([0.05], most=45)
    assert one.answer == "inconclusive" and one.runs == 45


@pytest.mark.parametrize(("chance", "wrong"), [(0.05, ("passed", "failed")), (0.12, ("passed",))])
def test_it_is_wrong_no_more_often_than_it_says(chance, wrong):
    """100 sweeps that look every 10 runs: at most 5 % false statements, and three sigma of counting that."""
    false = sum(decide([chance], most=300, seed=seed)[0].answer in wrong for seed in range(100))
    assert false <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)
