"""Paths of twin against those of sionna-rt in its scene munich: `just bench-sionna`.

Prints how much of the union of both path sets each finds, by how much the gains of common paths differ, and how much
CPU time a link takes. Needs SIONNA_SCENES (see channel.py) and SIONNA_PYTHON, a Python with sionna-rt, whose drjit
needs LLVM: libLLVM 14 to 16 of Debian abort, 19 works (DRJIT_LIBLLVM_PATH=.../libLLVM.so.19.1).
"""

from __future__ import annotations

import os
import runpy
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from twin.specs import SurfaceSpec

HERE = Path(__file__).resolve().parent
RECEIVERS, ORDER, SAMPLES = 50, 3, 100_000
SAME = 1.5e-11
"""Seconds within which delays are those of one path: sionna-rt computes in single precision, 4.5 mm here."""


def theirs(scene: Path, transmitters, receivers) -> dict[str, np.ndarray]:
    """Return the paths that sionna-rt finds, doubles removed."""
    with TemporaryDirectory() as folder:
        points, out = Path(folder) / "points.npz", Path(folder) / "paths.npz"
        np.savez(points, transmitters=transmitters, receivers=receivers)
        python = os.environ["SIONNA_PYTHON"]
        arguments = [scene, points, out, 3.5e9, ORDER, SAMPLES]
        subprocess.run([python, HERE / "sionna_paths.py", *map(str, arguments)], check=True)
        found = dict(np.load(out))
    order = np.lexsort((found["delay"], found["receiver"], found["transmitter"]))
    sorted_ = {name: found[name][order] for name in ("transmitter", "receiver", "delay", "gain")}
    link = sorted_["transmitter"] * len(receivers) + sorted_["receiver"]
    double = np.append(False, (np.diff(link) == 0) & (np.diff(sorted_["delay"]) < 1e-12))
    print(f"sionna-rt: {len(double)} paths, {np.count_nonzero(double)} of them twice")
    return {name: values[~double] for name, values in sorted_.items()} | {"seconds": found["seconds"]}


def common(one, other) -> list[tuple[int, int]]:
    """Return pairs of indices into two sorted arrays of delays of one link that are the same, each used once."""
    pairs, j = [], 0
    for i, delay in enumerate(one):
        while j < len(other) and other[j] < delay - SAME:
            j += 1
        if j < len(other) and other[j] <= delay + SAME:
            pairs.append((i, j))
            j += 1
    return pairs


def main() -> None:
    bench = runpy.run_path(str(HERE / "channel.py"))
    world = bench["munich_world"]()
    slab = {name: SurfaceSpec(thickness=0.1) for name in world.geometry.materials}  # sionna-rt's default
    case = bench["Case"](RECEIVERS, world=world, surfaces=slab)
    links = case.links
    transmitters = np.array([radio.mount for radio in case.tracer.radios.radios[: bench["SITES"]]])
    other = theirs(
        Path(os.environ["SIONNA_SCENES"]) / "munich/munich.xml", transmitters, case.position[:RECEIVERS].copy()
    )
    ours_total, both, difference = len(links.path_delay), 0, []
    for i, (a, b) in enumerate(zip(links.a.tolist(), links.b.tolist(), strict=True)):
        mine = slice(links.path_offset[i], links.path_offset[i + 1])
        its = (other["transmitter"] == a) & (other["receiver"] == b - bench["SITES"])
        delay, gain = other["delay"][its], other["gain"][its]
        for p, q in common(links.path_delay[mine], delay):
            both += 1
            difference.append(20 * np.log10(np.abs(links.path_amplitude[mine][p]) / gain[q]))
    union = ours_total + len(other["delay"]) - both
    apart = np.abs(difference)
    recall = [100 * count / union for count in (ours_total, len(other["delay"]))]
    print(f"twin finds {recall[0]:.1f} % of {union} paths, sionna-rt {recall[1]:.1f} %")
    print(f"gains of common paths differ by {np.median(apart):.4f} dB, by {np.percentile(apart, 99):.3f} dB at p99")
    ours, its = case.run(bench["WALK"]) / len(links.a), float(other["seconds"]) / len(links.a)
    print(f"CPU time a link: twin {ours * 1e6:.1f} us a step, sionna-rt {its * 1e6:.0f} us: {its / ours:.0f} times")


if __name__ == "__main__":
    main()
