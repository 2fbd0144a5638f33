"""The first traced run over NR is helped by a second process, as long as it runs; every other one is not."""

from pathlib import Path

import pytest

from twin.runs import warming
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def helpers(monkeypatch, tmp_path):
    """What became of helpers, instead of them; the cache is empty."""
    seen = []

    class Helper:
        def __init__(self, *_, **__):
            seen.append("started")

        def kill(self):
            seen.append("killed")

        def wait(self):
            seen.append("over")

    monkeypatch.setattr(warming.subprocess, "Popen", Helper)
    monkeypatch.setattr(warming, "cache_folder", lambda module: tmp_path)
    return seen


def patrol(*changes):
    return load_scenario(ROOT / "worlds/city/scenarios/patrol.toml", changes)[0]


def test_it_ends_with_the_run_even_if_that_fails(helpers):
    with pytest.raises(ZeroDivisionError), warming.second_core(patrol()):
        assert helpers == ["started"]
        raise ZeroDivisionError
    assert helpers == ["started", "killed", "over"]


@pytest.mark.parametrize("change", ["channel.kind=freespace", "network.kind=simple"])
def test_what_needs_only_one_half_goes_alone(helpers, change):
    with warming.second_core(patrol(change)):
        assert helpers == []


def test_where_kernels_are_in_the_cache_it_goes_alone(helpers, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/mac.advance-51.py311.nbi").touch()
    with warming.second_core(patrol()):
        assert helpers == []


def test_warming_up_runs_a_moment_and_leaves_nothing_behind(command):
    before = set(Path.cwd().rglob("*"))
    code, out, err = command("warmup", str(ROOT / "tests/patrol.toml"))
    assert code == 0 and "patrol.toml: ready after" in out, err
    assert set(Path.cwd().rglob("*")) == before
