"""A task: be carried along by the wind."""

from typing import Literal

import numpy as np

from twin.specs import Spec
from twin.state import Reference
from twin.tasks.site import NOWHERE


class DriftSpec(Spec):
    """Start at a point, and follow the wind."""

    kind: Literal["drift"]
    start: tuple[float, float, float]
    apart: float = 5.0  # m north of each other


class Drift:
    """Robot i starts i times `apart` north of the first."""

    Spec = DriftSpec

    def __init__(self, spec, count, site=NOWHERE):
        self.spec = spec

    def start(self, row):
        """Return where robot `row` is at time 0."""
        place = np.array(self.spec.start) + (0.0, row * self.spec.apart, 0.0)
        return Reference(place, np.zeros(3), np.zeros(3), 0.0)

    def judge(self, group, nodes):
        """Judge nothing."""
        return None
