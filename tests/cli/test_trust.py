"""Code of strangers runs only after a question, and nobody is asked twice about the same."""

import json
import re
import shutil
from pathlib import Path
from uuid import uuid4

import h5py
import pytest

ROOT = Path(__file__).resolve().parents[2]
EVIL = "open('pwned', 'w').close()\n"


@pytest.fixture
def project(command, tmp_path):
    """A project of one's own, with a recording in it, and a way to put words into that recording's mouth."""
    shutil.copytree(ROOT / "tests/project", tmp_path, dirs_exist_ok=True)
    code, _, err = command("run", "void/height", "-o", "good.h5", "--duration", "20 ms", "-q")
    assert code == 0, err

    def saying(controller, name="run.h5"):
        shutil.copy("good.h5", name)
        with h5py.File(name, "r+") as file:
            text = file["scenario"][()].decode()
            text = re.sub(r"(?m)^controller = .*\n", "", text)
            text = text.replace("[robots.ball]\n", f"[robots.ball]\ncontroller = {json.dumps(controller)}\n")
            del file["scenario"]
            file["scenario"] = text.encode()
            file.attrs["version"] = 1  # without checksums, which a stranger would have made right
            values = file["committed"][: len(file["committed"].attrs["tables"])]
            names = file["committed"].attrs["tables"]
            del file["committed"]
            file["committed"] = values
            file["committed"].attrs["tables"] = names
        return name

    return saying


def test_a_recording_of_a_stranger_runs_nothing_unasked(command, project, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (away / "evil.py").write_text(EVIL)
    for controller in ("process:touch pwned", f"{away / 'evil.py'}:Evil"):
        run = project(controller)
        for words in (("verify", run), ("run", "--from", run, "-o", "again.h5")):
            code, out, err = command(*words)
            assert code == 2 and "this would run, and is not of this project" in err and "--trust" in err, err
            assert controller.removeprefix("process:").removesuffix(":Evil") in err.replace("\n", "")
    assert not Path("pwned").exists() and not Path("again.h5").exists()
    command("run", "--from", project("process:touch pwned"), "-o", "again.h5", "--trust")
    assert Path("pwned").exists()


def test_what_ran_here_before_is_not_asked_for_again_until_it_is_something_else(command, project):
    Path("mine.toml").write_text((ROOT / "tests/project/worlds/void/scenarios/height.toml").read_text())
    Path("fly.py").write_text("raise SystemExit(3)\n")
    process = ("--set", "robots.ball.controller=process:python3 fly.py", "--set", "robots.ball.parameters={}")
    code, _, err = command("run", "mine.toml", *process, "-o", "first.h5", "--duration", "20 ms", "-q")
    assert code == 3 and "not of this project" not in err
    code, _, err = command("verify", project("process:python3 fly.py"))
    assert code != 2, err
    Path("fly.py").write_text(EVIL)
    code, _, err = command("verify", project("process:python3 fly.py"))
    assert code == 2 and "the command python3 fly.py" in err and not Path("pwned").exists()


def test_a_scenario_of_another_project_is_asked_for(command, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "tests/project", other)
    here = tmp_path / "here"
    here.mkdir()
    # What its world is made of was made before by no run: a world that lies ready runs nothing.
    (other / "worlds/void/flat.py").write_text((other / "worlds/void/flat.py").read_text() + EVIL + f"# {uuid4()}")
    monkeypatch.chdir(here)
    scenario = other / "worlds/void/scenarios/height.toml"
    for words in (("check", scenario), ("run", scenario, "-o", "run.h5"), ("world", "info", other / "worlds/void")):
        code, _, err = command(*words)
        assert code == 2 and "flat.py" in err and not Path("pwned").exists(), err
    code, _, err = command("check", scenario, "--trust")
    assert code == 0 and Path("pwned").exists(), err
    monkeypatch.chdir(other)
    code, _, err = command("check", "void/height")
    assert code == 0, err


def test_a_cluster_of_a_stranger_starts_nothing_unasked(command, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    away, here = tmp_path / "away", tmp_path / "here"
    shutil.copytree(ROOT / "tests/project", here)
    away.mkdir()
    for folder in (away, here):
        (folder / "cluster.toml").write_text('kind = "subprocess:check_call"\n[options]\nargs = ["touch", "pwned"]\n')
    monkeypatch.chdir(here)
    for file, words, runs in ((away, (), False), (away, ("--trust",), True), (here, (), True)):
        Path("pwned").unlink(missing_ok=True)
        code, _, err = command("sweep", "void/height", "--cluster", file / "cluster.toml", *words)
        assert code == 2 and Path("pwned").exists() == runs, err
        assert ("makes no cluster" if runs else "not of this project") in err


def test_a_terminal_is_asked_and_its_answer_remembered(command, project, monkeypatch):
    import twin.cli.consent as consent

    class Terminal:
        def isatty(self):
            return True

    answers = []
    monkeypatch.setattr(consent.sys, "stdin", Terminal())
    monkeypatch.setattr(type(consent.err), "is_terminal", property(lambda console: True))
    monkeypatch.setattr(consent.click, "confirm", lambda *_, **__: answers.pop())
    run = project("process:touch pwned")
    answers[:] = [False]
    code, _, err = command("verify", run)
    assert code == 2 and "touch pwned" in err and not answers and not Path("pwned").exists()
    answers[:] = [True]
    command("verify", run)
    assert Path("pwned").exists() and not answers
    Path("pwned").unlink()
    command("verify", run)  # nothing is asked: there is no answer left to give
    assert Path("pwned").exists()


def test_a_project_in_a_folder_of_ones_own_is_none_of_ones_own(command, tmp_path):
    shutil.copytree(ROOT / "tests/project", tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "tests/project", tmp_path / "downloads/theirs")
    code, _, err = command("check", "downloads/theirs/worlds/void/scenarios/height.toml")
    assert code == 2 and "downloads/theirs/worlds/void: flat.py" in err
