"""Figures of flows gathered packet by packet: closed forms, and the same as from all packets at once."""

from typing import Any

import numpy as np
import pytest

from twin.analysis.flow_meter import PARTS, AgeMeter, FlowMeter, Histogram
from twin.analysis.flows import age_of_information
from twin.state import Hop, Node, Packet

MS, SECOND = 1_000_000, 1_000_000_000
NODES = [Node("axis-0", "axis", "axis", 0), Node("axis-1", "axis", "axis", 1), Node("edge", "edge", "edge")]


def packet(created: int, latency: int, source: int = 0, fate: str = "delivered") -> Packet:
    arrived = created + latency if fate == "delivered" else -1
    return Packet(source, 2, "telemetry", created, 40, created, created, None, arrived, fate)


def flow_of(*packets: Packet) -> dict[str, Any]:
    """Return the figures of the only flow that the packets belong to."""
    meter = FlowMeter(NODES, 40 * MS)
    for one in packets:
        meter.take(one)
    (flow,) = meter.summary(packets[-1].arrived).values()
    return flow


def test_age_of_regular_updates_of_constant_delay():
    """A saw-tooth from D to D + T: mean D + T / 2, peak D + T, p99 D + 0.99 T (Kaul, Yates, Gruteser 2012)."""
    delay, period = 3 * MS, 10 * MS
    meter = FlowMeter(NODES, 40 * MS)
    for k in range(100):
        meter.take(packet(k * period, delay))
    (flow,) = meter.summary(100 * period + delay).values()
    assert flow["age_mean"] == pytest.approx(8e-3, rel=1e-12)
    assert flow["age_peak"] == pytest.approx(13e-3, rel=1e-12)
    assert flow["age_p99"] == pytest.approx(12.9e-3, rel=0.01)
    assert flow["latency_mean"] == flow["latency_max"] == pytest.approx(3e-3)
    assert flow["latency_p50"] == pytest.approx(3e-3, rel=0.005)


def test_percentiles_are_right_within_half_a_percent():
    times = np.random.default_rng(1).lognormal(15.0, 1.0, 20_000).astype(int)
    histogram = Histogram()
    histogram.add(times)
    for percent in (1.0, 50.0, 99.0, 99.9):
        exact = np.percentile(times, percent, method="inverted_cdf")
        assert histogram.percentile(percent) == pytest.approx(exact, rel=0.005)


def test_age_is_that_of_all_packets_at_once():
    rng = np.random.default_rng(2)
    stamp = np.cumsum(rng.integers(1, 20 * MS, 5000))
    arrived = np.maximum.accumulate(stamp + rng.integers(MS, 60 * MS, 5000))
    exact = age_of_information(arrived, stamp, int(arrived[-1]) + SECOND)
    meter = AgeMeter()
    meter.add(*(np.rint(ages * 1e9).astype(int) for ages in (exact.lowest, exact.highest)))
    assert meter.mean / 1e9 == pytest.approx(exact.mean, rel=1e-9)
    assert meter.peak / 1e9 == pytest.approx(exact.peak, rel=1e-9)
    assert exact.share_above(np.array([exact.percentile(99.0)]))[0] == pytest.approx(0.01, rel=1e-9)
    assert meter.percentile(99.0) / 1e9 == pytest.approx(exact.percentile(99.0), rel=0.01)


def test_who_is_in_time_and_why_the_others_are_not():
    meter = FlowMeter(NODES, 5 * MS)
    for k in range(10):
        meter.take(packet(k * 10 * MS, 4 * MS, source=0))
        late = packet(k * 10 * MS, 9 * MS, source=1)
        late.uplink = Hop(late.created + MS, late.created + 2 * MS, late.created + 7 * MS, late.created + 7 * MS, 1, 0,
                          (), late.created + 8 * MS)  # fmt: skip
        meter.take(late)
    meter.take(packet(100 * MS, 0, source=1, fate="harq"))
    meter.take(packet(110 * MS, 0, source=1, fate="queued"))
    (flow,) = meter.summary(120 * MS).values()
    assert (flow["pairs"], flow["pairs_in_time"]) == (2, 1)
    assert (flow["settled"], flow["late"], flow["lost"], flow["queued"]) == (21, 11, 1, 1)
    assert flow["late_or_lost_for"] == {"grant": 10, "harq": 1, "queued": 1}
    assert flow["parts"] == pytest.approx(
        {"core": 2e-3, "alignment": 1e-3, "grant": 5e-3, "queue": 0, "retransmission": 0, "transmission": 1e-3}
    )


def test_the_parts_of_two_links_add_up_to_the_latency():
    one = packet(0, 100)
    one.uplink = Hop(3, 5, 9, 14, 3, 2, (20, 26), 31)
    one.downlink = Hop(40, 44, 44, 44, 1, 0, (), 60)
    parts = {"core": 3 + 9 + 40, "alignment": 2 + 4, "grant": 4, "queue": 5, "retransmission": 12,
             "transmission": 5 + 16}  # fmt: skip
    assert list(parts) == list(PARTS) and sum(parts.values()) == 100
    assert flow_of(one)["parts"] == pytest.approx({name: ns / SECOND for name, ns in parts.items()}, rel=1e-12)
    assert flow_of(packet(0, 100))["parts"] == {}


def test_packets_counted_many_at_a_time_are_those_counted_one_by_one():
    """More than wait at once, late and lost ones between them: a figure may not depend on when it is asked for."""
    rng = np.random.default_rng(3)
    packets = [
        packet(k * MS, int(rng.integers(1, 12 * MS)), source=k % 2, fate="harq" if k % 97 == 0 else "delivered")
        for k in range(2500)
    ]
    once, often, late = FlowMeter(NODES, 10 * MS), FlowMeter(NODES, 10 * MS), 0
    for one in packets:
        once.take(one)
        often.take(one)
        late += one.arrived - one.created > 10 * MS
        assert often.late(0) == late
    assert once.late(0) == late
    assert once.summary(3 * SECOND) == often.summary(3 * SECOND)
