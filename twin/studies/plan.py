"""What a sweep runs: a scenario, what is varied in it, and with which seeds; a sweep.toml, or options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor, log10
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import tomli_w
from pydantic import Field, model_validator

from twin.errors import ScenarioError
from twin.specs import Spec
from twin.specs.mistakes import Key, Mistakes
from twin.specs.toml_text import read_toml, validate
from twin.state import F64
from twin.units import DurationNs

_NUMBER = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*")
_DESIGN = re.compile(r"(lhs|sobol|saltelli):([1-9][0-9]*)")
_SEEDS = re.compile(r"([0-9]+):([0-9]+)")
_MOST_SEEDS = 10**12
Value = str | int | float | bool


class Limits(Spec):
    """What one run may use before it is ended."""

    wall: Annotated[DurationNs, Field(gt=0)] = 3600 * 10**9  # ns, by the wall clock
    memory: int | None = Field(default=None, gt=0)  # MB, beyond what every run has


class Plan(Spec):
    """A sweep: every value of `grid` with every sample of `range`, each with every seed."""

    scenario: str
    set: dict[str, Value | tuple[Any, ...] | dict[str, Any]] = {}  # in all runs
    grid: dict[str, tuple[Value, ...]] = {}
    range: dict[str, tuple[Value, Value]] = {}  # from, to
    design: str = "lhs:100"  # of the ranges: lhs, sobol or saltelli, and how many samples
    seeds: str | tuple[int, ...] = (1,)  # "1:20" is from 1 to 20
    record: Literal["none", "failed", "all"] = "none"
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong: list[tuple[Key, str]] = [
            (("grid", key), "found no value; allowed: one at least") for key, of in self.grid.items() if not of
        ]
        if not _DESIGN.fullmatch(self.design):
            wrong.append((("design",), f"found {self.design!r}; allowed: lhs:N, sobol:N or saltelli:N"))
        for key, ends in self.range.items():
            if len({parted(end)[1] for end in ends}) > 1 or None in {parted(end)[0] for end in ends}:
                wrong.append((("range", key), f"found {ends[0]} to {ends[1]}; allowed: two numbers of one unit"))
        if isinstance(self.seeds, str) and not self._stated_seeds():
            wrong.append((("seeds",), f'found {self.seeds!r}; allowed: FIRST:LAST such as "1:20", or a list'))
        kind, _, count = self.design.partition(":")
        if kind == "saltelli" and count.isdigit() and int(count) & (int(count) - 1):
            wrong.append((("design",), f"found {self.design!r}; allowed: a power of 2 after saltelli"))
        if twice := self.grid.keys() & self.range.keys():
            wrong.append((("range", min(twice)), "is in the grid as well"))
        if wrong:
            raise Mistakes(wrong)
        return self

    def _stated_seeds(self) -> Sequence[int]:
        if not isinstance(self.seeds, str):
            return self.seeds
        found = _SEEDS.fullmatch(self.seeds)
        return [] if found is None else _between(int(found[1]), int(found[2]))

    @property
    def first_seed(self) -> int:
        """The seed of the first run of each point."""
        return self._stated_seeds()[0]

    @property
    def size(self) -> int:
        """How many runs it has."""
        count = len(self._stated_seeds()) * self.samples
        for values in self.grid.values():
            count *= len(values)
        return count

    @property
    def samples(self) -> int:
        """How many samples of its ranges it has; 1 without a range."""
        kind, count = self._designed()
        return count * (len(self.range) + 2 if kind == "saltelli" else 1) if self.range else 1

    def _designed(self) -> tuple[str, int]:
        found = _DESIGN.fullmatch(self.design)
        assert found is not None, "it was checked"
        return found[1], int(found[2])

    def points(self) -> Iterator[Point]:
        """Yield all runs: the grid's last key changes fastest, then the samples, then the seeds."""
        for chosen in product(*self.grid.values()):
            for sample in self._sampled():
                for seed in self._stated_seeds():
                    yield Point({**dict(zip(self.grid, chosen, strict=True)), **sample}, seed)

    def _sampled(self) -> list[dict[str, Value]]:
        """Return the samples of the ranges, the same each time that the plan is read."""
        if not self.range:
            return [{}]
        unit = _unit(*self._designed(), len(self.range))
        samples = []
        for row in unit:
            sample: dict[str, Value] = {}
            for share, (key, ends) in zip(row, self.range.items(), strict=True):
                (low, name), (high, _) = parted(ends[0]), parted(ends[1])
                assert low is not None and high is not None, "it was checked"
                number = rounded(low + share * (high - low), max(abs(low), abs(high)))
                sample[key] = f"{number:.12g} {name}" if name else number
            samples.append(sample)
        return samples

    def to_toml(self) -> str:
        """Return it as text that reads back the same."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a sweep: what it sets besides what all set, and its seed."""

    values: dict[str, Value]
    seed: int


def _unit(kind: str, count: int, parameters: int) -> F64:
    """Return samples between 0 and 1, one a row.

    Of `saltelli` these are two sets A and B of Sobol's points, then A with each column in turn from B: what Sobol'
    indices are made of (Saltelli et al. 2010).
    """
    from scipy.stats import qmc  # a second of import

    if kind != "saltelli":
        found: F64 = (qmc.LatinHypercube if kind == "lhs" else qmc.Sobol)(parameters, rng=1).random(count)
        return found
    a, b = np.hsplit(qmc.Sobol(2 * parameters, rng=1).random(count), 2)
    mixed = [np.where(np.arange(parameters) == column, b, a) for column in range(parameters)]
    return np.concatenate([a, b, *mixed])


def read_plan(file: Path, changes: dict[str, Any] | None = None) -> Plan:
    """Return the plan of a sweep.toml, with `changes` of its tables: of [set], [grid] and so on, key by key.

    Raises:
        ScenarioError: everything that is wrong with it.
    """
    data, text = read_toml(file)
    for name, change in (changes or {}).items():
        stated = data.get(name)
        data[name] = {**stated, **change} if isinstance(stated, dict) and isinstance(change, dict) else change
    return validate(Plan, data, file=file, text=text)


def is_plan(file: Path) -> bool:
    """Tell whether a TOML file is a sweep, not a scenario."""
    return file.suffix == ".toml" and file.is_file() and "scenario" in read_toml(file)[0]


def overrides(plan: Plan, point: Point) -> list[tuple[str, Any]]:
    """Return what a run changes in its scenario; kinds first, since a kind resets its table."""
    shared = {key: list(value) if isinstance(value, tuple) else value for key, value in plan.set.items()}
    changes = {**shared, **point.values, "seed": point.seed}
    return sorted(changes.items(), key=lambda item: not item[0].endswith(".kind"))


def _between(first: int, last: int) -> Sequence[int]:
    if last < first or last - first >= _MOST_SEEDS:
        allowed = f"the first seed, then the last, {_MOST_SEEDS:,} seeds at most"
        raise ScenarioError(f"found {first}:{last}; allowed: {allowed}", key="seeds")
    return range(first, last + 1)


def rounded(value: float, largest: float) -> float:
    """Return a value to six digits of the largest that it may have, so that times near 0 have no parts of a ns."""
    return float(f"{round(value, 5 - floor(log10(largest or 1.0))):.12g}")


def parted(value: Value) -> tuple[float | None, str]:
    """Return number and unit of a quantity."""
    found = _NUMBER.fullmatch(str(value))
    return (None, "") if found is None else (float(found[1]), found[2])
