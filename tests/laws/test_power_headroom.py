"""Uplink power is spread over what is granted: the best width has a closed form, and a weak terminal gets through."""

import numpy as np
import pytest

from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.link_adaptation import SIZES, allocate
from twin.network.nr.tbs import transport_block_size
from twin.specs.nr import CarrierSpec, QosSpec

HEADER, SYMBOLS = 5, 14
ELEMENTS = 12 * SYMBOLS - 12  # of one resource block: a slot less one symbol with DM-RS


def carrier(snr_db: float, prbs: int = 273) -> Carrier:
    """One terminal that is worth `snr_db` with all its power in one resource block."""
    spec = CarrierSpec(resource_blocks=prbs, control="ideal")
    made = Carrier(spec, [QosSpec()], ["terminal"], 1, seed=1, segment_header=HEADER, ahead=0)
    made.state.ratio[cs.UP], made.state.ratio[cs.DOWN] = 10 ** (snr_db / 10), 1e3
    made.report(np.array([snr_db]), np.array([30.0]))
    made.attach(0, 0, 0)
    return made


def needed_db(made: Carrier, bits: int, mcs: int) -> float:
    """Return the ratio that an MCS needs for a block of that size: rows are 64, 128, ... bits and more."""
    return made.state.threshold[0, min(SIZES - 1, max(0, int(np.log2(bits / 64)))), mcs]


def best(made: Carrier, snr_db: float, bits: int, most: int) -> tuple[int, int]:
    """Return blocks and bits by trying all widths and MCS: the narrowest that holds all, or else the most bits."""
    fitting, largest = [], 0
    for n in range(1, most + 1):
        for qm, rate, m in zip(*made.state.mcs.tolist(), range(made.state.mcs.shape[1]), strict=True):
            size = transport_block_size(min(156, ELEMENTS) * n, rate, qm, 1)
            if snr_db - 10 * np.log10(n) >= needed_db(made, min(bits, size), m):
                largest = max(largest, size)
                if size >= bits:
                    fitting.append(n)
    return (min(fitting), 0) if fitting else (0, largest)


@pytest.mark.parametrize("size", [60, 300, 1500])
@pytest.mark.parametrize("snr_db", [5.0, 10.0, 15.0, 25.0, 40.0])
def test_a_grant_is_the_narrowest_that_holds_all_or_else_the_largest_that_power_bears(snr_db, size):
    made, bits = carrier(snr_db), 8 * (size + HEADER)
    mcs, prbs, _ = allocate(made.handle, 0, 0, bits, SYMBOLS, 273)
    narrowest, largest = best(made, snr_db, bits, 273)
    qm, rate = made.state.mcs[:, mcs].tolist()
    granted = transport_block_size(ELEMENTS * prbs, rate, qm, 1)
    assert snr_db - 10 * np.log10(prbs) >= needed_db(made, min(bits, granted), mcs) - 1e-9
    if narrowest:
        assert granted >= bits
        assert prbs <= narrowest + 1, "sizes are quantised: one block more at most"
    else:
        assert granted >= 0.97 * largest, "MCS 0 to 28 in turn, each in as many blocks as it bears"


@pytest.mark.parametrize("snr_db", [2.0, 4.0, 6.0, 8.0, 10.0])
def test_where_power_is_short_the_best_width_is_g_over_t_at_the_lowest_rate(snr_db):
    """Bits per power, log2(1 + x) / x, grow as x falls: the lowest MCS, which needs t, in g / t resource blocks."""
    made = carrier(snr_db)
    mcs, prbs, _ = allocate(made.handle, 0, 0, 8 * 100_000, SYMBOLS, 273)
    size = transport_block_size(ELEMENTS * prbs, int(made.state.mcs[1, 0]), int(made.state.mcs[0, 0]), 1)
    assert mcs <= 1, "MCS 0 and 1 differ by less than a resource block's rounding"
    if mcs == 0:
        assert prbs == int(10 ** ((snr_db - needed_db(made, size, 0)) / 10))


@pytest.mark.parametrize("gain_db", [-124, -126, -128, -130])
def test_long_packets_of_a_weak_terminal_all_arrive(gain_db):
    """23 dBm, noise figure 7 dB: 10 to 4 dB in one resource block of 360 kHz, and the carrier has 273."""
    noise_dbm = 10 * np.log10(1.380649e-23 * 290.0 * 360e3 * 1e3) + 7.0
    made = carrier(23.0 + gain_db - noise_dbm)
    created = np.arange(100, dtype=np.int64) * 200_000_000
    made.enter(np.stack([np.full(100, cs.UP), np.full(100, 1500), created, created, np.arange(100)], axis=1))
    made.advance(int(created[-1]) + 1_000_000_000, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]["fate"]
    assert len(fates) == 100
    assert (fates == cs.DELIVERED).all()
