"""How well the link table foretells runs, and what coverage misses: the tables of docs/planning.md.

    python benchmarks/siting.py foretell FOLDER   30 plans of 1 to 3 sites, each simulated; goes on where it was
    python benchmarks/siting.py pairs FOLDER      best coverage against most control of six sites, over three seeds
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.project.project import find_scenario
from twin.siting.control import mask_of, members, outcome, unserved
from twin.siting.judge import fitted, judged
from twin.siting.plans import made, sites_of
from twin.siting.solve import Solution, most_control
from twin.siting.spec import read_siting
from twin.siting.study import seconds, study
from twin.siting.writing import scenario_of
from twin.specs.scenario import load_scenario
from twin.studies.pool import Pool

HERE = Path(__file__).parent
PLANS, SETS = 30, 20_000


def prepared(scenario=HERE / "couriers.toml", plan=HERE / "couriers-plan.toml"):
    project, path = find_scenario(str(scenario))
    return study(load_scenario(path)[0], project, read_siting(Path(plan)))


def named(found, columns):
    carriers = found.spectra[0]
    return made(found, "-".join(map(str, columns)), carriers, found.problem(carriers), Solution(mask_of(columns), True))


def written(found, plans, folder):
    files = []
    for plan in plans:
        file = Path(folder) / f"sites-{plan.name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(scenario_of(found, plan).to_toml())
        files.append((plan, file))
    return files


def simulated(found, plans, folder, seeds):
    with Pool(1) as pool:
        return judged(written(found, plans, folder), seeds, Path(folder), pool, lambda: None)


def foretell(folder):
    """The best plan of ten budgets, then sites at random: what was foretold, and what the run says."""
    found, rng = prepared(), np.random.default_rng(1)
    carriers = found.spectra[0]
    problem = found.problem(carriers)
    sets = [tuple(members(most_control(problem, budget).chosen)) for budget in np.linspace(90e3, 300e3, 10)]
    sets = [one for one in dict.fromkeys(sets) if one]
    while len(sets) < PLANS:
        one = tuple(sorted(rng.choice(len(found.candidates), rng.integers(1, 4), replace=False).tolist()))
        sets = list(dict.fromkeys([*sets, one]))
    runs = simulated(found, [named(found, one) for one in sets], folder, [1])
    serves = found.serves(carriers, 0.0)[0]
    print("| sites | unserved (s) | foretold (s) | on failsafe (s) | collisions |\n|---|--:|--:|--:|--:|")
    rows = []
    for run in sorted(runs, key=lambda one: one.failsafe):
        gone = seconds(found, unserved(serves, members(run.plan.chosen)))
        said = seconds(found, run.plan.worst.missed)
        rows.append((gone, said, run.failsafe[0]))
        places = " ".join(found.candidates[site].name for site in sites_of(found, run.plan.chosen))
        print(f"| {places} | {gone:.1f} | {said:.1f} | {run.failsafe[0]:.1f} | {run.collisions[0]:.0f} |")
    from scipy.stats import spearmanr

    gone, said, ran = np.array(rows).T
    for what, values in (("foretold", said), ("unserved", gone)):
        print(f"{what}: Spearman {spearmanr(values, ran)[0]:.3f}, mean error {np.abs(values - ran).mean():.1f} s")
    print(fitted(found, runs))


def pairs(folder):
    """Of six candidates, the pair that covers most and the pair that keeps most control, where they differ most."""
    found, rng = prepared(), np.random.default_rng(1)
    carriers = found.spectra[0]
    serves, chains = found.serves(carriers, 0.0)[0], found.chains(carriers, 0.0)[0]
    count = len(found.candidates)
    every = list(combinations(range(count), 2))
    covered = {pair: unserved(serves, pair) for pair in every}
    missed = {pair: outcome(chains, mask_of(pair)).missed for pair in every}
    losses, worst = [], (0, None, None)
    for _ in range(SETS):
        six = sorted(rng.choice(count, 6, replace=False).tolist())
        own = list(combinations(six, 2))
        a = min(own, key=lambda pair: (covered[pair], missed[pair]))
        b = min(own, key=lambda pair: (missed[pair], covered[pair]))
        losses.append(missed[a] - missed[b])
        worst = max(worst, (losses[-1], a, b), key=lambda one: one[0])
    lost = np.array([seconds(found, loss) for loss in losses])
    print(f"of {SETS} sets of six, coverage picks another pair in {100 * np.mean(lost > 0):.0f} %: mean loss "
          f"{lost.mean():.1f} s, p90 {np.quantile(lost, 0.9):.1f}, most {lost.max():.1f}")  # fmt: skip
    runs = {run.plan.name: run for run in simulated(found, [named(found, one) for one in worst[1:]], folder, [1, 2, 3])}
    total = serves.shape[1] * serves.shape[2]
    print("| sites | covered | foretold (s) | on failsafe, seeds 1 2 3 (s) | collisions |\n|---|--:|--:|--:|--:|")
    for pair in worst[1:]:
        run = runs["-".join(map(str, pair))]
        places = " ".join(found.candidates[site].name for site in pair)
        failsafe, collisions = (" ".join(f"{x:g}" for x in values) for values in (run.failsafe, run.collisions))
        print(f"| {places} | {100 - 100 * covered[pair] / total:.1f} % | {seconds(found, missed[pair]):.1f} | "
              f"{failsafe} | {collisions} |")  # fmt: skip


if __name__ == "__main__":
    {"foretell": foretell, "pairs": pairs}[sys.argv[1]](*sys.argv[2:])
