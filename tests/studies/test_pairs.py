"""What shared draws are worth on a real twin: two gains of a controller, flown with the same seeds."""

import os
from pathlib import Path

import pytest

from twin.analysis.paired import by_key, compared
from twin.specs.toml_text import validate
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

ROOT = Path(__file__).resolve().parents[2]
LOSSY = {"network.kind": "fixed", "network.loss": 0.3, "network.jitter.kind": "exponential",
         "network.jitter.scale": "40 ms", "robots.patrol.count": 2, "duration": "5 s"}  # fmt: skip
KEY = "robots.patrol.parameters.kd"


@pytest.mark.skipif("TWIN_LONG" not in os.environ, reason="a minute: just pairs")
def test_pairs_of_two_gains_vary_at_least_14_times_less_than_runs_that_share_nothing(tmp_path):
    """12 seeds; of a correlation r between the two, the variance of the difference falls by 1 / (1 - r)."""
    plan = validate(Plan, {"scenario": str(ROOT / "tests/patrol.toml"), "set": LOSSY, "seeds": "1:12",
                           "grid": {KEY: [3.5, 4.0]}})  # fmt: skip
    sweep = plan_runs(plan, tmp_path)
    with Pool(2) as pool:
        sweep.run(pool)
    (first, before), (second, after) = by_key(sweep.rows(), KEY).items()
    found = {one.figure: one for one in compared((first, before), (second, after)).differences}
    print({name: round(one.gain, 1) for name, one in found.items() if one.gain})
    assert found["tracking_rms"].gain >= 14.0
