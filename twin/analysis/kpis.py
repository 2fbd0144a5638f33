"""Key performance indicators of a run's network, with the names that 3GPP gives to the same quantity.

TS 28.552 and TS 28.554 measure a mobile network; here the same quantities are taken between the ends of a flow,
so queues, radio, backhaul and whatever else the run's network has are all in them. Delay on the air ends with
decoding, not with the feedback on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.analysis.flows import Flow


@dataclass(frozen=True, slots=True)
class Kpi:
    """One indicator of a run."""

    label: str
    standard: str  # name in the document; empty where 3GPP has none for it
    document: str
    value: float
    unit: str

    @property
    def shown(self) -> str:
        """Return the value as people read it."""
        if np.isnan(self.value):
            return "-"
        number = f"{self.value:.4g}" if abs(self.value) < 1e4 else f"{self.value:.0f}"
        return f"{number} {self.unit}"


_AIR = {"up": ("DRB.AirIfDelayUl", "TS 28.552 5.1.1.1.3"), "down": ("DRB.AirIfDelayDl", "TS 28.552 5.1.1.1.1")}


def kpis(flows: Sequence[Flow], duration: float) -> list[Kpi]:
    """Return the indicators of all uplink and of all downlink flows of a run of `duration` seconds."""
    found = []
    for direction, label in (("up", "uplink"), ("down", "downlink")):
        chosen = [flow for flow in flows if flow.direction == direction]
        if not chosen:
            continue
        latency = np.concatenate([flow.latency for flow in chosen])
        settled = sum(flow.settled for flow in chosen)
        lost, late = (sum(getattr(flow, name) for flow in chosen) for name in ("lost", "late"))
        mean = 1e3 * float(latency.mean()) if len(latency) else float("nan")
        rate = 8e-3 * sum(flow.size for flow in chosen) / duration if duration else float("nan")
        share = 100.0 / settled if settled else float("nan")
        loss_name = ("DRB.PacketLossRateUl", "TS 28.552 5.1.3.1.1") if direction == "up" else ("", "")
        through = "UTSNSI" if direction == "up" else "DTSNSI"
        found += [
            Kpi(f"Mean delay, {label}", "", "", mean, "ms"),
            Kpi(f"Mean delay on the air, {label}", *_AIR[direction], 1e3 * _mean_air(chosen), "ms"),
            Kpi(f"Throughput, {label}", through, "TS 28.554", rate, "kbit/s"),
            Kpi(f"Packet loss, {label}", *loss_name, share * lost, "%"),
            Kpi(f"Late or lost, {label}", "", "", share * (late + lost), "%"),
        ]
    return found


def _mean_air(flows: Sequence[Flow]) -> float:
    """Return the mean time [s] on the air of what arrived; nan where no radio link was recorded."""
    known = [(flow.air, len(flow.latency)) for flow in flows if not np.isnan(flow.air)]
    if not known:
        return float("nan")
    return float(np.average([air for air, _ in known], weights=[count for _, count in known]))
