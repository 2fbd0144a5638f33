"""Schedulers of one's own: a function of a package that the compiled kernels call by its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
from llvmlite import ir
from numba.extending import intrinsic

from twin.errors import PluginError
from twin.numerics.kernels import kernel


class Candidate(NamedTuple):
    """A link with something to send, as a scheduler sees it in one occasion; the one with most is served first."""

    now: int  # ns
    deadline: int  # ns, the first at which the delay budget of a waiting packet ends; 2^62: none waits
    ready: int  # ns, since when the first packet of its most urgent class has waited; 2^62: none waits
    priority: int  # of that class, 1 before 127
    waiting: int  # bytes, as far as the cell knows
    served: int  # ns, when it was served last
    efficiency: float  # bits per resource element that its next block is expected to carry
    average: float  # bits, sent in the last `pf_time`, older ones fading away


_TYPES = numba.float64(*[numba.int64] * 6, numba.float64, numba.float64)


def compiled(name: str, metric: Callable[[Candidate], float]) -> Any:
    """Compile a scheduler, a function `metric(candidate) -> float`; its `address` holds as long as it does.

    Raises:
        PluginError: numba can't compile it.
    """
    if not callable(metric):
        raise PluginError(f"scheduler {name!r}: found {metric!r}; allowed: a function metric(candidate) -> float")
    inner = kernel(metric)

    def entry(
        now: int, deadline: int, ready: int, priority: int, waiting: int, served: int, efficiency: float, average: float
    ) -> float:
        return inner(Candidate(now, deadline, ready, priority, waiting, served, efficiency, average))

    try:
        return numba.cfunc(_TYPES)(entry)
    except numba.core.errors.NumbaError as error:
        raise PluginError(f"scheduler {name!r} can't be compiled: {error}") from error


def _called(typing_context: Any, address: Any, candidate: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        where, values = arguments
        given = [builder.extract_value(values, i) for i in range(len(candidate))]
        kind = ir.FunctionType(context.get_value_type(numba.float64), [value.type for value in given])
        return builder.call(builder.inttoptr(where, kind.as_pointer()), given)

    return numba.float64(numba.int64, candidate), generate


called: Any = intrinsic(_called)
"""In kernels: return what the function at an address says of a candidate."""
