"""Which modulation and coding, how many resource blocks: from reported quality to an allocation."""

from __future__ import annotations

import numpy as np

from twin.network.nr.carrier_state import State
from twin.network.nr.mcs import McsTable
from twin.network.nr.phy import GAP_DB, Qam, block_error, per_symbol
from twin.network.nr.tbs import resource_elements, transport_block_size
from twin.numerics.kernels import kernel
from twin.state import F64, I64

SIZES = 8
"""Classes of block sizes with their own thresholds: 64, 128, ... 8192 bits."""
DCI_BITS, REGS_PER_CCE, DATA_RE_PER_REG = 64, 6, 9
"""A control message of about 40 bits with its CRC; 9 of 12 REs of a REG carry it (TS 38.211 7.3.2)."""
LOWEST_DB, HIGHEST_DB = -30.0, 60.0
LEAST_PART = 8
"""Bytes of a packet that a block must be able to hold beside its headers, to be worth sending."""


@kernel
def required_db(tables: Qam, qm: int, bits: float, symbols: float, target: float) -> float:
    """Return the signal-to-noise ratio [dB] at which a code block of `bits` in `symbols` meets `target`."""
    low, high = LOWEST_DB, HIGHEST_DB
    for _ in range(24):
        middle = 0.5 * (low + high)
        ratio = 10.0 ** ((middle - GAP_DB) / 10.0)
        capacity, dispersion = per_symbol(tables, qm, ratio)
        error = block_error(bits, symbols, symbols * capacity, symbols * dispersion)
        if error > target:
            low = middle
        else:
            high = middle
    return high


@kernel
def thresholds(tables: Qam, mcs: I64, targets: F64, out: F64) -> None:
    """Write the ratio [dB] that each MCS needs, out (targets, SIZES, M); never less than a lower MCS."""
    for q in range(targets.size):
        for k in range(SIZES):
            for m in range(mcs.shape[1]):
                bits = 64.0 * 2.0**k
                symbols = bits * 2048.0 / (mcs[0, m] * mcs[1, m])
                checked = bits + (24.0 if bits > 3824.0 else 16.0)
                out[q, k, m] = required_db(tables, mcs[0, m], checked, symbols, targets[q])
                if m > 0:
                    out[q, k, m] = max(out[q, k, m], out[q, k, m - 1])


def aggregation_thresholds(tables: Qam, target: float = 1e-2) -> F64:
    """Return the ratio [dB] that PDCCH needs with 1, 2, 4, 8 and 16 control channel elements, (5,)."""
    per_cce = REGS_PER_CCE * DATA_RE_PER_REG
    return np.array([required_db(tables, 2, DCI_BITS, per_cce * 2.0**k, target) for k in range(5)])


def cqi_thresholds(tables: Qam, table: McsTable, elements: int, target: float) -> F64:
    """Return the ratio [dB] from which each CQI is reported, (15,), in a reference resource of `elements`."""
    rate = table.rate2048 / 2048.0
    return np.array([
        required_db(tables, int(qm), elements * r * qm, float(elements), target)
        for qm, r in zip(table.qm, rate, strict=True)
    ])  # fmt: skip


@kernel
def size_class(bits: int) -> int:
    """Return the row of `thresholds` for a block of that size, the next smaller one."""
    k = 0
    while k < SIZES - 1 and bits >= 128 << k:
        k += 1
    return k


@kernel
def pick_mcs(threshold: F64, snr_db: float) -> int:
    """Return the highest MCS whose threshold (M,) is met, or 0."""
    low, high = 0, threshold.size - 1
    while low < high:
        middle = (low + high + 1) // 2
        if threshold[middle] <= snr_db:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def expected_efficiency(s: State, link: int, q: int) -> float:
    """Return the bits per symbol that a link would get in long blocks over the whole carrier."""
    snr_db = s.links[link].reported_db + s.links[link].olla_db
    if link & 1 == 0:
        snr_db = min(snr_db - s.config.prbs_db, s.uplink_cap_db[link >> 1])
    mcs = pick_mcs(s.threshold[q, SIZES - 1], snr_db)
    return float(s.mcs[0, mcs] * s.mcs[1, mcs] / 2048.0)


@kernel
def data_symbols(s: State, down: bool, symbols: int) -> int:
    """Return the symbols for data in an occasion; a short one has PDCCH in other resource blocks."""
    return symbols - s.config.coreset if down and symbols > 7 else symbols


@kernel
def data_elements(s: State, down: bool, symbols: int, prbs: int) -> int:
    """Return the REs for data in `prbs` resource blocks of an occasion of `symbols` symbols."""
    return int(resource_elements(prbs, data_symbols(s, down, symbols), s.config.dmrs, s.config.overhead))


@kernel
def block_size(s: State, down: bool, symbols: int, prbs: int, mcs: int, layers: int) -> int:
    """Return the transport block size [bits] of an allocation, from `State.sizes` where it is known."""
    place = data_symbols(s, down, symbols), layers - 1, mcs, prbs
    if s.sizes[place] == 0:
        elements = data_elements(s, down, symbols, prbs)
        s.sizes[place] = transport_block_size(elements, s.mcs[1, mcs], s.mcs[0, mcs], layers)
    return int(s.sizes[place])


@kernel
def roughly_prbs(s: State, down: bool, symbols: int, bits: int, mcs: int, layers: int) -> int:
    """Return the number of resource blocks for `bits` before transport block sizes are quantised."""
    per_prb = data_elements(s, down, symbols, 1) * s.mcs[1, mcs] * s.mcs[0, mcs] * layers
    return int(max(1, -(-bits * 2048 // per_prb)))


@kernel
def prbs_for(s: State, down: bool, symbols: int, bits: int, mcs: int, layers: int, most: int) -> int:
    """Return the least number of resource blocks whose transport block holds `bits`, at most `most`."""
    n = min(roughly_prbs(s, down, symbols, bits, mcs, layers), most)
    while n > 1 and block_size(s, down, symbols, n - 1, mcs, layers) >= bits:
        n -= 1
    while n < most and block_size(s, down, symbols, n, mcs, layers) < bits:
        n += 1
    return int(n)


@kernel
def allocate(s: State, link: int, q: int, bits: int, symbols: int, most: int) -> tuple[int, int, int]:
    """Return MCS, resource blocks and layers for `bits` of class `q`, using at most `most` resource blocks.

    Downlink power is spread over the whole carrier, so the ratio doesn't depend on the allocation; a terminal
    spreads its power over what it is given, so more resource blocks mean a lower ratio in each.
    """
    threshold = s.threshold[q, size_class(bits)]
    reported = s.links[link].reported_db + s.links[link].olla_db
    if link & 1 == 1:
        layers = s.config.layers
        mcs = pick_mcs(threshold, reported - 10.0 * np.log10(layers))
        if layers == 2:
            single = pick_mcs(threshold, reported)
            if 2 * s.mcs[1, mcs] * s.mcs[0, mcs] <= s.mcs[1, single] * s.mcs[0, single]:
                layers, mcs = 1, single
        return mcs, prbs_for(s, True, symbols, bits, mcs, layers, most), layers
    cap_db = s.uplink_cap_db[link >> 1] + s.links[link].olla_db
    n, mcs = 1, pick_mcs(threshold, min(cap_db, reported))
    for _ in range(6):
        more = min(roughly_prbs(s, False, symbols, bits, mcs, 1), most)
        if more <= n:
            break
        n = more
        mcs = pick_mcs(threshold, min(cap_db, reported - s.spread_db[n]))
    prbs = prbs_for(s, False, symbols, bits, mcs, 1, most)
    there_db = min(cap_db, reported - s.spread_db[prbs])
    if there_db >= threshold[mcs] and block_size(s, False, symbols, prbs, mcs, 1) >= bits:
        return mcs, prbs, 1
    mcs, prbs = widest(s, q, bits, symbols, most, reported, cap_db)
    return mcs, prbs, 1


@kernel
def widest(s: State, q: int, bits: int, symbols: int, most: int, reported_db: float, cap_db: float) -> tuple[int, int]:
    """Return MCS and resource blocks of the uplink block that brings `bits` soonest within the power headroom.

    A terminal that is worth g in one resource block is worth g / n in n: MCS m, which needs t, bears at most
    n = g / t. The fewest blocks that hold all bits win, or else what holds the most of them. Where even MCS 0
    needs more power than there is, it is sent in as few as carry something, for HARQ to combine.
    """
    best, best_mcs, best_prbs = 0, 0, 0
    for m in range(s.mcs.shape[1] - 1, -1, -1):
        n, size = _bearable(s, q, m, bits, symbols, most, reported_db)
        if n == 0 or s.threshold[q, size_class(min(bits, size)), m] > cap_db:
            continue
        if size >= bits:
            return m, prbs_for(s, False, symbols, bits, m, 1, n)
        if size > best:
            best, best_mcs, best_prbs = size, m, n
        if n == most:
            break
    least = 8 * (s.config.segment_header + LEAST_PART)
    if best >= least:
        return best_mcs, best_prbs
    return 0, prbs_for(s, False, symbols, min(bits, least), 0, 1, most)


@kernel
def _bearable(s: State, q: int, m: int, bits: int, symbols: int, most: int, reported_db: float) -> tuple[int, int]:
    """Return how many resource blocks an uplink can fill with MCS `m`, and the bits of such a block."""
    n, size = most, bits
    for _ in range(3):  # a smaller block needs a higher ratio
        needed_db = s.threshold[q, size_class(min(bits, size)), m]
        n = min(n, int(10.0 ** (0.1 * (reported_db - needed_db)) * (1.0 + 1e-12)))
        if n == 0:
            return 0, 0
        smaller = block_size(s, False, symbols, n, m, 1)
        if size_class(min(bits, smaller)) == size_class(min(bits, size)):
            return n, smaller
        size = smaller
    return n, size
