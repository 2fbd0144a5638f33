"""Specular paths of sionna-rt between given points; run by benchmarks/against_sionna.py with the Python that has it.

Reads transmitters (T, 3) and receivers (R, 3) from one .npz; writes for each path its ends, delay [s], gain, and
the CPU seconds of one solution once everything is compiled.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from sionna.rt import PathSolver, PlanarArray, Receiver, Transmitter, load_scene

scene_file, points_file, out_file, carrier, order, samples = sys.argv[1:]
points = np.load(points_file)
scene = load_scene(scene_file)
scene.frequency = float(carrier)
scene.tx_array = scene.rx_array = PlanarArray(num_rows=1, num_cols=1, pattern="iso", polarization="V")
for i, place in enumerate(points["transmitters"].tolist()):
    scene.add(Transmitter(f"t{i}", place))
for i, place in enumerate(points["receivers"].tolist()):
    scene.add(Receiver(f"r{i}", place))


def solve():
    paths = PathSolver()(
        scene,
        max_depth=int(order),
        samples_per_src=int(samples),
        refraction=False,
        synthetic_array=True,
    )
    real, imaginary = (part.numpy()[:, 0, :, 0, :] for part in paths.a)
    return paths.valid.numpy(), paths.tau.numpy(), np.hypot(real, imaginary)


solve()
start = time.process_time()
valid, delay, gain = solve()
seconds = time.process_time() - start
receiver, transmitter, _ = np.nonzero(valid)
np.savez(out_file, transmitter=transmitter, receiver=receiver, delay=delay[valid], gain=gain[valid], seconds=seconds)
