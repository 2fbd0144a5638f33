"""`twin sensitivity` on rows that are there: what figures hang on, how often the verdict flips, and by what."""

import json
from pathlib import Path

import pytest

from twin.specs.toml_text import validate
from twin.studies.plan import Plan, parted
from twin.studies.sweep import plan_runs

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
TEXT = "rtt_p50 < 50 ms"


@pytest.fixture
def done(command):
    """A sweep over delay and loss whose round trips are the delay, as if it had been run; the verdict is theirs."""
    plan = validate(Plan, {"scenario": str(HEIGHT), "design": "lhs:40", "set": {"network.kind": "fixed",
                           "requirements": [TEXT]},
                           "range": {"network.delay": ["0 ms", "100 ms"], "network.loss": [0, 0.5]}})  # fmt: skip
    made = plan_runs(plan, Path("sweeps/falls"))
    made.store.begin(plan)
    for sweep in (made, plan_runs(plan.model_copy(update={"range": {}}), made.store.folder)):
        for run in sweep.runs:
            delay = (parted(run.point.values.get("network.delay", "0 ms"))[0] or 0.0) / 1000
            answer = "passed" if delay < 0.05 else "failed"
            made.store.publish({"id": run.name, "point": run.point.values, "seed": 1, "status": "complete", "error": "",
                                "answer": answer, "figures": {"rtt_p50": delay}, "requirements": {TEXT: answer},
                                "margins": {TEXT: 1 - delay / 0.05}})  # fmt: skip


def test_the_parameter_that_matters_is_named(command, done):
    code, out, _ = command("sensitivity", "sweeps/falls", "--json")
    found = json.loads(out)
    assert code == 0 and found["parameters"] == ["network.delay", "network.loss"] and found["units"] == ["ms", ""]
    (figure,) = found["figures"]
    assert figure["figure"] == "rtt_p50" and figure["correlation"][0]["value"] == pytest.approx(1.0)
    assert figure["own"][0]["value"] > 0.95 and abs(figure["own"][1]["value"]) < 0.3
    assert found["flips"]["nominal"] == "passed" and found["flips"]["flipped"] == 20
    code, out, _ = command("sensitivity", "sweeps/falls", "--picture", "bars.png")
    assert "another at 20 of 40 points: 50.0% (33.8% to 66.2% at 95 %)" in out and "by network.delay" in out
    assert Path("bars.png").stat().st_size > 1000
    code, _, err = command("sensitivity", "sweeps/falls", "--picture", "bars.png")
    assert code == 1 and "exists already; --force replaces it" in " ".join(err.split())
    assert command("sensitivity", "sweeps/falls", "--picture", "bars.png", "--force")[0] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--figure", "rtt_p5"], "did you mean"),
        (["--figure", "tracking_max"], "40 runs have no tracking_max; say by --absent"),
        (["--design", "lhs:8"], "found 8 points; allowed: 25 at least"),
        (["--design", "lhs:30"], "another sweep is in"),
    ],
)
def test_what_is_wrong_is_said(command, done, options, said):
    code, _, err = command("sensitivity", "sweeps/falls", *options)
    assert code == 2 and said in " ".join(err.split())


def test_it_takes_ranges(command):
    code, _, err = command("sensitivity", str(HEIGHT))
    assert code == 2 and "a sensitivity takes ranges, and no grid" in err
