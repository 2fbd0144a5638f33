"""A run's name: the same however its scenario is spelled, another for a byte in whatever decides what it does."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from twin.project.project import Project
from twin.specs.scenario import load_scenario
from twin.specs.toml_text import validate
from twin.studies import identity
from twin.studies.identity import run_id
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

ROOT = Path(__file__).resolve().parents[2]
OWN = """
from .gains import kp
from twin.controller import Action
class Own:
    def act(self, observation): return Action()
"""


@pytest.fixture
def site(tmp_path):
    """A project with a controller of its own, which has a sibling, and a trace."""
    shutil.copytree(ROOT / "tests/project", tmp_path / "site", ignore=shutil.ignore_patterns("*.pyc", "test_*"))
    site = tmp_path / "site"
    (site / "own.py").write_text(OWN)
    (site / "gains.py").write_text("kp = 3.0\n")
    (site / "worlds/void/trips.csv").write_text("time_s,round_trip_ms\n0,20\n1,30\n")
    return site


def name(site, *changes):
    for cached in (identity._folder, identity._program):
        cached.cache_clear()
    file = site / "worlds/void/scenarios/height.toml"
    changes = ("network.kind=trace", "network.file=trips.csv", "robots.ball.controller=own.py:Own", *changes)
    return run_id(load_scenario(file, changes)[0], Project.around(file.parent))


def test_spelling_and_place_change_no_name(site, tmp_path):
    wanted = name(site)
    assert name(site, "duration=4000 ms", "network.kind=trace") == wanted
    file = site / "worlds/void/scenarios/height.toml"
    file.write_text("# a remark\n" + file.read_text().replace('duration = "4 s"', "duration = 4"))
    assert name(site) == wanted
    shutil.move(site, tmp_path / "elsewhere")
    assert name(tmp_path / "elsewhere") == wanted


@pytest.mark.parametrize(
    "file",
    ["agents/mass/robot.toml", "agents/mass/mass.urdf", "agents/mass/mass.py", "agents/mass/controllers/height.py",
     "worlds/void/world.toml", "worlds/void/flat.py", "worlds/void/trips.csv", "own.py", "gains.py"],
)  # fmt: skip
def test_a_byte_in_what_decides_a_run_is_another_name(site, file):
    before = name(site)
    (site / file).write_text((site / file).read_text() + "\n")
    assert name(site) != before


def test_other_code_and_other_seeds_are_other_names(site, monkeypatch):
    before = name(site)
    assert name(site, "seed=2") != before
    monkeypatch.setattr(identity, "sources_digest", lambda: "0" * 16)
    assert name(site) != before
    monkeypatch.undo()
    assert name(site) == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="templates fork")
def test_a_row_says_what_the_run_itself_says(command, tmp_path):
    """Figures and answers, number for number, of `twin run --json` with the same changes and seed."""
    height = str(ROOT / "tests/project/worlds/void/scenarios/height.toml")
    shared = {"network.kind": "fixed", "network.loss": 0.1, "duration": "0.3 s", "requirements": ["rtt_p50 < 1 s"]}
    plan = validate(Plan, {"scenario": height, "set": shared, "seeds": [7]})
    sweep = plan_runs(plan, tmp_path / "sweep")
    with Pool(1) as pool:
        sweep.run(pool)
    (row,) = sweep.rows()
    changes = [f"{key}={json.dumps(value) if isinstance(value, list) else value}" for key, value in shared.items()]
    sets = [word for change in (*changes, "seed=7") for word in ("--set", change)]
    code, out, err = command("run", height, "-o", "a.h5", *sets, "--json", "-q", "--trust")
    said = json.loads(out)
    said = said.get("figures", said)
    assert row["figures"] == {key: said[key] for key in row["figures"]} and row["figures"]["packets_lost"] > 0
    assert row["requirements"] == {one["requirement"]: one["answer"] for one in said["requirements"]}
