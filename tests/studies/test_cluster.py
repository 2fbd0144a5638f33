"""A cluster of processes on this machine: the table that a pool makes, whatever is killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twin.errors import ScenarioError
from twin.specs.toml_text import validate
from twin.studies.cluster import Cluster
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="templates fork")
pytest.importorskip("distributed")
ROOT = Path(__file__).resolve().parents[2]
HEIGHT = str(ROOT / "tests/project/worlds/void/scenarios/height.toml")
SET = {"network.kind": "fixed", "network.jitter.kind": "exponential", "network.jitter.scale": "5 ms",
       "duration": "0.3 s"}  # fmt: skip
ROUNDS = int(os.environ.get("TWIN_CHAOS", "0"))
SEED = int(os.environ.get("TWIN_CHAOS_SEED", "1"))


def planned(folder, seeds):
    plan = validate(Plan, {"scenario": HEIGHT, "set": SET, "seeds": f"1:{seeds}",
                           "grid": {"network.delay": ["1 ms", "30 ms"]}})  # fmt: skip
    return plan_runs(plan, folder)


def test_a_cluster_makes_the_table_of_a_pool(tmp_path):
    alone, spread = planned(tmp_path / "pool", 2), planned(tmp_path / "cluster", 2)
    with Pool(1) as pool:
        alone.run(pool)
    file = tmp_path / "cluster.toml"
    file.write_text('kind = "distributed:LocalCluster"\n[options]\nn_workers = 2\nthreads_per_worker = 1\n'
                    "dashboard_address = 'localhost:0'\nmemory_limit = 0\n")  # fmt: skip
    with Cluster(str(file), 1) as cluster:
        spread.run(cluster)
    assert spread.differing == 0 and spread.missing == []
    for one, other in zip(alone.write_table(), spread.write_table(), strict=True):
        assert one.read_bytes() == other.read_bytes() and one.suffix in (".csv", ".parquet")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ('kind = "slurm"', "slurm needs dask-jobqueue: pip install it"),
        ('kind = "kubernetes"', "kubernetes needs dask-kubernetes: pip install it"),
        ('kind = "distributed:Local"', "found 'distributed:Local'; allowed: slurm"),
        ('kind = "nonsense"', "kind"),
        ("nodes = 3", "nodes"),
    ],
)
def test_what_is_wrong_with_a_cluster_is_said(tmp_path, where, said):
    file = tmp_path / "cluster.toml"
    file.write_text(where)
    with pytest.raises(ScenarioError) as error:
        Cluster(str(file), 1)
    assert said in str(error.value)


class Site:
    """A scheduler and two workers as processes of their own, and a client that runs a sweep on them."""

    def __init__(self, folder, plan):
        self.folder, self.plan = folder, plan
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config")}
        self.processes = {}

    def start(self, kind, *command):
        log = (self.folder / f"{kind}.log").open("a")
        self.processes[kind] = subprocess.Popen(
            [sys.executable, *command], env=self.environment, stdout=log, stderr=log, cwd=self.folder,
            start_new_session=True,
        )  # fmt: skip

    def open(self):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.start("scheduler", "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard",
                   "--scheduler-file", str(file))  # fmt: skip
        while not file.exists():
            time.sleep(0.1)
        for number in range(2):
            self.start(f"worker {number}", "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file),
                       "--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--death-timeout", "20")  # fmt: skip
        while not file.read_text():
            time.sleep(0.1)
        self.start("client", str(ROOT / "cli.py"), "sweep", str(self.plan), "-o", str(self.folder / "sweep"), "--trust",
                   "--cluster", json.loads(file.read_text())["address"])  # fmt: skip

    def below(self, process):
        """Return processes below one, the nearest first."""
        found, seen = [process], []
        while found:
            parent = found.pop(0)
            try:
                children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
                for task in Path(f"/proc/{parent}/task").iterdir():
                    children += (task / "children").read_text().split()
            except OSError:
                continue
            new = [int(child) for child in dict.fromkeys(children)]
            seen += new
            found += new
        return seen

    def victim(self, kind):
        """Return a process of a kind: template and child are looked for below the workers."""
        if kind in self.processes:
            return self.processes[kind].pid
        below = [one for name in ("worker 0", "worker 1") for one in self.below(self.processes[name].pid)]
        templates = [one for one in below if b"twin.studies.template" in _words(one)]
        parents = {one: int(Path(f"/proc/{one}/stat").read_text().split(") ")[1].split()[1]) for one in templates}
        inner = [one for one in templates if parents[one] in templates]
        chosen = inner if kind == "child" else [one for one in templates if one not in inner]
        return chosen[0] if chosen else None

    def close(self):
        for process in self.processes.values():
            for one in [*self.below(process.pid), process.pid]:
                _kill(one)
            process.wait()
        self.processes.clear()


def _words(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(process):
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.skipif(ROUNDS == 0, reason="minutes: just chaos")
def test_whatever_is_killed_a_resume_gives_the_same_table(tmp_path):
    """One kind of process a round is killed at a random moment; TWIN_CHAOS rounds of it (`just chaos`)."""
    rng, seeds = random.Random(SEED), 4 * ROUNDS + 4
    alone = planned(tmp_path / "pool", seeds)
    with Pool(1) as pool:
        alone.run(pool)
    table = alone.write_table()[0].read_bytes()
    file = tmp_path / "sweep.toml"
    file.write_text(alone.plan.to_toml())
    site = Site(tmp_path, file)
    try:
        for number in range(ROUNDS + 1):
            kind = rng.choice(["child", "template", "worker 0", "scheduler", "client"]) if number < ROUNDS else ""
            site.open()
            done, wanted = lambda: len(list((tmp_path / "sweep/runs").glob("*/*.json"))), 2 + 6 * number
            deadline = time.monotonic() + 300
            while kind and done() < min(wanted, 2 * seeds - 1) and site.processes["client"].poll() is None:
                assert time.monotonic() < deadline, (tmp_path / "client.log").read_text()
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.3))
            if kind and (victim := site.victim(kind)):
                _kill(victim)
                print(f"round {number}: {kind} killed with {done()} rows there")
            if kind in ("scheduler", "client", ""):
                assert site.processes["client"].wait(timeout=300) != 1 or kind
            site.close()
    finally:
        site.close()
    again = planned(tmp_path / "sweep", seeds)
    assert again.missing == [] and again.write_table()[0].read_bytes() == table
