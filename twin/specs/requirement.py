"""A requirement on a run as a user writes it, such as "rtt_p999 < 40 ms"."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from twin.errors import nearest
from twin.specs.figures import FIGURES
from twin.units import UNITS, QuantityError, parse_quantity

OPERATORS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
_TEXT = re.compile(r"\s*(\w+)\s*([^\w\s.+-]+)\s*(\S.*?)\s*$")
_NUMBER = re.compile(r"[\d.+-]+(?:[eE][+-]?\d+)?\s*")
_EXAMPLE = "text such as 'rtt_p999 < 40 ms'"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One figure of a run and its limit."""

    metric: str
    operator: str
    limit: float  # SI
    unit: str  # that people read it in; none for a count
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def bound(self) -> str:
        """Operator and limit as they were written."""
        return self.text.removeprefix(self.metric).strip()

    def shown(self, value: float) -> str:
        """Return a value of this metric [SI] in the requirement's unit."""
        dimension = FIGURES[self.metric].dimension
        scale = 1.0 if dimension is None else float(UNITS[dimension][self.unit])
        return f"{value / scale:.4g} {self.unit}" if self.unit else f"{value:g}"


def parse_requirement(text: object) -> Requirement:
    """Read `METRIC OPERATOR LIMIT`.

    Raises:
        ValueError: not of this form, no such metric or operator, or a limit that isn't such a quantity.
    """
    if isinstance(text, Requirement):
        return text
    match = _TEXT.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"found {text!r}; allowed: {_EXAMPLE}")
    metric, sign, limit = match.groups()
    if metric not in FIGURES:
        raise ValueError(f"found {metric!r}; allowed: {', '.join(FIGURES)}{nearest(metric, FIGURES)}")
    if sign not in OPERATORS:
        raise ValueError(f"found {sign!r}; allowed: {', '.join(OPERATORS)}")
    dimension = FIGURES[metric].dimension
    if dimension is None:
        return Requirement(metric, sign, _count(metric, limit), "", f"{metric} {sign} {limit}")
    try:
        value = float(parse_quantity(limit, dimension))
    except QuantityError as error:
        raise ValueError(f"found {limit!r}; allowed: for {metric}, {error.expected}") from error
    unit = _NUMBER.sub("", limit) or next(iter(UNITS[dimension]))
    return Requirement(metric, sign, value, unit, f"{metric} {sign} {limit}")


def _count(metric: str, limit: str) -> float:
    if not re.fullmatch(r"\d+", limit):
        raise ValueError(f"found {limit!r}; allowed: for {metric}, a whole number without a unit")
    return float(limit)
