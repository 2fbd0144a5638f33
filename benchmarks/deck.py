"""What delays and an outage leave of a landing on a heaving deck, from runs of harbour/drone-on-deck.

Usage: python benchmarks/deck.py [--seeds 3]

The controller runs on board and hears the deck late, or at the edge, where it also sees and flies the drone late.
The height over the pad that is left of the deck's heave is taken while the drone waits there. In the second run of
each seed nothing comes through for 300 ms, from 400 ms before the touchdown of the first on; packets wait.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scipy.signal import periodogram

from twin.assembly.build import build
from twin.clock import NS
from twin.project.project import Project
from twin.specs.scenario import load_scenario

PATH = Path(__file__).resolve().parent.parent / "worlds/harbour/scenarios/drone-on-deck.toml"
BOARD = ("robots.lander.runs_on=onboard", "robots.deck.parameters={to='lander'}")
OUTAGE, BEFORE = 0.3, 0.4  # s
SETTLED, SECONDS = 6.0, 34
CASES = [("on board", BOARD, ms) for ms in (20, 100, 200, 500)] + [("at the edge", (), ms) for ms in (5, 20, 50, 100)]


def trace(folder, delay, start):
    """Write round trips whose halves are the delay, and during the outage also the wait for its end."""
    times = np.arange(0.0, SECONDS, 0.002)
    late = np.where((times >= start) & (times < start + OUTAGE), start + OUTAGE - times, 0.0)
    path = Path(folder, "outage.csv")
    rows = [f"{t:.3f},{2e3 * (delay + wait):.3f}" for t, wait in zip(times, late, strict=True)]
    path.write_text("time_s,round_trip_ms\n" + "\n".join(rows) + "\n")
    return "network.kind=trace", f"network.file={path}"


def land(seed, *settings):
    """Return heave and height over the pad while it waits, (n, 2) at 500 Hz, and time and speed of the touchdown."""
    scenario, _ = load_scenario(PATH, (f"seed={seed}", "robots.lander.parameters={wait='10 s'}", *settings))
    built = build(scenario, Project.around(PATH.parent))
    row = {node.name: node.body for node in built.nodes}
    deck, drone = row["deck"], row["lander"]
    waiting, rows, touched, lost = True, [], [], False
    for frame in built.twin.frames(SECONDS * NS):
        for *_, name, value in frame.logs:
            waiting = waiting and not (name == "wanted" and value < 2.0)
        if waiting and frame.time >= SETTLED * NS:
            rows.append((frame.bodies.position[deck, 2], pad_height(frame.bodies, deck, drone)))
        hits = [e.value for e in frame.events if e.kind == "contact" and {e.robot, e.detail} == {"deck", "lander"}]
        touched += [(frame.time / NS, value) for value in hits]
        lost = lost or frame.bodies.position[drone, 2] < -1.0
        if touched and frame.time / NS > touched[0][0] + 2.0:
            break
    built.close()
    return np.array(rows), touched, lost or not touched


def pad_height(bodies, deck, drone):
    """Return how much higher the drone's feet are than the pad [m]."""
    x, y, z, w = bodies.orientation[deck]
    up = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    return bodies.position[drone, 2] - (bodies.position[deck] + 0.99 * up)[2]


def law(heave, delay):
    """Return sqrt(int 4 sin^2(w tau / 2) S dw) of the record's own spectrum."""
    f, density = periodogram(heave, 500.0, window="hann", detrend="constant")
    return float(np.sqrt(np.sum(4 * np.sin(np.pi * f * delay) ** 2 * density) * f[1]))


def show(lands):
    """Return mean and largest speed of the touchdowns, and how many of them there were."""
    speeds = [max(value for _, value in touched) for _, touched, lost in lands if not lost]
    missed = sum(lost for *_, lost in lands)
    text = f"{np.mean(speeds):.2f}, at most {max(speeds):.2f} m/s" if speeds else "-"
    return text + (f"; {missed} of {len(lands)} missed" if missed else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(1, parser.parse_args().seeds + 1)
    print("| controller | delay | heave rms | left, measured | by the law | touchdown | with an outage of 300 ms |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for where, settings, ms in CASES:
            calm = [land(seed, *settings, "network.kind=fixed", f"network.delay={ms} ms") for seed in seeds]
            cut = [
                land(seed, *settings, *trace(folder, ms / 1e3, touched[0][0] - BEFORE))
                for seed, (_, touched, lost) in zip(seeds, calm, strict=True)
                if not lost
            ]
            records = [rows for rows, *_ in calm if len(rows)]
            heave = np.sqrt(np.mean([rows[:, 0].var() for rows in records]))
            left = np.sqrt(np.mean([rows[:, 1].var() for rows in records]))
            lawful = np.sqrt(np.mean([law(rows[:, 0], ms / 1e3) ** 2 for rows in records]))
            cells = [where, f"{ms} ms", f"{heave:.3f} m", f"{left:.3f} m", f"{lawful:.3f} m", show(calm), show(cut)]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
