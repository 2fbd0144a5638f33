"""Draws of many at once, by the names of what they are for: `draws.uniform` and `draws.normal` over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.numerics.draws import Key
from twin.state import F64, I64

U64 = NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def _mix(z: U64) -> U64:
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return np.asarray(z ^ (z >> _S31))


def uniforms(seed: int, stream: Key, entity: U64, sequence: int, attempt: I64) -> F64:
    """Return the draws of `draws.uniform` for arrays `entity` and `attempt`, broadcast against each other."""
    z = _mix(np.array([np.uint64(seed)]) + _GOLDEN)
    z = _mix((z ^ np.uint64(stream)) + _GOLDEN)
    z = _mix((z ^ entity) + _GOLDEN)
    z = _mix((z ^ np.uint64(sequence)) + _GOLDEN)
    z = _mix((z ^ attempt.astype(np.uint64)) + _GOLDEN)
    return np.asarray(((z >> _S11) + 0.5) * 2.0**-53)


def normals(seed: int, stream: Key, entity: U64, sequence: int, attempt: I64) -> F64:
    """Return the draws of `draws.normal` for arrays `entity` and `attempt`, broadcast against each other."""
    radius = np.sqrt(-2.0 * np.log(uniforms(seed, stream, entity, sequence, 2 * attempt)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniforms(seed, stream, entity, sequence, 2 * attempt + 1)))
