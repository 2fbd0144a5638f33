"""What whole runs say of plans, beside what the surrogate had said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import numpy as np

from twin.siting.control import outcome
from twin.siting.plans import Plan
from twin.siting.study import Study
from twin.studies.plan import Plan as Sweep
from twin.studies.pool import Runner
from twin.studies.sweep import plan_runs

STEPS = 0.5
MOST = 6.0
"""dB: thresholds above q_in that are tried, and the largest of them."""
_FEW = 3
"""Plans below which no threshold is fitted, and no ranks are compared."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The runs of one plan, one a seed."""

    plan: Plan
    seeds: tuple[int, ...]
    failsafe: tuple[float, ...]  # s, summed over robots; nan where a run died
    tracking: tuple[float, ...]  # m, the largest error
    collisions: tuple[float, ...]
    answers: tuple[str, ...]  # passed, failed, or how a run ended

    @property
    def passed(self) -> bool:
        """Whether every run met all requirements."""
        return all(answer == "passed" for answer in self.answers)

    @property
    def rank(self) -> tuple[bool, float, float, float]:
        """What is less is better: not passed, then the worst seed's failsafe time and tracking error, then money."""
        return not self.passed, _most(self.failsafe), _most(self.tracking), self.plan.cost


def _most(values: Sequence[float]) -> float:
    return max((inf if np.isnan(value) else value for value in values), default=inf)


def judged(
    plans: Sequence[tuple[Plan, Path]], seeds: Sequence[int], folder: Path, runner: Runner, progress: Callable[[], None]
) -> list[Judged]:
    """Run each plan's scenario with each seed, unless that is done; return the best first.

    Raises:
        ScenarioError: a scenario is wrong.
        RunError: a run killed its process again and again.
    """
    found = []
    for plan, file in plans:
        sweep = plan_runs(Sweep(scenario=str(file), seeds=tuple(seeds)), folder)
        for _ in range(len(sweep.runs) - len(sweep.missing)):
            progress()
        sweep.run(runner, progress)
        rows = sweep.rows()

        def figure(name: str, rows: Sequence[Mapping[str, object]] = rows) -> tuple[float, ...]:
            return tuple(_number(row, name) for row in rows)

        answers = tuple(str(row["answer"] or row["status"]) for row in rows)
        found.append(Judged(plan, tuple(row["seed"] for row in rows), figure("failsafe_time"), figure("tracking_max"),
                            figure("collisions"), answers))  # fmt: skip
    return sorted(found, key=lambda one: one.rank)


def _number(row: Mapping[str, object], name: str) -> float:
    figures = row["figures"]
    value = figures.get(name) if isinstance(figures, dict) else None
    return nan if value is None or row["status"] != "complete" else float(value)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the surrogate foretold the runs, and with which threshold it does best."""

    threshold: float  # dB above q_in, that was used
    error: float  # s, mean absolute error of failsafe time
    best: float  # dB above q_in, the threshold of least error
    best_error: float  # s
    rank: float  # Spearman's correlation at the threshold that was used; nan where all are alike


def fitted(study: Study, runs: Sequence[Judged]) -> Fit | None:
    """Return the threshold that foretells runs best; None of fewer than three plans."""
    known = [one for one in runs if not np.isnan(one.failsafe).any()]
    if len(known) < _FEW:
        return None
    found = np.array([np.mean(one.failsafe) for one in known])
    tried = {float(t): _predicted(study.at(float(t)), known) for t in np.arange(0.0, MOST + STEPS / 2, STEPS)}
    errors = {threshold: float(np.abs(said - found).mean()) for threshold, said in tried.items()}
    best = min(errors, key=lambda threshold: (errors[threshold], abs(threshold - study.threshold)))
    own = _predicted(study, known)
    return Fit(study.threshold, float(np.abs(own - found).mean()), best, errors[best], spearman(own, found))


def _predicted(study: Study, runs: Sequence[Judged]) -> np.ndarray:
    """Return the failsafe time [s] that the surrogate foretells of each plan, without any margin."""
    step = study.mission.step / 1e9
    said = []
    for one in runs:
        problem = study.problem(one.plan.carriers)
        cases = study.chains(one.plan.carriers, 0.0)
        steps = [outcome(case, one.plan.chosen, problem.groups, study.spec.redundancy).missed for case in cases]
        said.append(step * float(np.mean(steps)))
    return np.array(said)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return the rank correlation; nan where all of one are alike."""
    from scipy.stats import rankdata  # a second of import

    if len(set(a.tolist())) < 2 or len(set(b.tolist())) < 2:
        return nan
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
