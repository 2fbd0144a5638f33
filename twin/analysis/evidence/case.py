"""The content of a piece of evidence as plain data, from recordings; pages and signatures are made of it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import twin
from twin.analysis.asked import answered
from twin.analysis.evidence.limits import Limits
from twin.analysis.evidence.studies import repeats
from twin.analysis.held import Held, held_by
from twin.analysis.requirements import overall
from twin.analysis.verdicts import answer_of, line
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES
from twin.specs.requirement import Requirement, parse_requirement

FORMAT, VERSION = "twin-evidence", 1
_BLOCK = 1 << 20
HEADINGS = {
    "availability": "Availability: the link is there when it is needed",
    "continuity": "Continuity: once there, it stays",
    "integrity": "Integrity: what arrives is what was sent, and all of it",
    "latency": "Latency: it arrives while it still helps",
    "coverage": "Coverage: it does so where the robots go",
    "operation": "Operation: what the robots made of it",
    "sensing": "Sensing: what the network saw",
}
"""Headings of a C2 link's performance, in the order in which authorities read them, then what is done with it."""
_HEADING_OF = {
    "availability": "availability", "delivered": "availability", "rate": "availability", "throughput": "availability",
    "pairs_in_time": "availability", "mtbf": "continuity", "survival_exceeded": "continuity", "age_peak": "continuity",
    "lost": "integrity", "packets_lost": "integrity", "late": "latency", "packets_late": "latency",
}  # fmt: skip
READERS = {
    "authority": ("answer", "requirements", "studies", "limits", "repeat", "signature"),
    "carrier": ("requirements", "network", "limits"),
    "operator": ("requirements", "studies", "figures", "repeat"),
    "site owner": ("requirements", "ground", "parties"),
}
"""Whom which section is for."""


def case(
    recordings: Sequence[Path], limits: Limits, title: str = "", asked: Sequence[Requirement] = (),
    studies: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return the evidence that recordings are, unsigned; what is `asked` comes beside what their scenarios ask.

    `studies` are what many runs show, as plain data of their sections.

    Raises:
        RecordingError: one can't be read, or nothing was asked.
        ScenarioError: what is asked doesn't fit a run.
    """
    runs = [run_facts(path, asked) for path in recordings]
    questions = _questions(runs, [_held(path) for path in recordings])
    answers = [one["answer"] for one in (*questions, *studies) if one["answer"]]
    if not answers:
        raise RecordingError("nothing was asked of these runs: their scenarios have no requirements")
    titles = [*(run["description"] or run["recording"] for run in runs), *(study["title"] for study in studies)]
    texts = dict.fromkeys([*(one["requirement"] for one in questions), *_texts(studies)])
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": title or " | ".join(dict.fromkeys(titles)),
        "made_by": f"twin {twin.__version__}",
        "answer": overall(answers, complete=all(run["complete"] for run in runs)),
        "requirements": questions,
        "runs": runs,
        **({"studies": list(studies)} if studies else {}),
        "limits": limits.touching([parse_requirement(text) for text in texts]),
        "calibration": None,
        "repeat": [*(f"twin verify {run['recording']}" for run in runs), *repeats(studies)],
        "readers": {name: [one for one in named if one != "studies" or studies] for name, named in READERS.items()},
    }


def _texts(studies: Sequence[Mapping[str, Any]]) -> list[str]:
    return [text for study in studies for text in study["requirements"]]


def run_facts(path: Path, asked: Sequence[Requirement] = ()) -> dict[str, Any]:
    """Return what a recording says of its run, and its digest."""
    with Recording(path) as run:
        header, summary = run.header, run.summary
        own = summary.get("requirements", [])
        texts = {one["requirement"] for one in own}
        more = [one for one in asked if one.text not in texts]
        later = answered(run, more)["requirements"] if more else []
        scenario = tomllib.loads(run.scenario_text)
        return {
            "recording": path.name,
            "sha256": file_digest(path),
            "complete": run.complete,
            "reason": run.reason,
            "answer": overall([answer_of(one) for one in (*own, *later)], complete=run.complete),  # type: ignore[misc]
            "asked": [one["requirement"] for one in later],
            "description": str(scenario.get("description", "")),
            "scenario_sha256": hashlib.sha256(run.scenario_text.encode()).hexdigest(),
            "scenario": run.scenario_text,
            "parties": scenario.get("parties", []),
            "world": header.world,
            "world_digest": header.world_hash,
            "duration_s": run.duration / 1e9,
            "seed": header.seed,
            "robots": [robot.name for robot in run.robots],
            "network": _plain(scenario.get("network", {})),
            "channel": _plain(scenario.get("channel", {})),
            "carriers_hz": sorted({radio.carrier for radio in header.radios}),
            "code": {"twin": header.code_version, "sources": header.sources_digest, **header.plugins},
            "packages": dict(header.packages),
            "inputs": dict(header.inputs),
            "figures": {name: summary[name] for name in FIGURES if summary.get(name) is not None},
            "requirements": [*own, *later],
        }


def _held(path: Path) -> dict[str, list[Held]]:
    with Recording(path) as run:
        return held_by(run)


def _questions(runs: Sequence[dict[str, Any]], held: Sequence[dict[str, list[Held]]]) -> list[dict[str, Any]]:
    """Return each requirement once, with its heading, its answers run by run, and the answer to all."""
    texts = dict.fromkeys(one["requirement"] for run in runs for one in run["requirements"])
    found = []
    for text in texts:
        each = [(run["recording"], one, margins.get(text, ())) for run, margins in zip(runs, held, strict=True)
                for one in run["requirements"] if one["requirement"] == text]  # fmt: skip
        told = [line(one) for _, one, _ in each]
        missing = len(each) < len(runs)
        answer = overall([answer_of(one) for _, one, _ in each], complete=not missing)  # type: ignore[misc]
        found.append({
            "requirement": text,
            "heading": heading_of(text),
            "origin": each[0][1].get("origin"),
            "checked": told[0].checked,
            "answer": answer,
            "answers": [
                {"recording": name, "answer": one.answer, "value": one.value, "interval": one.interval,
                 "ground": one.ground, "margin": one.margin, "reason": one.reason, "needed_s": raw.get("needed"),
                 "held": [margin.as_dict() for margin in margins]}
                for (name, raw, margins), one in zip(each, told, strict=True)
            ],
        })  # fmt: skip
    order = list(HEADINGS)
    return sorted(found, key=lambda one: order.index(one["heading"]))


def heading_of(text: str) -> str:
    """Return under which heading a requirement is read."""
    requirement = parse_requirement(text)
    scope, figure = requirement.scope, requirement.figure
    if scope.family == "sensing":
        return "sensing"
    if scope.family == "flows" and scope.place:
        return "coverage"
    if figure in _HEADING_OF:
        return _HEADING_OF[figure]
    return "latency" if scope.family == "flows" or figure.startswith("rtt") else "operation"


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _plain(table: dict[str, Any]) -> dict[str, Any]:
    """Return those settings that are one value each."""
    return {name: value for name, value in table.items() if not isinstance(value, dict | list)}
