"""A rare event from its levels to its probability and its worst trajectories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from twin.clock import NS
from twin.errors import ScenarioError
from twin.project import plugins
from twin.project.project import Project, find_scenario
from twin.specs.requirement import Requirement, parse_requirement
from twin.specs.scenario import Scenario, load_scenario
from twin.studies.findings import keep_finding
from twin.studies.identity import run_id, source_id
from twin.studies.importance import KINDS
from twin.studies.plan import Limits
from twin.studies.pool import Job, Runner
from twin.studies.splitting import Chance, Leaf, chance, next_levels
from twin.studies.store import Store
from twin.studies.sweep import check_alone

Tree = Sequence[Leaf]
PILOT = 100
"""Roots of each round of a pilot."""
_ROUNDS = 5
_PILOT_SEED = 1 << 40
"""Where the seeds of the pilot's roots begin, beyond those of the roots that count."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which event, and how its trees grow."""

    event: Requirement
    importance: str = "predicted"
    horizon: float = 0.8  # s
    copies: int = 5


@dataclass(slots=True)
class Rare:
    """The trees of one scenario, and where they are kept."""

    scenario: Scenario
    project: Project
    path: Path
    changes: Sequence[tuple[str, Any]]
    question: Question
    store: Store
    limits: Limits = field(default_factory=Limits)
    score: str = ""  # digest of the code of a score of the user's own

    def levels(self, pool: Runner, progress: Callable[[], None], roots: int = PILOT) -> list[float]:
        """Return levels from a pilot, whose runs count for nothing else: levels found in a sample would bias it.

        The first round has plain runs; each further one has trees over the levels so far, and finds what lies beyond.
        """
        levels: list[float] = []
        for number in range(_ROUNDS):
            first = self.scenario.seed + _PILOT_SEED * (number + 1)
            found = next_levels(self.trees(pool, range(first, first + roots), levels, progress), levels)
            if not found:
                break
            levels += found
        return levels

    def trees(
        self, pool: Runner, seeds: Sequence[int], levels: Sequence[float], progress: Callable[[], None]
    ) -> list[Tree]:
        """Grow the trees of these roots that aren't there yet; return all.

        Raises:
            ScenarioError: one can't be split at all.
        """
        jobs = [self._job(seed, levels) for seed in seeds]
        pool.run([job for job in jobs if not self.store.has(job["id"])], lambda job, same: progress())
        rows = self.store.rows(job["id"] for job in jobs)
        for row in rows:
            if row["status"] == "refused":
                raise ScenarioError(row["error"].partition(": ")[2], file=self.path)
        return [leaves_of(row) for row in rows]

    def chance(self, trees: Sequence[Tree], confidence: float) -> Chance:
        """Return the probability of the event."""
        return chance(trees, self.scenario.duration * self.scenario.rates.physics / NS, confidence)

    def keep(
        self, seeds: Sequence[int], levels: Sequence[float], found: Chance, worst: Sequence[Mapping[str, Any]]
    ) -> Path:
        """Keep what was found, for pages on it; return where."""
        asked = {**self._asked(levels), "scenario": self.scenario.to_toml(), "seeds": [seeds[0], len(seeds)],
                 "trees": [self._job(seed, levels)["id"] for seed in seeds]}  # fmt: skip
        answer = {**asdict(found), "worst": list(worst)}
        return keep_finding(self.store.folder, "rare", self.scenario.description, asked, answer)

    def _asked(self, levels: Sequence[float]) -> dict[str, Any]:
        return {**asdict(self.question), "event": self.question.event.text, "levels": list(levels)}

    def _job(self, seed: int, levels: Sequence[float]) -> Job:
        asked = self._asked(levels)
        scenario = self.scenario.model_copy(update={"seed": seed})
        parts = run_id(scenario, self.project), json.dumps(asked, sort_keys=True), self.score
        name = hashlib.sha256("".join(parts).encode())
        changes = [*self.changes, ("seed", seed), ("requirements", [self.question.event.text])]
        return self._common(name.hexdigest()[:20], seed, changes) | {"record": "none", "tree": asked}

    def _common(self, name: str, seed: int, changes: Sequence[tuple[str, Any]]) -> Job:
        return {"id": name, "store": str(self.store.folder.resolve()), "scenario": str(self.path), "point": {},
                "seed": seed, "overrides": changes, "wall": self.limits.wall / NS,
                "memory": self.limits.memory}  # fmt: skip

    def record(self, pool: Runner, found: Sequence[tuple[int, Leaf]]) -> list[Path]:
        """Run trajectories once more from their roots, recorded; return their recordings.

        Each is an ordinary run: its scenario has the root's seed and says by `reseed` what was drawn anew when.
        """
        places = []
        jobs = []
        for seed, leaf in found:
            reseed = [{"at": f"{at} ns", "seed": drawn} for at, drawn in leaf.lineage]
            changes = [*self.changes, ("seed", seed), *([("reseed", reseed)] if reseed else [])]
            scenario, _ = load_scenario(self.path, changes)
            job = self._common(run_id(scenario, self.project), seed, changes) | {"record": "all"}
            places.append(self.store.place(job["id"], ".h5"))
            if not places[-1].is_file():
                jobs.append(job)
        pool.run(jobs, lambda job, same: None)
        return places


def leaves_of(row: dict[str, Any]) -> Tree:
    """Return the leaves of a tree; of one whose process died, a single one that came to no end."""
    if "leaves" in row:
        return [Leaf.of(leaf) for leaf in row["leaves"]]
    return [Leaf(1.0, None, error=row["error"])]


def worst(seeds: Sequence[int], trees: Sequence[Tree], event: Requirement, count: int) -> list[tuple[int, Leaf]]:
    """Return seed and leaf of the trajectories that are furthest beyond the event's limit, each of another root."""
    beyond = -1.0 if event.operator in ("<", "<=") else 1.0

    def far(leaf: Leaf) -> float:
        return beyond * (leaf.value or 0.0)

    each = [(seed, max((leaf for leaf in tree if leaf.hit), key=far, default=None)) for seed, tree in
            zip(seeds, trees, strict=True)]  # fmt: skip
    hits = [(seed, leaf) for seed, leaf in each if leaf is not None]
    return sorted(hits, key=lambda one: -far(one[1]))[:count]


def faults(trees: Sequence[Tree]) -> Iterator[str]:
    """Yield why paths did not come to their end."""
    yield from (leaf.error for tree in trees for leaf in tree if leaf.hit is None)


def open_rare(
    scenario: str, changes: Sequence[tuple[str, Any]], question: Question, folder: Path, limits: Limits
) -> Rare:
    """Return the study of a scenario's event.

    Raises:
        ScenarioError: the scenario is wrong, or something in it can't be forked.
        PluginError: there is no such file of a score.
    """
    project, path = find_scenario(scenario)
    asked, _ = load_scenario(path, [*changes, ("requirements", [question.event.text])])
    for name, entry in asked.robots.items():
        if scheme := plugins.scheme_of(entry.controller or ""):
            message = f"found {scheme}:, a peer that can't be forked with the run; allowed in `twin rare`: classes"
            raise ScenarioError(message, key=f"robots.{name}.controller", file=path)
    check_alone(asked)
    kind = question.importance
    score = "" if kind in KINDS else source_id(kind, project.folder)
    return Rare(asked, project, path, changes, question, Store(folder), limits, score)


def question_of(event: str, importance: str, horizon: float, copies: int) -> Question:
    """Return what is asked.

    Raises:
        ScenarioError: the event is no requirement on one figure.
    """
    try:
        return replace(Question(parse_requirement(event)), importance=importance, horizon=horizon, copies=copies)
    except ValueError as error:
        raise ScenarioError(str(error), file="EVENT") from error
