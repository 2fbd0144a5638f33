"""What if? A recorded scenario run again with a change, and what that changed."""

import json
import shutil
from pathlib import Path

import pytest

from twin.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")


@pytest.fixture
def recorded(command):
    """A second of the test project over a slow network, in the current folder."""
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    slow = ("--set", "network.kind=fixed", "--set", "network.delay=55 ms")
    code, out, err = command("run", "void/height", "-o", "slow.h5", "--duration", "1 s", "-q", *slow)
    assert code == 0, err
    return "slow.h5"


def test_another_network(command, recorded):
    code, out, err = command("run", "--from", recorded, "--set", "network.kind=ideal", "-o", "ideal.h5", "-q")
    assert code == 0 and 'dropped by --set: network.delay = "55 ms"' in err
    code, out, err = command("diff", recorded, "ideal.h5", "-o", "difference.png")
    assert code == 4 and Path("difference.png").read_bytes().startswith(b"\x89PNG")
    assert out.splitlines()[:2] == ["network.kind: fixed -> ideal", "network.delay: 55 ms -> -"], "the choice leads"
    assert [line.split() for line in out.splitlines() if line.startswith("round trip p50")] == [
        ["round", "trip", "p50", "110.0", "ms", "0.0", "ms", "-110.0", "ms"]
    ]
    assert max(map(len, out.splitlines())) <= 80
    assert command("diff", recorded, "ideal.h5", "-o", "difference.png")[0] == 1, "the picture is kept"


def test_runs_of_unlike_length_are_compared_over_the_time_that_both_have(command, recorded):
    code, out, err = command("run", "--from", recorded, "--duration", "0.5 s", "-o", "short.h5", "-q")
    assert code == 0, err
    code, out, err = command("diff", recorded, "short.h5")
    assert code == 0 and "1 s and 0.5 s long; compared over 0.5 s" in out and "streams are the same" in out
    found = json.loads(command("diff", recorded, "short.h5", "--json")[1])
    assert found["same"] and [one["key"] for one in found["settings"]["chosen"]] == ["duration"]


def test_another_controller_over_the_same_packets(command, recorded):
    changes = ("--set", "network.kind=recorded", "--set", "robots.ball.parameters.kp=16", "--json")
    code, out, err = command("run", "--from", recorded, *changes, "-o", "soft.h5")
    assert code == 0, err
    assert json.loads(out)["network"] == {"packets_with_borrowed_fate": 0}
    with Recording(recorded) as first, Recording("soft.h5") as second:
        assert 'recording = "slow.h5"' in second.scenario_text
        for name in ("created", "arrived", "kind", "sequence"):
            assert first[f"packets/{name}"][:].tolist() == second[f"packets/{name}"][:].tolist()
        assert abs(first["state/position"][-1] - second["state/position"][-1]).max() > 1e-3
    assert command("verify", "soft.h5")[0] == 0


def test_nothing_changed_changes_nothing(command, recorded):
    assert command("run", "--from", recorded, "-o", "again.h5", "-q")[0] == 0
    code, out, err = command("diff", recorded, "again.h5", "-o", "none.svg")
    assert code == 0 and out.startswith("all ") and Path("none.svg").exists()


def test_a_scenario_or_a_recording(command, recorded):
    assert command("run")[0] == 2
    code, out, err = command("run", "void/height", "--from", recorded)
    assert code == 2 and "not both" in err
    code, out, err = command("run", "--from", recorded, "--set", "network.delay=fast")
    assert code == 2 and "network.delay" in err and "'fast'" in err
    code, out, err = command("run", "--from", "nothing.h5")
    assert code == 1 and "nothing.h5" in err


def test_paths_are_recorded_when_asked_for(command):
    code, out, err = command("run", PATROL, "--paths", "-o", "p.h5", "--duration", "0.1 s", "-q")
    assert code in (0, 5, 6), err
    with Recording("p.h5") as run:
        assert run.header.paths and run.rows["paths"] == run["links/path_count"][:].sum() > 0
    assert command("verify", "p.h5")[0] == 0
