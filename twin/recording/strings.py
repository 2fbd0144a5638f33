"""Texts of a recording by their number in its table `strings`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.errors import RecordingError

_BLOCK = 1024  # texts read at once
_BLOCKS = 64  # kept in memory
_LARGEST = 1 << 26  # bytes of one block
_LARGEST_ARRAY = 1 << 28  # characters of an array of texts


class _Rows(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, key: slice) -> NDArray[Any]: ...


class Strings:
    """Reads texts in blocks and keeps the newest of them."""

    def __init__(self, path: Path, ends: _Rows, utf8: _Rows) -> None:
        self._path, self._ends, self._utf8 = path, ends, utf8
        self._blocks: dict[int, list[str]] = {}

    def __getitem__(self, code: int) -> str:
        if not 0 <= code < len(self._ends):
            raise RecordingError(f"{self._path}: has no text {code}, only {len(self._ends)}: damaged")
        block, place = divmod(int(code), _BLOCK)
        if place >= len(self._blocks.get(block, ())):
            if len(self._blocks) >= _BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = self._load(block * _BLOCK)
        return self._blocks[block][place]

    def texts(self, codes: NDArray[Any]) -> list[str]:
        """Return the texts of numbers (n,), each as it was written."""
        known = {code: self[code] for code in np.unique(codes).tolist()}
        return [known[code] for code in codes.tolist()]

    def decode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the texts of an array of numbers, same shape, as numpy holds them: without NULs at their ends."""
        unique, inverse = np.unique(codes, return_inverse=True)
        found = [self[code] for code in unique]
        if max(map(len, found), default=0) * codes.size > _LARGEST_ARRAY:
            raise RecordingError(f"{self._path}: its texts are too long to be held {codes.size} times at once")
        texts = np.array(found, dtype=np.str_)
        return texts[inverse].reshape(codes.shape)

    def _load(self, first: int) -> list[str]:
        start = int(self._ends[first - 1 : first][0]) if first else 0
        ends = self._ends[first : first + _BLOCK].tolist()
        stop = ends[-1] if ends else start
        bounds = [start, *ends]
        if not 0 <= stop - start <= _LARGEST or bounds != sorted(bounds) or stop > len(self._utf8):
            raise RecordingError(f"{self._path}: the table of strings is damaged")
        data = self._utf8[start:stop].tobytes()
        try:
            return [data[a - start : b - start].decode() for a, b in pairwise(bounds)]
        except UnicodeDecodeError as error:
            raise RecordingError(f"{self._path}: text/utf8 is damaged: {error}") from error
