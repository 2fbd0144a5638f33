"""Laying out the grid of a carrier from its settings: patterns, occasions, processing times."""

from __future__ import annotations

import numpy as np

from twin.errors import ScenarioError
from twin.network.nr.tdd import END, START, SYMBOLS, Grid
from twin.specs.nr import CarrierSpec
from twin.state import I64

SUBCARRIER_SPACINGS = {15: 0, 30: 1, 60: 2, 120: 3, 480: 5, 960: 6}
"""kHz -> numerology mu; mu = 4 (240 kHz) carries no data."""
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


def make_grid(spec: CarrierSpec) -> Grid:
    """Lay out one period of `spec.pattern` (letters D, S, U) in occasions of `spec.symbols` symbols.

    `special` is downlink, gap and uplink symbols of an S slot. With 14 symbols, the uplink of an S slot
    carries control only. With duplex fdd or full both directions have all slots and the pattern isn't used.
    What leaves no resource element for data carries control only.

    Raises:
        ScenarioError: no occasion for data in one of the directions, other letters, S doesn't add up, or starts
            that overlap.
    """
    mu = numerology(round(spec.scs / 1e3), spec.capability)
    slot = 1_000_000 >> mu
    down, up = regions(spec)
    starts = _starts(spec)
    downlink = _occasions(down, starts, spec.symbols, slot, control_only=False)
    uplink = _occasions(up, starts, spec.symbols, slot, control_only=True)
    pdcch = downlink[START]
    downlink = _for_data(downlink, spec, slot, down=True)
    uplink = _for_data(uplink, spec, slot, down=False)
    n1 = PDSCH_N1[spec.capability][mu] + d12(spec.capability, spec.symbols)
    n2 = PUSCH_N2[spec.capability][mu]
    n2_ns, symbol, period = int(n2 * slot) // SYMBOLS, slot // SYMBOLS, slot * len(down)
    n1_half, n2_half = int(n1 * slot) // (2 * SYMBOLS), int(n2 * slot) // (2 * SYMBOLS)
    lead = max(symbol + n2_ns, spec.k2 * slot)
    granted = _grants(pdcch, uplink[START], period, lead)
    first = {k * slot + slot * u[0] // SYMBOLS for k, u in enumerate(up) if u[1] > u[0]}
    return Grid(
        period=period, symbol=symbol, slot=slot, downlink=downlink, uplink=np.vstack([uplink, granted]),
        pucch=np.array(sorted({*uplink[START].tolist(), *first}), dtype=np.int64),
        n1_half=n1_half, n2_half=n2_half, n2=n2_ns,
        feedback=max(n1_half, (spec.k1 - 1) * slot - n1_half), station=n2_half + spec.lead,
        assign=n2_half + spec.lead + spec.k0 * slot, lead=lead,
    )  # fmt: skip


def _starts(spec: CarrierSpec) -> tuple[int, ...]:
    """Return the symbols of a slot at which occasions may start; none stated: wherever one ends, from its first."""
    if spec.starts is None:
        return ()
    ordered = sorted(spec.starts)
    ends = [start + spec.symbols for start in ordered]
    if not ordered or ordered[0] < 0 or ends[-1] > SYMBOLS or any(map(int.__gt__, ends, ordered[1:])):
        allowed = f"symbols 0 to {SYMBOLS - spec.symbols}, {spec.symbols} or more apart"
        raise ScenarioError(f"{spec.starts} are no starts of {spec.symbols} symbols; allowed: {allowed}", key="starts")
    return tuple(ordered)


def _for_data(rows: I64, spec: CarrierSpec, slot: int, down: bool) -> I64:
    """Return the occasions that have resource elements for data."""
    way = "downlink" if down else "uplink"
    if not rows.size:
        raise ScenarioError(f"{spec.pattern!r} has no {way} occasion of {spec.symbols} symbols", key="pattern")
    symbols = np.rint((rows[END] - rows[START]) * SYMBOLS / slot).astype(np.int64)
    elements = 12 * np.where(down & (symbols > 7), symbols - spec.coreset, symbols) - spec.dmrs - spec.overhead
    if not (elements > 0).any():
        most = 12 * int(symbols.max()) - 1
        message = f"no resource element is left for data in {way} occasions of {symbols.max()} symbols: DM-RS and"
        raise ScenarioError(f"{message} overhead take {spec.dmrs + spec.overhead} of {most + 1}", key="dmrs")
    return np.ascontiguousarray(rows[:, elements > 0])


Region = tuple[int, int]


def regions(spec: CarrierSpec) -> tuple[list[Region], list[Region]]:
    """Return first and last + 1 symbol of downlink and uplink in every slot of a period.

    Raises:
        ScenarioError: a pattern of other letters, or a special slot that doesn't add up.
    """
    if spec.duplex != "tdd":
        return [(0, SYMBOLS)], [(0, SYMBOLS)]
    pattern, special = spec.pattern, spec.special
    unknown = sorted(set(pattern) - set("DSU"))
    if unknown or not pattern:
        raise ScenarioError(f"{pattern!r} must be made of the letters D, S and U", key="pattern")
    if sum(special) != SYMBOLS or min(special) < 0:
        raise ScenarioError(f"{special} must be three numbers of symbols that make 14", key="special")
    down = {"D": (0, SYMBOLS), "S": (0, special[0]), "U": (0, 0)}
    up = {"D": (0, 0), "S": (SYMBOLS - special[2], SYMBOLS), "U": (0, SYMBOLS)}
    return [down[letter] for letter in pattern], [up[letter] for letter in pattern]


def _occasions(regions: list[Region], starts: tuple[int, ...], symbols: int, slot: int, control_only: bool) -> I64:
    """Return the rows START, END and LONG of all occasions."""
    rows: list[tuple[int, int, int]] = []
    for k, (first, last) in enumerate(regions):
        length = symbols
        if symbols == SYMBOLS and last > first:
            if control_only and last - first < SYMBOLS:
                continue
            length = last - first
        here = [start for start in starts if first <= start <= last - length]
        if not starts:
            here = list(range(first, last - length + 1, length))
        for i, start in enumerate(here):
            ns = [k * slot + slot * s // SYMBOLS for s in (start, start + length)]
            rows.append((ns[0], ns[1], len(here) if i == 0 else 0))
    return np.ascontiguousarray(np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def _grants(downlink: I64, uplink: I64, period: int, lead: int) -> I64:
    """Return for each uplink occasion the start of the last downlink occasion that leaves `lead` ns."""
    back = -(-lead // period) + 1
    starts = np.concatenate([downlink + k * period for k in range(-back, 1)])
    return starts[np.searchsorted(starts, uplink - lead, side="right") - 1]
