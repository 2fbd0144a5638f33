"""Rare events of a real twin, forked: a second of a falling ball whose packets get lost."""

import shutil
import sys
from pathlib import Path

import pytest

from twin.errors import ScenarioError
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.rerun import verify
from twin.specs.toml_text import validate
from twin.studies.plan import Limits, Plan
from twin.studies.pool import Pool
from twin.studies.rare import open_rare, question_of, worst
from twin.studies.sweep import plan_runs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="runs are forked")
ROOT = Path(__file__).resolve().parents[2]
SET = {"network.kind": "fixed", "network.loss": 0.2, "duration": "0.3 s", "network.delay": "5 ms"}
NEAR = """
lost = 0

def score(frame, built):
    global lost
    lost += sum(packet.fate == "lost" for packet in frame.packets)
    return float(lost)
"""


@pytest.fixture
def scenario(tmp_path):
    shutil.copytree(ROOT / "tests/project", tmp_path / "site", ignore=shutil.ignore_patterns("*.pyc", "test_*"))
    (tmp_path / "site/near.py").write_text(NEAR)
    return str(tmp_path / "site/worlds/void/scenarios/height.toml")


def study(scenario, folder, event="packets_lost > 45", copies=3, **changes):
    question = question_of(event, "near.py:score", 0.5, copies)
    return open_rare(scenario, list({**SET, **changes}.items()), question, folder, Limits())


def test_trees_of_a_twin_are_plain_runs_and_futures_that_can_be_run_again(scenario, tmp_path):
    """Without a copy: the very runs of a sweep. With copies: unit weight a root, and lineages that lead there again."""
    seeds = range(1, 5)
    plan = validate(Plan, {"scenario": scenario, "set": SET, "seeds": list(seeds)})
    sweep, plain, split = (plan_runs(plan, tmp_path / "sweep"), study(scenario, tmp_path / "plain", copies=1),
                           study(scenario, tmp_path / "split"))  # fmt: skip
    with Pool(1) as pool:
        sweep.run(pool)
        single = plain.trees(pool, seeds, [10.0, 20.0], lambda: None)
        grown = split.trees(pool, seeds, [10.0, 20.0], lambda: None)
        lost = [row["figures"]["packets_lost"] for row in sweep.rows()]
        assert [[leaf.value for leaf in tree] for tree in single] == [[value] for value in lost]
        assert [tree[-1].value for tree in grown] == lost, "a tree's trunk goes on by the draws of its root"
        for tree in grown:
            assert len(tree) > 3 and sum(leaf.weight for leaf in tree) == pytest.approx(1.0)
            assert len({leaf.value for leaf in tree}) > 1
        branch = next(leaf for leaf in grown[0] if len(leaf.lineage) == 2)
        (found,) = split.record(pool, [(1, branch)])
        with Recording(found) as recording:
            assert recording.summary["packets_lost"] == branch.value
            assert verify(recording, Project.around(Path(scenario).parent)).same
        told = []
        split.trees(pool, seeds, [10.0, 20.0], lambda: told.append(1))
        assert told == [], "trees that are there are not grown again"
    chosen = worst(seeds, grown, split.question.event, 2)
    assert len({seed for seed, _ in chosen}) == len(chosen) and all(leaf.hit for _, leaf in chosen)


def test_trees_of_another_score_are_other_trees(scenario, tmp_path):
    """Its file is part of their name, and what that imports beside it."""
    near, names = Path(scenario).parents[3] / "near.py", []
    for text in (NEAR, f"from .far import more\n{NEAR}", NEAR):
        near.write_text(text)
        for more in (1, 2):
            near.with_name("far.py").write_text(f"more = {more}")
            names.append(study(scenario, tmp_path)._job(1, [2.0])["id"])
    plain, sibling, again = names[:2], names[2:4], names[4:]
    assert plain == again and plain[0] == plain[1] and len({plain[0], *sibling}) == 3


@pytest.mark.parametrize(
    ("event", "changes", "said"),
    [
        ("nonsense > 3", {}, "found 'nonsense'"),
        ("robots.balls.tracking_max > 3 m", {}, "allowed: a group or robot: ball"),
        ("packets_lost > 3", {"robots.ball.controller": "process:./x"}, "can't be forked"),
        ("packets_lost > 3", {"robots.ball.controller": "tcp://127.0.0.1:5555"}, "can't be forked"),
    ],
)
def test_what_can_not_be_asked_is_refused(scenario, tmp_path, event, changes, said):
    with pytest.raises(ScenarioError) as error:
        study(scenario, tmp_path / "x", event, **changes)
    assert said in str(error.value)
