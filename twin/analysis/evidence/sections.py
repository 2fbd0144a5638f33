"""What evidence says, section by section, as headings, paragraphs and tables: pages and papers are set from these."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from twin.analysis.evidence.case import HEADINGS
from twin.analysis.evidence.studies import sections_of
from twin.analysis.parts import Part, Section, Table
from twin.analysis.verdicts import MARKS
from twin.specs.figures import FIGURES

WORDS = {
    "passed": "Passed: each requirement is met, at the confidence stated with it.",
    "failed": "Failed: at least one requirement is not met.",
    "inconclusive": "Inconclusive: no requirement is shown to fail, but not all are shown to be met.",
}


def sections(document: dict[str, Any]) -> list[Section]:
    """Return the sections of a piece of evidence, in their order."""
    answer = Section("answer", "The answer", [WORDS[document["answer"]], *_unchecked(document)])
    of_runs = [
        Section("requirements", "What was asked, and what was answered", list(_requirements(document))),
        Section("ground", "On what ground", list(_ground(document))),
        Section("network", "The network, the channel and the spectrum", list(_network(document))),
        Section("figures", "How the robots fared", list(_figures(document))),
        Section("parties", "Who brought what", list(_parties(document))),
    ]
    return [
        answer,
        *(of_runs[:1] if document["requirements"] else ()),
        *sections_of(document.get("studies", ())),
        *(of_runs[1:] if document["runs"] else ()),
        Section("limits", "What the models leave out here", list(_limits(document))),
        Section("repeat", "How to repeat it", list(_repeat(document))),
        Section("signature", "Signature", list(_signature(document))),
    ]


def _unchecked(document: dict[str, Any]) -> Iterator[str]:
    names = sorted({f"{one['origin']['document']}, {one['origin']['clause']}" for one in document["requirements"]
                    if one["origin"] and one["origin"]["verified"] == "secondary"})  # fmt: skip
    if names:
        yield f"These values are from secondary sources and were not verified against the text: {'; '.join(names)}."


def _requirements(document: dict[str, Any]) -> Iterator[Part]:
    yield "In the order in which the performance of a C2 link is read (SORA OSO #06): link first, then operation."
    several = len(document["runs"]) > 1
    for heading, group in groupby(document["requirements"], key=lambda one: one["heading"]):
        rows: list[tuple[str, ...]] = []
        looks: list[str] = []
        for one in group:
            origin = one["origin"]
            where = f"{origin['document']}, {origin['clause']} (profile {origin['profile']})" if origin else "scenario"
            for each in one["answers"]:
                margins = [held["text"] for held in each.get("held", ())]
                words = [each["reason"], each["interval"], each["ground"], each["margin"], *margins]
                ground = "; ".join(filter(None, words))
                word = f"{MARKS[each['answer']]} {each['answer']}"
                run = [each["recording"]] if several else []
                rows.append((one["requirement"], where, *run, each["value"], word, ground or "in this run"))
                looks.append(each["answer"])
        yield HEADINGS[heading]
        header = ("requirement", "asked by", *["run"] * several, "value", "answer", "rests on")
        yield Table(header, rows, looks)


def _ground(document: dict[str, Any]) -> Iterator[Part]:
    for run in document["runs"]:
        state = "complete" if run["complete"] else f"ended early: {run['reason']}"
        yield f"{run['recording']}: {run['description'] or run['world']}, {state}"
        rows: list[tuple[str, ...]] = [
            ("recording, sha256", run["sha256"]),
            ("scenario, sha256", run["scenario_sha256"]),
            ("world", f"{run['world']}, digest {run['world_digest']}"),
            ("simulated", f"{run['duration_s']:g} s, seed {run['seed']}, {len(run['robots'])} robots and sites"),
            *((f"code: {name}", value) for name, value in run["code"].items()),
            *((f"input: {name}", value) for name, value in run["inputs"].items()),
            ("packages", ", ".join(f"{name} {value}" for name, value in run["packages"].items())),
        ]
        yield Table(("what", "which"), rows)
    yield "No measurement of this site calibrates these models." if document["calibration"] is None else str(
        document["calibration"]
    )


def _network(document: dict[str, Any]) -> Iterator[Part]:
    for run in document["runs"]:
        carriers = ", ".join(f"{hertz / 1e9:g} GHz" for hertz in run["carriers_hz"])
        settings: list[tuple[str, ...]] = [("carriers", carriers or "none")]
        settings += [(f"network {name}", str(value)) for name, value in run["network"].items()]
        settings += [(f"channel {name}", str(value)) for name, value in run["channel"].items()]
        yield run["recording"]
        yield Table(("setting", "value"), settings)


def _figures(document: dict[str, Any]) -> Iterator[Part]:
    names = [name for name in FIGURES if any(name in run["figures"] for run in document["runs"])]
    rows = [
        (FIGURES[name].label.strip(), *(FIGURES[name].shown(run["figures"].get(name)) for run in document["runs"]))
        for name in names
    ]
    yield Table(("figure", *(run["recording"] for run in document["runs"])), rows)


def _parties(document: dict[str, Any]) -> Iterator[Part]:
    rows = [
        (party["party"], party.get("role", ""), party["file"], ", ".join(party["keys"]), party["sha256"])
        for run in document["runs"]
        for party in run["parties"]
    ]
    if rows:
        yield Table(("party", "role", "file", "brought", "sha256"), list(dict.fromkeys(rows)))
    else:
        yield "One file: no parties are named."


def _limits(document: dict[str, Any]) -> Iterator[Part]:
    for heading, items in document["limits"].items():
        yield Table((heading,), [(item,) for item in items])


def _repeat(document: dict[str, Any]) -> Iterator[str]:
    yield "Each run gives the same bytes again on the same machine and versions:"
    yield from document["repeat"]
    yield "Whether this document and its recordings are what was signed: twin evidence verify FILE --key PUBLIC_KEY"


def _signature(document: dict[str, Any]) -> Iterator[str]:
    if "signature" not in document:
        yield "Not signed."
        return
    by = document["signed_by"]
    yield f"Signed by {by['name']}, key {by['key']} (Ed25519). Only a public key that you trust can confirm this."
