"""`twin new`, `twin list` and `twin describe`: what a stranger meets when beginning a project."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from twin.recording.reader import Recording
from twin.state import Truth

ROOT = Path(__file__).resolve().parents[2]
TOUR = "worlds/yard/scenarios/tour.toml"


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_a_new_project_runs_at_once_and_meets_its_requirements(command):
    code, out, err = command("new", "my-site")
    assert code == 0 and f"Try: twin run my-site/{TOUR}" in out
    code, out, err = command("run", f"my-site/{TOUR}", "--duration", "12 s", "--json", "--trust")
    figures = json.loads(out)
    assert code == 0, err
    assert figures["passed"] and len(figures["requirements"]) == 4
    with Recording(figures["recording"]) as run:
        assert run.path.parent.name == "recordings" and run.path.parent.parent.name == "my-site"
        assert set(run.logs()["name"]) == {"error", "age"}, "our own controller flew"


def test_every_file_of_a_new_project_explains_itself(command):
    command("new", "my-site")
    found = files("my-site")
    assert found == ["README.md", "controllers/follow.py", TOUR, "worlds/yard/world.toml", "worlds/yard/yard.py"]
    for name in found:
        text = Path("my-site", name).read_text()
        assert '"""' in text or "# " in text, f"{name} has no comments"


@pytest.mark.parametrize("place", [".", "deep/down/site"])
def test_an_empty_or_absent_folder_takes_a_project(command, place):
    code, out, err = command("new", place)
    assert code == 0, err
    assert files(place) and not [name for name in files(place) if name.startswith(".")]


def test_a_folder_with_something_in_it_stays_as_it_is(command):
    Path("site").mkdir()
    Path("site/mine.txt").write_text("precious")
    code, out, err = command("new", "site")
    assert code == 1 and "site: is not empty" in err and files("site") == ["mine.txt"]
    code, out, err = command("new", "site/mine.txt")
    assert code == 1 and "site/mine.txt: can't be written" in err
    assert Path("site/mine.txt").read_text() == "precious"


def test_a_write_that_fails_leaves_nothing(command, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    code, out, err = command("new", "site")
    assert code == 1 and "No space left" in err and not Path("site").exists()


def test_the_list_names_what_is_built_in_and_what_is_ours(command):
    command("new", ".")
    code, out, err = command("list", "--json")
    found = {kind: {entry["name"] for entry in entries} for kind, entries in json.loads(out).items()}
    assert found["worlds"] >= {"city", "yard"} and found["scenarios"] >= {"city/patrol", "yard/tour"}
    assert found["robots"] >= {"drone", "edge", "base_station"}
    assert found["controllers"] >= {"trajectory", "controllers/follow.py:Follow"}
    assert found["networks"] >= {"ideal", "fixed", "simple", "trace"}


def test_a_list_on_a_terminal_fits_80_columns(command):
    code, out, err = command("list")
    assert code == 0 and max(len(line) for line in out.splitlines()) <= 80
    code, only, err = command("list", "networks")
    assert code == 0 and only.startswith("networks") and "robots" not in only


def test_something_broken_is_listed_with_its_fault(command):
    command("new", ".")
    Path("worlds/yard/world.toml").write_text("name = ")
    Path("controllers/follow.py").write_text("def (")
    code, out, err = command("list", "--json")
    faults = {entry["name"]: entry["fault"] for entries in json.loads(out).values() for entry in entries}
    assert code == 0 and "not valid TOML" in faults["yard"] and "invalid syntax" in faults["controllers/follow.py"]


def test_a_wrong_word_says_what_can_be_listed(command):
    code, out, err = command("list", "planets")
    assert code == 2 and "'worlds', 'scenarios', 'robots', 'controllers', 'networks'" in err


def test_a_description_agrees_with_what_a_controller_gets(command, stage):
    code, out, err = command("describe", "drone", "--json")
    facts = json.loads(out)
    built = stage("worlds/city/scenarios/patrol.toml")
    built.twin.reset()
    group = built.twin.groups[0]
    (sample, *_) = group.sensor.read(Truth(0, built.twin.bodies), group.bodies[:1], np.arange(1))
    assert {f["field"]: f["shape"] for f in facts["observation"]} == {
        name: list(value.shape) for name, value in sample.values.items()
    }
    assert sum(field["shape"][0] for field in facts["command"]) == len(group.lower)
    assert [f["index"] for f in facts["command"]] == [[0, 3], [3, 4]]
    assert facts["command"][1]["lower"] is None, "any yaw"


def test_a_description_tells_failsafe_radios_and_controllers(command):
    code, out, err = command("describe", "drone")
    assert code == 0 and max(len(line) for line in out.splitlines()) <= 80
    for text in ("position", "rad/s", "m/s2", "trajectory (default)", "3.5 GHz"):
        assert text in out
    assert re.search(r"command_timeout = \d+ m?s\n", out), "a time is told with its unit"
    assert re.search(r"land_speed = [\d.]+ m/s\n", out) and re.search(r"  kd = [\d.]+ 1/s\n", out)
    assert "at once on one queue" in command("describe", "edge")[1]


def test_a_robot_of_our_own_is_described_by_name_or_folder(command):
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    by_name, by_folder = (command("describe", robot, "--json") for robot in ("mass", "./agents/mass"))
    assert by_name[0] == by_folder[0] == 0
    assert json.loads(by_name[1])["command"] == json.loads(by_folder[1])["command"]
    code, out, err = command("describe", "drome")
    assert code == 2 and "did you mean 'drone'?" in err
