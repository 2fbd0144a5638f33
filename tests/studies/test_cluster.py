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

from twin.errors import EXIT_INCONCLUSIVE, EXIT_REQUIREMENT, RunError, ScenarioError
from twin.specs.toml_text import validate
from twin.studies import cluster as clusters
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
DONE = {0, EXIT_REQUIREMENT, EXIT_INCONCLUSIVE}
ENDS = {"": DONE, "client": DONE | {-signal.SIGKILL},
        "scheduler": DONE | {RunError.exit_code, ScenarioError.exit_code}}  # it may be gone before it was found
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
        ('kind = "rm -rf; distributed:LocalCluster"', "kind: found 'rm -rf; distributed:LocalCluster'"),
        ('kind = "builtins:iter"\n[options]\na = 1', "options: builtins:iter: TypeError"),
        ('kind = "importlib:import_module"\n[options]\nname = 1', "AttributeError: 'int' object has no attribute"),
        ("nodes = 3", "nodes"),
    ],
)
def test_what_is_wrong_with_a_cluster_is_said(tmp_path, where, said):
    file = tmp_path / "cluster.toml"
    file.write_text(where)
    with pytest.raises(ScenarioError) as error:
        Cluster(str(file), 1)
    assert said in str(error.value)


@pytest.fixture
def inside():
    """Return the address of a scheduler in this process, with one worker: what is patched here, it sees."""
    import distributed

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, memory_limit=0, dashboard_address=None, silence_logs=50
    ) as made:
        yield made.scheduler_address


def jobs(folder, *names):
    return [{"id": name, "store": str(folder), "overrides": []} for name in names]


class Template:
    """A stand-in that lives until it is killed."""

    def poll(self):
        return None

    def wait(self):
        return -9


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_a_template_that_is_killed_costs_one_try_of_its_run_alone(inside, tmp_path, monkeypatch, kills):
    asked, done = [], []

    def ask(template, job):
        asked.append(job["id"])
        return b"" if job["id"] == "b" and asked.count("b") <= kills else b'{"same": true}'

    monkeypatch.setattr(clusters, "start_template", Template)
    monkeypatch.setattr(clusters, "ask", ask)
    with Cluster(inside, 1) as cluster:
        if kills == 3:
            with pytest.raises(RunError, match="run b was lost 3 times: the template of run b died"):
                cluster.run(jobs(tmp_path, "a", "b", "c"), lambda job, same: done.append(job["id"]))
        else:
            cluster.run(jobs(tmp_path, "a", "b", "c"), lambda job, same: done.append(job["id"]))
            assert sorted(done) == ["a", "b", "c"]
    assert asked.count("b") == min(kills + 1, 3) and asked.count("a") == 1


def test_a_cluster_that_no_worker_comes_to_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "_LOOK", 0.1)
    file = tmp_path / "cluster.toml"
    file.write_text('kind = "local"\nwait = "0.2 s"\n[options]\nn_workers = 0\n'
                    "dashboard_address = 'localhost:0'\n")  # fmt: skip
    with Cluster(str(file), 1) as cluster, pytest.raises(RunError, match="no worker for 200 ms"):
        cluster.run(jobs(tmp_path, "a"), lambda job, same: None)


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
        deadline = time.monotonic() + 60
        while not (file.is_file() and file.read_text()):
            assert self.processes["scheduler"].poll() is None, (self.folder / "scheduler.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "scheduler.log").read_text()
            time.sleep(0.1)
        for number in range(2):
            self.start(f"worker {number}", "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file),
                       "--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--death-timeout", "20")  # fmt: skip
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
                assert site.processes["client"].wait(timeout=300) in ENDS[kind], (tmp_path / "client.log").read_text()
            site.close()
    finally:
        site.close()
    again = planned(tmp_path / "sweep", seeds)
    assert again.missing == [] and again.write_table()[0].read_bytes() == table
