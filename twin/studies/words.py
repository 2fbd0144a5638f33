"""Statements over many runs in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twin.specs.requirement import parse_requirement
from twin.studies.statements import Statement, Wanted


def point_name(point: Mapping[str, Any]) -> str:
    """Return a point of a sweep as people read it."""
    return ", ".join(f"{key} = {value}" for key, value in point.items()) or "all runs"


def ground(one: Statement) -> str:
    """Return what a statement rests on."""
    unshown = f", not shown in {one.unshown}" if one.unshown else ""
    share = f"{percent(one.interval.lower)} to {percent(one.interval.upper)} of all runs"
    parts = [f"violated in {one.violated} of {one.runs}{unshown}: {share}"]
    if level := _level(one):
        parts.append(level)
    if one.alike:
        parts.append(f"all {one.alike} runs came out the same: nothing is drawn, so they are one")
    if one.needed is not None:
        parts.append(f"about {one.needed:,} more runs like these would decide")
    return "; ".join(parts)


def meaning(found: Sequence[Statement], wanted: Wanted) -> Iterator[str]:
    """Yield what `passed` means of these statements, and how sure it is."""
    several = wanted.together and len(found) > 1
    hold = f"all {len(found)} lines hold together" if several else "each line by itself holds"
    yield (f"passed: violated in fewer than {percent(wanted.probability)} of all runs; {hold} at "
           f"{100 * wanted.confidence:.4g} %")  # fmt: skip
    if wanted.good is not None:
        yield f"by Wald's test against {percent(wanted.good)}: between the two shares it promises nothing"
    elif wanted.sequential:
        yield "intervals allow for looking before all runs are done (confidence sequences)"


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.3g} %"


def _level(one: Statement) -> str:
    """Return what the requirement's figure is in all but the worst runs."""
    if one.level is None or one.level.value is None:
        return ""
    requirement = parse_requirement(one.requirement)
    side, end = ("at most", one.level.upper) if requirement.operator in ("<", "<=") else ("at least", one.level.lower)
    words = f"in {percent(one.level.share)} of these runs {side} {requirement.shown(one.level.value)}"
    return words if end is None else f"{words}, in as many of all runs {side} {requirement.shown(end)}"
