"""The plan with most control for a budget, or the cheapest one that loses nobody: a mixed-integer linear programme."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twin.siting.control import Chain, Mask, mask_of, members
from twin.state import F64

_STEP, _COST, _ORDER = 1000.0, 500.0, 0.01
"""What a step of one robot counts, what all money together does, and the order of names: each never as much as before.

They are so large because HiGHS takes objectives within 1e-6 of each other for equal.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What is paid for a site, for a radio on it, and once for a carrier; in any unit."""

    site: F64  # (S,)
    column: F64  # (C,)
    carrier: F64  # (K,)
    fixed: float = 0.0  # in any case


@dataclass(frozen=True, slots=True)
class Cut:
    """Of the columns of a set, so many at least, or at most; where a column is given, only if that one is there."""

    of: Mask
    least: int | None = None
    most: int | None = None
    where: int | None = None  # with `least`


@dataclass(frozen=True, slots=True)
class Problem:
    """What there is to choose from, what it costs, and what keeps robots in control in each of some cases."""

    costs: Costs
    site: tuple[int, ...]  # (C,) of each column
    carrier: tuple[int, ...]  # (C,)
    cases: tuple[tuple[Chain, ...], ...]
    kept: Mask = 0  # columns that are there already
    redundancy: int = 1
    cuts: tuple[Cut, ...] = ()

    @property
    def groups(self) -> list[Mask]:
        """The columns of each site."""
        found = [0] * len(self.costs.site)
        for column, site in enumerate(self.site):
            found[site] |= 1 << column
        return found

    def cost(self, chosen: Mask) -> float:
        """Return what some columns cost, with all that they need."""
        own = members(chosen)
        sites, carriers = {self.site[c] for c in own}, {self.carrier[c] for c in own}
        paid = [self.costs.site[list(sites)], self.costs.column[own], self.costs.carrier[list(carriers)]]
        return float(sum(part.sum() for part in paid)) + self.costs.fixed

    def with_cut(self, cut: Cut) -> Problem:
        """Return the same with a further cut."""
        return replace(self, cuts=(*self.cuts, cut))


@dataclass(frozen=True, slots=True)
class Solution:
    """Some columns, and whether no better ones exist."""

    chosen: Mask
    proven: bool


@dataclass(slots=True)
class _Rows:
    """Rows of a sparse matrix, each with its bounds."""

    width: int
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    of: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, terms: dict[int, float], low: float = -np.inf, high: float = np.inf) -> None:
        self.at += [len(self.low)] * len(terms)
        self.of += terms.keys()
        self.value += terms.values()
        self.low.append(low)
        self.high.append(high)


class _Model:
    """Variables and rows: sites, columns and carriers that are there, then what each case adds."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.sites, self.columns = len(problem.costs.site), len(problem.site)
        self.first = self.sites  # of the columns
        carriers = self.sites + self.columns
        self.money = np.concatenate([problem.costs.site, problem.costs.column, problem.costs.carrier])
        self.rows = _Rows(len(self.money))
        self.integral = [True] * len(self.money)
        self.lower, self.upper = [0.0] * len(self.money), [1.0] * len(self.money)
        for column, (site, carrier) in enumerate(zip(problem.site, problem.carrier, strict=True)):
            self.rows.add({self.first + column: 1.0, site: -1.0}, high=0.0)
            self.rows.add({self.first + column: 1.0, carriers + carrier: -1.0}, high=0.0)
        for column in members(problem.kept):
            self.lower[self.first + column] = 1.0
        for cut in problem.cuts:
            terms = {self.first + column: 1.0 for column in members(cut.of)}
            if cut.where is not None and cut.least is not None:
                own = self.first + cut.where
                self.rows.add({**terms, own: terms.get(own, 0.0) - cut.least}, low=0.0)
                continue
            self.rows.add(terms, -np.inf if cut.least is None else cut.least, np.inf if cut.most is None else cut.most)
        self._groups = problem.groups
        self._seen: dict[Mask, int] = {}

    def variable(self, upper: float = 1.0, integral: bool = False) -> int:
        self.lower.append(0.0)
        self.upper.append(upper)
        self.integral.append(integral)
        self.rows.width += 1
        return self.rows.width - 1

    def servers(self, mask: Mask) -> dict[int, float]:
        """Return variables whose sum says by how many sites, or columns where one is enough, a set is served."""
        if self.problem.redundancy == 1:
            return {self.first + column: 1.0 for column in members(mask)}
        return {self._served(mask & group): 1.0 for group in self._groups if mask & group}

    def _served(self, part: Mask) -> int:
        """Return the variable that a site serves by some of its columns, at most 1 however many these are."""
        if part.bit_count() == 1:
            return self.first + members(part)[0]
        if part not in self._seen:
            self._seen[part] = self.variable()
            self.rows.add({self._seen[part]: 1.0, **{self.first + c: -1.0 for c in members(part)}}, high=0.0)
        return self._seen[part]

    def control(self, chain: Chain) -> dict[int, float]:
        """Add the variables of a chain; return how many steps each of them is worth."""
        k, worth, before = self.problem.redundancy, dict[int, float](), -1
        for mask, weight in zip(chain.sets, chain.weights, strict=True):
            own = self.variable(integral=k > 1)
            self.rows.add({own: float(k), **{v: -1.0 for v in self.servers(mask)}}, high=0.0)
            if before >= 0:
                self.rows.add({own: 1.0, before: -1.0}, high=0.0)
            worth[own], before = float(weight), own
        return worth

    def solve(self, objective: dict[int, float], limit: float) -> Solution | None:
        """Minimise; return None where nothing fits."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_matrix

        rows, width = self.rows, self.rows.width
        matrix = csr_matrix((rows.value, (rows.at, rows.of)), shape=(len(rows.low), width))
        cost = np.zeros(width)
        cost[list(objective)] = list(objective.values())
        found: Any = milp(
            cost, constraints=LinearConstraint(matrix, rows.low, rows.high), integrality=np.array(self.integral, int),
            bounds=Bounds(self.lower, self.upper), options={"time_limit": limit, "mip_rel_gap": 1e-9},
        )  # fmt: skip
        if found.x is None:
            return None
        there = found.x[self.first : self.first + self.columns] > 0.5
        return Solution(mask_of(np.flatnonzero(there).tolist()), found.status == 0)

    def thrift(self) -> dict[int, float]:
        """Return what money, and then the order of names, counts where nothing else decides."""
        total = self.money.sum() or 1.0
        worth = {i: _COST * float(c) / total for i, c in enumerate(self.money)}
        order = 2.0 / (self.columns * (self.columns + 1))
        return worth | {
            self.first + c: worth[self.first + c] + _ORDER * order * (c + 1) for c in range(self.columns)
        }


def most_control(problem: Problem, budget: float, limit: float = 120.0) -> Solution | None:
    """Return the columns that keep robots longest in control in the worst case, for at most `budget`.

    Of several, the cheapest. None where not even what stands already, with the fixed cost, is within the budget.
    """
    model = _Model(problem)
    _within(model, budget)
    worths = [[model.control(chain) for chain in case] for case in problem.cases]
    totals = [{i: w for worth in case for i, w in worth.items()} for case in worths]
    objective = model.thrift()
    if len(totals) == 1:
        objective |= {i: -_STEP * w for i, w in totals[0].items()}
    else:
        most = max(chain.end for case in problem.cases for chain in case) * len(problem.cases[0])
        least = model.variable(upper=float(most))
        for case, total in zip(problem.cases, totals, strict=True):
            given = sum(chain.given for chain in case)
            model.rows.add({least: 1.0, **{i: -w for i, w in total.items()}}, high=float(given))
        objective[least] = -_STEP
    return model.solve(objective, limit)


def most_coverage(problem: Problem, needs: dict[Mask, int], budget: float, limit: float = 120.0) -> Solution | None:
    """Return the columns that serve most of `needs`, sets of columns and how often each is needed, for a budget."""
    model = _Model(problem)
    _within(model, budget)
    objective = model.thrift()
    for mask, count in needs.items():
        own = model.variable(integral=problem.redundancy > 1)
        model.rows.add({own: float(problem.redundancy), **{v: -1.0 for v in model.servers(mask)}}, high=0.0)
        objective[own] = -_STEP * count
    return model.solve(objective, limit)


def least_money(problem: Problem, limit: float = 120.0) -> Solution | None:
    """Return the cheapest columns with which nobody is lost in any case; None where no columns do that."""
    model = _Model(problem)
    for mask in {mask for case in problem.cases for chain in case for mask in chain.sets}:
        model.rows.add(model.servers(mask), low=float(problem.redundancy))
    return model.solve(model.thrift(), limit)


def _within(model: _Model, budget: float) -> None:
    """Add what the money is, as shares of all that could be spent, so that its unit changes nothing."""
    total = model.money.sum() or 1.0
    terms = {i: float(c) / total for i, c in enumerate(model.money) if c}
    model.rows.add(terms, high=(budget - model.problem.costs.fixed) / total + 1e-9)
