"""When sensing sends its pulses, and which symbols that takes: laid out once, for every refresh the same."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.link import SPEED_OF_LIGHT
from twin.network.nr.grid import Region, make_grid, regions
from twin.network.nr.tdd import SYMBOLS
from twin.numerics.draws import key, uniform
from twin.specs.nr import CarrierSpec
from twin.specs.sensing import SensingSpec
from twin.state import F64, I64
from twin.units import duration_text, time_text

_STAGGER = key("sensing stagger")


class Pulses(NamedTuple):
    """The slots of one refresh: N slots, G turns, M pulses."""

    slots: I64  # (N, 3) first symbol taken, one after the last, and the turn; see `State.sounding`
    starts: I64  # (G, M) ns from the start of a refresh, of each turn's pulses
    slot: int  # ns
    last: I64  # (G,) ns from the start of a refresh, when the last pulse of a turn has been sent

    @property
    def overhead(self) -> float:
        """Share of all symbols that sensing takes."""
        return float((self.slots[:, 1] - self.slots[:, 0]).sum() / (SYMBOLS * len(self.slots)))

    def middle(self, turn: int) -> int:
        """Return the middle [ns] of a turn's CPI, from the start of a refresh."""
        return int(self.starts[turn, 0] + self.last[turn]) // 2

    def times(self, turn: int) -> F64:
        """Return the pulses [s] of a turn from the middle of its first and last one."""
        starts = self.starts[turn]
        return np.asarray((starts - 0.5 * (starts[0] + starts[-1])) / NS)


def lay_out(spec: SensingSpec, carrier: CarrierSpec, turns: int) -> Pulses:
    """Return the pulses of `turns` cells that sense one after another, or 1 for all at once.

    Raises:
        ScenarioError: they don't fit into slots, the refresh or the downlink, or can't resolve the speed asked for.
    """
    slot, down = make_grid(carrier).slot, regions(carrier)[0]
    _check_times(spec, slot, len(down))
    _check_speed(spec, carrier)
    share = (SYMBOLS - carrier.coreset) // spec.symbols
    beams = spec.beams[0] * spec.beams[1]
    if share < 1:
        allowed = f"up to {SYMBOLS - carrier.coreset} beside PDCCH"
        raise ScenarioError(f"found {spec.symbols}; allowed: {allowed}", key="sensing.symbols")
    counts = [min(share, beams - k) * spec.symbols for k in range(0, beams, share)]
    step = spec.interval // slot
    if len(counts) + spec.stagger > step:
        least = duration_text((len(counts) + spec.stagger) * slot)
        message = f"{beams} beams of {spec.symbols} symbols take {len(counts)} slots, {spec.stagger} slots of stagger"
        raise ScenarioError(f"found {duration_text(spec.interval)}; allowed: {least} or more, as {message}",
                            key="sensing.interval")  # fmt: skip
    total, cpi = spec.refresh // slot, spec.pulses * step
    if turns * cpi > total:
        message = f"{turns} CPI of {spec.pulses} pulses take {duration_text(turns * cpi * slot)}"
        raise ScenarioError(f"found {duration_text(spec.refresh)}; allowed: {message}, or more", key="sensing.refresh")
    return _placed(spec, down, slot, counts, turns)


def _placed(spec: SensingSpec, down: list[Region], slot: int, counts: list[int], turns: int) -> Pulses:
    step, total = spec.interval // slot, spec.refresh // slot
    slots = np.zeros((total, 3), dtype=np.int64)
    starts = np.zeros((turns, spec.pulses), dtype=np.int64)
    last = np.zeros(turns, dtype=np.int64)
    begin = _first(down, counts, spec.stagger)
    for turn in range(turns):
        for m in range(spec.pulses):
            window = begin + (turn * spec.pulses + m) * step
            free = [s for s in range(window, window + spec.stagger + 1) if _is_free(down, s, counts)]
            if not free:
                raise ScenarioError(_no_downlink(spec, down, slot, m, window), key="sensing.interval")
            first = free[int(uniform(0, _STAGGER, np.uint64(turn), m, 0) * len(free))]
            for k, count in enumerate(counts):
                slots[(first + k) % total] = SYMBOLS - count, SYMBOLS, turn
            starts[turn, m] = (first + 1) * slot - slot * counts[0] // SYMBOLS
            last[turn] = (first + len(counts)) * slot
    return Pulses(slots, starts, slot, last)


def _first(down: list[Region], counts: list[int], stagger: int) -> int:
    """Return the first slot of a period at which a pulse can begin, 0 if there is none."""
    return next((s for s in range(len(down)) if _is_free(down, s, counts)), 0) if not stagger else 0


def _is_free(down: list[Region], slot: int, counts: list[int]) -> bool:
    """Tell whether the last symbols of a slot and of those after it are downlink."""
    places = [(down[(slot + k) % len(down)], count) for k, count in enumerate(counts)]
    return all(last == SYMBOLS and SYMBOLS - count >= first for (first, last), count in places)


def _no_downlink(spec: SensingSpec, down: list[Region], slot: int, pulse: int, window: int) -> str:
    period = duration_text(len(down) * slot)
    at = time_text(window * slot)
    return (
        f"found {duration_text(spec.interval)}: the slots of pulse {pulse} from {at} on aren't downlink to their end; "
        f"allowed: multiples of the pattern's {period}, or a `stagger` that reaches downlink slots"
    )


def _check_times(spec: SensingSpec, slot: int, pattern: int) -> None:
    for name, value, unit in (("interval", spec.interval, slot), ("refresh", spec.refresh, pattern * slot)):
        if value % unit:
            what = "slots" if name == "interval" else "periods of the pattern"
            below = max(1, value // unit) * unit
            near = " or ".join(duration_text(n) for n in sorted({below, below + unit}))
            raise ScenarioError(f"found {duration_text(value)}; allowed: whole {what} of {duration_text(unit)}: {near}",
                                key=f"sensing.{name}")  # fmt: skip


def _check_speed(spec: SensingSpec, carrier: CarrierSpec) -> None:
    """Refuse evenly spaced pulses that leave the speeds asked for ambiguous."""
    wavelength, interval = SPEED_OF_LIGHT / carrier.frequency, spec.interval / NS
    if spec.stagger or spec.speed <= 0.25 * wavelength / interval:
        return
    most = int(ceil(0.25e6 * wavelength / spec.speed) - 1)
    message = f"pulses {duration_text(spec.interval)} apart tell up to {0.25 * wavelength / interval:.3g} m/s at"
    message += f" {carrier.frequency / 1e9:g} GHz (lambda / (4 interval))"
    allowed = f"interval up to {most} us, or `stagger`"
    raise ScenarioError(f"found {spec.speed:g} m/s, but {message}; allowed: {allowed}", key="sensing.speed")
