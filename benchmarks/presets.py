"""What each network can do: scenarios over `commercial-fr1`, `urllc-rel16` and `6g-target`, and what flips.

Usage: python benchmarks/presets.py TABLE.md [SCENARIO...]. Each scenario runs for as long as its requirements need to
tell networks apart, and without those that only a whole run can meet; both are said in the table. What is in the
file already is kept where it isn't run again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.project.project import find_scenario
from twin.runs.matrix import Row, matrix
from twin.specs.scenario import load_scenario

NETWORKS = ("commercial-fr1", "urllc-rel16", "6g-target")
WORDS = {"passed": "passed", "failed": "**failed**", "inconclusive": "inconclusive", "refused": "refused"}
CASES = {
    "city/low-altitude": ("6 s", ()),
    "factory/line": ("6 s", ("missions",)),
    "harbour/array": ("12 s", ()),
    "factory/motion-control": ("5 s", ()),
    "factory/teleoperation": ("15 s", ()),
    "city/patrol": ("20 s", ()),
    "harbour/station": ("30 s", ("tracking_rms",)),
}
"""Scenario -> how long it runs, and the figures whose requirements only a whole run can meet."""

HEAD = """# What each network can do

Built-in scenarios over presets of carriers ([networks](networks.md)) in place of their own, by `just presets`. A
requirement *flips* where its answer is not the same over all of them. Each cell is one short run with one seed: what so
few packets can't show is inconclusive ([verdicts](verdicts.md)), and is no promise either way. Figures are of the
version with which it was last run.
"""


def asked(reference: str, left_out: tuple[str, ...]) -> list[str]:
    """Return the requirements of a scenario but for some figures, as they are written."""
    scenario, _ = load_scenario(find_scenario(reference)[1])
    return [str(one) for one in scenario.requirements if not str(one).startswith(left_out or ("\0",))]


def section(row: Row, duration: str, left_out: tuple[str, ...]) -> str:
    """Return the table of one scenario: requirements down, networks across."""
    without = f"; without its requirement of {', '.join(left_out)}, which takes a whole run" if left_out else ""
    lines = [f"## {row.scenario}", "", f"{duration} simulated{without}.", ""]
    lines += [f"| requirement | {' | '.join(NETWORKS)} | |", f"|{'---|' * (len(NETWORKS) + 2)}"]
    cells = [row.cells[name] for name in NETWORKS]
    lines += [f"| all | {' | '.join(WORDS[cell.answer] for cell in cells)} | |"]
    for text in dict.fromkeys(text for cell in cells for text in cell.answers):
        told = [f"{WORDS[cell.answers[text]]}, {cell.values[text]}" if text in cell.answers else cell.answer
                for cell in cells]  # fmt: skip
        lines.append(f"| `{text}` | {' | '.join(told)} | {'flips' if text in row.flips else ''} |")
    lines += ["", *(f"`{name}`: {row.cells[name].reason}" for name in NETWORKS if row.cells[name].reason)]
    return "\n".join(lines).rstrip() + "\n"


def main(file: Path, names: list[str]) -> None:
    """Run the cases and write the table after each."""
    head, *there = file.read_text().split("\n## ") if file.exists() else [HEAD]
    sections = {text.partition("\n")[0]: f"## {text}".rstrip() + "\n" for text in there}
    for name in names or CASES:
        duration, left_out = CASES[name]
        changes = [f"duration={duration}", f"requirements={json.dumps(asked(name, left_out))}"]
        (row,) = matrix([name], dict.fromkeys(NETWORKS), changes, print)
        sections[name] = section(row, duration, left_out)
        ordered = [sections[one] for one in CASES if one in sections]
        file.write_text("\n".join([head.rstrip() + "\n", *ordered]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
