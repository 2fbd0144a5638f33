"""Whether a piece of evidence, its recordings and the files behind them are what was signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twin.analysis.evidence.case import FORMAT, VERSION, file_digest, run_facts
from twin.analysis.evidence.signing import is_signed_by, read_public
from twin.analysis.evidence.studies import rows_digest
from twin.errors import TwinError
from twin.specs.requirement import Origin, Requirement, parse_requirement

LARGEST = 50_000_000
"""Bytes of evidence that are read."""
GOOD, BAD, ABSENT = "good", "changed", "not here"
Places = Callable[[str, str], Path | None]
"""Finds a file by the name that evidence has for it, and the world that it may belong to."""
Again = Callable[[Path, dict[str, Any]], dict[str, Any] | None]
"""Says again what evidence said of a study, of its folder here; None if its runs are of other code or files."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what came of it."""

    what: str
    state: str  # GOOD, BAD or ABSENT
    detail: str = ""


def read_evidence(path: Path) -> dict[str, Any]:
    """Return the document in a file of evidence: JSON, HTML or PDF.

    Raises:
        TwinError: it holds none.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise TwinError(f"{path}: found {path.stat().st_size / 1e6:.0f} MB; allowed: {LARGEST / 1e6:.0f} MB")
        content = path.read_bytes()
    except OSError as error:
        raise TwinError(f"{path}: can't be read: {error.strerror}") from error
    found = _document(path, content)
    if found is None or found.get("format") != FORMAT:
        raise TwinError(f"{path}: expected evidence in JSON, HTML or PDF, found something else")
    if found.get("version") != VERSION:
        raise TwinError(f"{path}: has format version {found.get('version')}; this version of twin reads {VERSION}")
    return found


def _document(path: Path, content: bytes) -> dict[str, Any] | None:
    from twin.analysis.evidence import page, paper

    if path.suffix == ".pdf":
        return paper.data_of(content, LARGEST)
    try:
        text = content.decode()
        found = page.data_of(text) if path.suffix == ".html" else json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def written_as(path: Path, document: dict[str, Any]) -> bytes:
    """Return a document as a file of this name holds it.

    Raises:
        TwinError: no such kind of file.
    """
    from twin.analysis.evidence import page, paper

    match path.suffix:
        case ".json":
            return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
        case ".html":
            return page.page(document).encode()
        case ".pdf":
            return paper.paper(document)
    raise TwinError(f"{path}: found {path.suffix or 'no ending'!r}; allowed: .html, .json, .pdf")


def check(path: Path, key: Path, places: Places, again: Again) -> Iterator[Finding]:
    """Yield what there is to say of a file of evidence; `places` finds the files that it names.

    `again` makes anew what it says of studies.

    Raises:
        TwinError: it is no evidence, or the key is none.
    """
    document, (owner, public) = read_evidence(path), read_public(key)
    signed = is_signed_by(document, public)
    by = document.get("signed_by")
    name = by.get("name") if isinstance(by, dict) else "nobody"
    detail = f"signed with the key of {owner}" if signed else f"not as the key of {owner} signed it; it says: {name}"
    yield Finding(f"{path.name}: signature", GOOD if signed else BAD, detail)
    if not signed:  # anybody may have made it: nothing that it says is worth a look
        return
    if path.suffix != ".json":
        same = written_as(path, document) == path.read_bytes()
        yield Finding(f"{path.name}: page", GOOD if same else BAD, "" if same else "shows other things than its data")
    for run in document["runs"]:
        yield from _check_run(run, places)
    for study in document.get("studies", ()):
        yield from _check_study(study, places, again)
    margins = {one["file"]: one["sha256"] for asked in document["requirements"] for answer in asked["answers"]
               for one in answer.get("held", ())}  # fmt: skip
    for name, digest in margins.items():
        yield _compared(f"margin {name}", places(name, ""), digest)


def _check_run(run: dict[str, Any], places: Places) -> Iterator[Finding]:
    found = places(run["recording"], "")
    yield _compared(f"recording {run['recording']}", found, run["sha256"])
    if found is not None and file_digest(found) == run["sha256"]:
        facts = run_facts(found, _asked(run))
        differing = [name for name in run if facts.get(name) != run[name]]
        detail = f"differs: {', '.join(differing)}" if differing else ""
        yield Finding(f"what is said of {run['recording']}", BAD if differing else GOOD, detail)
    for party in run["parties"]:
        yield _compared(f"scenario {party['file']} of {party['party']}", places(party["file"], ""), party["sha256"])
    for name, digest in run["inputs"].items():
        yield _compared(f"input {name}", places(name, run["world"]), digest)


def _check_study(study: dict[str, Any], places: Places, again: Again) -> Iterator[Finding]:
    name, folder, changed = study["name"], None, False
    for file, digest in study["files"].items():
        found = places(f"{name}/{file}", "")
        finding = _compared(f"study {name}/{file}", found, digest)
        changed |= finding.state == BAD
        yield finding
        folder = folder or (None if found is None else found.parents[file.count("/")])
    if folder is None:
        yield Finding(f"rows of {name}", ABSENT, "not checked")
        return
    same = rows_digest(folder) == study["rows_sha256"]
    yield Finding(f"rows of {name}", GOOD if same else BAD, "" if same else "not those that were signed for")
    if same and not changed:
        said = again(folder, study)
        if said is None:
            yield Finding(f"what is said of {name}", ABSENT, "its runs are of other code or files; not checked")
            return
        differing = [key for key in study if said.get(key) != study[key]]
        detail = f"differs: {', '.join(differing)}" if differing else ""
        yield Finding(f"what is said of {name}", BAD if differing else GOOD, detail)


def _asked(run: dict[str, Any]) -> list[Requirement]:
    """Return what was asked of a run beside what its scenario asks, as it was asked."""
    later = [(one["requirement"], one["origin"]) for one in run["requirements"] if one["requirement"] in run["asked"]]
    return [replace(parse_requirement(text), origin=origin and Origin(**origin)) for text, origin in later]


def _compared(what: str, path: Path | None, digest: str) -> Finding:
    if path is None:
        return Finding(what, ABSENT, "not checked")
    same = file_digest(path) == digest
    return Finding(what, GOOD if same else BAD, "" if same else f"{path} is not the file that was signed for")
