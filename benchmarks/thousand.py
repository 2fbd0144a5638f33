"""Flights of two seconds by a pool of processes and by Dask's: the same table byte for byte.

    python benchmarks/thousand.py FOLDER [RUNS]

Whatever is in FOLDER is not repeated. Exit code 1 if the tables differ.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

SCENARIO = Path(__file__).resolve().parent / "outage.toml"
CLI = SCENARIO.parents[1] / "cli.py"


def sweep(folder: Path, runs: int, *where: str) -> tuple[bytes, float]:
    """Return the table of a sweep, and how long [s] it took."""
    start = time.monotonic()
    command = [sys.executable, str(CLI), "sweep", str(SCENARIO), "--set", "duration=2 s", "--seeds", f"1:{runs}",
               "-j", "2", "-o", str(folder), *where]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (folder / "table.csv").read_bytes(), time.monotonic() - start


def main() -> int:
    """Run both and compare."""
    folder, runs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    pool, of_pool = sweep(folder / "pool", runs)
    dask, of_dask = sweep(folder / "dask", runs, "--cluster", "local")
    same = pool == dask
    print(f"{runs} runs: {of_pool:.0f} s by a pool, {of_dask:.0f} s by Dask; "
          f"{len(pool)} bytes, {'the same' if same else 'NOT the same'}")  # fmt: skip
    return 0 if same and pool.count(b"\n") == runs + 1 else 1


if __name__ == "__main__":
    sys.exit(main())
