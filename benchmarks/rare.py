"""A rare event of a short flight, by plain runs and by trees: both intervals, and whether they have anything in common.

    python benchmarks/rare.py FOLDER [RUNS] [TREES]

The event is a drone 1.7 m off its course within 1.5 s, as most packets are lost. Whatever is in FOLDER is not repeated.
Exit code 1 if the intervals don't overlap.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twin.numerics.statistics import clopper_pearson

SCENARIO = Path(__file__).resolve().parent / "outage.toml"
CLI = SCENARIO.parents[1] / "cli.py"
EVENT, LIMIT = "tracking_max > 1.7 m", 1.7
FIRST = 10_001  # seed of the plain runs, beyond those of the trees
LOOK = ("--importance", "age", "--levels", "0.5,0.75", "--copies", "4")


def twin(*arguments: object) -> dict:
    """Return what a command says as JSON; whatever verdict or doubt it ends with."""
    found = subprocess.run([sys.executable, str(CLI), *map(str, arguments), "--json"], stdout=subprocess.PIPE)
    if found.returncode not in (0, 5, 6):
        sys.exit(found.returncode)
    return json.loads(found.stdout)


def main() -> int:
    """Run both, and say what they show."""
    folder, runs, trees = Path(sys.argv[1]), *(int(word) for word in [*sys.argv[2:], *("3000", "450")][:2])
    plain = twin("sweep", SCENARIO, "--seeds", f"{FIRST}:{FIRST + runs - 1}", "-j", 2, "-o", folder / "plain")
    hits = sum(row["figures"]["tracking_max"] > LIMIT for row in plain["runs"])
    by_runs = clopper_pearson(hits, runs)
    print(f"{runs} plain runs: {hits} with {EVENT}: {hits / runs:.3g} ({by_runs.lower:.3g} to {by_runs.upper:.3g})")
    split = twin("rare", SCENARIO, EVENT, *LOOK, "--trees", trees, "-j", 2, "--worst", 0, "-o", folder / "trees")
    low, high = (split["interval"][end] for end in ("lower", "upper"))
    stated = "no number" if split["probability"] is None else f"{split['probability']:.3g}"
    print(f"{trees} trees: {split['rooted']} with a hit: {stated} ({low:.3g} to {high:.3g})")
    overlap = low <= by_runs.upper and by_runs.lower <= high
    print("the intervals overlap" if overlap else "the intervals have nothing in common")
    return 0 if overlap else 1


if __name__ == "__main__":
    sys.exit(main())
