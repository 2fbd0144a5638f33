"""The grid of a carrier: when data, grants and control may be sent, in integer nanoseconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.state import I64

SUBCARRIER_SPACINGS = {15: 0, 30: 1, 60: 2, 120: 3, 480: 5, 960: 6}
"""kHz -> numerology mu; mu = 4 (240 kHz) carries no data."""
SYMBOLS = 14

PDSCH_N1: dict[int, dict[int, float]] = {
    1: {0: 8, 1: 10, 2: 17, 3: 20, 5: 80, 6: 160},
    2: {0: 3, 1: 4.5, 2: 9},
}
"""Symbols from the end of a PDSCH to its feedback: TS 38.214 Tables 5.3-1 and 5.3-2, front-loaded DM-RS."""
PUSCH_N2: dict[int, dict[int, float]] = {
    1: {0: 10, 1: 12, 2: 23, 3: 36, 5: 144, 6: 288},
    2: {0: 5, 1: 5.5, 2: 11},
}
"""Symbols from a grant to its PUSCH: TS 38.214 Tables 6.4-1 and 6.4-2."""


START, END, LONG, GRANTED = range(4)
"""Rows of a grid's occasions: LONG is how many there are to the end of the slot from its first one, else 0;
GRANTED is the start [ns] of the last PDCCH early enough to grant an uplink occasion, and may be negative."""


class Grid(NamedTuple):
    """Starts and ends [ns] within one period of the pattern; D downlink, U uplink, P PUCCH occasions."""

    period: int  # ns
    symbol: int  # ns, of one symbol
    slot: int  # ns
    downlink: I64  # (3, D) rows START, END, LONG; the PDCCH of an occasion is in its first symbol
    uplink: I64  # (4, U) rows START, END, LONG, GRANTED
    pucch: I64  # (P,) start of a symbol for scheduling requests and feedback
    n1_half: int  # ns, Tproc,1 / 2: from the end of data to its decoding
    n2_half: int  # ns, Tproc,2 / 2: from data or a grant to the transmission
    n2: int  # ns, Tproc,2


def numerology(scs_khz: int, capability: int) -> int:
    """Return mu of a subcarrier spacing.

    Raises:
        ScenarioError: not a spacing for data, or capability 2 where it isn't defined.
    """
    if scs_khz not in SUBCARRIER_SPACINGS:
        allowed = ", ".join(map(str, SUBCARRIER_SPACINGS))
        raise ScenarioError(f"{scs_khz} kHz is no subcarrier spacing for data; allowed: {allowed}", key="scs")
    mu = SUBCARRIER_SPACINGS[scs_khz]
    if mu not in PDSCH_N1[capability]:
        message = f"processing capability {capability} is not defined for {scs_khz} kHz; allowed: 15, 30, 60"
        raise ScenarioError(message, key="capability")
    return mu


def d12(capability: int, symbols: int) -> int:
    """Return d_1,1 [symbols] of TS 38.214 5.3 for `symbols` of PDSCH that don't overlap with its PDCCH."""
    if capability == 2 or symbols >= 7:
        return 0
    return 7 - symbols if symbols >= 4 else 3


def make_grid(
    mu: int, capability: int, pattern: str, special: tuple[int, int, int], duplex: str, symbols: int
) -> Grid:
    """Lay out one period of `pattern` (letters D, S, U) in occasions of `symbols` symbols.

    `special` is downlink, gap and uplink symbols of an S slot. With 14 symbols, the uplink of an S slot
    carries control only. With duplex fdd or full both directions have all slots and the pattern isn't used.

    Raises:
        ScenarioError: no occasion in one of the directions, other letters, or S doesn't add up.
    """
    slot = 1_000_000 >> mu
    if duplex != "tdd":
        down = up = [(0, SYMBOLS)]
    else:
        down, up = _regions(pattern, special)
    downlink = _occasions(down, symbols, slot, control_only=False)
    uplink = _occasions(up, symbols, slot, control_only=True)
    if not downlink.size or not uplink.size:
        missing = "uplink" if downlink.size else "downlink"
        raise ScenarioError(f"{pattern!r} has no {missing} occasion of {symbols} symbols", key="pattern")
    period = slot * len(down)
    n1 = PDSCH_N1[capability][mu] + d12(capability, symbols)
    n2 = PUSCH_N2[capability][mu]
    n2_ns = int(n2 * slot) // SYMBOLS
    symbol = slot // SYMBOLS
    granted = _grants(downlink[START], uplink[START], period, symbol + n2_ns)
    first = {k * slot + slot * u[0] // SYMBOLS for k, u in enumerate(up) if u[1] > u[0]}
    return Grid(
        period, symbol, slot, downlink, np.vstack([uplink, granted]),
        pucch=np.array(sorted({*uplink[START].tolist(), *first}), dtype=np.int64),
        n1_half=int(n1 * slot) // (2 * SYMBOLS), n2_half=int(n2 * slot) // (2 * SYMBOLS), n2=n2_ns,
    )  # fmt: skip


Region = tuple[int, int]


def _regions(pattern: str, special: tuple[int, int, int]) -> tuple[list[Region], list[Region]]:
    """Return first and last + 1 symbol of downlink and uplink in every slot."""
    unknown = sorted(set(pattern) - set("DSU"))
    if unknown or not pattern:
        raise ScenarioError(f"{pattern!r} must be made of the letters D, S and U", key="pattern")
    if sum(special) != SYMBOLS or min(special) < 0:
        raise ScenarioError(f"{special} must be three numbers of symbols that make 14", key="special")
    down = {"D": (0, SYMBOLS), "S": (0, special[0]), "U": (0, 0)}
    up = {"D": (0, 0), "S": (SYMBOLS - special[2], SYMBOLS), "U": (0, SYMBOLS)}
    return [down[letter] for letter in pattern], [up[letter] for letter in pattern]


def _occasions(regions: list[Region], symbols: int, slot: int, control_only: bool) -> I64:
    """Return the rows START, END and LONG of all occasions."""
    rows: list[tuple[int, int, int]] = []
    for k, (first, last) in enumerate(regions):
        length = symbols
        if symbols == SYMBOLS and last > first:
            if control_only and last - first < SYMBOLS:
                continue
            length = last - first
        starts = range(first, last - length + 1, length)
        for i, start in enumerate(starts):
            ns = [k * slot + slot * s // SYMBOLS for s in (start, start + length)]
            rows.append((ns[0], ns[1], len(starts) if i == 0 else 0))
    return np.ascontiguousarray(np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def _grants(downlink: I64, uplink: I64, period: int, lead: int) -> I64:
    """Return for each uplink occasion the start of the last downlink occasion that leaves `lead` ns."""
    back = -(-lead // period) + 1
    starts = np.concatenate([downlink + k * period for k in range(-back, 1)])
    return starts[np.searchsorted(starts, uplink - lead, side="right") - 1]


@kernel
def next_index(starts: I64, period: int, time: int) -> int:
    """Return the index, counted over all periods, of the first of `starts` at or after `time`."""
    since = time - starts[0]
    turn = since // period
    place = np.searchsorted(starts, since - turn * period + starts[0])
    return int(turn * starts.size + place)


@kernel
def at(starts: I64, period: int, index: int) -> int:
    """Return the time [ns] of an index counted over all periods."""
    turn = index // starts.size
    return int(turn * period + starts[index - turn * starts.size])
