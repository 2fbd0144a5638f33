"""How far one value can go before a requirement breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.specs.requirement import parse_requirement
from twin.studies.plan import Plan, rounded
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

SCAN = 5
"""Values, both ends included, at which it is looked whether requirements break once and for all."""
Measure = Callable[[Sequence[float]], Sequence[float]]
"""The worst margin of all runs at each value, below 0 where a requirement is violated."""


@dataclass(frozen=True, slots=True)
class Border:
    """Between these two values, requirements break."""

    holds: float  # the last value known to hold
    breaks: float  # the first one known not to
    looked: int  # values that were looked at


def find_border(measure: Measure, low: float, high: float, within: float) -> Border:
    """Return the border between `low` and `high`, to `within`.

    A false position is drawn through the margins at both sides, and moved where one side stays (Illinois; Dowell and
    Jarratt, BIT 11, 1971). Where a margin tells no distance, as of a run that died or of a count, or where two such
    looks didn't halve what is left, the middle is taken.

    Raises:
        ScenarioError: requirements hold all the way or nowhere, or break and hold again.
    """
    largest = max(abs(low), abs(high))
    places = [rounded(low + (high - low) * i / (SCAN - 1), largest) for i in range(SCAN)]
    margins = list(measure(places))
    held = [margin >= 0.0 for margin in margins]
    _check(places, held)
    last = next(i for i in range(1, SCAN) if held[i] != held[i - 1])
    a, b, of_a, of_b = places[last - 1], places[last], margins[last - 1], margins[last]
    looked, widths = SCAN, [inf, inf]
    while abs(b - a) > within:
        slow = abs(b - a) > 0.5 * widths[-2]
        widths.append(abs(b - a))
        x = rounded((a + b) / 2 if slow else _between(a, b, of_a, of_b, within), largest)
        (of_x,) = measure([x])
        looked += 1
        if (of_x >= 0.0) == (of_a >= 0.0):
            a, of_a, of_b = x, of_x, of_b / 2
        else:
            b, of_b, of_a = x, of_x, of_a / 2
    return Border(a, b, looked) if of_a >= 0.0 else Border(b, a, looked)


def _between(a: float, b: float, of_a: float, of_b: float, within: float) -> float:
    """Return where to look next: not nearer to either side than half of what is wanted."""
    if not (isfinite(of_a) and isfinite(of_b)) or of_a == of_b:
        return (a + b) / 2
    x, least = a + (b - a) * of_a / (of_a - of_b), 0.5 * within
    low, high = min(a, b) + least, max(a, b) - least
    return min(max(x, low), high)


def _check(places: Sequence[float], held: Sequence[bool]) -> None:
    turns = sum(a != b for a, b in zip(held, held[1:], strict=False))
    if turns == 1:
        return
    said = ", ".join(f"{place:g} {'holds' if good else 'breaks'}" for place, good in zip(places, held, strict=True))
    if turns == 0:
        raise ScenarioError(f"no border between {places[0]:g} and {places[-1]:g}: {said}", key="--between")
    raise ScenarioError(f"more than one border: {said}; give ends with one between them", key="--between")


Held = dict[float, dict[str, bool]]
"""Value -> requirement -> whether it held there in all runs."""


def margins_of(
    plan: Plan, moved: tuple[str, str], folder: Path, pool: Pool, progress: Callable[[], None], held: Held
) -> Measure:
    """Return what runs a plan with a key at each value, and says the worst margin of all its seeds.

    `moved` are the key and its unit; `held` is told of each value which requirements held there.
    """
    key, unit = moved

    def measure(places: Sequence[float]) -> list[float]:
        values = tuple(f"{place:.12g} {unit}".strip() for place in places)
        made = plan_runs(plan.model_copy(update={"grid": {key: values}}), folder)
        made.run(pool, progress)
        rows = made.rows()
        there = [[row for row in rows if row["point"][key] == value] for value in values]
        held.update({place: _held(of) for place, of in zip(places, there, strict=True)})
        return [worst(of) for of in there]

    return measure


def broken_of(
    plan: Plan, moved: tuple[str, str], folder: Path, pool: Pool, progress: Callable[[], None]
) -> Callable[[Sequence[float]], list[bool]]:
    """Return what makes one run at each of some values, each by the next seed, and says whether it broke.

    `moved` are a key and its unit; the first seed is that of the plan.
    """
    key, unit = moved
    seed = plan.first_seed

    def broken(places: Sequence[float]) -> list[bool]:
        nonlocal seed
        made = []
        for place in places:
            value = f"{place:.12g} {unit}".strip()
            made.append(plan_runs(plan.model_copy(update={"grid": {key: (value,)}, "seeds": (seed,)}), folder))
            seed += 1
        runs = [run for one in made for run in one.runs]
        made[0].run(pool, progress, runs)
        return [worst([row]) < 0.0 for row in made[0].store.rows(run.name for run in runs)]

    return broken


def _held(rows: Sequence[dict[str, Any]]) -> dict[str, bool]:
    """Return of each requirement whether no run came beyond its limit or to an early end."""
    return {text: all(_holds(row, text) for row in rows) for row in rows for text in row["margins"]}


def _holds(row: dict[str, Any], text: str) -> bool:
    margin = row["margins"].get(text)
    return row["status"] == "complete" and margin is not None and margin >= 0.0


def worst(rows: Sequence[dict[str, Any]]) -> float:
    """Return the least margin of all requirements of all runs; -inf where one died or measured nothing.

    What must be a number exactly, as `collisions = 0`, tells no distance: it counts as inf where it is, else as -inf.
    """
    margins = [_distance(text, margin) for row in rows for text, margin in row["margins"].items()]
    known = all(row["status"] == "complete" and row["margins"] for row in rows)
    return min(margins, default=-inf) if known else -inf


def _distance(text: str, margin: float | None) -> float:
    if margin is None:
        return -inf
    if parse_requirement(text).operator == "=":
        return inf if margin >= 0.0 else -inf
    return float(margin)
