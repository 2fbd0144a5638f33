"""Laws of what sensing takes from data: overhead, full buffers, and interference in the cells beside."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.phy import GAP_DB
from twin.network.nr.pulses import lay_out
from twin.network.nr.tbs import transport_block_size
from twin.network.nr.tdd import SYMBOLS
from twin.specs.nr import CarrierSpec, QosSpec
from twin.specs.sensing import SensingSpec

BASE = {"carrier": "n78", "reach": 500.0, "speed": 5.0, "residual": -110.0}
FDD = {"duplex": "fdd", "resource_blocks": 50, "cces": 16, "control": "ideal"}


def sensing(**settings):
    return SensingSpec(**(BASE | settings))


def carrier(cells=1, snr_db=30.0, **settings):
    """One terminal in each cell of one carrier, each hears its own cell alone."""
    spec = CarrierSpec(**(FDD | settings))
    made = Carrier(spec, [QosSpec()], [f"t{i}" for i in range(cells)], cells, seed=1, segment_header=5, ahead=0)
    made.state.ratio[:] = 10.0 ** (snr_db / 10.0) * np.eye(cells)
    made.report(np.full(cells, snr_db), np.full(cells, snr_db))
    for terminal in range(cells):
        made.attach(terminal, terminal, 0)
    return made


def sent(made, seconds=2):
    """Return the bits that each terminal has got, of a full buffer."""
    for terminal in range(len(made.serving)):
        made.endless(2 * terminal + cs.DOWN, 0, 0)
    made.advance(seconds * 10**9, False)
    links = made.state.links[cs.DOWN :: 2]
    return links["sequence"].copy()


@pytest.mark.parametrize(("refresh", "share"), [("128 ms", 0.286), ("1 s", 0.0366)])
def test_the_overhead_is_that_of_nist(refresh, share):
    """64 pulses of 8 beams and 2 symbols of 35.7 us: 28.6 % at 128 ms, 3.66 % at a second."""
    spec = sensing(refresh=refresh, pulses=64, interval="1 ms", beams=(8, 1), symbols=2)
    found = lay_out(spec, CarrierSpec(**FDD), 1).overhead
    assert found == pytest.approx(share, rel=2e-3)
    duration = {"128 ms": 0.128, "1 s": 1.0}[refresh]
    assert found == pytest.approx(64 * 8 * 2 * 0.5e-3 / 14 / duration, rel=1e-12)


def test_whole_occasions_take_exactly_their_share_of_full_buffers():
    """One slot in four without data: three blocks of four, in cells of mini-slots every seventh occasion of a slot."""
    plain, made = carrier(), carrier()
    slots = np.zeros((4, 3), dtype=np.int64)
    slots[1, 1] = SYMBOLS  # all of it
    made.sound(slots, np.array([[1, 0]]))
    before, after = sent(plain)[0], sent(made)[0]
    assert before == pytest.approx(4000, abs=3)
    assert after / before == pytest.approx(0.75, abs=1e-3)
    short = {"symbols": 2}
    plain, made = carrier(**short), carrier(**short)
    slots[1] = 12, 14, 0  # the last of a slot's seven occasions
    made.sound(slots, np.array([[1, 0]]))
    assert sent(made)[0] / sent(plain)[0] == pytest.approx(27 / 28, abs=1e-3)


def bits(made, symbols):
    """Return the largest block of 50 resource blocks and so many symbols, DM-RS 12, of the highest MCS."""
    return transport_block_size(50 * (12 * symbols - 12), int(made.state.mcs[1, -1]), int(made.state.mcs[0, -1]), 1)


def test_symbols_take_their_share_within_the_rounding_of_blocks():
    """4 of 14 symbols in every other slot: blocks of 9 symbols beside those of 13, by the tables of TS 38.214."""
    made = carrier(snr_db=60.0)
    made.sound(np.array([[10, 14, 0], [0, 0, 0]]), np.array([[1, 0]]))
    made.endless(cs.DOWN, 0, 0)
    sizes = []
    for slot in range(40, 60):
        made.advance(slot * 500_000 + 1, False)
        at = made.state.blocks[cs.HARQ_PROCESSES * cs.DOWN : cs.HARQ_PROCESSES * (cs.DOWN + 1)]
        sizes.append({int(b["size"]) for b in at if b["end"] == (slot + 1) * 500_000})
    assert sizes == [{bits(made, 9)}, {bits(made, 13)}] * 10
    full = 13 * 12 - 12
    assert bits(made, 9) / bits(made, 13) == pytest.approx((9 * 12 - 12) / full, rel=0.01)


def test_a_cell_that_does_not_sense_keeps_its_slots_and_hears_the_signal():
    """10 dB below its own: heard for 4 of 14 symbols; with data in the other 10, all the time."""
    made = carrier(cells=2, snr_db=20.0)
    made.state.ratio[cs.DOWN, 1, 0] = 10.0
    slots = np.array([[10, 14, 0]])
    made.sound(slots, np.array([[1, 0], [0, -1]]))
    made.endless(3, 0, 0)
    made.advance(10 * 500_000 + 1, False)
    s = made.state
    # Cell 0 has no data: only the signal is heard, in 4 of 14 symbols of all resource blocks.
    np.testing.assert_allclose(s.load, [[4 / 14] * s.load.shape[1], [1.0] * s.load.shape[1]], rtol=1e-12)
    last = s.blocks[3 * cs.HARQ_PROCESSES : 4 * cs.HARQ_PROCESSES]
    heard = last["snr"][last["end"] == 11 * 500_000]
    np.testing.assert_allclose(heard * 10.0 ** (GAP_DB / 10.0), 100.0 / (1.0 + 10.0 * 4 / 14), rtol=1e-12)
    made.endless(1, 0, 0)
    made.advance(20 * 500_000 + 1, False)
    np.testing.assert_allclose(s.load, 1.0, rtol=1e-12)


def test_silent_cells_send_neither_data_nor_the_signal():
    """In turns, of two cells: each loses both turns' slots, and sends in its own."""
    made = carrier(cells=2)
    made.sound(np.array([[0, 14, 0], [0, 14, 1], [0, 0, 0], [0, 0, 0]]), np.array([[1, 0], [1, 1]]))
    blocks = sent(made)
    np.testing.assert_allclose(blocks, 2000, atol=3)


def test_without_sensing_nothing_changes():
    plain, made = carrier(), carrier()
    made.sound(np.zeros((7, 3), dtype=np.int64), np.array([[1, 0]]))
    assert sent(plain)[0] == sent(made)[0]


TDD = {"pattern": "DDDSU"}


@pytest.mark.parametrize(
    ("settings", "carrier_settings", "key", "said"),
    [
        ({"interval": "0.7 ms"}, TDD, "interval", "found 700 us; allowed: whole slots of 500 us: 500 us or 1 ms"),
        ({"refresh": "128 ms"}, TDD, "refresh", "periods of the pattern of 2500 us: 127500 us or 130 ms"),
        ({"refresh": "130 ms"}, TDD, "interval", "pulse 2 from 2 ms on aren't downlink to their end"),
        ({"refresh": "130 ms"}, TDD, "interval", "allowed: multiples of the pattern's 2500 us, or a `stagger`"),
        ({"interval": "0.5 ms", "beams": (8, 1)}, FDD, "interval", "1 ms or more, as 8 beams of 2 symbols take 2"),
        ({"interval": "4 ms", "speed": 1.0}, FDD, "refresh", "1 CPI of 64 pulses take 256 ms, or more"),
        ({"speed": 30.0}, FDD, "speed", "found 30 m/s, but pulses 1 ms apart tell up to 21.4 m/s at 3.5 GHz"),
        ({"speed": 30.0}, FDD, "speed", "allowed: interval up to 713 us, or `stagger`"),
        ({"symbols": 12}, {**FDD, "coreset": 3}, "symbols", "found 12; allowed: up to 11 beside PDCCH"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_said(settings, carrier_settings, key, said):
    spec = sensing(**({"refresh": "128 ms", "interval": "1 ms", "beams": (2, 1)} | settings))
    with pytest.raises(ScenarioError, match=said) as found:
        lay_out(spec, CarrierSpec(**carrier_settings), 1)
    assert found.value.key == f"sensing.{key}"


def test_staggered_pulses_fall_on_downlink_slots_and_stay_where_they_are():
    """DDDSU of 30 kHz: a pulse in each period, in one of its three downlink slots."""
    spec = sensing(refresh="250 ms", interval="2.5 ms", stagger=3, beams=(2, 1), speed=30.0)
    found = lay_out(spec, CarrierSpec(**TDD), 1)
    slot = (found.starts[0] // 500_000) % 5
    assert set(slot) == {0, 1, 2}
    assert np.all(np.diff(found.starts[0] // 2_500_000) == 1)
    np.testing.assert_array_equal(found.starts, lay_out(spec, CarrierSpec(**TDD), 1).starts)
    assert found.overhead == pytest.approx(64 * 4 / (14 * 500), rel=1e-12)
