"""The best few different plans of a study, what to compare them with, and why they are as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from twin.siting.capacity import Peak, Ratios, peak, relief
from twin.siting.columns import Carriers
from twin.siting.control import Mask, Outcome, masks, members, needs
from twin.siting.solve import Cut, Problem, Solution, least_money, most_control, most_coverage
from twin.siting.study import Study

_ROUNDS = 5
"""Times that a plan is made anew because a cell overflows."""
_LOOKS, _LESS = 10, 1e-6
"""Budgets that a front is looked for at, and how much less, as a share, they are than what a plan costs."""
COVERAGE, STANDS = "coverage", "stands"


@dataclass(frozen=True, slots=True)
class Plan:
    """Some columns on some carriers, and what the surrogate says of them."""

    name: str
    carriers: Carriers
    chosen: Mask
    cost: float
    proven: bool  # no better one exists, as far as the surrogate goes
    outcomes: dict[str, Outcome]  # by case
    busiest: Peak

    @property
    def worst(self) -> Outcome:
        """The case with least control."""
        return min(self.outcomes.values(), key=lambda one: one.held)

    @property
    def rank(self) -> tuple[int, float]:
        """What is less is better: steps without control, then money."""
        return self.worst.missed, self.cost


def best_plans(study: Study, budget: float | None, progress: Callable[[], None] = lambda: None) -> list[Plan]:
    """Return the best different plans for a budget, or the cheapest that lose nobody; none where there are no such."""
    found: list[Plan] = []
    for carriers in _bandwidths(study):
        problem = study.problem(carriers)
        for _ in range(study.spec.plans):
            solution, problem = _with_room(study, carriers, problem, budget)
            if solution is None:
                break
            found.append(made(study, "", carriers, problem, solution))
            progress()
            new = solution.chosen & ~problem.kept
            if not new:
                break
            problem = problem.with_cut(Cut(new, most=new.bit_count() - 1))
    found.sort(key=lambda plan: plan.rank)
    return [replace(plan, name=f"plan-{i}") for i, plan in enumerate(found[: study.spec.plans], start=1)]


def _bandwidths(study: Study) -> list[Carriers]:
    """Return one spectrum of each choice of bandwidths: patterns change room, not who is heard."""
    return list({tuple(c.bandwidth for c in one.values()): one for one in reversed(study.spectra)}.values())[::-1]


def _with_room(
    study: Study, carriers: Carriers, problem: Problem, budget: float | None
) -> tuple[Solution | None, Problem]:
    """Solve; where a cell overflows, ask for two of those that serve its robots, as long as that helps."""
    solution = _solved(problem, budget)
    for _ in range(_ROUNDS):
        if solution is None:
            break
        best = _roomiest(study, carriers, solution.chosen)[1]
        if best.load <= 1.0:
            break
        serving = masks(study.serves(carriers, max(study.spec.robust.margin))[0][:, best.step].T)
        further = problem.with_cut(Cut(relief(serving, best), least=2, where=best.column))
        again = _solved(further, budget)
        if again is None:
            break
        solution, problem = again, further
    return solution, problem


def _solved(problem: Problem, budget: float | None) -> Solution | None:
    return least_money(problem) if budget is None else most_control(problem, budget)


def _roomiest(study: Study, carriers: Carriers, chosen: Mask) -> tuple[Carriers, Peak]:
    """Return, of all patterns, the spectrum with most room for some columns, and its busiest moment."""
    width = {name: carrier.bandwidth for name, carrier in carriers.items()}
    case = study.cases[0]
    least = study.network.mobility.q_in + study.threshold
    ratios = Ratios(study.snr(case, carriers), study.up_snr(case, carriers), least)
    found = [
        (peak(study.radios, case.mission, one, ratios, members(chosen), max(study.spec.robust.traffic)), i)
        for i, one in enumerate(study.spectra) if {name: c.bandwidth for name, c in one.items()} == width
    ]  # fmt: skip
    best, row = min(found, key=lambda each: (each[0].load, each[1]))
    return study.spectra[row], best


def made(study: Study, name: str, carriers: Carriers, problem: Problem, solution: Solution) -> Plan:
    """Return what the surrogate says of a solution, on the roomiest spectrum of its bandwidths."""
    carriers, busiest = _roomiest(study, carriers, solution.chosen)
    outcomes = study.outcomes(carriers, solution.chosen)
    return Plan(name, carriers, solution.chosen, problem.cost(solution.chosen), solution.proven, outcomes, busiest)


def baselines(study: Study, best: Plan, budget: float | None) -> list[Plan]:
    """Return what the best plan is measured against: the best coverage for as much money, and what stands already."""
    problem = study.problem(best.carriers)
    serves = study.serves(best.carriers, max(study.spec.robust.margin))[0]
    money = max(best.cost, budget or 0.0)
    found = []
    solution = most_coverage(problem, needs(serves), money)
    if solution is not None and solution.chosen != best.chosen:
        found.append(made(study, COVERAGE, best.carriers, problem, solution))
    if problem.kept and problem.kept != best.chosen:
        found.append(made(study, STANDS, best.carriers, problem, Solution(problem.kept, True)))
    return found


@dataclass(frozen=True, slots=True)
class Front:
    """The most control for each of some budgets."""

    cost: tuple[float, ...]
    share: tuple[float, ...]  # of the mission's time, in the worst case


def front(
    study: Study, carriers: Carriers, known: Iterable[Mask] = (), progress: Callable[[], None] = lambda: None
) -> Front:
    """Return cost against time under control, from nothing built to nobody lost or all that can be had.

    `known` are columns that were found already. Each look is at a little less money than what buys most at once.
    """
    problem = study.problem(carriers)
    whole = least_money(problem) or most_control(problem, float("1e15"))
    assert whole is not None, "without a limit to the money there is always a plan"
    chosen = {problem.kept, whole.chosen, *known}
    looked = set[float]()
    for _ in range(_LOOKS):
        rows = _rising(study, carriers, problem, chosen)
        jumps = [(b[1] - a[1], b[0]) for a, b in pairwise(rows) if b[0] not in looked]
        if not jumps:
            break
        cost = max(jumps)[1]
        looked.add(cost)
        solution = most_control(problem, problem.costs.fixed + (1.0 - _LESS) * (cost - problem.costs.fixed))
        progress()
        if solution is not None:
            chosen.add(solution.chosen)
    best = _rising(study, carriers, problem, chosen)
    return Front(tuple(cost for cost, _ in best), tuple(share for _, share in best))


def _rising(study: Study, carriers: Carriers, problem: Problem, chosen: Iterable[Mask]) -> list[tuple[float, float]]:
    """Return cost and share of those columns of which no cheaper ones give as much, by rising cost."""
    rows = sorted({(problem.cost(one), _share(study, carriers, one)) for one in chosen}, key=lambda r: (r[0], -r[1]))
    return [row for i, row in enumerate(rows) if all(row[1] > other for _, other in rows[:i])]


def _share(study: Study, carriers: Carriers, chosen: Mask) -> float:
    worst = min(study.outcomes(carriers, chosen).values(), key=lambda one: one.held)
    return worst.held / (worst.end * len(worst.lost))


@dataclass(frozen=True, slots=True)
class Without:
    """What goes when one site does."""

    site: int
    steps: int  # of control, in the worst case
    robots: tuple[int, ...]  # that are lost then and weren't before


def without(study: Study, plan: Plan) -> list[Without]:
    """Return for each site of a plan what control goes with it."""
    groups, found = study.problem(plan.carriers).groups, []
    for site in sites_of(study, plan.chosen):
        worst = _worst(study, plan, plan.chosen & ~groups[site])
        pairs = enumerate(zip(worst.lost, plan.worst.lost, strict=True))
        new = tuple(robot for robot, (then, now) in pairs if then is not None and now is None)
        found.append(Without(site, plan.worst.held - worst.held, new))
    return found


def _worst(study: Study, plan: Plan, chosen: Mask) -> Outcome:
    return min(study.outcomes(plan.carriers, chosen).values(), key=lambda one: one.held)


def sites_of(study: Study, chosen: Mask) -> list[int]:
    """Return the candidates that some columns stand on, rising."""
    return sorted({study.radios.columns[column].site for column in members(chosen)})


@dataclass(frozen=True, slots=True)
class Next:
    """The radio that would buy most control if one more were built."""

    column: int
    steps: int
    cost: float


def best_next(study: Study, plan: Plan) -> Next | None:
    """Return the best further radio of a plan; None where none buys anything."""
    problem = study.problem(plan.carriers)
    found = []
    for column in range(len(study.radios.columns)):
        if plan.chosen >> column & 1:
            continue
        more = plan.chosen | 1 << column
        steps = _worst(study, plan, more).held - plan.worst.held
        if steps > 0:
            found.append(Next(column, steps, problem.cost(more) - plan.cost))
    return min(found, key=lambda one: (-one.steps, one.cost, one.column)) if found else None


@dataclass(frozen=True, slots=True)
class Gap:
    """A robot that no candidate serves for longer than it lasts, and when."""

    robot: int
    step: int


def gaps(study: Study, carriers: Carriers) -> list[Gap]:
    """Return where robots are lost whatever is built, the earliest first: at any budget."""
    cases = study.chains(carriers, max(study.spec.robust.margin))
    every = (1 << len(study.radios.columns)) - 1
    found = {(step, chain.robot) for case in cases for chain in case
             for step, mask in zip(chain.steps, chain.sets, strict=True)
             if _served(study, mask & every) < study.spec.redundancy}  # fmt: skip
    return [Gap(robot, step) for step, robot in sorted(found)]


def _served(study: Study, mask: Mask) -> int:
    return len({study.radios.columns[column].site for column in members(mask)})


def first_lost(plan: Plan) -> Gap | None:
    """Return the robot that a plan loses first, and when."""
    robot = plan.worst.first
    step = None if robot is None else plan.worst.lost[robot]
    return None if robot is None or step is None else Gap(robot, step)


def cheapest(study: Study) -> tuple[Carriers, float] | None:
    """Return the carriers with which losing nobody costs least, and how much that is; None where nothing does it."""
    found: Iterable[tuple[float, int]] = [
        (problem.cost(solution.chosen), i)
        for i, carriers in enumerate(_bandwidths(study)) if (problem := study.problem(carriers))
        if (solution := least_money(problem)) is not None
    ]  # fmt: skip
    cost, row = min(found, default=(0.0, -1))
    return None if row < 0 else (_bandwidths(study)[row], cost)
