"""Ratios per resource-block group: fading by the paths, interference by what other cells really send."""

import numpy as np
import pytest

from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.interference import overlap
from twin.network.nr.phy import GAP_DB, per_symbol, qam
from twin.specs.nr import CarrierSpec, QosSpec
from twin.state import LinkState

PRBS, GROUP = 50, 4  # TS 38.214 Table 5.1.2.2.1-1: groups of 4 up to 72 PRBs
GAP = 10 ** (GAP_DB / 10)


def carrier(ratio: list[list[float]], serving: list[int], **settings) -> Carrier:
    """Terminals with linear ratios (T, C) in both directions, served by the cells of `serving`."""
    defaults = {"duplex": "fdd", "resource_blocks": PRBS, "transmissions": 1, "combining": "chase",
                "control": "ideal"}
    spec = CarrierSpec(**(defaults | settings))
    names = [f"t{i}" for i in range(len(serving))]
    made = Carrier(spec, [QosSpec()], names, len(ratio[0]), seed=1, segment_header=5, ahead=0)
    made.state.ratio[:] = np.array(ratio)
    made.report(np.full(len(serving), 20.0), np.full(len(serving), 20.0))
    for terminal, cell in enumerate(serving):
        made.attach(terminal, cell, 0)
    return made


def send(made: Carrier, links: list[int], size: int, time: int = 0) -> None:
    count = len(links)
    ready = np.full(count, time)
    made.enter(np.stack([np.array(links), np.full(count, size), ready, ready, np.arange(count)], axis=1))
    made.advance(time + 20_000_000, False)


def first_block(made: Carrier, terminal: int, way: int):
    return made.state.blocks[(2 * terminal + way) * cs.HARQ_PROCESSES]


def share(start: int, end: int) -> np.ndarray:
    """Return which share of each group is in PRBs start:end."""
    inside = (np.arange(PRBS) >= start) & (np.arange(PRBS) < end)
    return np.array([inside[g : g + GROUP].mean() for g in range(0, PRBS, GROUP)])


def prbs_of(block) -> np.ndarray:
    return np.bincount(np.arange(block["start"], block["start"] + block["prbs"]) // GROUP, minlength=13)


def assert_sees(block, ratio: np.ndarray) -> None:
    """The block's information is sum n_i I(g_i) over its groups, its flat ratio that of the same Shannon capacity."""
    counts = prbs_of(block)
    used = np.flatnonzero(counts)
    capacity, dispersion = np.array([per_symbol(qam(), 2 * block_order(block), ratio[g] / GAP) for g in used]).T
    weights = block["symbols"] * counts[used] / block["prbs"]
    assert block["information"] == pytest.approx((weights * capacity).sum(), rel=1e-12)
    assert block["dispersion"] == pytest.approx((weights * dispersion).sum(), rel=1e-12)
    mean = (counts[used] * np.log1p(ratio[used] / GAP)).sum() / block["prbs"]
    assert block["snr"] == pytest.approx(np.expm1(mean), rel=1e-12)


def block_order(block) -> int:
    return 1 if block["mcs"] < 10 else 2 if block["mcs"] < 17 else 3


def test_another_cell_interferes_in_the_resource_blocks_that_it_uses_and_in_no_other():
    made = carrier([[100.0, 50.0], [7.0, 200.0]], serving=[0, 1])
    send(made, [cs.DOWN, 2 + cs.DOWN], 150)
    long, short = first_block(made, 0, cs.DOWN), first_block(made, 1, cs.DOWN)
    assert_sees(long, 100.0 / (1.0 + 50.0 * share(short["start"], short["start"] + short["prbs"])))
    assert_sees(short, 200.0 / (1.0 + 7.0 * share(long["start"], long["start"] + long["prbs"])))


def test_a_silent_neighbour_leaves_only_noise():
    made = carrier([[100.0, 50.0], [7.0, 200.0]], serving=[0, 1])
    send(made, [cs.DOWN], 500)
    assert_sees(first_block(made, 0, cs.DOWN), np.full(13, 100.0))


def test_a_terminal_in_the_uplink_interferes_with_the_other_cell_where_both_send():
    made = carrier([[900.0, 300.0], [70.0, 400.0]], serving=[0, 1])
    send(made, [cs.UP, 2 + cs.UP], 300)
    a, b = first_block(made, 0, cs.UP), first_block(made, 1, cs.UP)
    disturbed = share(b["start"], b["start"] + b["prbs"]) * 70.0 / b["prbs"]  # all power over its own PRBs
    assert_sees(a, 900.0 / a["prbs"] / (1.0 + disturbed))


def test_full_duplex_hears_its_own_cell_and_fdd_does_not():
    """Down and up in one slot: the uplink's noise rises by the self-interference where the own cell sends."""
    for duplex, rise in (("full", 10.0), ("fdd", 0.0)):
        made = carrier([[900.0], [100.0]], serving=[0, 0], duplex=duplex, self_interference=10.0)
        made.endless(2 + cs.DOWN, 0, 0)
        send(made, [cs.UP], 40)
        block = first_block(made, 0, cs.UP)
        assert_sees(block, np.full(13, 900.0 / block["prbs"] / (1.0 + rise)))


def two_paths(delay: float, doppler: float, time: int = 0) -> LinkState:
    return LinkState(
        time, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32), np.array([0.0]), np.array([True]),
        np.array([0, 2]), np.array([1.0, 1.0], dtype=complex), np.array([1e-7, 1e-7 + delay]),
        np.array([0.0, doppler]), np.zeros((2, 3)), np.zeros((2, 3)),
    )  # fmt: skip


@pytest.mark.parametrize(("delay", "doppler"), [(0.0, 0.0), (150e-9, 0.0), (150e-9, 400.0)])
def test_two_equal_paths_fade_over_frequency_and_time(delay, doppler):
    """|H|^2 to the sum of powers is 1 + cos(2 pi (f_d t - f tau)), f from the carrier's centre."""
    made = carrier([[100.0]], serving=[0])
    made.state.gain[:] = 2.0
    made.trace(two_paths(delay, doppler), np.array([[0]]))
    send(made, [cs.DOWN], 4000, time=700_000)  # many resource blocks, from 700 us after the trace
    block, started = first_block(made, 0, cs.DOWN), made.state.fates["first"][0]
    centre = (np.arange(13) * GROUP + GROUP / 2 - PRBS / 2) * made.prb_hz
    late = delay - doppler * started * 1e-9 / made.spec.frequency
    fading = 1.0 + np.cos(2 * np.pi * (doppler * started * 1e-9 - centre * late))
    assert prbs_of(block).astype(bool).sum() > 5
    assert_sees(block, 100.0 * fading)


def test_reported_quality_is_the_flat_ratio_of_the_same_capacity():
    made = carrier([[100.0, 30.0]], serving=[0])
    made.state.gain[:] = 2.0
    made.trace(two_paths(200e-9, 0.0), np.array([[0, -1]]))
    load = np.linspace(0.0, 1.0, 26).reshape(2, 13)
    rise = np.linspace(3.0, 0.0, 26).reshape(2, 13)
    up, down = made.quality(0, load, rise, np.array([0]))
    centre = (np.arange(13) * GROUP + GROUP / 2 - PRBS / 2) * made.prb_hz
    own = 100.0 * (1.0 + np.cos(2 * np.pi * centre * 200e-9))
    assert down[0] == pytest.approx(np.expm1(np.log1p(own / (1.0 + 30.0 * load[1])).mean()), rel=1e-12)
    assert up[0] == pytest.approx(np.expm1(np.log1p(own / (1.0 + rise[0])).mean()), rel=1e-12)


def test_shares_of_groups_add_up_to_the_resource_blocks():
    made = carrier([[1.0]], serving=[0])
    sizes = [min(GROUP, PRBS - g) for g in range(0, PRBS, GROUP)]
    for start, end in ((0, 50), (3, 9), (47, 50), (8, 8)):
        found = sum(overlap(made.state, start, end, g) * size for g, size in enumerate(sizes))
        assert found == pytest.approx(end - start, abs=1e-12)


def test_two_layers_give_what_a_receiver_with_crossed_antennas_resolves():
    """SINR of linear MMSE, 1 / [(1 + rho H^H H)^-1]_kk - 1, for two layers that leak 9 dB into each other."""
    leak = 10 ** (-9 / 20)
    channel = np.array([[1.0, leak], [leak, 1.0]]) / np.sqrt(1 + leak**2)
    for ratio in (2.0, 100.0, 5000.0):
        made = carrier([[ratio]], serving=[0], layers=2)
        made.report(np.array([60.0]), np.array([60.0]))
        send(made, [cs.DOWN], 100)
        block = first_block(made, 0, cs.DOWN)
        inverse = np.linalg.inv(np.eye(2) + 0.5 * ratio * channel.T @ channel)
        assert block["layers"] == 2
        assert block["snr"] == pytest.approx((1.0 / inverse[0, 0] - 1.0) / GAP, rel=1e-9)
