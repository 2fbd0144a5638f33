"""What many runs show, as part of evidence: sections of a study, and digests of what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.analysis.parts import Section, Table
from twin.analysis.verdicts import MARKS


def rows_digest(folder: Path) -> str:
    """Return the sha256 of all rows in the folder of a study, whatever order they were written in."""
    digest = hashlib.sha256()
    for file in sorted((folder / "runs").glob("*/*.json")):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def repeats(studies: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the commands that make the runs of sweeps again."""
    return [f"twin sweep {study['name']}" for study in studies if "plan.toml" in study["files"]]


def sections_of(studies: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    """Yield a table of studies, then the sections of each."""
    if not studies:
        return
    header = ("study", "answer", "runs", "what of")
    rows = [(study["name"], _answer(study["answer"]), str(study["runs"] or "-"), study["title"]) for study in studies]
    what = "A requirement holds over many runs if nearly all meet it; the share and the confidence stand below."
    looks = [study["answer"] or "" for study in studies]
    yield Section("studies", "What many runs show", [what, Table(header, rows, looks)])
    for number, study in enumerate(studies):
        for section in map(Section.of, study["sections"]):
            yield Section(f"study-{number}-{section.name}", f"{study['name']}: {section.title}", section.parts)


def _answer(answer: str | None) -> str:
    return "no verdict" if answer is None else f"{MARKS[answer]} {answer}"
