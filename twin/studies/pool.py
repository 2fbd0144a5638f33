"""Templates side by side on this machine: each has one job at a time, and one that dies costs only its own."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from twin.errors import RunError

Job = dict[str, Any]
TRIES = 3
"""Times that a job is given to a template before it counts as what kills templates."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


Done = Callable[[Job, bool], None]
"""Is told each job that is done, and whether its row is the same as one that was there."""


class Runner(Protocol):
    """What runs jobs side by side."""

    def run(self, jobs: Iterable[Job], done: Done) -> None:
        """Run all jobs.

        Raises:
            RunError: a job killed its process again and again.
        """


@dataclass(slots=True)
class _Worker:
    """One template, and the job that it has."""

    process: subprocess.Popen[bytes]
    job: Job | None = None

    def give(self, job: Job) -> None:
        self.job = job
        _tell(self.process, job)


class Pool:
    """Up to `workers` templates; they stay warm from one list of jobs to the next, until the pool is closed."""

    def __init__(self, workers: int) -> None:
        self._most, self._stack, self._selector = workers, ExitStack(), selectors.DefaultSelector()
        self._team: list[_Worker] = []
        self._warm = False  # the first run of all is done: what it compiled, the others find

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._selector.close()

    def run(self, jobs: Iterable[Job], done: Done) -> None:
        """Run all jobs.

        Raises:
            RunError: a job killed its template three times.
        """
        waiting, tries = deque(jobs), dict[str, int]()
        self._hire(len(waiting))
        _hand_out(self._team, waiting)
        while any(worker.job for worker in self._team):
            for key, _ in self._selector.select():
                self._warm |= _hear(key.data, self._selector, waiting, tries, done)
            self._hire(len(waiting))
            _hand_out(self._team, waiting)

    def _hire(self, waiting: int) -> None:
        """Replace templates that are gone; start more while there is work, the first one alone."""
        stack, selector = self._stack, self._selector
        self._team = [_start(stack, selector) if _is_gone(worker) else worker for worker in self._team]
        idle = sum(worker.job is None for worker in self._team)
        most = self._most if self._warm else 1
        self._team += [_start(stack, selector) for _ in range(min(most - len(self._team), waiting - idle))]


def start_template() -> subprocess.Popen[bytes]:
    """Start a template."""
    command = [sys.executable, "-m", "twin.studies.template"]
    environment = {**os.environ, **_ONE_THREAD}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def ask(template: subprocess.Popen[bytes], job: Job) -> bytes:
    """Return a template's answer to a job; nothing if it died."""
    assert template.stdout is not None
    try:
        _tell(template, job)
    except BrokenPipeError:
        return b""
    return template.stdout.readline()


def _tell(template: subprocess.Popen[bytes], job: Job) -> None:
    assert template.stdin is not None
    template.stdin.write((json.dumps(job) + "\n").encode())
    template.stdin.flush()


def _start(stack: ExitStack, selector: selectors.BaseSelector) -> _Worker:
    process = start_template()
    worker = _Worker(process)
    stack.callback(_end, process)
    assert process.stdout is not None
    selector.register(process.stdout, selectors.EVENT_READ, worker)
    return worker


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # it died before it read all


def _hand_out(workers: list[_Worker], waiting: deque[Job]) -> None:
    for worker in workers:
        if worker.job is None and waiting:
            job = waiting.popleft()
            try:
                worker.give(job)
            except BrokenPipeError:  # it died; that is heard at its other pipe
                continue


def _hear(
    worker: _Worker,
    selector: selectors.BaseSelector,
    waiting: deque[Job],
    tries: dict[str, int],
    done: Done,
) -> bool:
    """Take a template's answer, or put its job back if it is gone; tell whether it answered."""
    assert worker.process.stdout is not None
    line = worker.process.stdout.readline()
    job, worker.job = worker.job, None
    if line:
        assert job is not None, "a template answers jobs only"
        done(job, bool(json.loads(line)["same"]))
        return True
    selector.unregister(worker.process.stdout)
    worker.process.wait()
    if job is not None:
        tries[job["id"]] = tries.get(job["id"], 0) + 1
        if tries[job["id"]] >= TRIES:
            raise RunError(f"run {job['id']} killed its process {TRIES} times: {job['overrides']}")
        waiting.appendleft(job)
    return False


def _is_gone(worker: _Worker) -> bool:
    """Tell whether a worker is no more, and its job, if it had one, is taken back."""
    return worker.job is None and worker.process.poll() is not None
