"""What can't carry anything is refused, and what waits too long is late, whether or not it has arrived."""

import numpy as np
import pytest

from twin.analysis.flow_meter import FlowMeter
from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.network import NrNetwork
from twin.specs.nr import BackgroundSpec, CarrierSpec, NrSpec, QosSpec
from twin.state import Node, Packet

MS = 1_000_000


def carrier(terminals: int = 1, snr_db: float = 60.0, **settings) -> Carrier:
    qos = settings.pop("qos", [QosSpec()])
    spec = CarrierSpec(**({"duplex": "fdd", "resource_blocks": 50, "control": "ideal"} | settings))
    made = Carrier(spec, qos, [f"t{i}" for i in range(terminals)], 1, seed=1, segment_header=5, ahead=0)
    made.state.ratio[:] = 10 ** (snr_db / 10)
    made.report(np.full(terminals, snr_db), np.full(terminals, snr_db))
    for terminal in range(terminals):
        made.attach(terminal, 0, 0)
    return made


def delivered(made: Carrier, link: int, size: int, count: int = 20) -> int:
    ready = np.arange(count, dtype=np.int64) * 20 * MS
    made.enter(np.stack([np.full(count, link), np.full(count, size), ready, ready, np.arange(count)], axis=1))
    made.advance(int(ready[-1]) + 1000 * MS, False)
    return int((made.state.fates[: made.state.counts[cs.DECIDED]]["fate"] == cs.DELIVERED).sum())


@pytest.mark.parametrize("settings", [{"resource_blocks": 1}, {"resource_blocks": 5}])
def test_a_carrier_without_a_control_channel_element_is_refused(settings):
    with pytest.raises(ScenarioError, match="no control channel element fits into . resource blocks and 1 symbol.*6"):
        carrier(**settings)


@pytest.mark.parametrize("snr_db", [30.0, 4.0])
def test_a_narrow_carrier_serves_weak_terminals_too(snr_db):
    """11 resource blocks hold one control channel element: weak terminals would need more, and miss some."""
    for link in (cs.UP, cs.DOWN):
        assert delivered(carrier(snr_db=snr_db, resource_blocks=11, transmissions=16), link, 40) == 20


def test_settings_that_leave_nothing_for_data_are_refused():
    with pytest.raises(ScenarioError, match="no resource element is left .* occasions of 2 symbols: .* take 24 of 24"):
        carrier(symbols=2, dmrs=24)
    with pytest.raises(ScenarioError, match="the largest downlink block has . bytes, headers alone take 5"):
        carrier(symbols=2, dmrs=23, resource_blocks=6)


@pytest.mark.parametrize("special", [(1, 1, 12), (0, 2, 12), (2, 0, 12)])
def test_an_occasion_without_room_for_data_does_not_stop_the_others(special):
    made = carrier(duplex="tdd", pattern="DSU", special=special, snr_db=12.0)
    assert delivered(made, cs.DOWN, 1500, 200) == 200


def test_starts_of_occasions_can_be_stated():
    """Length 4 starts at 0, 4 and 8 unless stated; with 2, 6 and 10 symbols 12 and 13 are used."""
    usual, stated = carrier(symbols=4), carrier(symbols=4, starts=(2, 6, 10))
    slot = usual.grid.slot
    assert np.round(usual.grid.uplink[0] * 14 / slot).tolist() == [0, 4, 8]
    assert np.round(stated.grid.uplink[:2] * 14 / slot).tolist() == [[2, 6, 10], [6, 10, 14]]
    with pytest.raises(ScenarioError, match="no starts of 4 symbols; allowed: symbols 0 to 10, 4 or more apart"):
        carrier(symbols=4, starts=(0, 3))
    with pytest.raises(ScenarioError, match="no starts of 4 symbols"):
        carrier(symbols=4, starts=(11,))


def test_coprime_periods_of_configured_grants_need_no_common_multiple():
    """5119, 5113 and 5107 have a common multiple of 1.3e11 occasions."""
    qos = [QosSpec(uplink="configured", period=p, size=100) for p in (5119, 5113, 5107)]
    made = carrier(3, qos=qos)
    for terminal in range(3):
        made.want_persistent(2 * terminal, terminal)
    made.reconfigure()
    assert made.refused == 0
    assert made.state.reserved.nbytes < 1e6


@pytest.mark.parametrize("periods", [(2, 3, 5), (4, 6, 10), (3, 3, 7)])
def test_persistent_allocations_that_meet_in_an_occasion_never_overlap(periods):
    qos = [QosSpec(uplink="configured", period=p, size=300) for p in periods]
    made = carrier(9, qos=qos, snr_db=40.0)
    for terminal in range(9):
        made.want_persistent(2 * terminal, terminal % 3)
    made.reconfigure()
    rows = made.state.links[::2]
    rows = rows[rows["persistent"] > 0]
    assert len(rows) >= 6
    for occasion in range(210):
        here = rows[(occasion - rows["offset"]) % rows["persistent"] == 0]
        here = np.sort(here[["persistent_start", "persistent_prbs"]], order="persistent_start")
        ends = here["persistent_start"] + here["persistent_prbs"]
        assert (ends[:-1] <= here["persistent_start"][1:]).all()


def test_a_configured_grant_larger_than_the_carrier_is_refused_and_takes_nobody_elses():
    qos = [QosSpec(uplink="configured", size=100_000), QosSpec(uplink="configured", size=50)]
    made = carrier(2, qos=qos)
    made.want_persistent(0, 0)
    made.want_persistent(2, 1)
    made.reconfigure()
    assert made.refused == 1
    assert made.state.links["persistent"][[0, 2]].tolist() == [0, 1]
    assert delivered(made, cs.UP, 100) == 20, "who finds no room is served dynamically"


@pytest.mark.parametrize(("processes", "share"), [(16, 2 / 3), (None, 1.0)])
def test_32_processes_fill_the_slots_of_960_khz(processes, share):
    """A round trip takes 23 slots: data 1, N1 160 symbols, PUCCH, N2 288 symbols over 14."""
    made = carrier(scs=960e3, resource_blocks=148, bandwidth=2e9, frequency=60e9, processes=processes)
    made.endless(cs.DOWN, 0, 0)
    made.advance(20 * MS, False)
    slots = 20 * MS / made.grid.slot
    assert made.state.links["sequence"][cs.DOWN] / slots == pytest.approx(share, abs=0.12)
    assert (processes is None) == (made.state.links["sequence"][cs.DOWN] > 0.99 * slots - 40)


@pytest.mark.parametrize("scheduler", ["proportional-fair", "strict-priority"])
def test_who_has_priority_does_not_wait_for_full_buffers(scheduler):
    qos = [QosSpec(priority=80), QosSpec(priority=10)]
    made = carrier(11, qos=qos, scheduler=scheduler, snr_db=20.0)
    for terminal in range(1, 11):
        made.endless(2 * terminal + cs.DOWN, 0, 0)
    ready = (np.arange(200, dtype=np.int64) + 1) * 5 * MS
    columns = np.full(200, 2 * cs.DOWN + 1), np.full(200, 100), ready, ready, np.arange(200)
    rows = made.enter(np.stack(columns, axis=1))
    made.advance(2000 * MS, False)
    waits = made.state.packets["first"][rows] - ready
    assert (waits <= made.grid.slot).all(), "the next slot is its own"


NAMES = ["robot", "cell", "edge"]


def network(carriers: dict, **settings) -> NrNetwork:
    origin = (0.0, 0.0, 0.0)
    hertz = sorted({float(spec.get("frequency", 3.5e9)) for spec in carriers.values()})
    radios = [Radio(0, 0, 0, origin, hertz[0])]
    radios += [Radio(1 + i, 1, None, origin, f, 0.0, 46.0, role="cell") for i, f in enumerate(hertz)]
    return NrNetwork(NrSpec(kind="nr", carriers=carriers, **settings), 1, NAMES, [True, False, False], radios)


def test_carriers_that_overlap_are_refused():
    with pytest.raises(ScenarioError, match="at 3.5 and 3.55 GHz overlap: they are 50 MHz apart; allowed: 98.28 MHz"):
        network({"a": {"frequency": 3.5e9}, "b": {"frequency": 3.55e9}})
    network({"a": {"frequency": 3.5e9}, "b": {"frequency": 3.6e9}})


def test_a_slip_in_the_name_of_a_class_of_service_is_refused():
    with pytest.raises(ScenarioError, match="nobody sends .* 'telemetri'; did you mean 'telemetry'"):
        network({"n78": {}}, qos={"telemetri": QosSpec()})
    load = BackgroundSpec(model="full-buffer", terminals=("robot",), qos="video")
    made = network({"n78": {}}, qos={"video": QosSpec(), "haptics": QosSpec()}, background=(load,))
    assert {name for name in made.counts if name.startswith("qos")} == {"qos_unused_haptics"}


def test_what_is_queued_for_longer_than_its_budget_is_late():
    nodes = [Node("robot", "robot", "drone", 0), Node("edge", "edge", "edge")]
    meter = FlowMeter(nodes, 40 * MS)
    meter.take(Packet(0, 1, "telemetry", 0, 100, 100 * MS, 0, None, 110 * MS, "delivered"))
    for created in (200, 930, 970):
        meter.take(Packet(0, 1, "telemetry", 1, 100, created * MS, 0, None))
    (flow,) = meter.summary(1000 * MS).values()
    assert (flow["late"], flow["queued"], flow["lost"], flow["settled"]) == (2, 3, 0, 1)
    assert flow["pairs_in_time"] == 0
    assert flow["late_or_lost_for"] == {"queued": 2}
    assert meter.late(1000 * MS) == 2
