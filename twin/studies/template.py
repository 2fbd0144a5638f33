"""A warm process that forks a child for each run: what a run breaks, eats or hangs is its own.

It reads one job a line from stdin and answers with one line each: `python -m twin.studies.template`. It has one
thread, so that a fork copies nothing that another one holds; it ends with whoever started it.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
from pathlib import Path
from typing import Any

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.analysis.rows import of_summary
from twin.assembly.build import build
from twin.errors import TwinError
from twin.project.project import Project, find_scenario
from twin.runs.run import Stopped, run
from twin.specs.scenario import Scenario, load_scenario
from twin.studies.flight import tree
from twin.studies.pool import TRIES
from twin.studies.processes import die_with_parent, from_outside
from twin.studies.store import Store

_FAILED = 70
Job = dict[str, Any]
"""id, store, scenario, overrides, point, seed, record, wall [s], memory [MB] or None; `tree` of a rare event's root."""


def serve() -> None:
    """Answer jobs until stdin ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a run prints is no answer
    die_with_parent()
    warm = False
    while line := _line():
        job: Job = json.loads(line)
        if not warm:
            _warm_up(job)
            warm = True
        os.write(answers, (json.dumps({"id": job["id"], **_fork(job)}) + "\n").encode())


def _line() -> bytes:
    """Read one line without taking more, so that the end of stdin can be watched while a run goes on."""
    found = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        found += byte
    return bytes(found)


def _warm_up(job: Job) -> None:
    """Load what every run needs, kernels too, by the first tenth of a second of this one; what is wrong it will say."""
    try:
        _simulate({**job, "record": "none"}, until=100_000_000)
    except TwinError:
        return
    finally:
        gc.collect()
        gc.freeze()


def _scenario(job: Job) -> tuple[Scenario, Project]:
    project, path = find_scenario(job["scenario"])
    return load_scenario(path, [(key, value) for key, value in job["overrides"]])[0], project


def _tree(job: Job) -> dict[str, Any]:
    """Grow the tree of a root and return its row."""
    leaves = tree(*_scenario(job), job["tree"])
    return {**_of(job), "status": "complete", "error": "", "leaves": [leaf.as_dict() for leaf in leaves]}


def _simulate(job: Job, until: int | None = None) -> dict[str, Any]:
    """Run a job and return its row."""
    scenario, project = _scenario(job)
    output = None if job["record"] == "none" else Store(Path(job["store"])).place(job["id"], ".h5")
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
    outcome = run(build(scenario, project), scenario, output, force=True, until=until)
    if isinstance(outcome.error, Stopped):
        raise outcome.error
    summary = outcome.summary
    if output is not None and job["record"] == "failed" and summary["answer"] != "failed" and outcome.error is None:
        output.unlink()
    error = outcome.error
    return {
        **_of(job),
        "status": "complete" if error is None else "stopped",
        "error": "" if error is None else f"{type(error).__name__}: {error}",
        "answer": summary["answer"],
        **of_summary(summary),
    }


def _of(job: Job) -> dict[str, Any]:
    return {"id": job["id"], "point": job["point"], "seed": job["seed"]}


def _lost(job: Job, status: str, error: str) -> dict[str, Any]:
    return {**_of(job), "status": status, "error": error, "answer": None, "figures": {}, "requirements": {},
            "margins": {}}  # fmt: skip


def _fork(job: Job) -> dict[str, Any]:
    """Run a job in a child; publish a row for whatever became of it.

    A child that somebody else ended says nothing of its run: that is tried again, up to `TRIES` times.
    """
    store = Store(Path(job["store"]))
    for _ in range(TRIES):
        code, late = _run_child(job, store)
        if late or not from_outside(code) or store.has(job["id"]):
            break
    same = code == 0
    if not store.has(job["id"]):
        why = f"wall clock: over {job['wall']:g} s" if late else f"signal {-code}" if code < 0 else f"exit code {code}"
        store.publish(_lost(job, "died", why))
        same = True
    return {"same": same}


def _run_child(job: Job, store: Store) -> tuple[int, bool]:
    """Run a job in a child; return its exit code, below 0 a signal's, and whether its time was up."""
    child = os.fork()
    if child == 0:
        _child(job, store)
    late = _wait(child, job["wall"])
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), late


def _child(job: Job, store: Store) -> None:
    """Run a job, publish its row, and end: 0, or 1 where another row was there."""
    code = _FAILED
    try:
        die_with_parent()
        if job["memory"] is not None:
            most = _address_space() + (job["memory"] << 20)
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            row = _tree(job) if "tree" in job else _simulate(job)
        except (Stopped, KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGKILL)
        except TwinError as error:
            row = _lost(job, "refused", f"{type(error).__name__}: {error}")
        except MemoryError:
            row = _lost(job, "died", "memory")
        code = 0 if store.publish(row) else 1
    except BaseException as error:
        os.write(2, f"{job['id']}: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _wait(child: int, wall: float) -> bool:
    """Wait until a child ends; end it when its time is up, which is told, or when nobody wants it any more."""
    ended = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([ended, 0], [], [], wall)
        if ended in ready:
            return False
        os.kill(child, signal.SIGKILL)
        if ready:  # stdin ended: whoever asked is gone
            os.waitpid(child, 0)
            os._exit(0)
        return True
    finally:
        os.close(ended)


def _address_space() -> int:
    """Return how many bytes of address space this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")


if __name__ == "__main__":
    serve()
