"""What a plan.toml asks: where sites may stand, what they cost, which spectrum there is, what must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twin.specs import Spec
from twin.specs.base import Coordinate, Point
from twin.specs.mistakes import Key, Mistakes
from twin.specs.radio import AntennaSpec
from twin.specs.toml_text import read_toml, validate
from twin.units import DurationNs, GainDb, Hertz, Metres, PowerDbm, RainRate

Money = Annotated[float, Field(ge=0, le=1e15)]
"""In the plan's currency."""
ROOF, POLE = "roof", "street"


class RoofsSpec(Spec):
    """Masts at corners and in the middle of roofs that see the sky."""

    least_height: Metres = Field(default=6.0, ge=0)  # of the roof above the ground
    inset: Metres = Field(default=1.0, ge=0)  # from the roof's edges
    mast: Metres = Field(default=3.0, gt=0)  # of the antenna above the roof
    separation: Metres = Field(default=40.0, gt=0)  # between two candidates
    most: int = Field(default=45, ge=1, le=1000)


class StreetsSpec(Spec):
    """Poles on open ground beside walls."""

    pole: Metres = Field(default=8.0, gt=2)
    wall: tuple[Metres, Metres] = (1.5, 8.0)  # nearest and farthest that the next wall may be
    grid: Metres = Field(default=20.0, gt=0)  # of the points that are looked at
    separation: Metres = Field(default=60.0, gt=0)
    most: int = Field(default=15, ge=1, le=1000)


class GridSpec(Spec):
    """Points of a grid at one height: cells under a ceiling, or on moored platforms."""

    height: Metres  # above the ground, which may be under water
    step: Metres = Field(gt=0)
    area: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None  # x0, y0, x1, y1; None: the whole site
    separation: Metres = Field(default=1.0, gt=0)
    most: int = Field(default=15, ge=1, le=1000)


class CandidatesSpec(Spec):
    """Where base stations may stand."""

    roofs: RoofsSpec | None = None
    streets: StreetsSpec | None = None
    grids: dict[str, GridSpec] = {}  # the names are kinds
    file: Path | None = None  # CSV: name, x, y, z above the ground, kind and, if wanted, cost
    keep: tuple[str, ...] = ()  # robots of the scenario that stand already and cost nothing more
    azimuths: int = Field(default=8, ge=1, le=36)  # of antennas that aren't the same all round
    reach: Metres = Field(default=500.0, gt=0)  # beyond which from the mission nothing is a candidate
    least_sight: float = Field(default=0.02, ge=0, lt=1)  # share of the mission's places that a candidate must see

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.roofs or self.streets or self.grids or self.file):
            raise ValueError("names no place; allowed: one at least of roofs, streets, grids and file")
        if taken := {ROOF, POLE} & self.grids.keys():
            raise Mistakes([(("grids", min(taken)), f"is the kind of {'roofs' if ROOF in taken else 'streets'}")])
        return self


class KindSpec(Spec):
    """What a site of one kind costs, apart from what is on it."""

    build: Money = 0.0
    rent: Money = 0.0  # a year
    mast: Money = 0.0  # a metre of it


class PlanRadioSpec(Spec):
    """The radio that a site gets on a carrier."""

    power: PowerDbm = 38.0
    per_mhz: bool = False  # `power` is in each MHz of the carrier
    gain: GainDb = 0.0
    noise_figure: GainDb = 7.0
    antenna: AntennaSpec = AntennaSpec()


class PlanCarrierSpec(Spec):
    """A carrier of the scenario, by its name there: what sites get on it, and what it may become."""

    radio: PlanRadioSpec = PlanRadioSpec()
    equipment: Money = 0.0  # of a radio
    watts: float = Field(default=0.0, ge=0)  # that a radio takes
    licence: Money = 0.0  # a MHz, once for all sites
    bandwidths: tuple[Hertz, ...] = ()  # to choose from; none: as in the scenario
    patterns: tuple[str, ...] = ()


class BackhaulSpec(Spec):
    """Fibre from each site to the nearest of some points, along streets that go north and east."""

    points: tuple[Point, ...] = Field(min_length=1)
    metre: Money = 0.0
    rate: float = Field(default=10e9, gt=0)  # bit/s of a fibre
    end: Money = 0.0  # of a fibre's equipment


class EdgeSpec(Spec):
    """Servers that run the controllers."""

    server: Money = 0.0
    load: float = Field(default=0.7, gt=0, le=1)  # share of its time that a server may be at work


class RobustSpec(Spec):
    """What a plan must stand: the worst of all of these counts."""

    seeds: tuple[int, ...] = (1,)
    margin: tuple[GainDb, ...] = (0.0,)  # that every link may be worse
    rain: tuple[RainRate, ...] = ()  # none: as in the scenario
    traffic: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)  # times the load


class SitingSpec(Spec):
    """A plan.toml."""

    schema_: Literal[1] = Field(alias="schema")
    budget: Money | None = None  # None: the least money with which nobody is ever lost
    currency: str = Field(default="EUR", max_length=12)
    years: float = Field(default=5.0, gt=0)
    energy: Money = 0.0  # a kWh
    step: Annotated[DurationNs, Field(gt=0)] = 100_000_000  # between two looks at the mission's links
    threshold: GainDb = 2.0  # above q_in, from which a link serves
    redundancy: int = Field(default=1, ge=1, le=4)  # sites that serve at once
    plans: int = Field(default=3, ge=1, le=50)  # different ones that are looked for
    candidates: CandidatesSpec
    kinds: dict[str, KindSpec]
    carriers: dict[str, PlanCarrierSpec] = Field(min_length=1)
    backhaul: BackhaulSpec | None = None
    edge: EdgeSpec = EdgeSpec()
    robust: RobustSpec = RobustSpec()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        own = self.candidates
        used = [name for name, there in ((ROOF, own.roofs), (POLE, own.streets)) if there]
        wrong: list[tuple[Key, str]] = [
            (("kinds", kind), "missing: what does such a site cost?")
            for kind in (*used, *own.grids) if kind not in self.kinds
        ]  # fmt: skip
        for name in ("seeds", "margin", "traffic"):
            if not getattr(self.robust, name):
                wrong.append((("robust", name), "found a list of 0; allowed: one at least"))
        if wrong:
            raise Mistakes(wrong)
        return self


def read_siting(file: Path) -> SitingSpec:
    """Return what a plan.toml asks; its paths are those of files beside it.

    Raises:
        ScenarioError: everything that is wrong with it.
    """
    data, text = read_toml(file)
    spec = validate(SitingSpec, data, file=file, text=text)
    if spec.candidates.file is None:
        return spec
    own = spec.candidates.model_copy(update={"file": file.parent / spec.candidates.file})
    return spec.model_copy(update={"candidates": own})
