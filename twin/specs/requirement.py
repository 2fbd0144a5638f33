"""A requirement on a run as a user writes it, such as "flows.command.reliability >= 99.9 % within 40 ms"."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from twin.errors import brief, choice, nearest
from twin.specs.figures import (
    COUNTS,
    FIGURES,
    FLOW_FIGURES,
    LOG_FIGURES,
    ROBOT_FIGURES,
    SENSING_FIGURES,
    Figure,
    percentile_of,
)
from twin.units import UNITS, QuantityError, parse_quantity

OPERATORS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
TAKE_OFF = -1
"""Stands for the instant at which a robot takes off: 1 m above where it started."""
_TEXT = re.compile(r"\s*((?:[\w.*-]|\[[^\]]*\])+)\s*([^\w\s.+-]+)\s*(\S.*?)\s*$")
_LONGEST = 1000
"""Letters of a requirement; blanks in one take time with the square of their number."""
_CLAUSE = re.compile(r"[\s,]+(within|survival|in any|after|until|in|at)\s+")
_NUMBER = re.compile(r"[\d.+-]+(?:[eE][+-]?\d+)?\s*")
_FLOW = re.compile(r"flows\.([\w-]+|\*)(?:\[([^\[\]>]+)>([^\[\]>]+)\]|\[([\w-]+)\])?(\[\*\])?\.([\w.]+)")
_ROBOT = re.compile(r"robots\.([\w-]+|\*)(?:\[(\*|\d+)\])?\.(\w+)")
_LOG = re.compile(r"logs\.([\w-]+)\.([\w.*-]+)\.(\w+)")
_EXAMPLE = "text such as 'rtt_p999 < 40 ms'"
_FAMILIES = {
    "flows": "flows.KIND.FIGURE, flows.KIND[GROUP].FIGURE, flows.KIND[SOURCE > DESTINATION].FIGURE",
    "robots": "robots.GROUP.FIGURE, robots.GROUP[*].FIGURE for each by itself",
    "logs": "logs.ROBOT.NAME.FIGURE",
    "sensing": "sensing.FIGURE",
    **{name: f"{name}.NAME, a count of `twin info`" for name in COUNTS},
}
_TAKES = {
    "flows": ("within", "survival", "in any", "after", "until", "in", "at"),
    "robots": ("in any", "after", "until", "in", "at"),
    "logs": ("after", "until", "at"),
}
_SERVICE = ("reliability", "availability", "mtbf", "survival_exceeded", "late", "pairs_in_time")


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a run a requirement speaks of; times in ns, None where nothing is stated."""

    family: str = ""  # empty: the whole run
    name: str = ""  # kind of packets, group, robot that logs, or name of a count; * for all
    source: str = "*"  # group or robot
    destination: str = "*"
    end: str = "*"  # group or robot at either end
    row: int | None = None  # one robot of the group
    each: bool = False  # each robot, or pair, by itself: the worst counts
    entry: str = ""  # that is logged
    within: int | None = None
    survival: int | None = None
    window: int | None = None
    after: int | None = None  # or TAKE_OFF
    until: int | None = None
    place: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in which document a requirement stands."""

    profile: str
    part: str
    document: str
    version: str
    clause: str
    verified: Literal["text", "secondary", "own"]  # what the value was checked against


@dataclass(frozen=True, slots=True)
class Requirement:
    """One figure of a run and its limit."""

    metric: str
    operator: str
    limit: float  # SI
    unit: str  # that people read it in; none for a count
    text: str
    figure: str = ""
    scope: Scope = field(default_factory=Scope)
    origin: Origin | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def bound(self) -> str:
        """Operator, limit and clauses as they were written."""
        return self.text.removeprefix(self.metric).strip()

    @property
    def kind(self) -> Figure:
        """What the figure means."""
        return figure_of(self.scope.family, self.figure)

    def shown(self, value: float) -> str:
        """Return a value of this metric [SI] in the requirement's unit."""
        dimension = self.kind.dimension
        scale = 1.0 if dimension is None else float(UNITS[dimension][self.unit])
        digits = 7 if self.unit == "%" else 4  # 99.9996 % is not 100 %
        return f"{value / scale:.{digits}g} {self.unit}" if self.unit else f"{value:g}"


def figure_of(family: str, figure: str) -> Figure:
    """Return what a figure means; that of a percentile is its base's.

    Raises:
        KeyError: there is no such figure.
    """
    if family == "":
        return FIGURES[figure]
    if family in COUNTS:
        return Figure(figure, trend="up")
    percentile = percentile_of(figure)
    if family == "logs":
        if figure not in LOG_FIGURES and percentile is None:
            raise KeyError(figure)
        return Figure(figure, "number", trend="up" if figure in ("count", "max") else "")
    if family == "flows" and percentile is not None and percentile[0] in ("latency", "age"):
        return FLOW_FIGURES[f"{percentile[0]}_mean"]
    if family == "flows" and figure.startswith("parts."):
        return FLOW_FIGURES["latency_mean"]
    if family == "robots" and percentile is not None and percentile[0] == "tracking":
        return ROBOT_FIGURES["tracking_rms"]
    return {"flows": FLOW_FIGURES, "robots": FIGURES | ROBOT_FIGURES, "sensing": SENSING_FIGURES}[family][figure]


def parse_requirement(text: object) -> Requirement:
    """Read `METRIC OPERATOR LIMIT CLAUSES`.

    Raises:
        ValueError: not of this form, no such metric, operator or clause, or a limit that isn't such a quantity.
    """
    if isinstance(text, Requirement):
        return text
    match = _TEXT.match(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"found {brief(text)}; allowed: {_EXAMPLE}")
    metric, sign, rest = match.groups()
    scope, figure = _subject(metric)
    if sign not in OPERATORS:
        raise ValueError(f"found {sign!r}; allowed: {', '.join(OPERATORS)}")
    limit, *clauses = _CLAUSE.split(rest)
    scope = _clauses(metric, figure, scope, clauses)
    written = f"{metric} {sign} {rest}"
    dimension = figure_of(scope.family, figure).dimension
    if dimension is None:
        return Requirement(metric, sign, _count(metric, limit), "", written, figure, scope)
    try:
        value = float(parse_quantity(limit, dimension))
    except QuantityError as error:
        raise ValueError(f"found {limit!r}; allowed: for {metric}, {error.expected}") from error
    unit = _NUMBER.sub("", limit) or next(iter(UNITS[dimension]))
    return Requirement(metric, sign, value, unit, written, figure, scope)


def _subject(metric: str) -> tuple[Scope, str]:
    """Return scope and figure of what stands before the operator."""
    family = metric.partition(".")[0]
    if "." not in metric:
        if metric not in FIGURES:
            allowed = ", ".join((*FIGURES, *_FAMILIES.values()))
            raise ValueError(f"found {metric!r}{choice(metric, FIGURES, allowed)}")
        return Scope(), metric
    if family not in _FAMILIES:
        raise ValueError(f"found {metric!r}{choice(family, _FAMILIES, '; '.join(_FAMILIES.values()))}")
    scope, figure = _scope(family, metric)
    try:
        figure_of(family, figure)
    except KeyError:
        raise ValueError(f"found {figure!r}{_allowed(family, figure)}") from None
    return scope, figure


def _scope(family: str, metric: str) -> tuple[Scope, str]:
    if family == "flows" and (match := _FLOW.fullmatch(metric)):
        kind, source, destination, end, each, figure = match.groups()
        ends = (source or "*").strip(), (destination or "*").strip()
        return Scope(family, kind, *ends, end=end or "*", each=each is not None), figure
    if family == "robots" and (match := _ROBOT.fullmatch(metric)):
        group, row, figure = match.groups()
        return Scope(family, group, row=int(row) if row and row != "*" else None, each=row == "*"), figure
    if family == "logs" and (match := _LOG.fullmatch(metric)):
        return Scope(family, match[1], entry=match[2]), match[3]
    if family in (*COUNTS, "sensing") and metric.count(".") == 1:
        return Scope(family, metric.partition(".")[2]), metric.partition(".")[2]
    raise ValueError(f"found {metric!r}; allowed: {_FAMILIES[family]}")


def _allowed(family: str, figure: str) -> str:
    names: dict[str, tuple[str, ...]] = {
        "flows": (*FLOW_FIGURES, "latency_pNN", "age_pNN", "parts.NAME"),
        "robots": (*ROBOT_FIGURES, "tracking_pNN", *(name for name in FIGURES if name not in ROBOT_FIGURES)),
        "logs": (*LOG_FIGURES, "pNN"),
        "sensing": tuple(SENSING_FIGURES),
    }
    return choice(figure, names[family])


def _clauses(metric: str, figure: str, scope: Scope, words: list[str]) -> Scope:
    """Add `within 40 ms`, `in any 10 s` and so on to a scope."""
    takes = _TAKES.get(scope.family, ("at",) if not scope.family else ())
    for word, value in zip(words[::2], words[1::2], strict=True):
        if word not in takes or (word in ("within", "survival") and figure not in _SERVICE):
            allowed = [one for one in takes if one not in ("within", "survival") or figure in _SERVICE]
            raise ValueError(f"found {word!r} after {metric}; allowed: {', '.join(allowed) or 'no clause'}")
        match word:
            case "at":
                scope = replace(scope, confidence=_confidence(value))
            case "in":
                scope = replace(scope, place=value)
            case "after" if value == "take-off":
                scope = replace(scope, after=TAKE_OFF)
            case _:
                name = "window" if word == "in any" else word
                scope = replace(scope, **{name: _time(word, value)})  # type: ignore[arg-type]
    return scope


def clauses_of(family: str, text: str, scope: Scope) -> Scope:
    """Add clauses that stand alone, such as `after take-off in corridor`, to a scope.

    Raises:
        ValueError: there is something else, or a clause that can't be said here.
    """
    first, *words = _CLAUSE.split(f" {text}") if text else [""]
    if first.strip():
        raise ValueError(f"found {text!r}; allowed: clauses such as {', '.join(_TAKES[family])}")
    return _clauses(family, "", scope, words)


def _time(word: str, value: str) -> int:
    try:
        time = round(float(parse_quantity(value, "time")) * 1e9)
    except QuantityError as error:
        other = " or take-off" if word == "after" else ""
        raise ValueError(f"found {value!r} after {word!r}; allowed: {error.expected}{other}") from error
    if time < 0 or (time == 0 and word in ("in any", "until")):
        raise ValueError(f"found {value!r} after {word!r}; allowed: more than 0 s")
    return time


def _confidence(value: str) -> float:
    try:
        found = float(parse_quantity(value, "share"))
    except QuantityError:
        found = 0.0
    if not 0.5 <= found < 1.0:
        raise ValueError(f"found {value!r} after 'at'; allowed: a confidence from 50 % to below 100 %, such as 99 %")
    return found


def _count(metric: str, limit: str) -> float:
    if not re.fullmatch(r"\d+", limit):
        raise ValueError(f"found {limit!r}; allowed: for {metric}, a whole number without a unit")
    return float(limit)


def misfits(scope: Scope, robots: Mapping[str, int], places: Iterable[str], duration: int) -> list[str]:
    """Return what of a scope isn't in a scenario of `duration` ns: robots (group -> how many), places, times."""
    names = {*robots, *(f"{group}-{row}" for group, count in robots.items() if count > 1 for row in range(count))}
    groups = ", ".join(robots)
    found = []
    ends = {"flows": (scope.source, scope.destination, scope.end), "robots": (scope.name,), "logs": (scope.name,)}
    for name in ends.get(scope.family, ()):
        if name != "*" and name not in names:
            found.append(f"found {name!r}; allowed: a group or robot: {groups}{nearest(name, names)}")
        elif scope.row is not None and scope.row >= robots.get(name, 0):
            found.append(f"found {name}[{scope.row}]; allowed: robots 0 to {robots.get(name, 0) - 1} of that group")
    if scope.place and scope.place not in places:
        there = ", ".join(places) or "none: they are tables [places.NAME]"
        found.append(f"found {scope.place!r}; allowed: one of places: {there}{nearest(scope.place, places)}")
    spell = f"the run's {duration / 1e9:g} s"
    start, stop = max(scope.after or 0, 0), scope.until or duration
    if scope.window is not None and scope.window > min(stop, duration) - start:
        found.append(f"found a window of {scope.window / 1e9:g} s; allowed: at most what is looked at of {spell}")
    if start >= duration or stop > duration or start >= stop:
        found.append(f"found {start / 1e9:g} to {stop / 1e9:g} s; allowed: a part of {spell}")
    return found
