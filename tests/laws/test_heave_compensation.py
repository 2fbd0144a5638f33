"""What latency leaves of a deck's heave when it is compensated from streamed deck state."""

from __future__ import annotations

import numpy as np
import pytest

from twin.clock import NS
from twin.world.spectra import parametric
from twin.world.waves import make_waves

DELAYS = (0.02, 0.1, 0.2, 0.5)


def law(frequency, variance, delay):
    """Return sqrt(int 4 sin^2(w tau / 2) S dw) [m]: w in rad/s, variance in m2 per component."""
    return float(np.sqrt(np.sum(4 * np.sin(frequency * delay / 2) ** 2 * variance)))


@pytest.mark.parametrize(("delay", "share"), [(0.02, 0.023), (0.1, 0.11), (0.5, 0.55)])
def test_the_law_for_a_sea_of_1_5_m_and_7_s(delay, share):
    system = parametric(1.5, 7.0, 3.3, 0.0, 10.0, 400)
    w = np.pi * (system.lower + system.upper)
    assert law(w, system.variance, delay) / (1.5 / 4) == pytest.approx(share, rel=0.03)


@pytest.mark.parametrize("delay", DELAYS)
def test_what_is_left_of_the_waves_follows_the_law(delay):
    """Two hours of surface elevation against itself `delay` earlier: cross terms of 120 components fade as 1 / T."""
    waves = make_waves([parametric(1.5, 7.0, 3.3, 0.0, 10.0, 120)], 30.0, 120, 1)
    t = np.arange(0.0, 7200.0, 0.25)
    now, then = (np.cos(np.outer(t - lag, -waves.frequency) + waves.phase) @ waves.amplitude for lag in (0.0, delay))
    left = np.sqrt(np.mean((now - then) ** 2))
    assert left == pytest.approx(law(waves.frequency, 0.5 * waves.amplitude**2, delay), rel=0.03)


@pytest.mark.parametrize("delay_ms", [20, 100, 200, 500])
def test_a_stream_over_a_network_lags_by_the_network_s_delay(stage, delay_ms):
    """A buoy's telemetry at its arrival, against where the buoy is then: exactly its heave over the delay."""
    settings = ("duration=6 s", "network.kind=fixed", f"network.delay={delay_ms} ms", "robots.guard.control=50 Hz",
                "robots.guard.send_offset=0 s", "robots.guard.spec.sensors=[{kind='navigation'}]")  # fmt: skip
    built = stage("worlds/harbour/scenarios/station.toml", *settings)
    (node,) = (i for i, node in enumerate(built.nodes) if node.name == "guard-0")
    height, seen = {}, []
    for frame in built.twin.frames(6 * NS):
        height[frame.time] = float(frame.bodies.position[built.nodes[node].body, 2])
        mine = [p for p in frame.packets if p.source == node and p.kind == "telemetry"]
        seen += [p for p in mine if p.fate == "delivered"]
    assert len(seen) > 50 * 5
    assert {p.arrived - p.stamp for p in seen} == {delay_ms * 10**6}
    for packet in seen:
        assert packet.payload["position"][2] == height[packet.stamp]
