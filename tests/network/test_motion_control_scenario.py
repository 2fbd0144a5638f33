"""factory/motion-control: fifty servo axes, 40 bytes each millisecond, 1 ms to get there."""

import runpy
from pathlib import Path

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "benchmarks/motion_control.py"))
TELEMETRY = "axis > edge: telemetry"


def test_slots_with_dynamic_grants_are_too_slow_for_every_device():
    """Request and grant alone: 1 symbol, N2 / 2, 1 symbol, N2 of 12 symbols of 35.7 us, and two alignments."""
    flow = SCRIPT["flows_under"]((), "0.05 s")[TELEMETRY]
    assert flow["pairs"] == 50 and flow["pairs_in_time"] == 0
    assert flow["parts"]["grant"] > 0.5e-3 > flow["parts"]["core"]
    assert set(flow["late_or_lost_for"]) <= {"grant", "transmission", "alignment", "queued"}


def test_mini_slots_with_configured_grants_at_120_khz_are_fast_enough_for_all():
    """N2 / 2 + one period of 7 occasions + 2 symbols + N1 / 2 = 18 + 14 + 2 + 11.5 symbols of 8.9 us, and 20 us."""
    flows = SCRIPT["flows_under"](SCRIPT["SIX_G"], "0.05 s")
    for flow in flows.values():
        assert flow["pairs"] == 50 == flow["pairs_in_time"] and flow["late_or_lost_for"] == {}
    assert flows[TELEMETRY]["latency_max"] <= (18 + 14 + 2 + 11.5) * 125e-6 / 14 + 20e-6 + 1e-6
    assert flows[TELEMETRY]["parts"]["queue"] == flows[TELEMETRY]["parts"]["retransmission"] == 0
