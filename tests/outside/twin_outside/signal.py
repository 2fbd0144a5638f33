"""A sensor that reads links: how strong the best cell is."""

from typing import Literal

import numpy as np

from twin.protocols import Field
from twin.specs import ReadingSpec
from twin.state import Sample


class SignalSpec(ReadingSpec):
    """A receiver that measures the power of cells."""

    kind: Literal["signal"]


class Signal:
    """Reads received (1,): dBm of the best cell, as of the last trace."""

    Spec = SignalSpec

    def __init__(self, spec, setting):
        radios, self._owners = setting.radios, setting.nodes
        self._owner = np.array([radio.owner for radio in radios])
        self._power = np.array([radio.power_dbm if radio.role == "cell" else -np.inf for radio in radios])

    @staticmethod
    def fields(spec, kind):
        """Return what a reading is made of."""
        return {"received": Field(1, "dBm", "from the best cell", 0.0, "dB")}

    def read(self, truth, index, rows):
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        links = truth.links
        best = np.full(self._owner.max() + 1, -np.inf)
        for mine, other in ((links.a, links.b), (links.b, links.a)):
            np.maximum.at(best, self._owner[mine], links.path_gain_db + self._power[other])
        return [Sample(links.time, {"received": best[self._owners[row], None]}) for row in rows]
