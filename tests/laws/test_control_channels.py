"""Control channels that fail: what is missed, how often, and what each miss costs; random access by its steps."""

import numpy as np
import pytest
from scipy.stats import binom, ncx2, norm

from twin.network.nr import carrier_state as cs
from twin.network.nr.access import RandomAccess
from twin.network.nr.carrier import Carrier
from twin.network.nr.phy import GAP_DB, per_symbol, qam
from twin.specs.nr import CarrierSpec, QosSpec

SLOT = 500_000
APART = 40_000_000


def carrier(up_db: float, down_db: float, terminals: int = 1, **settings) -> Carrier:
    """FDD at 30 kHz; terminals report -3 dB: the lowest MCS, the highest aggregation level that there is."""
    usual = {"duplex": "fdd", "resource_blocks": 100, "sr_false_alarm": 1e-6, "false_alarm": 1e-6, "olla_step": 0}
    spec = CarrierSpec(**(usual | settings))
    names = [f"t{i}" for i in range(terminals)]
    made = Carrier(spec, [QosSpec()], names, 1, seed=1, segment_header=5, ahead=0)
    made.state.ratio[cs.UP], made.state.ratio[cs.DOWN] = 10 ** (up_db / 10), 10 ** (down_db / 10)
    made.report(np.full(terminals, 20.0), np.full(terminals, -3.0))
    for terminal in range(terminals):
        made.attach(terminal, 0, 0)
    return made


def send(made: Carrier, link: int, count: int, size: int = 20):
    """Send packets far apart, each at the same place in its slot; return fates and packets in their order."""
    ready = np.arange(count, dtype=np.int64) * APART + 10_000
    rows = made.enter(np.stack([np.full(count, link), np.full(count, size), ready, ready, np.arange(count)], axis=1))
    made.advance(int(ready[-1]) + 30 * APART, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    return fates[np.argsort(np.argsort(rows)[np.searchsorted(np.sort(rows), fates["packet"])])], ready, rows


def pdcch_error(down_db: float) -> float:
    """Return the error of 64 bits in the 54 elements of one CCE, by the normal approximation."""
    capacity, dispersion = per_symbol(qam(), 2, 10 ** ((down_db - GAP_DB) / 10))
    return float(norm.sf((54 * capacity - 64 + 0.5 * np.log2(54)) / np.sqrt(54 * dispersion)))


def within(found: int, count: int, probability: float) -> bool:
    """Tell whether a count is one that chance gives in 99.98 of 100 cases."""
    low, high = binom.ppf([1e-4, 1 - 1e-4], count, probability)
    return bool(low <= found <= high)


@pytest.mark.parametrize("down_db", [2.0, 3.0])
def test_a_missed_assignment_costs_a_downlink_round_trip_and_no_more(down_db):
    """Each is missed with the error of its code word; N1, PUCCH and N2 later it is sent again."""
    made, count = carrier(40.0, down_db, cces=1, transmissions=16), 1500
    fates, ready, _ = send(made, cs.DOWN, count)
    assert (fates["fate"] == cs.DELIVERED).all()
    misses = fates["transmissions"] - 1
    symbol = made.grid.symbol
    trip = np.ceil((14 * symbol + 10 * symbol + symbol + 12 * symbol) / SLOT) * SLOT  # data, N1, PUCCH, N2
    base = SLOT - 10_000 + SLOT + made.grid.n1_half
    assert fates["time"] - ready == pytest.approx(base + misses * trip, abs=1)
    probability = pdcch_error(down_db)
    assert 0.02 < probability < 0.9
    assert within(int(misses.sum()), int(misses.sum()) + count, probability)
    assert made.missed[0] == misses.sum()


def test_a_missed_grant_is_given_again_when_nothing_is_found():
    """The base station finds nothing at the end of the occasion and needs half of Tproc,1 and Tproc,2 for it."""
    made, count = carrier(40.0, 3.0, cces=1, transmissions=16, sr_grant=60), 1500
    fates, ready, _ = send(made, cs.UP, count)
    assert (fates["fate"] == cs.DELIVERED).all() and (fates["transmissions"] == 1).all()
    added = (fates["first"] - fates["alone"]) / SLOT
    assert added == pytest.approx(np.round(added), abs=1e-6)
    trip = np.ceil((14 + 10 / 2 + 12 / 2) / 14) + 1  # slots: not found; then PDCCH, N2 and the occasion
    misses = np.round(added) / trip
    assert misses == pytest.approx(np.round(misses))
    assert within(int(misses.sum()), int(misses.sum()) + count, pdcch_error(3.0))


@pytest.mark.parametrize("period", [1, 4])
def test_a_missed_request_costs_its_period(period):
    """Detection without phase: p = 1 - Q1(sqrt(2 E), sqrt(-2 ln F)) with E = 12 g; p / (1 - p) periods are added."""
    ratio_db, alarm, count = 4.5, 1e-6, 1500  # hardly ever a false alarm
    made = carrier(ratio_db, 40.0, sr_period=period, transmissions=1, sr_false_alarm=alarm)
    missed = float(ncx2.cdf(-2 * np.log(alarm), 2, 2 * 12 * 10 ** (ratio_db / 10)))
    _, _, rows = send(made, cs.UP, count)
    packets = made.state.packets[rows]
    waited = (packets["first"] - packets["alone"]) / (period * SLOT)
    good = packets["first"] >= 0
    assert good.mean() > 0.99
    assert waited[good] == pytest.approx(np.round(waited[good]), abs=1e-6)
    found = waited[good & (waited >= 0)]
    assert found.mean() == pytest.approx(missed / (1 - missed), abs=5 * np.sqrt(missed) / (1 - missed) / np.sqrt(count))


def test_after_so_many_requests_a_terminal_tries_random_access():
    made = carrier(-60.0, 40.0, sr_transmissions=3)
    made.enter(np.array([[cs.UP, 100, 1, 1, 0]]))
    reached = made.advance(1_000_000_000, False)
    assert made.access_wanted() == [0] and made.access_wanted() == []
    assert reached == 3 * SLOT + made.grid.symbol + made.grid.n2_half


def test_requests_that_nobody_sent_are_granted():
    made = carrier(40.0, 40.0, sr_false_alarm=0.02)
    made.advance(10_000_000_000, False)
    assert within(int(made.state.links["sequence"][cs.UP]), 20_000, 0.02), "a PUCCH occasion a slot"


def test_an_acknowledgement_that_is_missed_costs_resources_but_no_packet():
    made, count = carrier(-4.0, 40.0, false_alarm=0.001), 1000
    fates, ready, _ = send(made, cs.DOWN, count)
    assert (fates["fate"] == cs.DELIVERED).all()
    assert fates["time"] - ready == pytest.approx(SLOT - 10_000 + SLOT + made.grid.n1_half)
    assert made.missed[1] > 100


def test_what_is_heard_where_nothing_was_sent_loses_the_packet():
    """An assignment is missed, and noise is taken for its acknowledgement: TS 38.104 8.3 allows 1 %."""
    made, count = carrier(40.0, 2.0, cces=1, transmissions=16, false_alarm=0.1), 3000
    fates, _, _ = send(made, cs.DOWN, count)
    missed = pdcch_error(2.0)
    lost = missed * 0.1 / (1 - missed * 0.9)  # now, or after misses that were seen
    assert within(int((fates["fate"] == cs.HARQ_FAILED).sum()), count, lost)


def test_ideal_control_fails_never():
    made = carrier(-20.0, -20.0, control="ideal", cces=1)
    send(made, cs.DOWN, 50)
    assert made.missed == (0, 0)


def entered(access: RandomAccess) -> dict[int, int]:
    """Return when each terminal is in."""
    found = {}
    while (now := access.due) < 1 << 62:
        found |= {terminal: now for terminal, _ in access.run()}
    return found


def test_random_access_takes_its_four_steps():
    """PRACH, response, message 3, message 4, each in the next occasion after processing: TS 38.213 8."""
    made = carrier(30.0, 30.0)
    access = RandomAccess(made, seed=1)
    access.start(1, 0, 0, own_preamble=False)
    n1, n2 = 10 * SLOT / 14, 12 * SLOT / 14
    def slot_after(time: float) -> float:
        return np.ceil(time / SLOT - 1e-9) * SLOT

    preamble = 10_000_000 + SLOT  # the first occasion of the next 10 ms
    response = slot_after(preamble + n2 / 2) + SLOT
    third = slot_after(response + n1 + n2 + 500_000) + SLOT
    fourth = slot_after(third + n1 / 2 + n2 / 2) + SLOT + n1
    assert entered(access)[0] == pytest.approx(fourth, abs=3)
    access.start(1, 0, 0, own_preamble=True)
    assert entered(access)[0] == pytest.approx(response + n1, abs=3)


def test_equal_preambles_collide_as_often_as_birthdays_do():
    made = carrier(30.0, 30.0, terminals=40)
    count, rounds = 0, 50
    for k in range(rounds):
        access = RandomAccess(made, seed=k)
        for terminal in range(40):
            access.start(1, terminal, 0, own_preamble=False)
        access.run()
        count += access.collisions
        assert len(entered(access)) == 40, "all are in, sooner or later"
    alone = (1 - 1 / 54) ** 39
    spread = 6 * np.sqrt(40 * rounds * alone * (1 - alone))  # those of one round hang together
    assert count == pytest.approx(40 * rounds * (1 - alone), abs=spread)
