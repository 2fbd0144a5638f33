"""Handover by event A3, radio link failure, admission; and what they do to packets."""

import warnings

import numpy as np
import pytest

from twin.link import Radio
from twin.network.nr.mobility import ATTACH, FAILURE, HANDOVER, LATE, Mobility
from twin.network.nr.network import NrNetwork
from twin.specs.nr import CarrierSpec, MobilitySpec, NrSpec
from twin.state import LinkState, Packet

MS = 1_000_000
SPEC = MobilitySpec(offset=3.0, time_to_trigger="100 ms", interruption="40 ms", t310="500 ms", filter=0)
GOOD, BAD = 20.0, -10.0


def watch(spec: MobilitySpec, received: list[list[float]], snr: list[list[float]], step: int = 10 * MS):
    """One terminal, one row of received powers and ratios a step; return all changes."""
    mobility = Mobility(spec, 1)
    rows = zip(received, snr, strict=True)
    return [c for k, (r, s) in enumerate(rows) for c in mobility.update(k * step, *np.array([[r], [s]], dtype=float))]


def test_a_terminal_attaches_to_the_strongest_cell():
    assert watch(SPEC, [[-90, -80, -85]], [[GOOD] * 3]) == [(0, 0, 0, 1, ATTACH)]


def test_handover_comes_time_to_trigger_after_the_neighbour_became_better_by_the_offset():
    received = [[-80, -90]] * 5 + [[-80, -77.1]] * 10 + [[-80, -76.9]] * 20
    changes = watch(SPEC, received, [[GOOD] * 2] * 35)
    start = 150 * MS + 100 * MS
    assert changes[1:] == [(start, start + 40 * MS, 0, 1, HANDOVER)]


def test_a_neighbour_that_is_better_for_too_short_a_time_changes_nothing():
    received = [[-80, -90]] + ([[-80, -70]] * 9 + [[-80, -90]]) * 4
    assert len(watch(SPEC, received, [[GOOD] * 2] * len(received))) == 1


def test_out_of_sync_for_t310_is_a_radio_link_failure():
    received, snr = [[-80, -200]] * 100, [[GOOD, BAD]] * 10 + [[BAD, BAD]] * 90
    changes = watch(SPEC, received, snr)
    assert changes[1] == (100 * MS + 500 * MS, 600 * MS, 0, -1, FAILURE)


def test_after_a_radio_link_failure_the_best_cell_in_sync_serves_again():
    """The neighbour is never better by the offset, but in sync: it serves 100 ms after the failure."""
    received = [[-80, -90]] * 10 + [[-80, -78]] * 90
    changes = watch(SPEC, received, [[GOOD, BAD]] * 10 + [[BAD, GOOD]] * 90)
    assert changes[1:] == [(600 * MS, 700 * MS, 0, 1, FAILURE)]


def test_a_handover_command_is_lost_where_the_serving_cell_is_out_of_sync_unless_it_is_conditional():
    received, snr = [[-80, -90]] + [[-80, -70]] * 20, [[GOOD, GOOD]] + [[BAD, GOOD]] * 20
    assert [c.why for c in watch(SPEC, received, snr)] == [ATTACH, LATE]
    conditional = SPEC.model_copy(update={"conditional": True})
    assert [c.why for c in watch(conditional, received, snr)] == [ATTACH, HANDOVER]


def test_a_full_cell_admits_nobody():
    mobility = Mobility(SPEC.model_copy(update={"max_terminals": 1}), 2)
    changes = mobility.update(0, np.array([[-80.0, -90.0]] * 2), np.full((2, 2), GOOD))
    assert [(c.terminal, c.cell) for c in changes] == [(0, 0), (1, 1)]
    assert mobility.refused == 1


def links(gain_db: list[float], time: int) -> LinkState:
    cells = len(gain_db)
    return LinkState(
        time, np.zeros(cells, dtype=np.int32), np.arange(1, cells + 1, dtype=np.int32), np.array(gain_db, dtype=float),
        np.ones(cells, dtype=bool), np.arange(cells + 1), np.ones(cells, dtype=complex), np.zeros(cells),
        np.zeros(cells), np.zeros((cells, 3)), np.zeros((cells, 3)),
    )  # fmt: skip


@pytest.fixture
def network() -> NrNetwork:
    origin = (0.0, 0.0, 0.0)
    cells = [Radio(c, c, None, origin, 3.5e9, 0.0, 46.0, role="cell") for c in (1, 2)]
    radios = [Radio(0, 0, 0, origin, 3.5e9), *cells]
    spec = NrSpec(kind="nr", mobility=SPEC)
    return NrNetwork(spec, 1, ["drone", "west", "east", "edge"], [True, False, False, False], radios)


def fly(network: NrNetwork, gains: list[list[float]], step: int = 10 * MS) -> list[Packet]:
    sent = []
    for k, gain in enumerate(gains):
        sent.append(Packet(0, 3, "telemetry", k, 100, k * step, k * step, None))
        network.send(sent[-1:])
        list(network.run((k + 1) * step, links(gain, k * step)))
    return sent


def test_packets_wait_for_the_end_of_the_interruption(network):
    sent = fly(network, [[-90, -100]] * 10 + [[-90, -80]] * 30)
    (event,) = network.events()
    assert (event.kind, event.robot, event.detail, event.value) == ("handover", "drone", "east", 0.04)
    late = [p for p in sent if event.time <= p.created < event.time + 40 * MS]
    assert len(late) == 4
    assert all(p.arrived >= event.time + 40 * MS for p in late)
    settled = [p for p in sent if p.fate != "queued"]
    assert {p.fate for p in settled} <= {"delivered", "handover"}
    assert len(settled) >= len(sent) - 1


def test_without_coverage_packets_stay_queued(network):
    sent = fly(network, [[-90, -100]] * 10 + [[-170, -170]] * 80)
    assert [e.kind for e in network.events()] == [FAILURE]
    assert len(network.queued()) + len(network.settled()) == len(sent)
    assert sent[-1].fate == "queued"


def test_a_cell_without_a_path_is_nothing_to_power_control():
    """alpha PL of no path is infinite: nothing is computed with it, and nobody else's power changes."""
    origin = (0.0, 0.0, 0.0)
    cells = [Radio(c, c, None, origin, 3.5e9, 0.0, 46.0, role="cell") for c in (1, 2)]
    spec = NrSpec(kind="nr", carriers={"n78": CarrierSpec(p0=-90.0, alpha=0.8)}, mobility=SPEC)
    radios = [Radio(0, 0, 0, origin, 3.5e9), *cells]
    made = NrNetwork(spec, 1, ["drone", "west", "east", "edge"], [True, False, False, False], radios)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent = fly(made, [[-90, -np.inf]] * 5 + [[-np.inf, -np.inf]] * 5)
    assert sent[0].fate == "delivered" and sent[-1].fate == "queued"
    received = made.bands[0].carrier.state.uplink_cap_db[0]
    noise = 10 * np.log10(1.380649e-23 * 290 * 360e3 * 1e3) + 7.0
    assert received == pytest.approx(-90 + 10 * np.log10(2) - 0.2 * 90 - noise, abs=1e-9)
