"""Statements over many runs in a terminal, and the exit codes that they give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from twin.cli.console import out, say
from twin.cli.verdicts import LOOKS
from twin.errors import EXIT_INCONCLUSIVE, EXIT_REQUIREMENT
from twin.specs.requirement import parse_requirement
from twin.studies.statements import Statement, Wanted, overall

_MOST_REASONS = 3


def statement_code(found: Sequence[Statement], *, strict: bool = False) -> int:
    """Return 0 all hold or nothing is asked, 5 one does not, 6 more runs are needed, which is 5 if `strict`."""
    codes = {"failed": EXIT_REQUIREMENT, "inconclusive": EXIT_REQUIREMENT if strict else EXIT_INCONCLUSIVE}
    return codes.get(overall(found) or "", 0)


def print_ends(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print how runs ended, and why some did not reach their end."""
    ended = Counter(row["status"] for row in rows)
    out.print(", ".join(f"{count} {status}" for status, count in sorted(ended.items())))
    for reason, count in Counter(row["error"] for row in rows if row["error"]).most_common(_MOST_REASONS):
        say(f"{count} x {reason}", "yellow")


def print_statements(found: Sequence[Statement], wanted: Wanted) -> None:
    """Print each statement below its point, and at the end what `passed` means and how sure it is."""
    for point in dict.fromkeys(_named(one.point) for one in found):
        out.print(f"\n{point}", highlight=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for one in found:
            if _named(one.point) == point:
                word = "FAILED" if one.answer == "failed" else one.answer
                table.add_row(Text(word, LOOKS[one.answer]), _told(one))
        out.print(table)
    if not found:
        out.print("nothing was asked of these runs: their scenario has no requirements")
        return
    sure = f"{100 * wanted.confidence:.4g} %"
    several = wanted.together and len(found) > 1
    hold = f"all {len(found)} lines hold together" if several else "each line by itself holds"
    out.print(f"\npassed: violated in fewer than {_percent(wanted.probability)} of all runs; {hold} at {sure}")
    if wanted.good is not None:
        out.print(f"by Wald's test against {_percent(wanted.good)}: between the two shares it promises nothing")
    elif wanted.sequential:
        out.print("intervals allow for looking before all runs are done (confidence sequences)")


def _named(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in point.items()) or "all runs"


def _told(one: Statement) -> Text:
    """Return a requirement, and below it what its statement rests on."""
    unshown = f", not shown in {one.unshown}" if one.unshown else ""
    share = f"{_percent(one.interval.lower)} to {_percent(one.interval.upper)} of all runs"
    parts = [f"violated in {one.violated} of {one.runs}{unshown}: {share}"]
    if level := _level(one):
        parts.append(level)
    if one.alike:
        parts.append(f"all {one.alike} runs came out the same: nothing is drawn, so they are one")
    if one.needed is not None:
        parts.append(f"about {one.needed:,} more runs like these would decide")
    return Text(one.requirement).append(f"\n{'; '.join(parts)}", "dim")


def _level(one: Statement) -> str:
    """Return what the requirement's figure is in all but the worst runs."""
    if one.level is None or one.level.value is None:
        return ""
    requirement = parse_requirement(one.requirement)
    side, end = ("at most", one.level.upper) if requirement.operator in ("<", "<=") else ("at least", one.level.lower)
    words = f"in {_percent(one.level.share)} of these runs {side} {requirement.shown(one.level.value)}"
    return words if end is None else f"{words}, in as many of all runs {side} {requirement.shown(end)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
