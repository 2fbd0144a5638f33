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
from twin.studies.statements import Statement, Wanted, overall
from twin.studies.words import ground, meaning, point_name

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
    for point in dict.fromkeys(point_name(one.point) for one in found):
        out.print(f"\n{point}", highlight=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for one in found:
            if point_name(one.point) == point:
                word = "FAILED" if one.answer == "failed" else one.answer
                told = Text(one.requirement).append(f"\n{ground(one)}", "dim")
                table.add_row(Text(word, LOOKS[one.answer]), told)
        out.print(table)
    if not found:
        out.print("nothing was asked of these runs: their scenario has no requirements")
        return
    out.print()
    for line in meaning(found, wanted):
        out.print(line)
