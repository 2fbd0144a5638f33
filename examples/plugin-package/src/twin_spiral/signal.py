"""A sensor that reads links: how much power of the best cell a robot receives."""

from typing import Literal

import numpy as np

from twin.controller import Field, ReadingSpec, Sample


class SignalSpec(ReadingSpec):
    """`[[sensors]]` with `kind = "signal"`; `rate` and `delay` are those of all sensors."""

    kind: Literal["signal"]


class Signal:
    """Reads `received` (1,): dBm from the best cell, as of the last trace."""

    Spec = SignalSpec

    def __init__(self, spec, setting):
        self._robots = setting.nodes
        self._owner = np.array([radio.owner for radio in setting.radios])
        self._power = np.array([radio.power_dbm if radio.role == "cell" else -np.inf for radio in setting.radios])

    @staticmethod
    def fields(spec, kind):
        """Return what a reading is made of."""
        return {"received": Field(1, "dBm", "from the best cell", 0.0, "dB")}

    def read(self, truth, index, rows):
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        links, best = truth.links, np.full(self._owner.max() + 1, -np.inf)
        for mine, other in ((links.a, links.b), (links.b, links.a)):
            np.maximum.at(best, self._owner[mine], links.path_gain_db + self._power[other])
        return [Sample(links.time, {"received": best[self._robots[row], None]}) for row in rows]
