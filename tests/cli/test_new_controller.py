"""`twin new controller NAME --for ROBOT`: a commented file that flies, and a test of it that passes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def own_test(name):
    """Run the test that was written, as its user would."""
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/test_{name}.py"],
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip


def test_a_new_controller_for_a_drone_flies_and_its_test_passes(command):
    assert command("new", ".")[0] == 0
    code, out, err = command("new", "controller", "chase_me", "--for", "drone")
    assert code == 0 and "Try: python -m pytest" in out, err
    text = Path("controllers/chase_me.py").read_text()
    assert "class ChaseMe:" in text and 'sensed["position"]' in text and "command[0:3]" in text and "$" not in text
    assert (done := own_test("chase_me")).returncode == 0, done.stdout
    code, out, err = command("run", "yard/tour", "--duration", "2 s", "--json", "--set",
                             "robots.scout.controller=controllers/chase_me.py:ChaseMe")  # fmt: skip
    assert code == 0 and json.loads(out)["tracking_rms"] < 1.0, err


def test_the_same_file_runs_in_a_process_of_its_own(command, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command("new", ".")
    command("new", "controller", "chase", "--for", "drone")
    with Path("controllers/chase.py").open("a") as file:
        file.write("\n\nfrom twin.interfaces.client import serve\n\nif __name__ == '__main__':\n    serve(Chase)\n")
    figures = []
    for reference in ("controllers/chase.py:Chase", "process:controllers/chase.py"):
        code, out, err = command("run", "yard/tour", "--duration", "1 s", "--json", "--set",
                                 f"robots.scout.controller={reference}",
                                 "--set", "robots.scout.service_time=2 ms")  # fmt: skip
        assert code in (0, 6), err
        figures.append({k: v for k, v in json.loads(out).items() if k not in ("recording", "real_time_factor")})
    assert figures[0] == figures[1] and figures[0]["packets_sent"] > 100


def test_the_test_that_is_written_finds_a_mistake(command):
    command("new", "controller", "chase", "--for", "drone")
    file = Path("controllers/chase.py")
    file.write_text(file.read_text().replace("goal.acceleration +", "goal.acceleration + [5.0, 0.0, 0.0] +"))
    assert own_test("chase").returncode == 1


def test_a_controller_for_a_robot_of_our_own(command):
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    code, out, err = command("new", "controller", "push", "--for", "mass")
    assert code == 0, err
    assert (done := own_test("push")).returncode == 0, done.stdout
    assert "force" in Path("controllers/push.py").read_text()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["controller", "chase", "--for", "drome"], "did you mean 'drone'"),
        (["controller", "chase", "--for", "edge"], "'edge' robots have nothing to command"),
        (["controller", "No-Name", "--for", "drone"], "lower-case letters"),
        (["controller", "class", "--for", "drone"], "no word of Python's own"),
        (["controller", "chase"], "twin new controller NAME --for ROBOT"),
        (["site", "chase", "--for", "drone"], "twin new controller NAME --for ROBOT"),
        (["controller", "--for", "drone"], "twin new controller NAME --for ROBOT"),
    ],
)
def test_what_cannot_be_is_refused(command, words, part):
    code, out, err = command("new", *words)
    assert code == 2 and part in err and not Path("controllers").exists()


def test_nothing_is_overwritten(command):
    command("new", "controller", "chase", "--for", "drone")
    Path("controllers/chase.py").write_text("precious")
    code, out, err = command("new", "controller", "chase", "--for", "drone")
    assert code == 1 and "is there already" in err and Path("controllers/chase.py").read_text() == "precious"


def test_a_folder_may_still_be_called_controller(command):
    assert command("new", "controller")[0] == 0 and Path("controller/README.md").is_file()
