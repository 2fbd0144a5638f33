"""Latency at zero load is the sum that the method of TR 37.910 writes down; see docs/network.md.

The sums here are made from the pattern and the tables of TS 38.214 alone, in symbols, and every packet must
meet its sum to the rounding of a symbol boundary; arrivals are spread evenly over the pattern's period.
"""

import numpy as np
import pytest

from twin.errors import RunError, ScenarioError
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.specs.nr import CarrierSpec, QosSpec

N1 = {1: {15: 8, 30: 10, 60: 17, 120: 20}, 2: {15: 3, 30: 4.5, 60: 9}}
N2 = {1: {15: 10, 30: 12, 60: 23, 120: 36}, 2: {15: 5, 30: 5.5, 60: 11}}
CASES = [(scs, 1) for scs in (15, 30, 60, 120)] + [(scs, 2) for scs in (15, 30, 60)]
SETTLE = 100  # periods before the first packet, so that grants before time 0 don't matter


def carrier(scs: int, capability: int, symbols: int, uplink: str = "dynamic", snr_db=40.0, **settings):
    qos = QosSpec(uplink=uplink, size=40, **settings.pop("qos", {}))
    settings = {"duplex": "fdd", "sr_grant": 200, "resource_blocks": 100, "cces": 16, "control": "ideal"} | settings
    spec = CarrierSpec(scs=scs * 1e3, capability=capability, symbols=symbols, **settings)
    made = Carrier(spec, [qos], ["terminal"], cells=1, seed=1, segment_header=5, ahead=0)
    quality = np.array([[10 ** (snr_db / 10)]])
    made.state.ratio[:] = quality
    made.report(np.array([snr_db]), np.array([snr_db]))
    made.attach(0, 0, 0)
    made.want_persistent(cs.UP, 0)
    return made


def latencies(made: Carrier, link: int, count: int, size: int = 40, processed: bool = True):
    """Return arrival in the period and latency of packets far apart, both in symbols, and transmissions.

    `processed`: Tproc,2 / 2 is added here, else where packets enter.
    """
    period = made.grid.period
    offset = np.arange(count) * period // count
    created = (SETTLE + 40 * np.arange(count)) * period + offset
    ready = created + made.grid.n2_half if processed else created
    columns = np.full(count, link), np.full(count, size), created, ready, np.arange(count)
    rows = made.enter(np.stack(columns, axis=1), processed=processed)
    made.advance(int(created[-1]) + 1000 * period, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    assert (fates["fate"] == cs.DELIVERED).all()
    packets = made.state.packets[rows]
    assert (packets["alone"] == packets["first"]).all(), "nobody else sends"
    assert (packets["occasion"] <= packets["first"]).all() and (packets["occasion"] >= packets["ready"]).all()
    decoded = dict(zip(fates["packet"].tolist(), fates["time"].tolist(), strict=True))
    symbol = made.grid.slot / 14
    taken = np.array([decoded[row] for row in rows.tolist()]) - created
    return offset / symbol, taken / symbol, made.state.packets["transmissions"][rows]


def d12(capability: int, symbols: int) -> int:
    return 0 if capability == 2 or symbols >= 7 else 3 if symbols == 2 else 7 - symbols


class Pattern:
    """Start times in symbols, for the sums: an own list over many periods."""

    def __init__(self, pattern: str, symbols: int, special: tuple[int, int, int] = (10, 2, 2)) -> None:
        self.down, self.up, self.control = [], [], []
        for slot, letter in enumerate(pattern * 400):
            start = 14 * slot
            regions = {"D": (14, 14), "S": (special[0], 14 - special[2]), "U": (0, 0), "F": (14, 0)}
            down_end, up_start = regions[letter]
            whole = symbols == 14 and down_end < 14  # the downlink part of an S slot is one occasion
            self._fill(self.down, start, start + down_end, down_end if whole else symbols)
            self._fill(self.up, start + up_start, start + 14, symbols)
            if up_start < 14:
                self.control.append(start + up_start)
        self.control = sorted({*self.control, *(start for start, _ in self.up)})

    @staticmethod
    def _fill(rows: list, start: int, end: int, length: int) -> None:
        while length and start + length <= end:
            rows.append((start, start + length))
            start += length

    def next(self, rows: list, time: float):
        return next(row for row in rows if (row[0] if isinstance(row, tuple) else row) >= time - 1e-6)


def downlink_sum(pattern: Pattern, arrival: float, n1: float, n2: float) -> float:
    """Tproc,2 / 2, frame alignment, data, Tproc,1 / 2."""
    _, end = pattern.next(pattern.down, arrival + n2 / 2)
    return end + n1 / 2 - arrival


def configured_sum(pattern: Pattern, arrival: float, n1: float, n2: float) -> float:
    """The same in the uplink."""
    _, end = pattern.next(pattern.up, arrival + n2 / 2)
    return end + n1 / 2 - arrival


def dynamic_sum(pattern: Pattern, arrival: float, n1: float, n2: float) -> float:
    """Tproc,2 / 2, PUCCH with the request, Tproc,2 / 2, PDCCH with the grant, Tproc,2, data, Tproc,1 / 2."""
    request = pattern.next(pattern.control, arrival + n2 / 2) + 1
    grant = pattern.next(pattern.down, request + n2 / 2)[0] + 1
    _, end = pattern.next(pattern.up, grant + n2)
    return end + n1 / 2 - arrival


WAYS = {
    "downlink": (cs.DOWN, "dynamic", downlink_sum),
    "configured grant": (cs.UP, "configured", configured_sum),
    "dynamic grant": (cs.UP, "dynamic", dynamic_sum),
}


@pytest.mark.parametrize("symbols", [2, 4, 7, 14])
@pytest.mark.parametrize(("scs", "capability"), CASES)
@pytest.mark.parametrize("duplex", ["fdd", "tdd"])
def test_latency_at_zero_load_is_the_sum_of_its_parts(duplex, scs, capability, symbols):
    letters = "F" if duplex == "fdd" else "DDDSU"
    pattern = Pattern(letters, symbols)
    n1, n2 = N1[capability][scs] + d12(capability, symbols), N2[capability][scs]
    for link, uplink, by_hand in WAYS.values():
        made = carrier(scs, capability, symbols, uplink, duplex=duplex)
        arrival, found, transmissions = latencies(made, link, 70 * len(letters))
        since = SETTLE * 14 * len(letters)
        expected = np.array([by_hand(pattern, since + a, n1, n2) for a in arrival])
        assert (transmissions == 1).all()
        assert np.abs(found - expected).max() < 1e-3  # of 8 us and more, in whole ns
        assert found.mean() == pytest.approx(expected.mean(), abs=1e-3)


@pytest.mark.parametrize(("scs", "capability"), CASES)
def test_slots_of_fdd_align_for_half_a_slot_on_average(scs, capability):
    """TR 37.910 5.7.1.1 in closed form: N2 / 2 + 14 / 2 + 14 + N1 / 2 symbols."""
    n1, n2 = N1[capability][scs], N2[capability][scs]
    for link, uplink in ((cs.DOWN, "dynamic"), (cs.UP, "configured")):
        _, found, _ = latencies(carrier(scs, capability, 14, uplink), link, 1400)
        assert found.mean() == pytest.approx(n2 / 2 + 7 + 14 + n1 / 2, abs=0.01)


def test_capability_2_is_not_defined_at_120_khz():
    with pytest.raises(ScenarioError, match="capability 2 is not defined for 120 kHz; allowed: 15, 30, 60"):
        carrier(120, 2, 14)
    with pytest.raises(ScenarioError, match="240 kHz is no subcarrier spacing for data"):
        carrier(240, 1, 14)


def again_down(pattern: Pattern, decoded: float, n1: float, n2: float) -> float:
    """Tproc,1 / 2, PUCCH with the feedback, Tproc,2 / 2 twice (feedback decoded, block prepared), data, Tproc,1 / 2."""
    feedback = pattern.next(pattern.control, decoded + n1 / 2) + 1
    return pattern.next(pattern.down, feedback + n2)[1] + n1 / 2


def again_up(pattern: Pattern, decoded: float, n1: float, n2: float) -> float:
    """Tproc,2 / 2, PDCCH with a grant (a configured grant isn't used again), Tproc,2, data, Tproc,1 / 2."""
    grant = pattern.next(pattern.down, decoded + n2 / 2)[0] + 1
    return pattern.next(pattern.up, grant + n2)[1] + n1 / 2


@pytest.mark.parametrize("symbols", [2, 14])
@pytest.mark.parametrize("duplex", ["fdd", "tdd"])
@pytest.mark.parametrize("way", list(WAYS))
def test_ten_percent_errors_add_p_times_the_round_trip(way, duplex, symbols):
    """Outer-loop adaptation holds the error target p; each error costs one HARQ round trip."""
    letters = "F" if duplex == "fdd" else "DDDSU"
    n1, n2, pattern = N1[1][30] + d12(1, symbols), N2[1][30], Pattern(letters, symbols)
    link, uplink, by_hand = WAYS[way]
    again = again_down if link == cs.DOWN else again_up
    snr_db = 7.0 if link == cs.DOWN else {2: 19.0, 14: 13.0}[symbols]
    made = carrier(30, 1, symbols, uplink, snr_db=snr_db, duplex=duplex, sr_grant=60)
    if uplink == "configured":  # set up once, out of the outer loop's reach: the channel is worse than reported
        made.state.ratio[:] *= 10**-0.08
    arrival, found, transmissions = latencies(made, link, 6000)
    since = SETTLE * 14 * len(letters) + arrival
    base = np.array([by_hand(pattern, a, n1, n2) for a in since])
    repeated = np.array([again(pattern, a + b, n1, n2) - a for a, b in zip(since, base, strict=True)])
    lost = transmissions > 1
    if uplink == "dynamic":
        assert lost.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / len(found)))
    at_most_two, twice = transmissions <= 2, transmissions == 2
    assert 0.02 < twice.mean() < 0.5
    assert np.abs(found - np.where(twice, repeated, base))[at_most_two].max() < 1e-3
    added = (found - base)[at_most_two].mean()
    assert added == pytest.approx(twice[at_most_two].mean() * (repeated - base).mean(), rel=0.05)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    once = fates[fates["repeated"] == 1]
    on_air = (once["time"] - made.state.repeats[once["packet"], 0]) * 14 / made.grid.slot - n1 / 2
    lengths = (symbols, 10) if symbols == 14 else (symbols,)  # the downlink part of an S slot has 10
    assert np.abs(on_air[:, None] - np.array(lengths)).min(axis=1).max() < 1e-3


def configured_in_air(pattern: Pattern, arrival: float, n1: float, n2: float, air: float) -> float:
    """Sent ahead of the cell's clock, so that it arrives with the occasion: ready so much later by that clock."""
    return pattern.next(pattern.up, arrival + n2 / 2 + air)[1] + n1 / 2 - arrival


def dynamic_in_air(pattern: Pattern, arrival: float, n1: float, n2: float, air: float) -> float:
    """The request comes later by the air, the grant takes it down, and data takes it up again.

    The grant is sent in the last PDCCH that is early enough for somebody at the mast.
    """
    request = pattern.next(pattern.control, arrival + n2 / 2 + air) + 1
    heard = pattern.next(pattern.down, request + n2 / 2)[0]
    for_the_near = pattern.next(pattern.up, heard + 1 + n2)[0]
    grant = max(start for start, _ in pattern.down if heard <= start <= for_the_near - 1 - n2) + 1
    return pattern.next(pattern.up, grant + n2 + 2 * air)[1] + n1 / 2 - arrival


@pytest.mark.parametrize("air_us", [0, 10, 333, 4000])
@pytest.mark.parametrize("symbols", [4, 14])
def test_uplink_latency_is_the_sum_of_its_parts_with_the_delay_of_the_air(symbols, air_us):
    n1, n2, pattern = N1[1][30] + (3 if symbols == 4 else 0), N2[1][30], Pattern("DDDSU", symbols)
    for uplink, by_hand in (("configured", configured_in_air), ("dynamic", dynamic_in_air)):
        made = carrier(30, 1, symbols, uplink, duplex="tdd")
        made.set_delay(np.array([air_us * 1000]))
        arrival, found, _ = latencies(made, cs.UP, 350, processed=False)
        air = air_us * 1000 * 14 / made.grid.slot
        expected = [by_hand(pattern, SETTLE * 70 + a, n1, n2, air) for a in arrival]
        assert np.abs(found - expected).max() < 1e-3


@pytest.mark.parametrize("air_us", [10, 500, 4000])
def test_feedback_of_the_downlink_takes_the_air_both_ways(air_us):
    made = carrier(30, 1, 14, snr_db=7.0, duplex="fdd")
    made.set_delay(np.array([air_us * 1000]))
    _, _, transmissions = latencies(made, cs.DOWN, 3000)
    twice = made.state.fates[: made.state.counts[cs.DECIDED]]
    twice = twice[twice["repeated"] == 1]
    assert len(twice) > 100
    waits = (made.state.repeats[twice["packet"], 0] - twice["first"]) / made.grid.slot
    slots = (14 + 10 + 2 * air_us * 28 / 1000) / 14  # to the feedback: a slot, N1 and the air twice
    slots = np.ceil(slots - 1e-9) + 1 / 14 + 12 / 14  # in the next PUCCH symbol, decoded and prepared within N2
    assert waits == pytest.approx(np.ceil(slots - 1e-9), abs=1e-6)


def test_a_terminal_far_away_still_sends_in_every_occasion():
    """4 ms one way: grants are under way for 8 ms, one behind the other."""
    made = carrier(30, 1, 14, duplex="fdd", processes=32)
    made.set_delay(np.array([4_000_000]))
    made.endless(cs.UP, 0, 0)
    made.advance(2_000_000_000, False)
    slots = 2_000_000_000 // made.grid.slot
    assert made.state.links["sequence"][cs.UP] == pytest.approx(slots, rel=0.02)


def test_a_delay_beyond_what_can_be_planned_is_refused():
    with pytest.raises(RunError, match="allowed with this pattern: up to"):
        carrier(30, 1, 2).set_delay(np.array([300_000_000]))
