"""What K0, K1, K2, measurement gaps and the filter of layer 3 cost: closed forms at zero load, in FDD at 30 kHz."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.mobility import HANDOVER, Mobility
from twin.specs.nr import CarrierSpec, MobilitySpec, QosSpec

MS, SLOT, SYMBOLS = 1_000_000, 500_000, 14
N1, N2 = 10, 12  # symbols: TS 38.214 Tables 5.3-1 and 6.4-1


def carrier(snr_db: float = 40.0, uplink: str = "dynamic", **settings) -> Carrier:
    spec = CarrierSpec(**({"duplex": "fdd", "resource_blocks": 100, "control": "ideal"} | settings))
    made = Carrier(spec, [QosSpec(uplink=uplink, size=40)], ["t"], cells=1, seed=1, segment_header=5, ahead=0)
    made.state.ratio[:] = 10 ** (snr_db / 10)
    made.report(np.array([snr_db]), np.array([snr_db]))
    made.attach(0, 0, 0)
    made.want_persistent(cs.UP, 0)
    return made


def send(made: Carrier, link: int, count: int, spread: int, apart: int = 100 * MS):
    """Send packets `apart` plus an even share of `spread` from each other; return fates in order, and creations."""
    created = 100 * MS + np.arange(count) * apart + np.arange(count) * spread // count
    columns = np.full(count, link), np.full(count, 40), created, created, np.arange(count)
    rows = made.enter(np.stack(columns, axis=1), processed=False)
    made.advance(int(created[-1]) + 1000 * MS, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    assert (fates["fate"] == cs.DELIVERED).all() and len(fates) == count
    place = {row: i for i, row in enumerate(rows.tolist())}
    return fates[np.argsort([place[row] for row in fates["packet"].tolist()])], created


def symbols(time: np.ndarray) -> np.ndarray:
    return time * SYMBOLS / SLOT


@pytest.mark.parametrize("k0", [0, 1, 4])
def test_k0_adds_its_slots_to_the_downlink(k0):
    """N2 / 2, K0 slots, half a slot of alignment on average, 14 symbols, N1 / 2."""
    fates, created = send(carrier(k0=k0), cs.DOWN, 700, SLOT)
    assert symbols(fates["time"] - created).mean() == pytest.approx(N2 / 2 + 14 * k0 + 7 + 14 + N1 / 2, abs=0.02)


@pytest.mark.parametrize("k2", [0, 1, 2, 5])
def test_the_grant_comes_k2_slots_or_n2_before_its_data(k2):
    """Request in the next slot's PUCCH symbol, grant in the PDCCH after it, data max(1 + N2, 14 K2) symbols on.

    N2 / 2 + 7, the request's symbol and N2 / 2 for it: a slot; the PDCCH starts the next one.
    """
    fates, created = send(carrier(k2=k2), cs.UP, 700, SLOT)
    ahead = np.ceil(max(1 + N2, 14 * k2) / 14)
    expected = N2 / 2 + 7 + 14 * (1 + ahead + 1) + N1 / 2
    assert symbols(fates["time"] - created).mean() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("k1", [0, 2, 3, 8])
def test_a_lost_block_waits_for_its_feedback_k1_slots_on(k1):
    """Feedback N1 or K1 - 1 slots after the data's end, in a PUCCH symbol; N2 later the next slot carries it again."""
    made = carrier(snr_db=7.0, k1=k1)
    fates, _ = send(made, cs.DOWN, 2000, SLOT)
    once = fates[fates["repeated"] == 1]
    assert 100 < len(once) < 400, "at an error target of 10 %"
    feedback = np.ceil((14 + max(N1, 14 * (k1 - 1))) / 14)  # slots from the data's start
    again = np.ceil(feedback + (1 + N2) / 14)
    assert (made.state.repeats[once["packet"], 0] - once["first"]) / SLOT == pytest.approx(again, abs=1e-6)


@pytest.mark.parametrize(("link", "uplink"), [(cs.DOWN, "dynamic"), (cs.UP, "configured")])
@pytest.mark.parametrize(("length_ms", "period_ms"), [(6, 40), (1.5, 20)])
def test_measurement_gaps_add_the_wait_for_their_end(link, uplink, length_ms, period_ms):
    """Of P slots n lie in a gap; data of the k-th of them waits n - k + 1 slots: n (n + 1) / (2 P) slots on average."""
    settings = {"gap_length": f"{length_ms} ms", "gap_period": f"{period_ms} ms"}
    period = period_ms * MS
    means = []
    for gaps in ({}, settings):
        made = carrier(uplink=uplink, **gaps)
        fates, created = send(made, link, 20 * period // SLOT, period, apart=5 * period)
        if gaps:
            assert (fates["first"] % period >= length_ms * MS).all(), "nobody sends in a gap"
        means.append((fates["time"] - created).mean() / SLOT)
    n = length_ms * MS / SLOT
    assert means[1] - means[0] == pytest.approx(n * (n + 1) / 2 / (period / SLOT), abs=1e-3)


def test_nothing_is_asked_for_granted_or_sent_in_a_gap():
    """By slot: the request waits for the gap's end; its grant one slot and its data two slots later do so, too."""
    made = carrier(gap_length="6 ms", gap_period="40 ms")
    fates, created = send(made, cs.UP, 1600, 40 * MS, apart=200 * MS)
    asked = -(-(created + N2 // 2 * SLOT // SYMBOLS) // SLOT) % 80  # slot of the request, of 80 to the next gap
    data = np.where(asked < 12, 14, np.where(asked >= 78, 80 + 13, asked + 2))
    assert (fates["first"] // SLOT % 80 == data % 80).all()
    assert (fates["first"] - created < 9 * MS).all()


@pytest.mark.parametrize("period_ms", [7, 8])
def test_gaps_that_may_swallow_every_request_are_refused(period_ms):
    """One request each 2 ms: a gap of 6 ms leaves room for it each 8 ms."""
    settings = {"gap_length": "6 ms", "gap_period": f"{period_ms} ms", "sr_period": 4}
    if period_ms == 8:
        carrier(**settings)
        return
    with pytest.raises(ScenarioError, match="may leave no room for scheduling requests; allowed: 8 ms or more"):
        carrier(**settings)


@pytest.mark.parametrize("k", [0, 4, 8, 13])
@pytest.mark.parametrize("step_ms", [200, 20])
def test_the_filter_of_layer_3_forgets_a_step_by_1_minus_a_each_200_ms(k, step_ms):
    """TS 38.331 5.5.3.2: F_n = (1 - a) F_(n-1) + a M_n with a = 1 / 2^(k / 4), for a measurement each 200 ms."""
    mobility = Mobility(MobilitySpec(filter=k), 1)
    mobility.filter(0, np.array([[-100.0]]))
    a = 0.5 ** (k / 4)
    for time in range(step_ms, 2001, step_ms):
        found = mobility.filter(time * MS, np.array([[-80.0]]))[0, 0]
        assert -80.0 - found == pytest.approx(20.0 * (1 - a) ** (time / 200), abs=1e-9)


def test_a_filtered_handover_is_late_by_the_time_that_its_step_takes():
    """A neighbour 10 dB up from one trace on passes 3 dB when 10 [1 - (1 - a)^(t / 200 ms)] does."""
    spec = MobilitySpec(offset=3.0, time_to_trigger="100 ms", filter=8)
    mobility, found = Mobility(spec, 1), []
    for time in range(0, 1500, 10):
        received = np.array([[-80.0, -80.0 if time < 500 else -70.0]])
        found += [c for c in mobility.update(time * MS, received, np.full((1, 2), 20.0)) if c.why == HANDOVER]
    after = 200 * np.log(1 - 3 / 10) / np.log(1 - 0.5**2)
    crossed = 490 + np.ceil(after / 10) * 10  # the sample before the step is the last of the old level
    assert [change.start for change in found] == [(crossed + 100) * MS]
