"""What of a carrier is left for data: refused where that is nothing, whatever the channel."""

from __future__ import annotations

from twin.errors import ScenarioError
from twin.network.nr.carrier_state import SSB_PER_SLOT, Signals
from twin.network.nr.mcs import MCS_TABLES
from twin.network.nr.tbs import resource_elements, transport_block_size
from twin.network.nr.tdd import END, START, SYMBOLS, Grid
from twin.specs.nr import CarrierSpec
from twin.units import time_text

REGS_PER_CCE = 6
SSB_PRBS, PRACH_PRBS = 20, 12
"""TS 38.211 7.4.3.1: 240 subcarriers; 6.3.3.2: 139 subcarriers of a short preamble, of the spacing of data."""


def check_room(spec: CarrierSpec, grid: Grid, prbs: int, cces: int, segment_header: int) -> None:
    """Refuse a carrier that can't carry a byte.

    Raises:
        ScenarioError: no control channel element, no room beside the headers of one segment, or none between gaps.
    """
    if cces < 1:
        message = f"no control channel element fits into {prbs} resource blocks and {spec.coreset} symbol"
        least = -(-REGS_PER_CCE // spec.coreset)
        message += f"{'s' if spec.coreset > 1 else ''} of PDCCH; allowed: {least} resource blocks or more"
        raise ScenarioError(message, key="resource_blocks")
    span = -(-spec.sr_period // len(grid.pucch)) * grid.period
    if 0 < spec.gap_period < spec.gap_length + span:
        message = f"gaps of {time_text(spec.gap_length)} each {time_text(spec.gap_period)} may leave no room for"
        message += f" scheduling requests; allowed: {time_text(spec.gap_length + span)} or more"
        raise ScenarioError(message, key="gap_period")
    qm, rate = (int(row[-1]) for row in MCS_TABLES[spec.mcs_table])
    for way, occasions in (("downlink", grid.downlink), ("uplink", grid.uplink)):
        symbols = round(int((occasions[END] - occasions[START]).max()) * SYMBOLS / grid.slot)
        if way == "downlink" and symbols > SYMBOLS // 2:
            symbols -= spec.coreset
        elements = resource_elements(prbs, symbols, spec.dmrs, spec.overhead)
        size = transport_block_size(elements, rate, qm, 1) // 8
        if size <= segment_header:
            message = f"the largest {way} block has {size} bytes, headers alone take {segment_header}"
            raise ScenarioError(f"{message}; more resource blocks or symbols would carry data", key="resource_blocks")


def signals(spec: CarrierSpec, grid: Grid, prbs: int) -> tuple[Signals, Signals]:
    """Return what PRACH takes of the uplink and SSB of the downlink."""
    if spec.control == "ideal":
        nothing = Signals(period=1, length=0, prbs=0)
        return nothing, nothing
    slots = -(-(spec.ssb_beams or 1) // SSB_PER_SLOT)
    prach = Signals(period=spec.prach_period, length=grid.period, prbs=min(PRACH_PRBS, prbs))
    return prach, Signals(period=spec.ssb_period, length=slots * grid.slot, prbs=min(SSB_PRBS, prbs))
