"""Which recordings there are, several side by side, schemas, completion, and what was meant."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")


@pytest.fixture
def recorded(command):
    Path("worlds/here").mkdir(parents=True)
    Path("worlds/here/world.toml").write_text('schema = 1\nname = "here"\n')
    Path("recordings").mkdir()
    for name, delay in (("quick", "20 ms"), ("slow", "60 ms")):
        sets = ("--set", "network.kind=fixed", "--set", f"network.delay={delay}")
        code, _, err = command("run", PATROL, "-q", "--duration", "1 s", *sets, "-o", f"recordings/{name}.h5")
        assert code in (0, 5, 6), err
    return command


def test_runs_are_listed_and_a_damaged_one_is_named(recorded, monkeypatch):
    Path("recordings/torn.h5").write_bytes(Path("recordings/slow.h5").read_bytes()[:3000])
    code, out, err = recorded("runs", "--json")
    assert code == 0, err
    found = {Path(one["recording"]).stem: one for one in json.loads(out)}
    assert set(found) == {"quick", "slow", "torn"} and "cut off" in found["torn"]["fault"]
    assert found["quick"]["network"] == "fixed" and found["quick"]["world"] == "city"
    assert found["quick"]["figures"]["rtt_p50"] == pytest.approx(0.0415, abs=0.001)  # s: twice 20 ms, and a tick
    monkeypatch.setattr("twin.cli.console.out.width", 100)
    code, out, _ = recorded("runs")
    assert code == 0 and "damaged" in out and "121.5 ms" in out
    assert found["quick"]["scenario"] == "patrol" and len(re.findall(r"\bcity/patrol\b", out)) == 2


def test_runs_are_compared_in_a_table_a_picture_and_a_page(recorded):
    both = ("recordings/quick.h5", "recordings/slow.h5")
    code, out, err = recorded("compare", *both, "-o", "both.svg")
    assert code == 0 and "network.delay" in out and "121.5 ms" in out, err
    assert "<svg" in Path("both.svg").read_text()
    pytest.importorskip("plotly", reason="needs the extra report")
    assert recorded("compare", *both, "-o", "both.html")[0] == 0 and "quick.h5" in Path("both.html").read_text()
    assert recorded("compare", "recordings/quick.h5")[0] == 2


@pytest.mark.parametrize("what, key", [("scenario", "network"), ("robot", "body")])
def test_a_schema_is_json_for_editors(command, what, key):
    code, out, _ = command("schema", what)
    assert code == 0 and key in json.loads(out)["properties"]


def test_what_was_meant_comes_before_the_list(command):
    code, _, err = command("rnu")
    assert code == 2 and "no command 'rnu'; did you mean 'run'?" in err
    code, _, err = command("run", "city/patrl")
    assert code == 2 and "no scenario 'city/patrl'; did you mean 'city/patrol'? There are: " in err


def test_a_shell_completes_scenarios():
    code = "import sys; sys.argv = ['twin']; from twin.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={
        "_TWIN_COMPLETE": "bash_complete", "COMP_WORDS": "twin run city/pat", "COMP_CWORD": "2"})  # fmt: skip
    assert done.stdout.split() == ["plain,city/patrol"]
