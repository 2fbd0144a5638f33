"""How old reports are at the shore, by hops, in seas of several heights, from runs of harbour/buoy-relay.

Usage: python benchmarks/relay.py [--seconds 60]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from twin.assembly.build import build
from twin.clock import NS
from twin.project.project import Project
from twin.specs.scenario import load_scenario

PATH = Path(__file__).resolve().parent.parent / "worlds/harbour/scenarios/buoy-relay.toml"


def run(seconds, *settings):
    """Return ages [s] by hops, the share of time in which neighbours don't see each other, and lost packets."""
    scenario, _ = load_scenario(PATH, (f"duration={seconds} s", *settings))
    built = build(scenario, Project.around(PATH.parent))
    ages, blind, lost, links = {hops: [] for hops in range(1, 7)}, [], 0, None
    for frame in built.twin.frames(seconds * NS):
        for _, _, name, value in frame.logs:
            if name.startswith("latency."):
                ages[int(name.rpartition(".")[2])].append(value)
        lost += sum(packet.fate not in ("delivered", "queued") for packet in frame.packets)
        if frame.links is not links:
            links = frame.links
            blind.append(~links.los[(links.b == links.a + 1) & (links.b < 7)])
    built.close()
    return ages, float(np.mean(blind)), lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    print("| sea | neighbours shadowed | packets lost | hops | reports | median | 99 % | largest |")
    print("|---|---|---|---|---|---|---|---|")
    for height in (1, 2, 3):
        ages, blind, lost = run(seconds, f"environment.sea.significant_height={height} m")
        for hops in (1, 2, 4, 6):
            found = 1e3 * np.array(ages[hops])
            middle, high, most = np.percentile(found, (50, 99, 100)) if len(found) else (np.nan,) * 3
            cells = [f"{height} m", f"{blind:.1%}", str(lost), str(hops), str(len(found))]
            print(f"| {' | '.join(cells)} | {middle:.0f} ms | {high:.0f} ms | {most:.0f} ms |", flush=True)


if __name__ == "__main__":
    main()
