"""Transport block sizes against worked examples and the text of TS 38.214 5.1.3.2 in fractions."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.network.nr.mcs import CQI_TABLES, MCS_TABLES
from twin.network.nr.tbs import SMALL_SIZES, code_blocks, resource_elements, transport_block_size


def floor_log2(value: Fraction) -> int:
    n = 0
    while Fraction(2) ** (n + 1) <= value:
        n += 1
    while Fraction(2) ** n > value:
        n -= 1
    return n


def by_the_text(elements: int, rate: Fraction, qm: int, layers: int) -> int:
    info = elements * rate * qm * layers
    if info <= 3824:
        n = max(3, floor_log2(info) - 6)
        quantised = max(24, 2**n * floor(info / 2**n))
        return min(size for size in SMALL_SIZES.tolist() if size >= quantised)
    n = floor_log2(info - 24) - 5
    quantised = max(3840, 2**n * floor((info - 24) / 2**n + Fraction(1, 2)))
    if rate <= Fraction(1, 4):
        blocks = ceil(Fraction(quantised + 24, 3816))
    elif quantised > 8424:
        blocks = ceil(Fraction(quantised + 24, 8424))
    else:
        blocks = 1
    return 8 * blocks * ceil(Fraction(quantised + 24, 8 * blocks)) - 24


@settings(deadline=None)  # the first call compiles
@given(st.integers(1, 156 * 275), st.integers(60, 1896), st.sampled_from((2, 4, 6, 8, 10)), st.integers(1, 4))
def test_every_size_follows_the_text(elements, rate2048, qm, layers):
    assert transport_block_size(elements, rate2048, qm, layers) == by_the_text(
        elements, Fraction(rate2048, 2048), qm, layers
    )


@pytest.mark.parametrize(
    ("elements", "rate1024", "qm", "layers", "size"),
    [
        # N_info = 12 x 120/1024 x 2 = 2.8: N' = max(24, 0) = 24
        (12, 120, 2, 1, 24),
        # 1440 x 517/1024 x 6 = 4362.2; n = floor(log2 4338.2) - 5 = 7;
        # N' = 128 x round(33.89) = 4352; C = 1: 8 x ceil(4376 / 8) - 24 = 4352
        (1440, 517, 6, 1, 4352),
        # N_info = 3276 x 120/1024 x 2 = 767.8; n = 3; N' = 8 x 95 = 760; table: 768
        (3276, 120, 2, 1, 768),
        # all of 273 PRBs: 42588 x 948/1024 x 8 x 4 = 1261669.5; n = 15; N' = 32768 x round(38.50) ->
        # (1261669.5 - 24) / 32768 = 38.502: 39 x 32768 = 1277952; C = ceil(1277976 / 8424) = 152;
        # 8 x 152 x ceil(1277976 / 1216) - 24 = 1277992
        (42588, 948, 8, 4, 1277992),
        # R = 78/1024 <= 1/4: 156 x 275 x 78/1024 x 2 = 6535.5; n = 7; N' = 128 x round(50.87) = 6528;
        # C = ceil(6552 / 3816) = 2; 16 x ceil(6552 / 16) - 24 = 6536
        (42900, 78, 2, 1, 6536),
    ],
)
def test_worked_examples(elements, rate1024, qm, layers, size):
    assert transport_block_size(elements, 2 * rate1024, qm, layers) == size


def test_ties_go_to_the_next_larger_integer():
    """N_info - 24 is 32.5 times 2^7 here: up to 33, not to the even 32."""
    # N_info - 24 = 4160 = 128 x 32.5: N' = 128 x 33 = 4224, not 128 x 32 = 4096 (half to even)
    elements, rate2048, qm = 4184, 1024, 2  # R = 1/2: N_info = 4184
    assert transport_block_size(elements, rate2048, qm, 1) == 8 * ceil((4224 + 24) / 8) - 24 == 4224


def test_boundary_between_the_two_rules():
    assert transport_block_size(3824, 1024, 2, 1) == 3824  # N_info = 3824: n = 5, N' = 3808, table 3824
    assert transport_block_size(3825, 1024, 2, 1) == 3840  # N_info = 3825: N' = max(3840, 64 x round(59.4))


def test_resource_elements_are_capped_at_156_per_prb():
    assert resource_elements(10, 14, 0, 0) == 1560
    assert resource_elements(10, 14, 12, 6) == 1500
    assert resource_elements(3, 2, 12, 0) == 36


@pytest.mark.parametrize(
    ("size", "rate1024", "blocks", "bits"),
    [
        (256, 340, 1, 272),  # CRC16
        (3840, 500, 1, 3864),  # base graph 1, CRC24A
        (8424, 500, 1, 8448),  # just fits
        (8432, 500, 2, 8432 + 24 + 48),
        (6536, 78, 2, 6536 + 24 + 48),  # base graph 2: at most 3840 bits a block
    ],
)
def test_segmentation_of_ts_38_212(size, rate1024, blocks, bits):
    assert code_blocks(size, 2 * rate1024) == (blocks, bits)


@pytest.mark.parametrize(
    ("name", "index", "efficiency"),
    [
        ("qam64", 0, 0.2344), ("qam64", 3, 0.4902), ("qam64", 16, 2.5703), ("qam64", 17, 2.5664),
        ("qam64", 28, 5.5547), ("qam256", 19, 5.1152), ("qam256", 20, 5.3320), ("qam256", 27, 7.4063),
        ("qam64LowSE", 0, 0.0586), ("qam64LowSE", 17, 1.6953), ("qam64LowSE", 28, 4.5234),
    ],
)  # fmt: skip
def test_spectral_efficiencies_printed_in_the_mcs_tables(name, index, efficiency):
    table = MCS_TABLES[name]
    assert table.qm[index] * table.rate2048[index] / 2048 == pytest.approx(efficiency, abs=5e-5)


def test_table_lengths_and_cqi_rows():
    lengths = {name: len(table.qm) for name, table in MCS_TABLES.items()}
    assert lengths == {"qam64": 29, "qam256": 28, "qam64LowSE": 29}
    for table in CQI_TABLES.values():
        efficiency = table.qm * table.rate2048
        assert len(efficiency) == 15
        assert (efficiency[1:] > efficiency[:-1]).all()
