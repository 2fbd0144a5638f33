"""A bare slot loop, as a yardstick of the machine: what 200 terminals cost without any protocol around them.

Every slot is visited; a packet waits for a slot of its direction, the scheduler sorts by proportional fairness,
an error is drawn from the normal approximation with Gaussian capacity, and a lost packet comes again 4 slots
later. No transport block sizes, grants, control channels, segments or facts of packets.
"""

from __future__ import annotations

from math import erfc
from time import process_time

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64, I64

PRBS, BITS, ELEMENTS, AGAIN, RING = 66, 800.0, 144, 4, 64
UPLINK = np.array([0, 0, 0, 1, 1])
EFFICIENCY = np.array([
    0.23, 0.38, 0.6, 0.88, 1.18, 1.48, 1.7, 1.91, 2.16, 2.41, 2.57, 2.73, 3.03, 3.32, 3.61, 3.9, 4.21, 4.52, 4.82,
    5.12, 5.33, 5.55,
])  # fmt: skip


@kernel
def _error(snr: float, elements: float) -> float:
    dispersion = (1.0 - 1.0 / (1.0 + snr) ** 2) * 2.08
    margin = elements * np.log2(1.0 + snr) - BITS + 0.5 * np.log2(elements)
    return 0.5 * erfc(margin / np.sqrt(2.0 * elements * max(dispersion, 1e-12)))


@kernel
def _prbs(snr: float) -> int:
    best = 0
    for m in range(EFFICIENCY.size):
        if np.log2(1.0 + snr) >= EFFICIENCY[m]:
            best = m
    return int(np.ceil(BITS / (EFFICIENCY[best] * ELEMENTS)))


@kernel
def run(slots: int, period: int, snr: F64, offset: I64) -> int:
    """Run links (L,), uplinks in the second half, and return how many packets were decoded."""
    np.random.seed(1)
    links = snr.size
    waiting, average = np.zeros(links, dtype=np.int64), np.full(links, 1e-3)
    ring, used = np.zeros((RING, links), dtype=np.int64), np.zeros(RING, dtype=np.int64)
    decoded = 0
    for slot in range(slots):
        for u in range(links):
            waiting[u] += slot % period == offset[u]
        way, left = UPLINK[slot % UPLINK.size], PRBS
        first, here = way * links // 2, slot % RING
        metric = np.full(links // 2, -1.0)
        for i in range(links // 2):
            if waiting[first + i] > 0:
                metric[i] = np.log2(1.0 + snr[first + i]) / average[first + i]
        for i in range(used[here]):
            metric[ring[here, i] % (links // 2)] = np.inf
        used[here] = 0
        order = np.argsort(-metric)
        for i in order:
            if metric[i] < 0.0 or left <= 0:
                break
            u = first + i
            n = _prbs(snr[u])
            left -= n
            average[u] += 0.01 * BITS
            if np.random.random() < _error(snr[u], n * ELEMENTS):
                later = (slot + AGAIN) % RING
                ring[later, used[later]], used[later] = u, used[later] + 1
            else:
                waiting[u] -= 1
                decoded += 1
        average[first : first + links // 2] *= 0.99
    return decoded


def speed(terminals: int, seconds: float) -> float:
    """Return how many times faster than real time it runs, in CPU time."""
    random = np.random.default_rng(1)
    snr, offset = 10 ** (random.uniform(3, 25, 2 * terminals) / 10), random.integers(0, 80, 2 * terminals)
    run(8, 80, snr, offset)  # compiles
    start = process_time()
    run(int(seconds * 8000), 80, snr, offset)
    return seconds / (process_time() - start)
