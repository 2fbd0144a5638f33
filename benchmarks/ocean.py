"""How fast 50 moored buoys run, and what latency leaves of heave compensation in real runs.

Usage: python benchmarks/ocean.py [--seconds 300]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.signal import periodogram

from twin.assembly.build import build
from twin.clock import NS
from twin.project.project import Project
from twin.specs.scenario import load_scenario

SCENARIOS = Path(__file__).resolve().parent.parent / "worlds/harbour/scenarios"
OUTAGE = 300 * 10**6
TARGET = 3.0  # times real time, on one core


def staged(name, *overrides):
    path = SCENARIOS / f"{name}.toml"
    scenario, _ = load_scenario(path, overrides)
    return scenario, build(scenario, Project.around(path.parent))


def speed():
    """Time the whole loop of harbour/array: 50 spars on three catenaries each and five drones, 120 waves, 200 Hz."""
    scenario, built = staged("array")
    twin, ticks = built.twin, 2000
    twin.reset()
    for _ in range(20):
        twin.step()
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for _ in range(ticks // 3):
            twin.step()
        best = max(best, ticks // 3 / scenario.rates.physics / (time.process_time() - start))
    floats = twin.bodies.position[[node.body for node in built.nodes if node.kind == "buoy"], 2]
    assert np.all(np.abs(floats + 1.4) < 2.0), "a buoy no longer floats"
    print(f"50 moored buoys, 120 components, {scenario.rates.physics} Hz: {best:.1f} times real time "
          f"(CPU time of one core; target {TARGET:g})")  # fmt: skip


def stream(delay_ms, seconds):
    """Return heave (n,) of a buoy at 50 Hz, and its telemetry as (arrival, stamp, heave) rows."""
    sea = ("environment.sea.significant_height=1.5 m", "environment.sea.peak_period=7 s")
    _, built = staged("station", *sea, "network.kind=fixed", f"network.delay={delay_ms} ms", f"duration={seconds} s",
                      "robots.guard.control=50 Hz", "robots.guard.send_offset=0 s",
                      "robots.guard.spec.sensors=[{kind='navigation'}]")  # fmt: skip
    (node,) = (i for i, node in enumerate(built.nodes) if node.name == "guard-0")
    body, heave, rows = built.nodes[node].body, {}, []
    for frame in built.twin.frames(seconds * NS):
        heave[frame.time] = float(frame.bodies.position[body, 2])
        rows += [(p.arrived, p.stamp, float(p.payload["position"][2])) for p in frame.packets
                 if p.kind == "telemetry" and p.source == node and p.fate == "delivered"]  # fmt: skip
    return heave, sorted(rows)


def law(values, rate, delay):
    """Return sqrt(int 4 sin^2(w tau / 2) S dw) of the record's own spectrum."""
    f, density = periodogram(values, rate, window="hann", detrend="constant")
    return float(np.sqrt(np.sum(4 * np.sin(np.pi * f * delay) ** 2 * density) * f[1]))


def compensation(seconds):
    print("| delay | heave rms | left, measured | left, by the law | after an outage of 300 ms | by the law |")
    print("|---|---|---|---|---|---|")
    for delay_ms in (20, 100, 200, 500):
        heave, rows = stream(delay_ms, seconds)
        settled = 20 * NS
        values = np.array([z for t, z in heave.items() if t >= settled])
        left = [heave[arrived] - z for arrived, _, z in rows if arrived in heave and arrived >= settled]
        # The last sample before an outage is still all that is known when the outage ends.
        late = [heave[arrived + OUTAGE] - z for arrived, _, z in rows
                if arrived >= settled and arrived + OUTAGE in heave]  # fmt: skip
        rms = [float(np.sqrt(np.mean(np.square(x)))) for x in (left, late)]
        wanted = [law(values, 200.0, tau) for tau in (delay_ms / 1e3, delay_ms / 1e3 + OUTAGE / 1e9)]
        cells = [f"{delay_ms} ms", f"{values.std():.3f} m"]
        for measured, lawful in zip(rms, wanted, strict=True):
            cells += [f"{measured:.4f} m ({measured / values.std():.1%})", f"{lawful:.4f} m"]
        print(f"| {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=300, help="length of each run of heave compensation")
    arguments = parser.parse_args()
    speed()
    compensation(arguments.seconds)


if __name__ == "__main__":
    main()
