"""`twin plot`: a picture of a recorded run."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def recorded(command):
    """A short run of the test project, copied to the current folder."""
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    scenario = "worlds/void/scenarios/height.toml"
    code, out, err = command("run", scenario, "-o", "recordings/run.h5", "--duration", "0.5 s", "-q")
    assert code == 0, err
    return "recordings/run.h5"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_it_draws_into_the_format_of_the_ending(command, recorded, name, begins):
    code, out, err = command("plot", recorded, "-o", name)
    assert code == 0 and not err and Path(name).read_bytes().startswith(begins)


def test_a_world_that_changed_is_said(command, recorded):
    source = Path("worlds/void/flat.py")
    source.write_text(source.read_text().replace("1000.0", "900.0"))
    code, out, err = command("plot", recorded, "-o", "a.png")
    assert code == 0 and "world void has changed since this run" in err


def test_a_world_that_is_gone_is_said(command, recorded):
    shutil.rmtree("worlds/void")
    code, out, err = command("plot", recorded, "-o", "a.png")
    assert code == 0 and "drawn without its world: no world 'void'" in err and Path("a.png").exists()


def test_what_is_there_stays_unless_forced(command, recorded):
    Path("a.png").write_text("precious")
    code, out, err = command("plot", recorded, "-o", "a.png")
    assert code == 1 and "a.png: exists already" in err and Path("a.png").read_text() == "precious"
    assert command("plot", recorded, "-o", "a.png", "--force")[0] == 0
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_ending_says_the_known_ones(command, recorded):
    code, out, err = command("plot", recorded, "-o", "a.gif")
    assert code == 1 and "found ending '.gif'; allowed: png, svg, pdf" in err and not Path("a.gif").exists()


def test_a_file_that_is_no_recording_is_refused(command):
    Path("x.h5").write_text("nothing")
    code, out, err = command("plot", "x.h5", "-o", "a.png")
    assert code == 1 and "not a recording" in err
