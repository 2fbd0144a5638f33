"""`import twin`: a scenario loaded, changed, run, stepped and looked at from Python."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import twin
import twin.controller
from twin.clock import NS
from twin.controller import Action
from twin.errors import RecordingError, ScenarioError

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")
DELAYED = {"network.kind": "fixed", "network.delay": "40 ms"}
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"


@pytest.fixture(scope="module")
def patrol():
    with twin.run(PATROL, DELAYED, seed=3, duration="2 s") as run:
        yield run


def test_starting_is_cheap_and_imports_nothing():
    code = "import sys, twin; print(*[name for name in sys.modules if name.startswith('twin.')])"
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, cwd=ROOT)
    microseconds = int(re.search(r"\|\s+(\d+) \| twin$", done.stderr, re.MULTILINE)[1])
    assert microseconds < 100_000 and done.stdout.strip() == ""


def test_every_name_of_the_front_door_is_there():
    assert {"load", "build", "run", "Run", "Recording", "World"} <= set(dir(twin))
    assert all(getattr(twin, name).__doc__ for name in twin.__all__)
    with pytest.raises(AttributeError, match="no attribute 'simulate'; it has: load, build, run"):
        twin.simulate  # noqa: B018


def test_every_name_for_authors_is_there():
    assert all(getattr(twin.controller, name) is not None for name in dir(twin.controller))


def test_a_run_has_tables_with_names_and_seconds(patrol):
    pytest.importorskip("pandas", reason="needs the extra pandas")
    delivered = patrol.packets[patrol.packets.fate == "delivered"]
    assert set(delivered.destination) == {"edge", *(f"patrol-{i}" for i in range(4))}
    assert delivered.latency.to_numpy() == pytest.approx(0.04, abs=1e-12)  # s: what the scenario says, both ways
    assert (patrol.packets.time_ns / NS).to_numpy() == pytest.approx(patrol.packets.time.to_numpy())
    one = patrol.states("patrol-2")
    assert set(one.robot) == {"patrol-2"} and one.time.iloc[-1] == 2.0 and one.time_ns.iloc[-1] == 2 * NS
    assert len(patrol.states("patrol")) == 4 * len(one) == len(patrol.states())
    assert {"site-0", "patrol-0"} <= {*patrol.links.a, *patrol.links.b}
    for table in (patrol.packets, patrol.links, patrol.events, patrol.logs, one, patrol.commands("patrol")):
        assert list(table.columns[:2]) == ["time", "time_ns"]
    with pytest.raises(RecordingError, match="no robot 'patrl'; did you mean 'patrol'"):
        patrol.states("patrl")


def test_a_run_says_how_it_went(patrol, tmp_path):
    assert patrol.figures["rtt_p50"] == pytest.approx(0.0815, abs=0.002)  # s: 80 ms, and what a tick adds
    answers = patrol.requirements.answer
    assert patrol.verdict == "failed" if "failed" in set(answers) else patrol.verdict in ("passed", "inconclusive")
    assert answers["collisions = 0"] == "passed"
    assert "patrol in city: 4 robots, 2 base stations, 1 edge server; 2 s, seed 3" in repr(patrol)
    html = patrol._repr_html_()
    assert "round trip p50" in html and "<table>" in html
    assert patrol.plot()._repr_png_().startswith(b"\x89PNG")
    patrol.plot("latency", "speed", robots=["patrol-1"]).save(tmp_path / "signals.svg")
    assert "<svg" in (tmp_path / "signals.svg").read_text()


def test_a_run_writes_its_report(patrol, tmp_path):
    pytest.importorskip("plotly", reason="needs the extra report")
    assert "round trip" in patrol.report(tmp_path / "x.html").read_text()


def test_the_same_from_python_and_from_the_command_line(command, patrol):
    sets = ("--set", "network.kind=fixed", "--set", "network.delay=40 ms")
    code, _, err = command("run", PATROL, *sets, "--seed", 3, "--duration", "2 s", "-o", "cli.h5", "-q")
    assert code in (0, 5, 6), err
    code, out, _ = command("diff", patrol.path, "cli.h5")
    assert code == 0, out


def test_stepping_by_hand_meets_every_tick():
    built = twin.build(HEIGHT, duration="0.1 s")
    times = [frame.time for frame in built.frames()]
    assert times == list(range(0, NS // 10 + 1, NS // built.scenario.rates.physics))
    assert [frame.time for frame in twin.build(HEIGHT).frames("2 ms")][-1] == 2_000_000


def test_a_class_of_the_caller_decides():
    class Push:
        """Upwards at 12 N on 1 kg."""

        runs_on = "onboard"

        def reset(self, spec, rng):
            """Need nothing."""

        def act(self, observation):
            """Push."""
            return Action(np.array([0.0, 0.0, 12.0]))

    changes = {"robots.ball.kind": "mass", "robots.ball.phase": 0, "robots.ball.parameters": {}}
    frames = list(twin.build(HEIGHT, changes, duration=1.0, controllers={"ball": Push}).frames())
    start, end = (frame.bodies for frame in (frames[0], frames[-1]))
    assert end.position[0, 2] - start.position[0, 2] == pytest.approx((12.0 - 9.80665) / 2, rel=0.01)  # m, in 1 s


def test_a_recording_without_a_name_goes_with_its_run():
    run = twin.run(HEIGHT, duration="0.1 s")
    path = run.path
    assert path.is_file()
    run.close()
    assert not path.exists()


def test_wrong_changes_are_named():
    with pytest.raises(ScenarioError, match="did you mean 'delay'"):
        twin.load(PATROL, {"network.kind": "fixed", "network.dely": "40 ms"})
    with pytest.raises(TypeError, match="give them to twin.load"):
        twin.run(twin.load(HEIGHT), seed=2)
