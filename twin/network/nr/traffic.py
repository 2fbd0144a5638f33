"""Background traffic: load on the radio that no controller waits for."""

from __future__ import annotations

from math import log

import numpy as np

from twin.clock import NS, periodic
from twin.numerics.draws import key, normal, uniform
from twin.specs.nr import BackgroundSpec

_GAP, _SIZE, _JITTER, _PHASE = (key(f"network.background.{name}") for name in ("gap", "size", "jitter", "phase"))
SIZE_SPREAD, SIZE_LEAST, SIZE_MOST = 0.105, 0.5, 1.5
"""XR frames: standard deviation and limits relative to the mean (TR 38.838 5.1)."""
JITTER_NS, JITTER_MOST_NS = 2e6, 4e6
"""XR frames: standard deviation and limit of the arrival's jitter (TR 38.838 5.1)."""


class TrafficSource:
    """One terminal's packets of one direction, drawn by their number: nobody else's traffic changes them."""

    def __init__(self, spec: BackgroundSpec, seed: int, name: str) -> None:
        self.spec, self.seed = spec, seed
        self.key = key(f"{name}:{spec.direction}:{spec.model}")
        self._phase = uniform(seed, _PHASE, self.key, 0, 0)  # of all its packets, whatever the seed of their draws
        self._count = 0
        self._next = self._after(0)

    def until(self, time: int) -> list[tuple[int, int, int]]:
        """Return number, time [ns] and bytes of all packets up to `time` that were not returned before."""
        found = []
        while self._next <= time:
            found.append((self._count, self._next, self._size(self._count)))
            self._count += 1
            self._next = self._after(self._next)
        return found

    def _after(self, before: int) -> int:
        """Return the time of packet `_count`: Poisson for FTP model 3, else frames with XR's jitter."""
        n = self._count
        if self.spec.model == "ftp3":
            return before + round(-log(uniform(self.seed, _GAP, self.key, n, 0)) * NS / self.spec.rate)
        period = NS / self.spec.rate
        at = int(self._phase * period) + periodic(n, round(self.spec.rate))
        if self.spec.model == "xr":
            at += round(JITTER_NS * self._bounded(_JITTER, n, JITTER_MOST_NS / JITTER_NS) + JITTER_MOST_NS)
        return max(at, before)

    def _size(self, n: int) -> int:
        if self.spec.model != "xr":
            return self.spec.size
        relative = 1.0 + SIZE_SPREAD * self._bounded(_SIZE, n, (SIZE_MOST - 1.0) / SIZE_SPREAD)
        return max(1, round(self.spec.size * relative))

    def _bounded(self, stream: np.uint64, n: int, limit: float) -> float:
        """Return a standard normal draw, drawn again until it is within `limit`."""
        attempt = 0
        while abs(value := normal(self.seed, stream, self.key, n, attempt)) > limit:
            attempt += 1
        return value
