"""The verdict of a run: in its table, its JSON, its recording and its exit code."""

import json
from pathlib import Path

import pytest

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
    assert code == 5
    for said in (out, command("info", "run.h5")[1]):
        rows = [" ".join(line.split()) for line in said.splitlines()]
        assert "FAILED rtt_p99 < 40 ms: 40 ms" in rows and "passed collisions = 0: 0" in rows
        assert "inconclusive tracking_rms < 0.5 m" in rows and "nothing measured: no robot has a task" in rows
        assert "1 of 3 requirements failed, 1 of 3 requirements inconclusive" in rows


def test_what_is_not_shown_ends_with_6_and_fails_a_strict_reader(command):
    wanted = requirements("flows.command.reliability >= 99.9999 % within 40 ms")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *wanted, "--json")
    (found,) = json.loads(out)["requirements"]
    packets = int(found["ground"].split()[0])
    assert code == 6 and found["answer"] == "inconclusive" and found["passed"] is None and found["value"] == 1.0
    assert found["needed"] == pytest.approx(3.6889e6 / packets, rel=1e-3), "by the rule of three, for two sides"
    assert "a run of about" in found["reason"] and found["interval"][1] == 1.0
    assert command("run", HEIGHT, "-o", "again.h5", *FIXED, *wanted, "-q", "--strict")[0] == 5


def test_without_requirements_there_is_no_verdict(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, "--json")
    assert code == 0 and json.loads(out)["passed"] is None


def test_a_run_cut_short_has_not_passed(command):
    Path("mine.py").write_text(GIVES_UP)
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--json", *requirements("collisions = 0"),
                             "--set", "robots.ball.controller=./mine.py:Mine",
                             "--set", "robots.ball.parameters={}")  # fmt: skip
    figures = json.loads(out)
    assert code == 3 and figures["answer"] == "inconclusive" and figures["passed"] is None
    assert figures["requirements"][0]["reason"] == "the run ended early"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("flows.command[edge > bal].delivered > 9 %", "found 'bal'; allowed: a group or robot: ball, edge;"),
        ("robots.ball[3].speed_max < 3 m/s", "found ball[3]; allowed: robots 0 to 1"),
        ("robots.ball.speed_max < 3 m/s in yard", "found 'yard'; allowed: one of places: none"),
        ("robots.ball.speed_max < 3 m/s in any 10 s", "found a window of 10 s; allowed: at most what is looked at"),
        ("robots.ball.speed_max < 3 m/s after 2 s", "found 2 to 1 s; allowed: a part of the run's 1 s"),
    ],
)
def test_what_a_scenario_can_not_say_is_refused(command, text, says):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *requirements(text))
    assert code == 2 and "requirements[0]" in err and says in " ".join(err.split())


def test_an_empty_place_is_refused(command):
    place = ("places.yard.kind=box", "places.yard.lower=[0,0,0]", "places.yard.upper=[1,0,1]")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *(x for one in place for x in ("--set", one)))
    assert code == 2 and "places.yard" in err and "is empty: found 0 to 0 m along y" in " ".join(err.split())


def test_a_kind_of_packet_that_nobody_sends_is_inconclusive_and_says_which_there_are(command):
    wanted = requirements("flows.comand.delivered > 9 %")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *FIXED, *wanted, "--json")
    (found,) = json.loads(out)["requirements"]
    assert code == 6 and "did you mean 'command'?" in found["reason"]


def test_a_requirement_that_makes_no_sense_is_refused_before_the_run(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *requirements("rtt_p98 < 40 ms"))
    assert code == 2 and "requirements[0]" in err and "did you mean 'rtt_p99'?" in err
    assert not Path("run.h5").exists()
