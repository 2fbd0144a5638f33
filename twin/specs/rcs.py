"""`[rcs]` of a robot.toml: what a body sends back of a wave, after TR 38.901, 7.9.2."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twin.specs.base import Spec
from twin.units import Dbsm, Metres

RcsModel = Literal["uav-small", "uav-large", "human", "vehicle", "agv", "point"]


class RcsSpec(Spec):
    """The radar cross-section of a body: a target of TR 38.901, or a point of constant cross-section.

    x of the body's axes is its front, z its roof.
    """

    model: RcsModel
    mean: Dbsm | None = None  # of a point
    size: Metres | None = Field(default=None, gt=0)  # longest extent, by which it fades as it turns; None: by the model
    fluctuation: bool = True  # sigma_S and cross-polarisation; a point has neither

    @model_validator(mode="after")
    def _means_a_point(self) -> Self:
        if (self.model == "point") != (self.mean is not None):
            found = "a point without `mean`" if self.mean is None else f"`mean` of {self.model}"
            raise ValueError(f'found {found}; allowed: `mean`, such as "0 dBsm", of model = "point", and of no other')
        return self
