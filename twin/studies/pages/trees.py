"""How likely a rare event is: its number, its trees, and its worst trajectories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twin.analysis.parts import Part, Section, Table, picture
from twin.clock import NS
from twin.specs.requirement import parse_requirement
from twin.studies.findings import Finding
from twin.studies.pictures import draw_trees
from twin.studies.rare import leaves_of
from twin.studies.splitting import ROOTS
from twin.studies.store import Store


def section_of(number: int, finding: Finding, folder: Path) -> Section:
    """Return what trees below a folder found of an event."""
    asked, found = finding.asked, finding.found
    event = parse_requirement(asked["event"])
    low, high = (f"{found['interval'][end]:.3g}" for end in ("lower", "upper"))
    sure = f"{100 * found['confidence']:g} %"
    if found["probability"] is None:
        said = (f"{event.text}: no number yet; at most {high} at {sure}. {found['rooted']} of {found['trees']} trees "
                f"have a hit, a number takes {ROOTS}.")  # fmt: skip
    else:
        said = f"{event.text}: probability {found['probability']:.3g}, {low} to {high} at {sure}."
    parts: list[Part] = [said]
    trees = [leaves_of(row) for row in Store(folder).rows(asked["trees"])]
    if trees:
        parts.append(picture(draw_trees(trees, event), f"Trees of {event.text}"))
    parts.append(Table(("what", "which"), _facts(asked, found)))
    if found["worst"]:
        parts.append("The worst trajectories, run again from their roots with a recording each:")
        parts.append(Table(("figure", "by", "root's seed", "drawn anew at", "recording"), [
            (event.shown(one["value"] or 0.0), f"{one['end']:.6g} s", str(one["seed"]),
             ", ".join(f"{at / NS:.6g} s" for at, _ in one["lineage"]) or "never", Path(one["recording"]).name)
            for one in found["worst"]
        ]))  # fmt: skip
    return Section(f"rare-{number}", f"How likely it is: {event.text}", parts)


def _facts(asked: dict[str, Any], found: dict[str, Any]) -> list[tuple[str, str]]:
    levels = ", ".join(f"{level:g}" for level in asked["levels"])
    facts = [("trees", f"{found['trees']}, {found['rooted']} with a hit"), ("score", str(asked["importance"])),
             ("split", f"into {asked['copies']} at {levels}" if levels else "nowhere: plain runs")]  # fmt: skip
    if found["gain"] is not None:
        facts.append(("worth", f"{found['gain']:.2g} times its steps in plain runs"))
    if found["unfinished"]:
        facts.append(("unfinished", f"{found['unfinished']} trees; the interval holds whatever they are"))
    return facts
