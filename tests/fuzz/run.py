"""Thousands of random changes: `python tests/fuzz/run.py 10000`; `just fuzz` does it.

run.py COUNT [--seed SEED] [--jobs JOBS] [--only NAME ...]   COUNT cases in all, the same number of each target
run.py --again TARGET:NUMBER [--seed SEED] [--keep FOLDER]   one case in this process, with its traceback
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

from fuzzing.harness import GOOD, Outcome, Tally, case_random, run, today  # noqa: E402  once threads are set
from fuzzing.targets import all_targets  # noqa: E402


def main() -> int:
    """Try the cases and print what became of them; 1 if any was not good."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=today())
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--again")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    wanted = tuple(f"{name}-" for name in options.only)
    targets = [target for target in all_targets() if not wanted or f"{target.name}-".startswith(wanted)]
    if options.again:
        name, _, number = options.again.partition(":")
        return again(next(t for t in targets if t.name == name), options.seed, int(number), options.keep)
    each = -(-options.count // len(targets))
    print(f"seed {options.seed}: {each} cases of each of {len(targets)} targets", flush=True)
    tally = in_shards(targets, options.seed, each, options.jobs)
    return report(tally, [target.name for target in targets])


def in_shards(targets: list, seed: int, each: int, jobs: int) -> Tally:
    """Try the cases in `jobs` processes, which write an outcome a line."""
    files, children = [], []
    for job in range(jobs):
        file = tempfile.TemporaryFile("w+")
        files.append(file)
        child = os.fork()
        if child == 0:
            for target in targets[job::jobs]:
                for outcome in run(target, seed, range(each)):
                    file.write(json.dumps(asdict(outcome)) + "\n")
                    if outcome.kind not in GOOD:
                        print(outcome, flush=True)
                file.flush()
            os._exit(0)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(ended):
        raise SystemExit(f"a shard ended with {ended}")
    tally = Tally()
    for file in files:
        file.seek(0)
        for line in file:
            tally.add(Outcome(**json.loads(line)))
    return tally


def report(tally: Tally, names: list[str]) -> int:
    """Print the counts, target by target."""
    bad = sorted({kind for _, kind in tally.counts} - set(GOOD))
    print(f"{'':20} {'refused':>8} {'ran':>8} " + " ".join(f"{kind:>9}" for kind in bad))
    for name in names:
        row = [tally.counts[name, kind] for kind in (*GOOD, *bad)]
        print(f"{name:20} {row[0]:8} {row[1]:8} " + " ".join(f"{count:9}" for count in row[2:]))
    kinds: Counter[str] = Counter()
    for (_, kind), count in tally.counts.items():
        kinds[kind] += count
    said = {"traceback": "tracebacks", "slow": "over 10 s", "large": "over 1 GB", "outside": "outside of the folder",
            "wrong": "silently wrong", "crash": "crashes", "unclear": "unclear messages"}  # fmt: skip
    print(f"{kinds.total()} mutations: " + ", ".join(f"{kinds[kind]} {words}" for kind, words in said.items()))
    print(f"slowest {tally.slowest:.1f} s of processor time, largest {tally.largest:.0f} MB")
    return 1 if tally.bad else 0


def again(target, seed: int, number: int, keep: Path | None) -> int:
    """Try one case here."""
    with tempfile.TemporaryDirectory() as name:
        folder = keep or Path(name) / "case"
        folder.mkdir(parents=True)
        print(target.make(case_random(target, seed, number), folder))
        for path in sorted(folder.rglob("*")):
            print(f"  {path} {path.stat().st_size}")
        target.attempt(folder)
    print("ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
