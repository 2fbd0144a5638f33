"""Rare events by fixed splitting: whoever comes nearer to the event goes on several times, with less weight each.

A trajectory that reaches a level of its score is continued `copies` times, each by draws of its own, until the next
level; a path's weight is what of the root is left to it after its splits. The sum of the weights of a root's paths
that meet the event is unbiased whatever levels and scores are; these decide only how much it scatters. Trees grow
depth first, so that as many paths are alive as there are levels; roots are independent of each other, so an interval
over roots is one over independent values (Villen-Altamirano 1991; Garvels 2000, ch. 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import inf, sqrt
from typing import Any, Protocol, Self

import numpy as np
from scipy.special import stdtrit

from twin.numerics.statistics import CONFIDENCE, Interval, clopper_pearson

ROOTS = 30
"""Roots with a hit below which no interval of weights can be trusted: it would be too narrow."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """How one path of a tree ended."""

    weight: float
    hit: bool | None  # whether the event happened; None: the path did not come to its end
    value: float | None = None  # of the event's figure, SI
    score: float = -inf  # the highest of the path and its past
    steps: int = 0  # of its own, without its past
    end: int = 0  # ns
    lineage: tuple[tuple[int, int], ...] = ()  # from which time [ns] on it drew by which seed, after the root's own
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        return asdict(self) | {"score": None if self.score == -inf else self.score}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Return what `as_dict` wrote."""
        lineage = tuple((int(at), int(seed)) for at, seed in data["lineage"])
        return cls(**{**data, "score": -inf if data["score"] is None else data["score"], "lineage": lineage})


class Path(Protocol):
    """A trajectory that can go on more than once."""

    def advance(self, level: float) -> bool:
        """Go on until the score is at `level`; False if the path ends before."""

    def branch(self, number: int, weight: float, grow: Callable[[Path], list[Leaf]]) -> list[Leaf]:
        """Return what `grow` makes of a copy that goes on from here by draws of its own; this path stays here."""

    def leaf(self, weight: float) -> Leaf:
        """Return how it ended."""


def grow(path: Path, levels: Sequence[float], copies: int, weight: float = 1.0) -> list[Leaf]:
    """Bring a path to its end over all levels still ahead, and return its leaves and those of its branches.

    The first of the `copies` is the path itself with the draws that it has: with one copy, nothing but a plain run.
    """
    leaves: list[Leaf] = []
    for i, level in enumerate(levels):
        if not path.advance(level):
            break
        weight /= copies
        further = partial(grow, levels=levels[i + 1 :], copies=copies, weight=weight)
        for number in range(1, copies):
            leaves += path.branch(number, weight, further)
    else:
        path.advance(inf)
    return [*leaves, path.leaf(weight)]


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of an event, and what it rests on."""

    probability: float | None  # None: too few roots carry a hit
    interval: Interval
    confidence: float
    trees: int
    rooted: int  # trees with a hit
    unfinished: int  # trees with a path that did not come to its end
    steps: float  # a tree
    gain: float | None = None  # against plain runs of the same number of steps


def chance(trees: Sequence[Sequence[Leaf]], plain_steps: float, confidence: float = CONFIDENCE) -> Chance:
    """Return the probability of the event with its interval over roots; `plain_steps` are those of a plain run.

    What did not come to its end may have met the event or not: the interval holds for either. Without a split, it is
    that of Clopper and Pearson. With splits, a number takes `ROOTS` roots with a hit; below, the share of such roots
    still bounds the probability, as no tree weighs more than 1.
    """
    least = np.array([sum(leaf.weight for leaf in tree if leaf.hit) for tree in trees])
    most = least + [sum(leaf.weight for leaf in tree if leaf.hit is None) for tree in trees]
    steps = float(np.mean([sum(leaf.steps for leaf in tree) for tree in trees]))
    n, rooted, open_ = len(trees), int((least > 0).sum()), int((most > least).sum())
    whole = all(len(tree) == 1 for tree in trees)
    upper = clopper_pearson(int((most > 0).sum()), n, confidence).upper
    if whole:
        lower = clopper_pearson(rooted, n, confidence).lower
        return Chance(rooted / n, Interval(lower, upper), confidence, n, rooted, open_, steps)
    if rooted < ROOTS:
        return Chance(None, Interval(0.0, upper), confidence, n, rooted, open_, steps)
    reach = float(stdtrit(n - 1, (1 + confidence) / 2)) / sqrt(n)
    low, high = least.mean() - reach * least.std(ddof=1), most.mean() + reach * most.std(ddof=1)
    p, variance = float(least.mean()), float(least.var(ddof=1))
    gain = p * (1 - p) * plain_steps / (variance * steps) if variance and steps else None
    return Chance(p, Interval(max(float(low), 0.0), min(float(high), 1.0)), confidence, n, rooted, open_, steps, gain)


SHARE = 0.2
"""Of the paths at one level, how many should reach the next."""
_SUPPORT = 5
"""Roots that a level of a pilot must rest on."""


def next_levels(trees: Sequence[Sequence[Leaf]], levels: Sequence[float]) -> list[float]:
    """Return further levels that a pilot's trees support: each reached with a fifth of the weight of the one before.

    None are added once the event itself is met by a fifth of what reaches the last level, or by nobody yet and no
    further level is reached by enough roots.
    """
    leaves = [(leaf.score, leaf.weight, root) for root, tree in enumerate(trees) for leaf in tree]
    leaves.sort(key=lambda one: -one[0])
    hits = sum(leaf.weight for tree in trees for leaf in tree if leaf.hit)
    floor = levels[-1] if levels else -inf
    reached = sum(weight for score, weight, _ in leaves if score >= floor) if levels else float(len(trees))
    found: list[float] = []
    while hits < SHARE * reached and reached > 0:
        wanted, weight, score, roots = SHARE * reached, 0.0, -inf, set[int]()
        for score, share, root in leaves:  # noqa: B007 - the last one is the level
            weight += share
            roots.add(root)
            if weight >= wanted - 1e-12:
                break
        if len(roots) < _SUPPORT or not floor < score < inf:
            break
        found.append(float(f"{score:.4g}"))
        floor, reached = score, weight
    return found
