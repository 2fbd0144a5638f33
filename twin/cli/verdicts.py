"""Verdicts in a terminal, and the exit codes that they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from twin.analysis.verdicts import Line, count_text, lines, overall_of
from twin.cli.console import out
from twin.errors import EXIT_INCONCLUSIVE, EXIT_REQUIREMENT

LOOKS = {"passed": "green", "failed": "bold red", "inconclusive": "yellow"}


def verdict_code(summary: Mapping[str, Any], *, strict: bool = False) -> int:
    """Return 0 passed or nothing asked, 5 failed, 6 inconclusive, which is 5 if `strict`."""
    codes = {"failed": EXIT_REQUIREMENT, "inconclusive": EXIT_REQUIREMENT if strict else EXIT_INCONCLUSIVE}
    return codes.get(overall_of(summary) or "", 0)


def print_verdicts(summary: Mapping[str, Any]) -> None:
    """Print each requirement with its answer and value, and below it what that rests on."""
    found = lines(summary)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        word = "FAILED" if one.answer == "failed" else one.answer
        table.add_row(Text(word, LOOKS[one.answer]), _told(one))
    out.print()
    out.print(table)
    if unchecked := sorted({one.origin for one in found if one.checked.startswith("not verified")}):
        out.print(Text(f"values from secondary sources, not verified: {'; '.join(unchecked)}", "dim"))
    if len(found) > 1 and overall_of(summary) != "passed":
        out.print(Text(count_text(summary["requirements"]), LOOKS[overall_of(summary) or "failed"]))


def _told(one: Line) -> Text:
    """Return requirement and value, and below them what the answer rests on."""
    text = Text(one.requirement.text).append(f": {one.value}" if one.value != "-" else "", "bold")
    interval = one.interval if one.interval not in one.reason else ""
    ground = "" if one.ground == "in this run" and not one.reason else one.ground
    words = "; ".join(filter(None, [one.reason, interval, ground, one.margin if ground else ""]))
    for line in filter(None, (words, *one.held)):
        text.append(f"\n{line}", "dim")
    return text
