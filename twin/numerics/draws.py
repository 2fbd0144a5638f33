"""Counter-based random draws: each is a function of what it is for, never of how many were made before it.

u(seed, stream, entity, sequence, attempt): adding a robot changes nobody else's draws, and a kernel may
evaluate them in any order. The mixer is SplitMix64's finaliser (Steele, Lea, Flood: Fast splittable
pseudorandom number generators, OOPSLA 2014), applied once per word.
"""

from __future__ import annotations

import hashlib

import numpy as np

from twin.numerics.kernels import kernel

Key = int | np.uint64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def key(name: str) -> np.uint64:
    """Return the 64-bit key of a stream, entity or flow by its name."""
    return np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one subsystem or robot, spawned from the scenario's seed by name."""
    words = [int(key(name)) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


@kernel
def _mix(z: np.uint64) -> np.uint64:
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def uniform(seed: int, stream: Key, entity: Key, sequence: int, attempt: int) -> float:
    """Return a draw in the open interval (0, 1), on a grid of 2**-53."""
    z = _mix(np.uint64(seed) + _GOLDEN)
    z = _mix((z ^ stream) + _GOLDEN)
    z = _mix((z ^ entity) + _GOLDEN)
    z = _mix((z ^ np.uint64(sequence)) + _GOLDEN)
    z = _mix((z ^ np.uint64(attempt)) + _GOLDEN)
    draw: float = ((z >> _S11) + 0.5) * 2.0**-53
    return draw


@kernel
def normal(seed: int, stream: Key, entity: Key, sequence: int, attempt: int) -> float:
    """Return a standard normal draw (Box-Muller on two uniform draws)."""
    radius = np.sqrt(-2.0 * np.log(uniform(seed, stream, entity, sequence, 2 * attempt)))
    draw: float = radius * np.cos(2.0 * np.pi * uniform(seed, stream, entity, sequence, 2 * attempt + 1))
    return draw
