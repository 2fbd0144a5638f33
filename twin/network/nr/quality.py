"""What base stations know of the channel: CQI and sounding, quantised, periodic and late."""

from __future__ import annotations

import numpy as np

from twin.network.nr.carrier import Carrier
from twin.network.nr.link_adaptation import cqi_thresholds
from twin.network.nr.mcs import CQI_TABLES
from twin.network.nr.phy import qam
from twin.state import F64, I64

REFERENCE_ELEMENTS = 12 * 11 * 16
"""REs of a CSI reference resource: 12 symbols less one with DM-RS, 16 PRBs (TS 38.214 5.2.2.5)."""


class QualityReports:
    """Measures the links of one carrier at traces and hands the values on after the reporting delay."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        table = CQI_TABLES[carrier.spec.mcs_table]
        target = 1e-5 if carrier.spec.mcs_table == "qam64LowSE" else 0.1
        self.thresholds = cqi_thresholds(qam(), table, REFERENCE_ELEMENTS, target)
        self._due, self._since = -1, 0
        self._on_the_way: list[tuple[int, F64, F64]] = []

    def update(self, time: int, serving: I64) -> None:
        """Measure where a period has begun, and report what has become known by `time` [ns]."""
        spec = self.carrier.spec
        first = self._due < 0
        if time >= self._due:
            self._due = (time // max(spec.cqi_period, 1) + 1) * spec.cqi_period
            self._on_the_way.append((time if first else time + spec.cqi_delay, *self._measure(time, serving)))
        known = [values for visible, *values in self._on_the_way if visible <= time]
        if known:
            self.carrier.report(*known[-1])
            self._on_the_way = [entry for entry in self._on_the_way if entry[0] > time]

    def _measure(self, time: int, serving: I64) -> tuple[F64, F64]:
        """Return ratios [dB] of uplinks and downlinks, (T,), with the mean interference of late."""
        load, rise = self._interference(time)
        up, down = self.carrier.quality(time, load, rise, serving)
        down_db = _decibel(down)
        index = np.searchsorted(self.thresholds, down_db, side="right") - 1
        cqi_db = np.where(index >= 0, self.thresholds[np.maximum(index, 0)], -np.inf)
        detached = serving < 0
        return np.where(detached, -np.inf, _decibel(up)), np.where(detached, -np.inf, cqi_db)

    def _interference(self, time: int) -> tuple[F64, F64]:
        """Return mean load and uplink interference to noise of each beam since the last measurement, (R, G)."""
        s, grid = self.carrier.state, self.carrier.grid
        periods = max((time - self._since) / grid.period, 1e-9)
        load = s.load_sum / (periods * grid.downlink.shape[1])
        rise = s.rise_sum / (periods * grid.uplink.shape[1])
        s.load_sum[:] = s.rise_sum[:] = 0.0
        self._since = time
        return np.minimum(load, 1.0), rise


def _decibel(ratio: F64) -> F64:
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(ratio)
