"""What another run changed, figure by figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.analysis.verdicts import answer_of
from twin.specs.figures import FIGURES


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of runs A and B as people read it; nothing in `change` where it is the same."""

    label: str
    a: str
    b: str
    change: str


def figure_changes(a: dict[str, Any], b: dict[str, Any]) -> list[Change]:
    """Compare the figures that two summaries have: each as it is read, and by how much it changed."""
    found = []
    for name, figure in FIGURES.items():
        if name in a or name in b:
            x, y = a.get(name), b.get(name)
            apart = ""
            if x is not None and y is not None and x != y:
                shown = figure.shown(y - x)
                apart = shown if shown.startswith("-") else f"+{shown}"
            found.append(Change(figure.label.strip(), figure.shown(x), figure.shown(y), apart))
    return found


def verdict_changes(a: dict[str, Any], b: dict[str, Any]) -> list[Change]:
    """Compare what two runs made of each requirement that either has."""
    verdicts = [{one["requirement"]: answer_of(one) for one in run.get("requirements", ())} for run in (a, b)]
    words = {"passed": "passed", "failed": "FAILED", "inconclusive": "inconclusive", None: "-"}
    texts = dict.fromkeys([*verdicts[0], *verdicts[1]])
    rows = [(text, *(words[verdict.get(text)] for verdict in verdicts)) for text in texts]
    return [Change(text, x, y, "changed" if x != y else "") for text, x, y in rows]
