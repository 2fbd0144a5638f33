"""What stands between the truth and a reading: delay, white noise and a bias that walks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.state import F64, I64, NEVER

U64 = NDArray[np.uint64]
Between = Callable[[F64, F64, int, int], F64]
"""The numbers so many ns after the first ones and before the second ones, which are so many ns apart."""


def linear(before: F64, after: F64, elapsed: int, period: int) -> F64:
    """Return what lies on the straight line between."""
    u = elapsed / period
    return (1 - u) * before + u * after


class Delay:
    """Tells how the world was `delay` ns ago, from the two readings of the truth round that instant.

    Until the first one is that old, it is of the world at the first.
    """

    def __init__(self, delay: int, robots: int, between: Between = linear) -> None:
        self._delay, self._between = delay, between
        self._past: list[deque[tuple[int, F64]]] = [deque() for _ in range(robots)]

    def apply(self, time: int, rows: I64, table: F64) -> list[int]:
        """Replace the truth of `rows` at `time` in `table` (k, width) by the older one; return when it was so."""
        if not self._delay:
            return [time] * len(table)
        stamps = []
        for i, row in enumerate(rows):
            stamp, table[i] = self._older(self._past[row], time, table[i].copy())
            stamps.append(stamp)
        return stamps

    def _older(self, past: deque[tuple[int, F64]], time: int, truth: F64) -> tuple[int, F64]:
        if past and past[-1][0] >= time:
            past.clear()  # a new run
        past.append((time, truth))
        wanted = max(time - self._delay, past[0][0])
        while len(past) > 1 and past[1][0] <= wanted:
            past.popleft()
        (start, before), (end, after) = past[0], past[min(1, len(past) - 1)]
        return wanted, before if wanted == start else self._between(before, after, wanted - start, end - start)


class Noise:
    """White noise and a bias on a table of numbers, drawn by robot's name, time of reading and place in the row.

    The bias starts at 0, or is drawn with the standard deviation `start` when the run begins, and walks: its variance
    grows by the square of `walk` a second. White noise may be stated anew, row by row, with each table.
    """

    def __init__(
        self, stream: str, names: Sequence[str], seed: int, white: F64,
        walk: F64 | None = None, start: F64 | None = None,
    ) -> None:  # fmt: skip
        self._seed, self._white = seed, np.array(white, dtype=float, ndmin=2)
        self._walk = np.zeros_like(self._white[0]) if walk is None else np.asarray(walk, dtype=float)
        self._start = np.zeros_like(self._white) if start is None else np.array(start, dtype=float, ndmin=2)
        self._is_white, self._is_biased = self._white.any(), self._walk.any() or self._start.any()
        self._white_key, self._walk_key, self._start_key = key(stream), key(f"{stream} bias"), key(f"{stream} start")
        self._names: U64 = np.array([key(name) for name in names], dtype=np.uint64)
        self._bias = np.zeros((len(names), len(self._walk)))
        self._time: I64 = np.full(len(names), NEVER, dtype=np.int64)

    def add(self, time: int, rows: I64, table: F64, white: F64 | None = None) -> None:
        """Add the errors of the robots in `rows` (k,) at `time` [ns] to `table` (k, width); `white` (k, width)."""
        if self._is_biased:
            table += self._biases(time, rows)
        if white is not None or self._is_white:
            sigma = self._white if white is None else np.ascontiguousarray(white)
            _add(self._seed, self._white_key, self._names, rows, time, sigma, table)

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._seed = seed

    def _biases(self, time: int, rows: I64) -> F64:
        """Return the biases (k, width) at `time`, walked on since each robot's last reading."""
        last = self._time[rows]
        fresh = (last == NEVER) | (time <= last)  # a new run
        bias = np.where(fresh[:, None], 0.0, self._bias[rows])
        start = np.where(fresh[:, None], self._start, 0.0)
        root = np.sqrt(np.where(fresh, 0, time - last) / NS)
        _add(self._seed, self._start_key, self._names, rows, 0, start, bias)
        _add(self._seed, self._walk_key, self._names, rows, time, root[:, None] * self._walk, bias)
        self._bias[rows], self._time[rows] = bias, time
        return bias


@kernel
def _add(seed: int, stream: np.uint64, names: U64, rows: I64, time: int, sigma: F64, table: F64) -> None:
    """Add draws to `table` (k, width); `sigma` is (k, width), or (1, width) for all."""
    for i in range(table.shape[0]):
        line = sigma[i if sigma.shape[0] > 1 else 0]
        for j in range(table.shape[1]):
            if line[j] > 0.0:
                table[i, j] += line[j] * normal(seed, stream, names[rows[i]], time, j)
