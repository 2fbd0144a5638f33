"""Modulation and coding schemes and channel quality indicators of TS 38.214, as integers.

Code rates are kept as R x 2048, so that 682.5/1024 is exact and transport block sizes need no floats.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.state import I64


class McsTable(NamedTuple):
    """One table; row i is index i."""

    qm: I64  # (M,) modulation order, bits per symbol
    rate2048: I64  # (M,) code rate x 2048


def _table(rates_by_order: dict[int, tuple[float, ...]]) -> McsTable:
    rows = [(qm, round(2 * rate)) for qm, rates in rates_by_order.items() for rate in rates]
    qm, rate = np.array(rows, dtype=np.int64).T
    return McsTable(np.ascontiguousarray(qm), np.ascontiguousarray(rate))


MCS_TABLES = {
    "qam64": _table({
        2: (120, 157, 193, 251, 308, 379, 449, 526, 602, 679),
        4: (340, 378, 434, 490, 553, 616, 658),
        6: (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948),
    }),
    "qam256": _table({
        2: (120, 193, 308, 449, 602),
        4: (378, 434, 490, 553, 616, 658),
        6: (466, 517, 567, 616, 666, 719, 772, 822, 873),
        8: (682.5, 711, 754, 797, 841, 885, 916.5, 948),
    }),
    "qam64LowSE": _table({
        2: (30, 40, 50, 64, 78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602),
        4: (340, 378, 434, 490, 553, 616),
        6: (438, 466, 517, 567, 616, 666, 719, 772),
    }),
}  # fmt: skip
"""TS 38.214 Tables 5.1.3.1-1, -2 and -3 by their names in `mcs-Table` (TS 38.331)."""

CQI_TABLES = {
    "qam64": _table({
        2: (78, 120, 193, 308, 449, 602), 4: (378, 490, 616), 6: (466, 567, 666, 772, 873, 948),
    }),
    "qam256": _table({
        2: (78, 193, 449), 4: (378, 490, 616), 6: (466, 567, 666, 772, 873), 8: (711, 797, 885, 948),
    }),
    "qam64LowSE": _table({
        2: (30, 50, 78, 120, 193, 308, 449, 602), 4: (378, 490, 616), 6: (466, 567, 666, 772),
    }),
}  # fmt: skip
"""TS 38.214 Tables 5.2.2.1-2, -3 and -4; row i is CQI index i + 1 (index 0 is out of range)."""
