"""Random changes to every kind of input: refused in words or run, in 10 s and 1 GB, nothing outside of its folder.

`TWIN_FUZZ_SEED=20261201 pytest tests/fuzz -k robot` tries the cases of that day again; thousands by `just fuzz`.
"""

import pytest
from fuzzing.harness import Tally, run, today
from fuzzing.targets import all_targets

TARGETS = {target.name: target for target in all_targets()}


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_changed_is_refused_or_runs(name):
    target, tally = TARGETS[name], Tally()
    for outcome in run(target, today(), range(target.cases)):
        tally.add(outcome)
    again = f"python tests/fuzz/run.py --seed {today()} --again {name}:NUMBER"
    assert not tally.bad, "\n".join([again, *map(str, tally.bad)])
    assert sum(tally.counts.values()) == target.cases
