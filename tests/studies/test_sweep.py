"""Sweeps of a second of a falling ball: the same table however it comes about, and bad runs cost only themselves."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from twin.errors import ScenarioError
from twin.specs.toml_text import validate
from twin.studies.margin import find_border, margins_of
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="templates fork, and end with their owner")
ROOT = Path(__file__).resolve().parents[2]
BAD = """
import os, time
from pydantic import BaseModel
from twin.controller import Action

class Fine:
    runs_on = "onboard"
    class Parameters(BaseModel):
        target: float
    def reset(self, spec, rng): pass
    def act(self, observation):
        if observation.time > 300_000_000:
            self.misbehave()
        return Action()
    def misbehave(self): print("nobody takes this for an answer")

class Raises(Fine):
    def misbehave(self): raise ValueError("no more")

class Crashes(Fine):
    def misbehave(self): os._exit(3)

class Hangs(Fine):
    def misbehave(self): time.sleep(1000)

class Killed(Fine):
    def misbehave(self): os.kill(os.getpid(), 9)

class KilledOnce(Fine):
    number = 9
    def misbehave(self):
        mark = f"{MARK}{self.number}"
        if not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), self.number)

class ToldToStop(KilledOnce):
    number = 15

class Interrupted(KilledOnce):
    number = 2

class Eats(Fine):
    def misbehave(self): self.eaten = bytearray(1 << 31)
"""


@pytest.fixture
def scenario(tmp_path):
    shutil.copytree(ROOT / "tests/project", tmp_path / "site", ignore=shutil.ignore_patterns("*.pyc", "test_*"))
    (tmp_path / "site/bad.py").write_text(f'MARK = "{tmp_path}/killed"\n{BAD}')
    return str(tmp_path / "site/worlds/void/scenarios/height.toml")


def sweep(scenario, folder, **tables):
    settings = {"network.kind": "fixed", "network.jitter.kind": "exponential", "network.jitter.scale": "5 ms",
                "duration": "0.5 s"}  # fmt: skip
    plan = validate(Plan, {"scenario": scenario, "set": settings, **tables})
    return plan_runs(plan, folder)


def templates():
    """Return the processes of this one's that are templates."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words, parent = (place / "cmdline").read_bytes(), (place / "stat").read_text().split(") ")[1].split()[1]
        except OSError:
            continue
        if b"twin.studies.template" in words and int(parent) == os.getpid():
            found.append(int(place.name))
    return found


def test_the_same_table_in_one_process_in_two_that_are_killed_and_continued(scenario, tmp_path):
    varied = {"grid": {"network.delay": ["1 ms", "30 ms"]}, "seeds": "1:3"}
    alone, chaos = (sweep(scenario, tmp_path / name, **varied) for name in ("alone", "chaos"))
    with Pool(1) as pool:
        alone.run(pool)
    table = alone.write_table()[0].read_bytes()
    assert len(table.splitlines()) == 7 and b"complete" in table
    done = []

    def kill_them():
        done.append(len(done))
        if len(done) in (1, 3):
            for process in templates():
                os.kill(process, signal.SIGKILL)

    with Pool(2) as pool:
        chaos.run(pool, kill_them)
    assert chaos.write_table()[0].read_bytes() == table
    assert not list((tmp_path / "chaos").rglob(".*"))

    for run in chaos.runs[1:3]:
        chaos.store.place(run.name).unlink()
    again = sweep(scenario, tmp_path / "chaos", **varied)
    assert [run.point.seed for run in again.missing] == [2, 3]
    repeated = []
    with Pool(2) as pool:
        again.run(pool, lambda: repeated.append(1))
    assert len(repeated) == 2 and again.write_table()[0].read_bytes() == table
    assert templates() == []


def test_a_run_that_misbehaves_costs_itself_and_says_why(scenario, tmp_path):
    killed = ["Killed", "KilledOnce", "ToldToStop", "Interrupted"]
    kinds = ["Fine", "Raises", "Crashes", *killed, "Hangs", "Eats"]
    made = sweep(scenario, tmp_path / "bad", limits={"wall": "6 s", "memory": 500},
                 grid={"robots.ball.controller": [f"bad.py:{kind}" for kind in kinds]})  # fmt: skip
    with Pool(2) as pool:
        made.run(pool)
    ended = {row["point"]["robots.ball.controller"].split(":")[1]: (row["status"], row["error"]) for row in made.rows()}
    assert ended["Fine"] == ("complete", "")
    assert ended["Raises"][0] == "stopped" and "no more" in ended["Raises"][1]
    assert ended["Crashes"] == ("died", "exit code 3")
    assert ended["Killed"] == ("died", "signal 9"), "three times: it was the run itself"
    for kind in killed[1:]:
        assert ended[kind] == ("complete", ""), "somebody else was it: the run goes again"
    assert ended["Hangs"] == ("died", "wall clock: over 6 s")
    assert ended["Eats"][0] in ("stopped", "died") and "emory" in ended["Eats"][1]


def test_what_decides_a_run_is_its_name(scenario, tmp_path):
    (one,) = sweep(scenario, tmp_path / "a").runs
    (same,) = sweep(scenario, tmp_path / "b", grid={"duration": ["500 ms"]}).runs
    (other,) = sweep(scenario, tmp_path / "c", seeds=[2]).runs
    assert one.name == same.name != other.name
    file = Path(scenario).parents[3] / "agents/mass/controllers/height.py"
    file.write_text(file.read_text() + "\n# another thought\n")
    from twin.studies import identity

    identity._folder.cache_clear()
    (changed,) = sweep(scenario, tmp_path / "d").runs
    assert changed.name != one.name


def test_another_plan_in_the_same_folder_and_live_peers_are_refused(scenario, tmp_path):
    made = sweep(scenario, tmp_path / "here")
    made.store.begin(made.plan)
    other = sweep(scenario, tmp_path / "here", seeds=[7])
    with pytest.raises(ScenarioError, match="another sweep is in"):
        other.store.begin(other.plan)
    with pytest.raises(ScenarioError, match="one peer for all runs"):
        sweep(scenario, tmp_path / "live", grid={"robots.ball.controller": ["tcp://127.0.0.1:5555"]})


def test_a_margin_is_where_round_trips_meet_their_limit(scenario, tmp_path):
    """A round trip is twice the delay and what ticks add: 40 ms and c at 20 ms, so 100 ms at 20 + (60 - c) / 2."""
    shared = {"network.kind": "fixed", "duration": "0.5 s", "requirements": ["rtt_p50 < 100 ms"]}
    plan = validate(Plan, {"scenario": scenario, "set": shared, "grid": {"network.delay": ["20 ms"]}})
    with Pool(1) as pool:
        first = plan_runs(plan, tmp_path)
        first.run(pool)
        ((added,),) = [[row["figures"]["rtt_p50"] - 0.040] for row in first.rows()]
        measure = margins_of(plan, ("network.delay", "ms"), tmp_path, pool, lambda: None, {})
        border = find_border(measure, 20.0, 100.0, 0.1)
    assert border.holds <= 50.0 - 500.0 * added <= border.breaks <= border.holds + 0.1 + 1e-9
