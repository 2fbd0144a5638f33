"""Runs side by side: what was set differently, the figures of each, and differences over the seeds that two share."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from twin.analysis.rows import flat
from twin.analysis.verdicts import answer_of, overall_of
from twin.numerics.statistics import CONFIDENCE, mcnemar
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES, Figure

_MISSING = "-"


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
    settings: tuple[Row, ...]  # what was set differently
    figures: tuple[Row, ...]
    verdicts: tuple[Row, ...]  # of all requirements together, then of each


def side_by_side(runs: Sequence[Recording]) -> Table:
    """Return a table of runs; where settings were run with several seeds each, of the means over seeds.

    Of two settings with at least two seeds in common a further column has the mean difference, seed by seed, the
    half-width of its interval by Student's t at 95 %, and the sign test; of verdicts, McNemar's test.
    """
    scenarios = [flat(tomllib.loads(run.scenario_text)) for run in runs]
    seeds = [scenario.pop("seed", None) for scenario in scenarios]
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for i, scenario in enumerate(scenarios):
        groups.setdefault(tuple(sorted((key, repr(value)) for key, value in scenario.items())), []).append(i)
    pooled = list(groups.values())
    if len(pooled) == len(runs) or len(pooled) == 1:
        pooled = [[i] for i in range(len(runs))]
    names = _distinct([run.path.stem for run in runs])
    columns = [names[g[0]] if len(g) == 1 else f"{names[g[0]]} and {len(g) - 1} more" for g in pooled]
    summaries = [run.summary for run in runs]
    paired = _common_seeds(pooled, seeds) if len(pooled) == 2 and len(runs) > 2 else []
    if paired:
        columns.append(f"difference, {len(paired)} seeds")
    everywhere = seeds if len(pooled) == len(runs) else []
    return Table(
        tuple(columns),
        _settings([scenarios[g[0]] for g in pooled], everywhere, extra=bool(paired)),
        tuple(_figure(name, figure, pooled, summaries, paired) for name, figure in FIGURES.items()
              if any(name in summary for summary in summaries)),
        _verdicts(pooled, summaries, paired),
    )  # fmt: skip


def _settings(scenarios: Sequence[Mapping[str, Any]], seeds: Sequence[Any], *, extra: bool) -> tuple[Row, ...]:
    keys = dict.fromkeys(key for scenario in scenarios for key in scenario)
    values = {key: [_short(scenario.get(key, _MISSING)) for scenario in scenarios] for key in keys}
    if seeds:
        values["seed"] = [_short(seed) for seed in seeds]
    rows = (Row.of(key, cells, [""] * extra) for key, cells in values.items())
    return tuple(row for row in rows if row.differs)


def _figure(
    name: str,
    figure: Figure,
    pooled: Sequence[Sequence[int]],
    summaries: Sequence[Mapping[str, Any]],
    paired: Sequence[tuple[int, int]],
) -> Row:
    cells = []
    for members in pooled:
        values = [value for i in members if (value := summaries[i].get(name)) is not None]
        cells.append(figure.shown(float(np.mean(values)) if values else None))
    if not paired:
        return Row.of(figure.label.strip(), cells)
    pairs = [(summaries[a].get(name), summaries[b].get(name)) for a, b in paired]
    apart = _difference(figure, [b - a for a, b in pairs if a is not None and b is not None])
    return Row.of(figure.label.strip(), cells, [apart])


def _difference(figure: Figure, apart: Sequence[float]) -> str:
    """Return mean and half-width of the interval of differences, and in how many there is more and less."""
    if len(apart) < 2:
        return _MISSING
    middle, n = float(np.mean(apart)), len(apart)
    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * float(np.std(apart, ddof=1)) / sqrt(n)
    more, less = sum(one > 0 for one in apart), sum(one < 0 for one in apart)
    signs = f"{more} : {less} (by chance {mcnemar(more, less):.2g})"
    return f"{'+' if middle > 0 else ''}{figure.shown(middle)} ± {figure.shown(half)}, {signs}"


def _verdicts(
    pooled: Sequence[Sequence[int]], summaries: Sequence[Mapping[str, Any]], paired: Sequence[tuple[int, int]]
) -> tuple[Row, ...]:
    answers = [{one["requirement"]: answer_of(one) for one in run.get("requirements", ())} for run in summaries]
    overall = [{"verdict": word} if (word := overall_of(run)) else {} for run in summaries]
    labels = ["verdict", *dict.fromkeys(text for run in answers for text in run)]
    rows = []
    for label in labels:
        cells = [_votes([(overall[i] | answers[i]).get(label, _MISSING) for i in members]) for members in pooled]
        words = [(overall[i] | answers[i]).get(label) for i in range(len(summaries))]
        rows.append(Row.of(label, cells, [_alone([(words[a], words[b]) for a, b in paired])] if paired else []))
    return tuple(rows) if any(overall) else ()


def _alone(pairs: Sequence[tuple[str | None, str | None]]) -> str:
    """Return in how many pairs one passed alone, and how likely that is by chance (McNemar, exact)."""
    passed = [(a == "passed", b == "passed") for a, b in pairs]
    first, second = passed.count((True, False)), passed.count((False, True))
    return f"{first} : {second} passed alone (by chance {mcnemar(first, second):.2g})" if first or second else ""


def _votes(words: Sequence[str]) -> str:
    """Return what all say, or how many say what."""
    counts = {word: words.count(word) for word in words}
    return words[0] if len(counts) == 1 else ", ".join(f"{n} {word}" for word, n in counts.items())


def _common_seeds(pooled: Sequence[Sequence[int]], seeds: Sequence[Any]) -> list[tuple[int, int]]:
    first, second = ({seeds[i]: i for i in members} for members in pooled)
    pairs = [(first[seed], second[seed]) for seed in first if seed in second]
    return pairs if len(pairs) > 1 else []


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names that differ: equal ones get a number."""
    return [name if names.count(name) == 1 else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)]


def _short(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
