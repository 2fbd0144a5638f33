"""The folder of a study, and what all that is in it shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import twin
from twin.analysis.evidence.studies import rows_digest
from twin.analysis.parts import Section, Table
from twin.errors import RecordingError
from twin.numerics.kernels import sources_digest
from twin.studies.findings import findings
from twin.studies.pages import margins, sweeps, trees
from twin.studies.plan import read_plan
from twin.studies.statements import Answer, Wanted, overall
from twin.studies.sweep import Sweep, plan_runs


@dataclass(frozen=True, slots=True)
class Study:
    """What is to be said of a folder."""

    name: str  # of the folder, as it was given
    title: str
    answer: Answer | None  # of a sweep; margins and rare events answer no requirement
    wanted: dict[str, float]
    requirements: list[str]
    runs: int
    files: dict[str, str]  # what it rests on besides the rows: place below the folder and sha256
    rows_sha256: str
    sections: list[Section]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "sections": [section.as_dict() for section in self.sections]}


def is_study(path: Path) -> bool:
    """Tell whether a folder holds a sweep, margins or trees."""
    kept = (path.glob(pattern) for pattern in ("plan.toml", "margins/*.json", "findings/*.json"))
    return any(True for files in kept for _ in files)


def read_study(folder: Path, wanted: Wanted, name: str = "") -> Study:
    """Return what is to be said of all that is in a folder.

    Raises:
        ScenarioError: a sweep's scenario is wrong.
        RecordingError: there is nothing, or a file was damaged.
    """
    sweep = plan_runs(read_plan(folder / "plan.toml"), folder) if (folder / "plan.toml").is_file() else None
    rows = [] if sweep is None else sweep.rows()
    sections = list(_found(folder))
    described = [finding.description for _, finding in findings(folder) if finding.description]
    answer, requirements, title = None, list[str](), next(iter(described), folder.name)
    if sweep is not None and rows:
        found = sweeps.answered(sweep, rows, wanted)
        answer, requirements = overall(found), list(dict.fromkeys(one.requirement for one in found))
        title = sweep.runs[0].scenario.description or title
        sections = [*sweeps.sections_of(sweep, rows, wanted), *sections]
    if not sections:
        why = "its rows are of other code or files" if any((folder / "runs").glob("*/*.json")) else "no run is done"
        raise RecordingError(f"{folder}: there is nothing to show: {why}")
    kept = [*(["plan.toml"] if sweep else []), *(f"margins/{file.name}" for file, _ in margins.kept_margins(folder)),
            *(f"findings/{file.name}" for file, _ in findings(folder))]  # fmt: skip
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in kept}
    digest = rows_digest(folder)
    name = name or folder.as_posix()
    sections.append(_made_of(sweep, name, files, digest))
    return Study(
        name, title, answer,
        {"probability": wanted.probability, "confidence": wanted.confidence}, requirements, len(rows), files, digest,
        sections,
    )  # fmt: skip


def _found(folder: Path) -> Iterator[Section]:
    for number, (_, kept) in enumerate(margins.kept_margins(folder)):
        yield margins.section_of(number, kept)
    for number, (_, finding) in enumerate(findings(folder)):
        if finding.kind == "rare":
            yield trees.section_of(number, finding, folder)
        else:
            yield margins.section_of_chance(number, finding)


def _made_of(sweep: Sweep | None, name: str, files: dict[str, str], digest: str) -> Section:
    """Return what it rests on, and how to repeat it."""
    facts: list[tuple[str, ...]] = []
    if sweep is not None:
        plan = sweep.plan
        scenario = hashlib.sha256(sweep.runs[0].scenario.to_toml().encode()).hexdigest()
        varied = [f"{key}: {', '.join(map(str, values))}" for key, values in plan.grid.items()]
        varied += [f"{key}: {low} to {high}" for key, (low, high) in plan.range.items()]
        facts = [("scenario", plan.scenario), ("scenario of the first run, sha256", scenario),
                 *((f"set: {key}", str(value)) for key, value in plan.set.items()),
                 ("varied", "; ".join(varied) or "seeds alone"), ("seeds", str(plan.seeds)),
                 ("repeat", f"twin sweep {name}"),
                 ("twin", f"{twin.__version__}, sources {sources_digest()}")]  # fmt: skip
    facts += [("rows, sha256", digest), *files.items()]
    return Section("made", "What it rests on", [
        "Runs are named by all that decides them, code and files included: each gives the same row again.",
        Table(("what", "which"), facts)])  # fmt: skip
