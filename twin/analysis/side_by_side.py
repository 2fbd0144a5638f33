"""Runs side by side: what was set differently, the figures of each, and differences over the seeds that two share."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.analysis.paired import Comparison, Difference, Discordance, compared
from twin.analysis.rows import flat, of_summary
from twin.analysis.settings import Texts, settings_apart
from twin.analysis.verdicts import answer_of, overall_of
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES, Figure

_MISSING = "-"
_OVERALL = "verdict"
"""Label of the answer to all requirements together."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a label, and a text for each column."""

    label: str
    cells: tuple[str, ...]
    differs: bool  # whether the runs or settings don't all say the same

    @classmethod
    def of(cls, label: str, cells: Sequence[str], extra: Sequence[str] = ()) -> Row:
        """Return a row; `extra` cells are not compared."""
        return cls(label, (*cells, *extra), len(set(cells)) > 1)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns are runs, or settings where several runs differ in their seed alone."""

    columns: tuple[str, ...]
    settings: tuple[Row, ...]  # what was chosen differently
    defaults: tuple[Row, ...]  # what only comes with that: settings that only some have, at their defaults
    figures: tuple[Row, ...]
    verdicts: tuple[Row, ...]  # of all requirements together, then of each


def side_by_side(runs: Sequence[Recording]) -> Table:
    """Return a table of runs; where settings were run with several seeds each, of the means over seeds.

    Of two settings with at least two seeds in common a further column has the mean difference, seed by seed, the
    half-width of its interval by Student's t at 95 %, and the sign test; of verdicts, McNemar's test.
    """
    resolved = [tomllib.loads(run.scenario_text) for run in runs]
    seeds = [scenario.pop("seed", None) for scenario in resolved]
    scenarios = list(map(flat, resolved))
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for i, scenario in enumerate(scenarios):
        groups.setdefault(tuple(sorted((key, repr(value)) for key, value in scenario.items())), []).append(i)
    pooled = list(groups.values())
    if len(pooled) == len(runs) or len(pooled) == 1:
        pooled = [[i] for i in range(len(runs))]
    names = _distinct([run.path.stem for run in runs])
    columns = [names[g[0]] if len(g) == 1 else f"{names[g[0]]} and {len(g) - 1} more" for g in pooled]
    summaries = [run.summary for run in runs]
    paired = _paired(runs, pooled, seeds) if len(pooled) == 2 and len(runs) > 2 else None
    if paired is not None:
        columns.append(f"difference, {paired.pairs} seeds")
    everywhere = seeds if len(pooled) == len(runs) else []
    chosen, defaults = _settings([resolved[g[0]] for g in pooled], everywhere, int(paired is not None))
    return Table(
        tuple(columns),
        chosen,
        defaults,
        tuple(_figure(name, figure, pooled, summaries, paired) for name, figure in FIGURES.items()
              if any(name in summary for summary in summaries)),
        _verdicts(pooled, summaries, paired),
    )  # fmt: skip


def _paired(runs: Sequence[Recording], pooled: Sequence[Sequence[int]], seeds: Sequence[Any]) -> Comparison | None:
    """Return two settings against each other, seed by seed; None unless they share two seeds."""
    first, second = ([_row(runs[i], seeds[i]) for i in members] for members in pooled)
    found = compared(("", first), ("", second))
    return found if found.pairs > 1 else None


def _row(run: Recording, seed: Any) -> dict[str, Any]:
    """Return a run as a row of its setting; the verdict is one more requirement."""
    row = of_summary(run.summary)
    if overall := overall_of(run.summary):
        row["requirements"] = {_OVERALL: overall, **row["requirements"]}
    return {"point": {}, "seed": seed, "status": "complete" if run.complete else "stopped", **row}


def _settings(
    scenarios: Sequence[Mapping[str, Any]], seeds: Sequence[Any], extra: int
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:  # fmt: skip
    """Return what was chosen differently, and the defaults that only some have."""
    chosen, implied = settings_apart(scenarios)
    if len(set(seeds)) > 1:
        chosen.append(("seed", [_short(seed) for seed in seeds]))

    def rows(found: Sequence[Texts]) -> tuple[Row, ...]:
        return tuple(Row.of(key, list(map(_short, texts)), [""] * extra) for key, texts in found)

    return rows(chosen), rows(implied)


def _figure(
    name: str,
    figure: Figure,
    pooled: Sequence[Sequence[int]],
    summaries: Sequence[Mapping[str, Any]],
    paired: Comparison | None,
) -> Row:
    cells = []
    for members in pooled:
        values = [value for i in members if (value := summaries[i].get(name)) is not None]
        cells.append(figure.shown(float(np.mean(values)) if values else None))
    if paired is None:
        return Row.of(figure.label.strip(), cells)
    found = next((one for one in paired.differences if one.figure == name), None)
    return Row.of(figure.label.strip(), cells, [_difference(figure, found)])


def _difference(figure: Figure, one: Difference | None) -> str:
    """Return mean and half-width of the interval of differences, and in how many there is more and less."""
    if one is None or one.pairs < 2:
        return _MISSING
    half = (one.interval.upper - one.interval.lower) / 2
    signs = f"{one.more} : {one.less} (by chance {one.chance:.2g})"
    return f"{'+' if one.mean > 0 else ''}{figure.shown(one.mean)} ± {figure.shown(half)}, {signs}"


def _verdicts(
    pooled: Sequence[Sequence[int]], summaries: Sequence[Mapping[str, Any]], paired: Comparison | None
) -> tuple[Row, ...]:
    answers = [{one["requirement"]: answer_of(one) for one in run.get("requirements", ())} for run in summaries]
    overall = [{_OVERALL: word} if (word := overall_of(run)) else {} for run in summaries]
    labels = [_OVERALL, *dict.fromkeys(text for run in answers for text in run)]
    discordant = {} if paired is None else {one.requirement: one for one in paired.verdicts}
    rows = []
    for label in labels:
        cells = [_votes([(overall[i] | answers[i]).get(label, _MISSING) for i in members]) for members in pooled]
        rows.append(Row.of(label, cells, [] if paired is None else [_alone(discordant.get(label))]))
    return tuple(rows) if any(overall) else ()


def _alone(one: Discordance | None) -> str:
    """Return in how many pairs one setting passed alone, and how likely that is by chance (McNemar, exact)."""
    if one is None or not (one.first_alone or one.second_alone):
        return ""
    return f"{one.first_alone} : {one.second_alone} passed alone (by chance {one.chance:.2g})"


def _votes(words: Sequence[str]) -> str:
    """Return what all say, or how many say what."""
    counts = {word: words.count(word) for word in words}
    return words[0] if len(counts) == 1 else ", ".join(f"{n} {word}" for word, n in counts.items())


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names that differ: equal ones get a number."""
    return [name if names.count(name) == 1 else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)]


def _short(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
