"""Two settings compared run by run: what both share, seed by seed, cancels out.

Law, Simulation Modeling, ch. 11 (common random numbers); Student's t for means; the exact sign test; McNemar 1947 for
verdicts, exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from twin.errors import ScenarioError, nearest
from twin.numerics.statistics import CONFIDENCE, NOTHING, Interval, mcnemar
from twin.specs.figures import FIGURES, Figure

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the second setting less that of the first, pair by pair; SI."""

    figure: str
    pairs: int  # that both have it in
    first: float  # mean
    second: float
    mean: float
    interval: Interval  # of the mean difference
    more: int  # pairs in which the second has more
    less: int
    chance: float  # that signs are as uneven by luck (sign test, two-sided)
    gain: float | None  # how many times less the difference varies than that of runs that aren't paired


@dataclass(frozen=True, slots=True)
class Discordance:
    """In how many pairs which setting met a requirement; what isn't shown isn't met."""

    requirement: str
    both: int
    first_alone: int
    second_alone: int
    neither: int
    chance: float  # that those which differ are as uneven by luck (McNemar, exact)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A setting against another."""

    first: str
    second: str
    pairs: int
    alone: int  # runs without a partner, which are left out
    differences: tuple[Difference, ...]
    verdicts: tuple[Discordance, ...]


def compared(
    first: tuple[str, Sequence[Row]], second: tuple[str, Sequence[Row]], *, confidence: float = CONFIDENCE
) -> Comparison:
    """Return what the runs of two settings, name and rows each, show of their difference; each line by itself."""
    (a, before), (b, after) = first, second
    by_partner = [{_partner(row): row for row in rows} for rows in (before, after)]
    shared = [key for key in by_partner[0] if key in by_partner[1]]
    pairs = [(by_partner[0][key], by_partner[1][key]) for key in shared]
    differences = [_difference(name, pairs, confidence) for name in FIGURES]
    texts = dict.fromkeys(text for pair in pairs for row in pair for text in row["requirements"])
    return Comparison(
        a, b, len(pairs), len(before) + len(after) - 2 * len(pairs),
        tuple(one for one in differences if one is not None),
        tuple(_discordance(text, pairs) for text in texts),
    )  # fmt: skip


def settings_of(runs: Mapping[str, Sequence[Row]], by: str = "") -> dict[str, list[Row]]:
    """Return runs by setting: of one sweep, the values of the key `by`, or of the only one; of several, each sweep.

    Raises:
        ScenarioError: one sweep without such a key, or fewer than two settings.
    """
    if len(runs) > 1:
        return {name: list(rows) for name, rows in runs.items()}
    ((name, rows),) = runs.items()
    keys = list(dict.fromkeys(key for row in rows for key in row["point"]))
    varied = ", ".join(keys) or "nothing but seeds"
    if by and by not in keys:
        raise ScenarioError(f"found {by!r}; allowed: what {name} varies: {varied}{nearest(by, keys)}", key="--by")
    if not by and len(keys) != 1:
        raise ScenarioError(f"missing; allowed: one of what {name} varies: {varied}", key="--by")
    found = by_key(rows, by or keys[0])
    if len(found) < 2:
        raise ScenarioError(f"{by or keys[0]} has one value in {name}: {', '.join(found)}", key="--by")
    return found


def by_key(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """Return the rows of each value of `key`, without it in their points: what is left is what pairs have in common."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        point = {name: value for name, value in row["point"].items() if name != key}
        found.setdefault(str(row["point"].get(key)), []).append({**row, "point": point})
    return found


def shown(one: Difference) -> str:
    """Return a mean difference and its interval, as people read them."""
    figure = FIGURES[one.figure]
    if one.pairs < 2:
        return f"{_signed(figure, one.mean)}, of one pair"
    return f"{_signed(figure, one.mean)} ({figure.shown(one.interval.lower)} to {figure.shown(one.interval.upper)})"


def _signed(figure: Figure, value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure.shown(value)}"


def _partner(row: Row) -> tuple[str, Any]:
    return repr(sorted(row["point"].items())), row["seed"]


def _difference(figure: str, pairs: Sequence[tuple[Row, Row]], confidence: float) -> Difference | None:
    """Return how a figure differs; None if no pair has it."""
    values = [(a["figures"].get(figure), b["figures"].get(figure)) for a, b in pairs]
    known = np.array([(a, b) for a, b in values if a is not None and b is not None], dtype=np.float64).reshape(-1, 2)
    n = len(known)
    if n == 0:
        return None
    apart = known[:, 1] - known[:, 0]
    middle, more, less = float(apart.mean()), int((apart > 0).sum()), int((apart < 0).sum())
    interval, gain = NOTHING, None
    if n > 1:
        reach = float(stdtrit(n - 1, (1 + confidence) / 2)) * float(apart.std(ddof=1)) / sqrt(n)
        interval = Interval(middle - reach, middle + reach)
        if (spread := float(apart.var())) > 0.0:
            gain = float(known.var(axis=0).sum()) / spread
    first, second = (float(one) for one in known.mean(axis=0))
    return Difference(figure, n, first, second, middle, interval, more, less, mcnemar(more, less), gain)


def _discordance(text: str, pairs: Sequence[tuple[Row, Row]]) -> Discordance:
    met = [(_meets(a, text), _meets(b, text)) for a, b in pairs]
    first, second = met.count((True, False)), met.count((False, True))
    return Discordance(
        text, met.count((True, True)), first, second, met.count((False, False)), mcnemar(first, second)
    )


def _meets(row: Row, text: str) -> bool:
    return bool(row["status"] == "complete" and row["requirements"].get(text) == "passed")
