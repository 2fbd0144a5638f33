"""Rows of a carrier's state as they are when a run begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.network.nr.records import BEARER, CLASS, LINK, Records, records
from twin.numerics.draws import key
from twin.specs.nr import QosSpec


def class_rows(qos: Sequence[QosSpec], segment_header: int) -> Records:
    """Return the classes of service (Q,) in the order of their numbers; see `CLASS`."""
    rows = records(CLASS, len(qos))
    for row, q in zip(rows, qos, strict=True):
        row["priority"], row["budget"], row["discard"] = q.priority, q.delay_budget, q.discard
        row["survival"] = q.survival_time
        row["target"], row["size"] = q.error_target, q.size + segment_header
        row["configured"] = q.period if q.uplink == "configured" else 0
        row["semi_persistent"] = q.period if q.downlink == "semi-persistent" else 0
        row["long"] = q.duration == "slot"
    for first, period in (("up_residues", "configured"), ("down_residues", "semi_persistent")):
        rows[first] = np.cumsum(rows[period]) - rows[period]
    rows["order"] = np.argsort(rows["priority"], kind="stable")
    return rows


def bearer_rows(links: int, classes: int) -> Records:
    """Return the empty bearers (L Q,) of links and classes."""
    rows = records(BEARER, links * classes)
    rows["link"], rows["kind"] = np.divmod(np.arange(links * classes), classes)
    return rows


def link_rows(terminals: Sequence[str]) -> Records:
    """Return the links (2 T,) of terminals of these names, served by nobody yet."""
    rows = records(LINK, 2 * len(terminals))
    rows["key"] = np.repeat(np.array([key(name) for name in terminals], dtype=np.uint64), 2)
    rows["offset"] = np.repeat(np.arange(len(terminals)), 2)
    rows["reported_db"] = -np.inf
    return rows
