"""Texts of a recording by their number in its table `strings`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError

_BLOCK = 1024  # texts read at once
_BLOCKS = 64  # kept in memory
_LARGEST = 1 << 26  # bytes of one block


class _Rows(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, key: slice) -> NDArray[Any]: ...


class Strings:
    """Reads texts in blocks and keeps the newest of them."""

    def __init__(self, ends: _Rows, utf8: _Rows) -> None:
        self._ends, self._utf8 = ends, utf8
        self._blocks: dict[int, list[str]] = {}

    def __getitem__(self, code: int) -> str:
        block, place = divmod(int(code), _BLOCK)
        if place >= len(self._blocks.get(block, ())):
            if len(self._blocks) >= _BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = self._load(block * _BLOCK)
        if place >= len(self._blocks[block]):
            raise RecordingError(f"text {code} is not among the {len(self._ends)} recorded: damaged")
        return self._blocks[block][place]

    def decode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the texts of an array of numbers, same shape."""
        unique, inverse = np.unique(codes, return_inverse=True)
        texts = np.array([self[code] for code in unique], dtype=np.str_)
        return texts[inverse].reshape(codes.shape)

    def _load(self, first: int) -> list[str]:
        start = int(self._ends[first - 1 : first][0]) if first else 0
        ends = self._ends[first : first + _BLOCK].tolist()
        stop = ends[-1] if ends else start
        bounds = [start, *ends]
        if not 0 <= stop - start <= _LARGEST or bounds != sorted(bounds) or stop > len(self._utf8):
            raise RecordingError("the table of strings is damaged")
        data = self._utf8[start:stop].tobytes()
        return [data[a - start : b - start].decode() for a, b in zip(bounds, ends, strict=False)]
