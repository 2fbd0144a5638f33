"""Jobs on a cluster, by Dask: each of its workers has one template of its own, and all write to one shared folder."""

from __future__ import annotations

import importlib
import json
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field

from twin.clock import NS
from twin.errors import RunError, ScenarioError
from twin.extras import needed
from twin.specs import Spec
from twin.specs.toml_text import read_toml, validate
from twin.studies.pool import TRIES, Done, Job, ask, start_template
from twin.studies.store import Store
from twin.units import DurationNs, duration_text

KINDS = {"slurm": "dask_jobqueue:SLURMCluster", "pbs": "dask_jobqueue:PBSCluster", "lsf": "dask_jobqueue:LSFCluster",
         "kubernetes": "dask_kubernetes.operator:KubeCluster", "local": "distributed:LocalCluster"}  # fmt: skip
_LOOK = 5.0
"""s after which it is looked whether the scheduler is still there."""
_UNDER_WAY = 200
"""Jobs that the scheduler has at a time."""
_WAIT = 60 * NS
"""ns that a scheduler which is there already may be without any worker."""


class ClusterSpec(Spec):
    """A cluster.toml: which kind of cluster is started, with what, and how many workers it has."""

    kind: str = Field(pattern=rf"^(?:{'|'.join(KINDS)}|[\w.]+:\w+)$")  # one of those known, or module:Class
    workers: int | None = Field(default=None, ge=1)
    adapt: dict[str, int] | None = None  # minimum and maximum, in place of workers
    wait: Annotated[DurationNs, Field(gt=0)] = 600 * NS  # how long it may be without any worker, as in a queue
    options: dict[str, Any] = {}  # of the class


class Cluster:
    """Runs jobs on the workers of a scheduler: its address, `local`, or the file of a cluster to start.

    The store decides what is done, not Dask: a worker, or the scheduler, may be lost after a row is written.

    Raises:
        ScenarioError: there is no such scheduler, or the file is wrong.
    """

    def __init__(self, where: str, workers: int) -> None:
        with needed("cluster", "distributed"):
            import distributed
        self._stack, self._wait = ExitStack(), _WAIT
        address: Any = where
        if "://" not in where:
            made, self._wait = _started(where, workers)
            address = self._stack.enter_context(made)
        try:
            self._client = self._stack.enter_context(distributed.Client(address, timeout=20))  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise ScenarioError(f"{where}: no scheduler answers: {error}", file="--cluster") from error
        self._warm, self._attended = False, time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def run(self, jobs: Iterable[Job], done: Done) -> None:
        """Run all jobs, the very first one alone: what it compiles, the others find.

        Raises:
            RunError: the scheduler is gone, no worker comes, or a job killed its workers three times.
        """
        waiting, self._attended = list(jobs), time.monotonic()
        if waiting and not self._warm:
            self._some(waiting[:1], done)
            self._warm, waiting = True, waiting[1:]
        self._some(waiting, done)

    def _some(self, jobs: list[Job], done: Done) -> None:
        waiting, tries = deque(jobs), Counter[str]()
        under_way: list[tuple[Job, Any]] = []
        while waiting or under_way:
            while waiting and len(under_way) < _UNDER_WAY:
                under_way.append(self._submit(waiting.popleft()))
            self._pause([future for _, future in under_way])
            lost = self._client.status != "running"
            if not lost and all(future.status == "pending" for _, future in under_way):
                self._attend()
            still = []
            for job, future in under_way:
                if future.status == "finished":
                    done(job, bool(future.result()))
                elif future.status == "pending" and not lost:
                    still.append((job, future))
                elif _there(job):
                    done(job, True)
                elif lost:
                    still.append((job, future))
                else:
                    tries[job["id"]] += 1
                    if tries[job["id"]] >= TRIES:
                        fault = future.exception() if future.status == "error" else future.status
                        raise RunError(f"run {job['id']} was lost {TRIES} times: {fault}; {job['overrides']}")
                    waiting.appendleft(job)
            under_way = still
            if lost:
                open_ = len(waiting) + len(under_way)
                message = f"the scheduler is gone, {open_} runs are open"
                raise RunError(f"{message}; what is done stays: call it again to go on")

    def _submit(self, job: Job) -> tuple[Job, Any]:
        """Give a job to the scheduler by a name of its own: by one that is known, it hands out what came of that."""
        return job, self._client.submit(answer, job, pure=False)

    def _attend(self) -> None:
        """See that there is a worker, or was one a while ago."""
        try:
            workers = self._client.scheduler_info()["workers"]
        except (TimeoutError, OSError):
            return  # its status tells next time
        if workers:
            self._attended = time.monotonic()
        elif time.monotonic() - self._attended > self._wait / NS:
            message = f"the cluster had no worker for {duration_text(self._wait)}"
            raise RunError(f"{message}; `wait` in a cluster.toml is how long it may have none")

    def _pause(self, futures: list[Any]) -> None:
        """Wait until one of them is over, or for a while: whether the scheduler is still there is looked at then."""
        from distributed import CancelledError, wait

        try:
            wait(futures, timeout=_LOOK, return_when="FIRST_COMPLETED")  # type: ignore[no-untyped-call]
        except (TimeoutError, CancelledError, OSError, RuntimeError):
            return  # each of them is asked next


def _there(job: Job) -> bool:
    return Store(Path(job["store"])).has(job["id"])


def _started(where: str, workers: int) -> tuple[Any, int]:
    """Return a cluster of this command's own, which ends with it, and how long [ns] it may be without a worker."""
    if where == "local":
        return _local(workers), _WAIT
    data, text = read_toml(Path(where))
    spec = validate(ClusterSpec, data, file=where, text=text)
    kind = _kind(spec.kind, where)
    try:
        made = kind(**spec.options)
    except Exception as error:  # of other people's code, which asks for commands, files and servers of its own
        message = f"{KINDS.get(spec.kind, spec.kind)}: {type(error).__name__}: {error}"
        raise ScenarioError(message, file=where, key="options") from error
    if not hasattr(made, "__enter__"):
        raise ScenarioError(f"{spec.kind} makes no cluster, but {made!r}", file=where, key="kind")
    if spec.adapt is not None:
        made.adapt(**spec.adapt)
    elif spec.workers is not None:
        made.scale(spec.workers)
    return made, spec.wait


def _kind(name: str, where: str) -> Callable[..., Any]:
    """Return the class of clusters that a file names."""
    module, _, attribute = KINDS.get(name, name).partition(":")
    try:
        kind: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise ScenarioError(f"{name} needs {module.partition('.')[0].replace('_', '-')}: pip install it",
                            file=where, key="kind") from error  # fmt: skip
    except AttributeError as error:
        raise ScenarioError(f"found {name!r}; allowed: {', '.join(KINDS)}, or module:Class", file=where,
                            key="kind") from error  # fmt: skip
    return kind


def _local(workers: int) -> Any:
    """Return a cluster of processes on this machine; memory is limited run by run, not by Dask."""
    from distributed import LocalCluster

    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address=None, silence_logs=50
    )


_templates: dict[int, subprocess.Popen[bytes]] = {}
"""On a worker: the template of each of its threads. A thread lives as long as its worker, and so its template."""


def answer(job: Job) -> bool:
    """On a worker: let its template run a job; return whether the row is the same as one that was there.

    Raises:
        OSError: the template died; the worker has another one for the next job.
    """
    thread = threading.get_ident()
    template = _templates.get(thread)
    if template is None or template.poll() is not None:
        template = _templates[thread] = start_template()
    line = ask(template, job)
    if not line:
        del _templates[thread]
        template.wait()
        raise ConnectionError(f"the template of run {job['id']} died")
    return bool(json.loads(line)["same"])
