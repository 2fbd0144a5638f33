"""Which beams a carrier's cells and terminals use: swept, reported, lost and recovered as in NR.

Sweep (TS 38.213 4.1): each `ssb_period` a cell sends `ssb_beams` of its codebook, an SSB for each, all cells at once;
a terminal listens with one of its own beams for as many bursts as it takes to hear them all, then with its next one.
Report (TS 38.214 5.2.1.4): after a sweep a terminal reports its best beam by L1-RSRP; `beam_delay` later it is in use.
Report and activation are lost while the beam in use is out of sync. Failure (TS 38.213 6, TS 38.321 5.17): each
`beam_failure_period` at whose end the serving beam is out of sync counts; after `beam_failure_count` of them, with
never more than `beam_failure_timer` periods between two, the terminal sends a preamble of its own to the best beam of
its last sweep, once one is in sync and it is ready, and uses it from the response on.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from twin.network.nr.access import NEVER, RandomAccess
from twin.network.nr.carrier import Carrier, Levels
from twin.network.nr.carrier_state import DOWN, SSB_PER_SLOT, UP
from twin.network.nr.codebook import Panels, Paths, aim, choice, measure, reappraise, spill
from twin.network.nr.mobility import Mobility
from twin.state import C128, F64, I64, Bool, LinkState, TracedLinks

SPILL_PERIOD = 20_000_000
"""ns"""
PREPARATION = 500_000
"""ns beyond N2 until a preamble can be sent, as for one that is ordered: TS 38.213 8.1."""
RECOVERY_SLOTS = 4
"""From the slot of a preamble for recovery to the first one that may answer: TS 38.213 6."""
ROUNDING = 1e-9
"""Of beams whose powers differ by less than this share of them, the one in use stays."""
FAILED, RECOVERED = "beam failure", "beam recovery"
Pair = tuple[int, int]
"""Beam of the cell and of the terminal."""


class Turn(NamedTuple):
    """A terminal's serving beam failed, or has been replaced."""

    time: int  # ns
    what: str
    terminal: int
    cell: int
    after: int  # ns, since it failed


class _Switch(NamedTuple):
    due: int  # ns
    cell: int
    beams: Pair


class _Failure(NamedTuple):
    since: int  # ns
    beams: Pair | None = None  # that the recovery under way is for


class Beams:
    """The beams between T terminals and C cells of one carrier."""

    def __init__(
        self, carrier: Carrier, mobility: Mobility, access: RandomAccess, panels: Panels, levels: Levels
    ) -> None:
        self.carrier, self.mobility, self.access, self.panels, self.levels = carrier, mobility, access, panels, levels
        spec, shape = carrier.spec, panels.end.shape
        self.ideal = spec.beams == "ideal" or spec.control == "ideal"
        self.burst = spec.ssb_beams or 1
        self.sets = -(-int(panels.cell_beams.max()) // self.burst)
        self.bursts = self.sets * int(panels.terminal_beams.max())
        self._burst_ns = -(-self.burst // SSB_PER_SLOT) * carrier.grid.slot
        self.used, self.known, self._heard = choice(*shape), choice(*shape), choice(*shape)
        self._paths: Paths | None = None
        self.amplitude: C128 = np.zeros(0, dtype=np.complex128)  # (P,) of all paths, with the beams in use
        self._burst = -1  # the next one; none before the first trace
        self._check = NEVER  # ns, next look at beams that may fail
        self._spilt = -SPILL_PERIOD  # ns, last look at others' beams
        self._switches: dict[int, _Switch] = {}
        self._instances: I64 = np.zeros(shape[0], dtype=np.int64)
        self._last: I64 = np.zeros(shape[0], dtype=np.int64)
        self._failed: dict[int, _Failure] = {}
        self.turns: list[Turn] = []
        self._entered = False  # somebody has, whose beam isn't pointed yet
        self.switches = self.failures = 0
        self.recoveries: list[int] = []  # ns, how long each took
        carrier.set_beams(panels.cell_beams, self.sets)
        carrier.measure(np.zeros(shape), levels)
        self._unit: F64 = carrier.state.ratio.copy()  # ratios at a path gain of 1

    def look(self, time: int, links: LinkState, rows: I64) -> bool:
        """Take the paths of a new trace, `rows` (T, C) of links; tell whether it knows them between single elements."""
        if not isinstance(links, TracedLinks):
            self._paths = None
            return False
        there = rows >= 0
        first, last = (np.where(there, links.path_offset[at], 0) for at in (rows, rows + 1))
        element = np.require(links.path_element, requirements=["C", "W"])  # kernels know no read-only arrays
        phase = np.require(links.path_phase, requirements=["C", "W"])
        self._paths, self.amplitude = Paths(first, last, element, phase), np.empty_like(element)
        if self.ideal or self._burst < 0:
            self._search(self._paths)
        self._failed = {t: failure for t, failure in self._failed.items() if not self.mobility.barred[t]}
        aim(self._paths, self.panels, self.used, self.amplitude)
        reappraise(self._paths, self.panels, self.known, self.used)
        if self._burst < 0:
            self._burst = -(-time // (self.carrier.spec.ssb_period * self.bursts)) * self.bursts
        return True

    @property
    def live(self) -> bool:
        """Whether the newest trace tells beams apart."""
        return self._paths is not None

    @property
    def gain_db(self) -> F64:
        """Path gains with the beams in use, (T, C)."""
        return _decibel(self.used.power)

    @property
    def heard_db(self) -> F64:
        """Path gains with the best beams of the last sweep, or those in use if they are better, (T, C)."""
        return _decibel(np.maximum(self.used.power, self.known.power))

    def apply(self, time: int, turned: bool = False) -> None:
        """Let the carrier know of the beams in use; `turned`, where others are than those that it has measured.

        What beams bring to others changes slowly: it is taken anew each SPILL_PERIOD.
        """
        if self._paths is None:
            return
        s, serving, gain_db = self.carrier.state, self.mobility.cell, self.gain_db
        if turned:
            self.carrier.measure(gain_db, self.levels)
        self.carrier.control_power(gain_db, self.levels.noise_up_db, serving)
        if len(s.cells) > 1 and (turned or time >= self._spilt + SPILL_PERIOD):
            self._spilt = time
            spill(self._paths, self.panels, self.used, serving, s.beam_rows, s.spill)
        s.beam[:] = self.used.cell
        s.faded_at[:] = -1
        self._watch(time)

    @property
    def due(self) -> int:
        """When something happens next [ns]."""
        if self.ideal or self._paths is None:
            return NEVER
        return min(self._burst_end, self._check, *(switch.due for switch in self._switches.values()))

    @property
    def _burst_end(self) -> int:
        return self._burst * self.carrier.spec.ssb_period + self._burst_ns

    def run(self) -> None:
        """Go through what is due now."""
        now, serving = self.due, self.carrier.serving
        assert self._paths is not None
        turned = now == self._burst_end and self._hear(now, self._paths, serving)
        for terminal, switch in sorted(self._switches.items()):
            if switch.due <= now:
                self._switch(terminal, switch, serving)
                turned = True
        if now == self._check:
            self._check = NEVER
            self._count(now, serving)
            self._watch(now)
        if turned:
            aim(self._paths, self.panels, self.used, self.amplitude)
            self.apply(now, turned=True)

    def _watch(self, time: int) -> None:
        """Look at serving beams again at the end of a period in which one was out of sync."""
        weak = self._weak(self.carrier.serving)
        weak[list(self._failed)] = False
        if self._check == NEVER and not self.ideal and weak.any():
            period = self.carrier.spec.beam_failure_period
            self._check = (time // period + 1) * period

    def enter(self, time: int, terminal: int, cell: int) -> None:
        """Take note that a terminal is served by `cell` from now on, or by none (-1).

        That ends the failure of its beam, whether it comes from a recovery or by another way.
        """
        self._switches.pop(terminal, None)
        self._instances[terminal] = 0
        failure = self._failed.pop(terminal, None)
        if cell < 0 and failure is not None:  # it comes back by another way
            self._failed[terminal] = failure._replace(beams=None)
        if cell < 0 or self._paths is None:
            return
        beams = int(self.known.cell[terminal, cell]), int(self.known.terminal[terminal, cell])
        if failure is not None:
            beams = failure.beams or beams
            self.turns.append(Turn(time, RECOVERED, terminal, cell, time - failure.since))
            self.recoveries.append(time - failure.since)
        self.used.cell[terminal, cell], self.used.terminal[terminal, cell] = beams
        self._entered = True

    def refresh(self, time: int) -> None:
        """Point the beams of those who have entered cells, all at once."""
        if self._entered and self._paths is not None:
            aim(self._paths, self.panels, self.used, self.amplitude)
            self.apply(time, turned=True)
        self._entered = False

    def _search(self, paths: Paths) -> None:
        """Take the best beams of all for every pair."""
        best, most = choice(*self.used.power.shape), int(self.panels.cell_beams.max())
        for own in range(int(self.panels.terminal_beams.max())):
            measure(paths, self.panels, (0, most), own, best)
        for target in (self.known, self.used):
            for field, found in zip(target, best, strict=True):
                field[:] = found

    def _hear(self, now: int, paths: Paths, serving: I64) -> bool:
        """Measure the beams of a burst; at the end of a sweep, follow the best and report that of the serving cell.

        Tell whether that was the end of a sweep.
        """
        turn = self._burst % self.bursts
        first = turn % self.sets * self.burst
        measure(paths, self.panels, (first, first + self.burst), turn // self.sets, self._heard)
        self._burst += 1
        if self._burst % self.bursts:
            return False
        self.known, self._heard = self._heard, choice(*self.used.power.shape)
        served = np.flatnonzero(serving >= 0)
        free: Bool = np.ones(self.used.power.shape, dtype=bool)
        free[served, serving[served]] = False
        self.used.cell[free], self.used.terminal[free] = self.known.cell[free], self.known.terminal[free]
        weak = self._weak(serving)
        for terminal in served.tolist():
            if terminal in self._failed:
                self._recover(now, terminal, int(serving[terminal]))
            elif not weak[terminal] and terminal not in self._switches:
                self._report(now, terminal, int(serving[terminal]))
        return True

    def _report(self, now: int, terminal: int, cell: int) -> None:
        """Ask for the best beam of the last sweep; the terminal's own beam needs nobody's leave."""
        at = terminal, cell
        beams = int(self.known.cell[at]), int(self.known.terminal[at])
        if beams[0] == self.used.cell[at]:
            self.used.terminal[at] = beams[1]
        elif abs(self.known.power[at] - self.used.power[at]) > ROUNDING * self.known.power[at]:
            self._switches[terminal] = _Switch(now + self.carrier.spec.beam_delay, cell, beams)

    def _switch(self, terminal: int, switch: _Switch, serving: I64) -> None:
        del self._switches[terminal]
        if serving[terminal] != switch.cell or self._weak(serving)[terminal]:
            return
        self.used.cell[terminal, switch.cell], self.used.terminal[terminal, switch.cell] = switch.beams
        self.switches += 1

    def _weak(self, serving: I64) -> Bool:
        """Tell whose serving beam is out of sync, (T,)."""
        rows = np.arange(len(serving))
        ratio = self.carrier.state.ratio[DOWN, rows, np.maximum(serving, 0)]
        weak: Bool = (serving >= 0) & (ratio < 10.0 ** (self.mobility.spec.q_out / 10.0))
        return weak

    def _count(self, now: int, serving: I64) -> None:
        """Count instances of beam failure; enough of them are a failure."""
        spec = self.carrier.spec
        for terminal in np.flatnonzero(self._weak(serving)).tolist():
            if terminal in self._failed:
                continue
            if now - self._last[terminal] > spec.beam_failure_timer * spec.beam_failure_period:
                self._instances[terminal] = 0
            self._instances[terminal] += 1
            self._last[terminal] = now
            if self._instances[terminal] >= spec.beam_failure_count:
                self._failed[terminal] = _Failure(now)
                self.failures += 1
                self._switches.pop(terminal, None)
                self.turns.append(Turn(now, FAILED, terminal, int(serving[terminal]), 0))
                self._recover(now, terminal, int(serving[terminal]))

    def _recover(self, now: int, terminal: int, cell: int) -> None:
        """Begin to ask for another beam by random access, if the best one of the last sweep is in sync."""
        down = self._unit[DOWN][terminal, cell] * self.known.power[terminal, cell]
        if self._failed[terminal].beams is not None or down < 10.0 ** (self.mobility.spec.q_in / 10.0):
            return
        self._choose(terminal, cell)
        ready = now + self.carrier.grid.n2 + PREPARATION
        through = partial(self._choose, terminal, cell)
        self.access.start(ready, terminal, cell, own_preamble=True, through=through, least=RECOVERY_SLOTS)

    def _choose(self, terminal: int, cell: int) -> float:
        """Ask for the best beam of the last sweep and return the ratio of a preamble through it (TS 38.321 5.1.2)."""
        at = terminal, cell
        beams = int(self.known.cell[at]), int(self.known.terminal[at])
        self._failed[terminal] = self._failed[terminal]._replace(beams=beams)
        return float(self._unit[UP][at] * self.known.power[at])

    @property
    def open_failures(self) -> list[int]:
        """Since when [ns] beams have failed that are not recovered yet."""
        return [failure.since for failure in self._failed.values()]


def _decibel(power: F64) -> F64:
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power))
