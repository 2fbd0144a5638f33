"""The verdict of a run: in its table, its JSON, its recording and its exit code."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
FIXED = ("--set", "network.kind=fixed", "--set", "network.delay=20 ms", "--duration", "1 s")

GIVES_UP = """
from twin.state import Action

class Mine:
    def reset(self, spec, rng):
        pass
    def act(self, observation):
        return Action() if observation.time < 250_000_000 else None
"""


def requirements(*texts):
    return "--set", f"requirements={json.dumps(texts)}"


def test_a_run_that_meets_all_ends_with_0(command):
    wanted = requirements("rtt_p999 <= 40 ms", "collisions = 0", "failsafe_time = 0 s")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *wanted, "--json")
    figures = json.loads(out)
    assert code == 0 and figures["passed"] is True
    assert figures["rtt_p999"] == 0.04, "20 ms each way, and nothing else"
    assert json.loads(command("info", "run.h5", "--json")[1])["requirements"] == figures["requirements"]


def test_one_that_fails_is_shown_and_ends_with_5(command):
    wanted = requirements("rtt_p99 < 40 ms", "collisions = 0", "tracking_rms < 0.5 m")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *wanted)
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    assert code == 5
    assert rows["requirement"] == ["value", "limit", "verdict"]
    assert rows["rtt_p99"] == ["40", "ms", "<", "40", "ms", "FAILED"]
    assert rows["collisions"] == ["0", "=", "0", "passed"]
    assert " ".join(rows["tracking_rms"]) == "- < 0.5 m FAILED: no robot has a task"
    assert "FAILED" in command("info", "run.h5")[1]


def test_without_requirements_there_is_no_verdict(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, "--json")
    assert code == 0 and json.loads(out)["passed"] is None


def test_a_run_cut_short_has_not_passed(command):
    Path("mine.py").write_text(GIVES_UP)
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--json", *requirements("collisions = 0"),
                             "--set", "robots.ball.controller=./mine.py:Mine",
                             "--set", "robots.ball.parameters={}")  # fmt: skip
    figures = json.loads(out)
    assert code == 3 and figures["passed"] is False and figures["requirements"][0]["passed"] is True


def test_a_requirement_that_makes_no_sense_is_refused_before_the_run(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *requirements("rtt_p98 < 40 ms"))
    assert code == 2 and "requirements[0]" in err and "did you mean 'rtt_p99'?" in err
    assert not Path("run.h5").exists()
