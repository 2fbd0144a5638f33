"""What `twin margin` found stands beside the verdict of a run that it speaks of, and of no other."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from twin.analysis.held import borders, without

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="margins fork their runs")
ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
FIXED = ("--set", "network.kind=fixed", "--trust")


def test_each_requirement_has_its_own_border():
    held = {20.0: {"a": True, "b": True, "c": False}, 40.0: {"a": True, "b": True, "c": True},
            60.0: {"a": False, "b": True, "c": True}, 80.0: {"a": True, "b": True, "c": True}}  # fmt: skip
    assert borders(held, 20.0) == {"a": (40.0, 60.0), "b": (80.0, None)}, "a holds no further than where it broke first"
    assert borders(held, 80.0) == {"a": (80.0, 60.0), "b": (20.0, None), "c": (40.0, 20.0)}


def held(command, recording):
    asked = json.loads(command("info", recording, "--json")[1])["requirements"]
    return {one["requirement"]: one.get("held", []) for one in asked}


def test_a_margin_is_told_of_the_runs_that_it_speaks_of(command, monkeypatch):
    """Round trips of twice the delay and 1 ms or so at most: below 100 ms up to somewhere from 45 to 50 ms."""
    asked = ("--requirement", "rtt_p50 < 100 ms", "--requirement", "collisions = 0")
    looked = ("--between", "10 ms", "90 ms", "--within", "4 ms", "--set", "duration=0.2 s")
    code, out, err = command("margin", HEIGHT, "network.delay", *looked, *asked, *FIXED, "--json")
    assert code == 0, err
    kept = Path(json.loads(out)["kept"])
    wanted = ("--set", 'requirements=["rtt_p50 < 100 ms", "collisions = 0", "rtt_p99 < 1 s"]', "--set", "seed=7")
    code, out, err = command("run", HEIGHT, "-o", "a.h5", "--duration", "0.2 s", *FIXED, *wanted)
    assert code in (0, 6) and "one way (network.delay), breaks at" in " ".join(out.split())
    found = held(command, "a.h5")
    (delay,), (free,) = found["rtt_p50 < 100 ms"], found["collisions = 0"]
    assert 45.0 <= delay["holds"] <= 50.0 < delay["breaks"] + 4.0 <= 58.0
    assert (free["holds"], free["breaks"]) == (90.0, None) and found["rtt_p99 < 1 s"] == []
    assert free["text"] == "holds up to 90 ms one way (network.delay), the furthest that was looked at; 1 seed"

    command("run", HEIGHT, "-o", "longer.h5", "--duration", "0.3 s", *FIXED, *wanted)
    assert not any(held(command, "longer.h5").values()), "another scenario"

    pytest.importorskip("cryptography")
    pytest.importorskip("fpdf")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path.cwd() / "config"))
    command("evidence", "keygen", "Ada")
    for ending in ("json", "html", "pdf"):
        command("evidence", "a.h5", "-o", f"case.{ending}")
    case = json.loads(Path("case.json").read_text())
    jsonschema.Draft202012Validator(json.loads(command("evidence", "schema")[1])).validate(case)
    assert "breaks at" in Path("case.html").read_text().partition("<script")[0]

    def states():
        code, out, err = command("evidence", "verify", "case.html", "--key", "config/twin/evidence.pub", "--json")
        return code, {one["what"]: one["state"] for one in json.loads(out)["findings"]}

    assert states() == (0, states()[1]) and states()[1][f"margin {kept.as_posix()}"] == "good"
    other = json.loads(kept.read_text())
    other["origins"]["sources"] = "0" * 64
    kept.write_text(json.dumps(other))
    assert states()[0] == 4 and states()[1][f"margin {kept.as_posix()}"] == "changed"
    assert not any(held(command, "a.h5").values()), "other code"


def test_a_damaged_margin_is_named_and_breaks_nothing_else(command):
    command("run", HEIGHT, "-o", "a.h5", "--duration", "0.1 s", *FIXED)
    Path("margins").mkdir()
    Path("margins/bad.json").write_text('{"format": "twin-margin", "version": 1, "key": 3}')
    code, out, err = command("info", "a.h5")
    assert code == 0 and "margins/bad.json: not the file of a margin: key:" in " ".join(err.split())


@pytest.mark.parametrize(
    ("key", "text", "other"),
    [
        ("network.delay", "[network]\ndelay = 1\nloss = 0", "[network]\ndelay = 2\nloss = 0"),
        ("network.background.0.rate", "[[network.background]]\nrate = 1", "[[network.background]]\nrate = 2"),
        ("robots.a.positions.0", "[robots.a]\npositions = [1, 3]", "[robots.a]\npositions = [2, 3]"),
    ],
)
def test_a_margin_leaves_out_the_value_that_was_moved_and_no_other(key, text, other):
    assert without(text, key) == without(other, key) != without(text, f"{key}s")
    assert without(f"{text}\nmore = 1", key) != without(text, key)
