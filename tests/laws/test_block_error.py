"""Block error against points of real codes, limits of information theory, and the gain of retransmissions."""

from math import log2

import numpy as np
import pytest
from scipy.optimize import brentq

from twin.network.nr.harq import combine, fresh
from twin.network.nr.mcs import MCS_TABLES
from twin.network.nr.phy import GAP_DB, ORDERS, block_error, per_symbol, qam, transport_error


def error(qm: int, bits: int, symbols: float, snr_db: float) -> float:
    tables, ratio = qam(), 10 ** ((snr_db - GAP_DB) / 10)
    capacity, dispersion = per_symbol(tables, qm, ratio)
    return block_error(bits, symbols, symbols * capacity, symbols * dispersion)


@pytest.mark.parametrize(("mcs", "bits", "snr_db"), [(9, 256, 3.60), (19, 1024, 10.83)])
def test_ten_percent_points_of_nr_ldpc_codes(mcs, bits, snr_db):
    table = MCS_TABLES["qam64"]
    qm, rate = int(table.qm[mcs]), table.rate2048[mcs] / 2048
    found = brentq(lambda x: error(qm, bits, bits / rate / qm, x) - 0.1, -10, 30)
    assert found == pytest.approx(snr_db, abs=0.4)


def test_every_mcs_needs_more_than_shannon_and_less_than_three_decibels_more_for_long_blocks():
    for table in MCS_TABLES.values():
        for qm, rate2048 in zip(table.qm.tolist(), table.rate2048.tolist(), strict=True):
            efficiency, bits = qm * rate2048 / 2048, 8448
            found = brentq(lambda x: error(qm, bits, bits / efficiency, x) - 0.1, -25, 40)  # noqa: B023
            shannon = 10 * np.log10(2**efficiency - 1)
            assert shannon + GAP_DB < found < shannon + GAP_DB + 3.0


@pytest.mark.parametrize("qm", ORDERS)
def test_constrained_capacity_tends_to_shannon_below_and_to_the_bits_of_the_alphabet_above(qm):
    tables = qam()
    assert per_symbol(tables, qm, 10**6.0)[0] == pytest.approx(qm, rel=1e-6)  # the top of the tables
    for snr_db in (-20, -10, 0, 10, 20):
        ratio = 10 ** (snr_db / 10)
        assert per_symbol(tables, qm, ratio)[0] <= log2(1 + ratio)
    # QPSK loses only order snr^2 against log2(1 + snr); Gray labels at low SNR lose more for larger alphabets
    if qm == 2:
        assert per_symbol(tables, qm, 1e-2)[0] == pytest.approx(log2(1.01), rel=1e-2)


def test_qpsk_capacity_is_twice_that_of_binary_input_at_half_a_bit():
    """A binary-input AWGN channel carries 1/2 bit at Es/N0 = -2.823 dB (Eb/N0 = 0.187 dB)."""
    ratio = 10 ** ((-2.823 + 10 * np.log10(2)) / 10)  # QPSK: the power of two dimensions
    assert per_symbol(qam(), 2, ratio)[0] == pytest.approx(1.0, abs=2e-3)


def test_a_block_is_lost_less_often_in_better_channels_and_with_more_symbols():
    errors = [error(4, 500, 400, x) for x in np.arange(-5, 15, 0.5)]
    assert all(a >= b for a, b in zip(errors, errors[1:], strict=False))
    errors = [error(4, 500, n, 5.0) for n in range(150, 600, 10)]
    assert all(a >= b for a, b in zip(errors, errors[1:], strict=False))


def test_transport_blocks_fail_when_one_of_their_independent_code_blocks_does():
    one = transport_error(1000, 1, 500.0, 1020.0, 250.0)
    assert transport_error(4000, 4, 2000.0, 4080.0, 1000.0) == pytest.approx(1 - (1 - one) ** 4, rel=1e-12)


def ten_percent_point(incremental: bool, transmissions: int) -> float:
    def excess(snr_db: float) -> float:
        word = fresh()
        for _ in range(transmissions):
            combine(word, 6, 200.0, 10 ** ((snr_db - GAP_DB) / 10), incremental, qam())
        return transport_error(1000, 1, word[0], word[1], word[2]) - 0.1

    return brentq(excess, -20, 40)


def test_chase_combining_of_two_transmissions_gains_exactly_three_decibels():
    gain = ten_percent_point(False, 1) - ten_percent_point(False, 2)
    assert gain == pytest.approx(10 * np.log10(2), abs=1e-6)


def test_incremental_redundancy_gains_more_than_chase_combining():
    """Rate 5/6 with 64QAM: the second transmission halves the rate, worth more than double power."""
    assert ten_percent_point(True, 2) < ten_percent_point(False, 2) - 1.0
    assert ten_percent_point(True, 3) < ten_percent_point(True, 2)
