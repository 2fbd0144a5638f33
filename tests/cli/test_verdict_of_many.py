"""`twin verdict`: what rows of a sweep, or recordings, show together, and the exit code of it."""

import json
from pathlib import Path

import pytest

from twin.specs.toml_text import validate
from twin.studies.plan import Plan
from twin.studies.statements import Wanted, statements
from twin.studies.sweep import plan_runs

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
TEXT = "rtt_p99 < 50 ms"


@pytest.fixture
def sweep(command):
    """Return make(answers): a sweep of 14 seeds, of which so many are done as there are answers."""

    def make(answers):
        plan = validate(Plan, {"scenario": str(HEIGHT), "seeds": "1:14"})
        made = plan_runs(plan, Path("sweeps/falls"))
        made.store.begin(plan)
        for run, answer in zip(made.runs, answers, strict=False):
            died = answer == "died"
            made.store.publish({
                "id": run.name, "point": {}, "seed": run.point.seed, "status": "died" if died else "complete",
                "error": "signal 11" if died else "", "answer": None if died else answer,
                "figures": {} if died else {"rtt_p99": run.point.seed / 1000},
                "requirements": {} if died else {TEXT: answer},
                "margins": {} if died else {TEXT: 1 - run.point.seed / 50},
            })  # fmt: skip
        return made

    return make


@pytest.mark.parametrize(
    ("answers", "code", "says"),
    [
        (["passed"] * 14, 0, "violated in 0 of 14: 0 % to 23.2 % of all runs; in 75 % of these runs at most 11 ms"),
        (["failed"] * 10 + ["passed"] * 4, 5, "violated in 10 of 14: 41.9 % to 91.6 % of all runs"),
        (["passed"] * 11 + ["died"] * 3, 6, "violated in 0 of 14, not shown in 3: 0 % to 50.8 %"),
    ],
)
def test_three_answers_over_runs(command, sweep, answers, code, says):
    """Clopper and Pearson: 0 of 14 [0, .2316], 10 of 14 [.4190, .9161], at most 3 of 14 .5080."""
    sweep(answers)
    for name in ("sweeps/falls", "falls"):
        found, out, err = command("verdict", name, "--probability", "0.25")
        assert found == code and says in " ".join(out.split())
    assert ("1 x signal 11" in err or "3 x signal 11" in err) == ("died" in answers)
    assert command("verdict", "falls", "--probability", "0.25", "--strict")[0] == (code and 5)


def test_a_sweep_that_is_not_done_is_looked_at_early_and_says_so(command, sweep):
    """12 of 14 clean: 26.5 % by an interval that is looked at once, 33.7 % by one that may be looked at at any time."""
    sweep(["passed"] * 12)
    code, out, err = command("verdict", "falls", "--probability", "0.3", "--json")
    found = json.loads(out)
    assert code == 6 and found["missing"] == 2 and found["sequential"] is True
    (early,), (late,) = (statements(_rows(12), Wanted(sequential=early)) for early in (True, False))
    assert found["statements"][0]["interval"]["upper"] == early.interval.upper > 0.3 > late.interval.upper
    code, out, err = command("verdict", "falls", "--probability", "0.3")
    said = "2 of 14 runs are not done: twin sweep sweeps/falls"
    assert said in " ".join(err.split()) and "confidence sequences" in out
    assert "14 runs, 2 of them to do" in command("sweep", "sweeps/falls", "--dry-run")[1]


def _rows(n):
    rows = {"point": {}, "status": "complete", "requirements": {TEXT: "passed"}}
    return [{**rows, "figures": {"rtt_p99": i}, "margins": {}} for i in range(n)]


def test_a_sweep_without_rows_and_what_is_none_are_refused(command, sweep):
    sweep([])
    code, out, err = command("verdict", "falls")
    assert code == 2 and "none of its 14 runs is done" in " ".join(err.split())
    code, out, err = command("verdict", "other")
    assert code == 2 and "found neither a sweep nor a recording" in err
    code, out, err = command("verdict", "falls", "falls")
    assert code == 2 and "allowed: one sweep, or recordings" in " ".join(err.split())


def test_recordings_of_several_seeds_are_runs_too(command):
    wanted = ("--set", f'requirements=["{TEXT}", "collisions = 0"]', "--duration", "0.1 s", "-q", "--trust")
    jitter = ("network.kind=fixed", "network.jitter.kind=exponential", "network.jitter.scale=5 ms")
    sets = [word for one in jitter for word in ("--set", one)]
    for seed in (1, 2):
        command("run", HEIGHT, "-o", f"{seed}.h5", "--set", f"seed={seed}", *sets, *wanted)
    code, out, err = command("verdict", "1.h5", "2.h5", "--json", "--each")
    by_text = {one["requirement"]: one for one in json.loads(out)["statements"]}
    free = by_text["collisions = 0"]
    assert code == 6 and (free["runs"], free["alike"], free["violated"]) == (2, 0, 0)
    assert free["interval"]["upper"] == pytest.approx(1 - 0.025**0.5)
    Path("copy.h5").write_bytes(Path("1.h5").read_bytes())
    code, out, err = command("verdict", "1.h5", "copy.h5")
    assert code == 1 and "is the same run as 1.h5" in " ".join(err.split())


def test_runs_that_draw_nothing_are_one_run_and_that_is_said(command):
    wanted = ("--set", 'requirements=["collisions = 0"]', "--duration", "0.1 s", "-q", "--trust")
    for seed in (1, 2, 3):
        command("run", HEIGHT, "-o", f"{seed}.h5", "--set", f"seed={seed}", *wanted)
    code, out, err = command("verdict", "1.h5", "2.h5", "3.h5")
    assert code == 6 and "all 3 runs came out the same: nothing is drawn, so they are one" in " ".join(out.split())


def test_twin_runs_lists_it(command, sweep):
    sweep(["passed"] * 3 + ["failed", "died"])
    code, out, _ = command("runs")
    assert code == 0 and "sweeps/falls" in out and "5 of 14" in out
    assert "4 complete, 1 died" in out
    (found,) = json.loads(command("runs", "--json")[1])
    assert found["runs"] == 14 and found["ended"] == {"complete": 4, "died": 1}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"id": 3}', "\xff"])
def test_a_damaged_row_is_named(command, sweep, damage):
    made = sweep(["passed"] * 3)
    row = made.store.place(made.runs[1].name)
    row.write_text(damage)
    code, out, err = command("runs")
    assert code == 0 and "2 of 14" in out and row.name in out.replace("\n", "")
    code, out, err = command("verdict", "falls")
    assert code == 1 and "its run is done again" in " ".join(err.split())


def test_walds_test_takes_two_shares_in_order(command, sweep):
    sweep(["passed"])
    for words in (["verdict", "falls"], ["sweep", "sweeps/falls"]):
        code, out, err = command(*words, "--good", "0.1")
        assert code == 2 and "--good: found 0.1; allowed: less than --probability" in " ".join(err.split())
