"""Transport block size and code block segmentation, in exact integer arithmetic."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel

SMALL_SIZES = np.array([
    24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 208,
    224, 240, 256, 272, 288, 304, 320, 336, 352, 368, 384, 408, 432, 456, 480, 504, 528, 552, 576, 608, 640,
    672, 704, 736, 768, 808, 848, 888, 928, 984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320, 1352,
    1416, 1480, 1544, 1608, 1672, 1736, 1800, 1864, 1928, 2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536,
    2600, 2664, 2728, 2792, 2856, 2976, 3104, 3240, 3368, 3496, 3624, 3752, 3824,
], dtype=np.int64)  # fmt: skip
"""TS 38.214 Table 5.1.3.2-1, bits."""

MAX_RE_PER_PRB = 156


@kernel
def resource_elements(prbs: int, symbols: int, dmrs: int, overhead: int) -> int:
    """Return N_RE of an allocation: TS 38.214 5.1.3.2 step 1; `dmrs` and `overhead` in REs per PRB."""
    return min(MAX_RE_PER_PRB, 12 * symbols - dmrs - overhead) * prbs


@kernel
def _log2_floor(value: int) -> int:
    n = 0
    while value > 1:
        value >>= 1
        n += 1
    return n


@kernel
def transport_block_size(elements: int, rate2048: int, qm: int, layers: int) -> int:
    """Return the transport block size in bits: TS 38.214 5.1.3.2 steps 2-4, ties rounded up."""
    scaled = elements * rate2048 * qm * layers  # N_info x 2048
    if scaled <= 0:
        return 0
    if scaled <= 3824 * 2048:
        n = max(3, _log2_floor(scaled // 2048) - 6)
        quantised = max(24, (scaled >> (11 + n)) << n)
        return int(SMALL_SIZES[np.searchsorted(SMALL_SIZES, quantised)])
    rest = scaled - 24 * 2048
    n = _log2_floor(rest // 2048) - 5
    quantised = max(3840, ((rest + (1 << (10 + n))) >> (11 + n)) << n)
    limit = 3816 if rate2048 <= 512 else 8424
    blocks = 1
    if rate2048 <= 512 or quantised > 8424:
        blocks = -(-(quantised + 24) // limit)
    return 8 * blocks * (-(-(quantised + 24) // (8 * blocks))) - 24


@kernel
def base_graph(size: int, rate2048: int) -> int:
    """Return the LDPC base graph of a transport block of `size` bits: TS 38.212 6.2.2."""
    if size <= 292 or (size <= 3824 and rate2048 <= 1372) or rate2048 <= 512:  # 0.67 x 2048 = 1372.16
        return 2
    return 1


@kernel
def code_blocks(size: int, rate2048: int) -> tuple[int, int]:
    """Return number of code blocks and all bits with CRCs of a transport block: TS 38.212 5.2.2."""
    total = size + (24 if size > 3824 else 16)
    limit = 8448 if base_graph(size, rate2048) == 1 else 3840
    if total <= limit:
        return 1, total
    blocks = -(-total // (limit - 24))
    return blocks, total + 24 * blocks
