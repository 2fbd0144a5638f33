"""Random access (TS 38.321 5.1): how a terminal gets into a cell, in four steps or, after a handover, in two.

A preamble in a PRACH occasion, its response in a downlink occasion, message 3 in an uplink occasion, message 4 in a
downlink occasion; processing between them as TS 38.213 8 has it. Preambles are drawn: two terminals of a cell that
draw the same one in the same occasion find out when their timers for message 4 run out, and start again after a
random backoff. After a handover the preamble is the terminal's own, and its response is the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import ncx2

from twin.network.nr.carrier import Carrier
from twin.network.nr.carrier_state import UP
from twin.network.nr.tdd import END, START, at, next_index
from twin.numerics.draws import key, uniform
from twin.state import I64

_PREAMBLE, _DETECTION, _BACKOFF = (key(f"network.access.{name}") for name in ("preamble", "detection", "backoff"))
PREAMBLE_ELEMENTS = 139.0
"""Energy of a preamble to that of one resource block's element: 139 elements in 12 symbols, over 12 blocks."""
FALSE_ALARM = 1e-3
"""Of PRACH: TS 38.104 8.4.1."""
AFTER_RESPONSE = 500_000
"""ns beyond N1 and N2 from the response to message 3: TS 38.213 8.3."""
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class _Access:
    due: int  # ns: a PRACH occasion, or when the terminal is in
    cell: int
    own_preamble: bool
    attempt: int = 0
    done: bool = False
    through: Callable[[], float] | None = None  # chooses another beam than the one in use for each preamble
    least: int = 0  # slots from that of the preamble to that of its response


class RandomAccess:
    """All accesses under way on one carrier."""

    def __init__(self, carrier: Carrier, seed: int) -> None:
        self.carrier, self.seed = carrier, seed
        self._under_way: dict[int, _Access] = {}
        self._number: Counter[int] = Counter()  # accesses so far, by terminal
        self.collisions = self.failures = 0

    def start(
        self,
        time: int,
        terminal: int,
        cell: int,
        own_preamble: bool,
        through: Callable[[], float] | None = None,
        least: int = 0,
    ) -> None:
        """Begin an access at `time` [ns], in place of one that is under way.

        Preambles may go `through` another beam than the one in use, which is chosen for each anew: it returns the
        ratio to noise, of one resource block at full power. The response comes `least` slots later or more.
        """
        self._number[terminal] += 1
        self._under_way[terminal] = _Access(self.occasion(time), cell, own_preamble, through=through, least=least)

    def forget(self, terminal: int) -> None:
        """Give up a terminal's access, if there is one."""
        self._under_way.pop(terminal, None)

    @property
    def due(self) -> int:
        """When something happens next [ns]."""
        if not self._under_way:
            return NEVER
        return min(access.due for access in self._under_way.values())

    def occasion(self, time: int) -> int:
        """Return the first PRACH occasion at or after `time`: the first uplink occasion of each of its periods."""
        grid, period = self.carrier.grid, self.carrier.spec.prach_period
        turn = time // period
        while True:
            starts = grid.uplink[START]
            found = int(at(starts, grid.period, next_index(starts, grid.period, turn * period)))
            if found >= time:
                return found
            turn += 1

    def run(self) -> list[tuple[int, int]]:
        """Go through what is due now and return (terminal, cell) of those that are in."""
        now = self.due
        here = {t: access for t, access in sorted(self._under_way.items()) if access.due == now}
        entered = [(t, access.cell) for t, access in here.items() if access.done]
        for terminal, _ in entered:
            del self._under_way[terminal]
        sending = {t: access for t, access in here.items() if not access.done}
        drawn = {t: (access.cell, self._preamble(t, access)) for t, access in sending.items()}
        times = Counter(drawn.values())
        for terminal, access in sending.items():
            self._under_way[terminal] = self._after(now, terminal, access, times[drawn[terminal]] > 1)
        return entered

    def _preamble(self, terminal: int, access: _Access) -> int:
        """Return the number of the drawn preamble; one's own is below 0."""
        if access.own_preamble:
            return -1 - terminal
        return int(self._draw(_PREAMBLE, terminal, access) * self.carrier.spec.preambles)

    def _after(self, sent: int, terminal: int, access: _Access, collided: bool) -> _Access:
        """Return how an access goes on after its preamble."""
        spec = self.carrier.spec
        heard, response, third, fourth = self.steps(sent, terminal, access.least)
        if self._missed(terminal, access):
            return self._again(heard + spec.response_window, access)
        if access.own_preamble:
            return replace(access, due=response, done=True)
        if collided:
            self.collisions += 1
            wait = round(self._draw(_BACKOFF, terminal, access) * spec.backoff)
            return self._again(third + spec.contention_timer + wait, access)
        return replace(access, due=fourth, done=True)

    def _again(self, time: int, access: _Access) -> _Access:
        attempt = access.attempt + 1
        if attempt % self.carrier.spec.preamble_transmissions == 0:
            self.failures += 1
        return replace(access, due=self.occasion(time), attempt=attempt)

    def steps(self, sent: int, terminal: int, least: int = 0) -> tuple[int, int, int, int]:
        """Return the ends [ns] of preamble, response (decoded), message 3, and message 4 (decoded).

        The response comes `least` slots after the preamble or later.
        """
        grid = self.carrier.grid
        air = int(self.carrier.state.links["delay"][2 * terminal])
        n1 = 2 * grid.n1_half
        heard = _end(grid.uplink, grid.period, sent)
        earliest = max(heard + grid.station, (sent // grid.slot + least) * grid.slot)
        response = _end(grid.downlink, grid.period, earliest) + n1
        third = _end(grid.uplink, grid.period, response + grid.n2 + AFTER_RESPONSE + 2 * air)
        fourth = _end(grid.downlink, grid.period, third + grid.n1_half + grid.station) + n1
        return heard, response + air, third, fourth + air

    def _missed(self, terminal: int, access: _Access) -> bool:
        ratio = self.carrier.state.ratio[UP, terminal, access.cell] if access.through is None else access.through()
        energy = PREAMBLE_ELEMENTS * float(ratio)
        missed = float(ncx2.cdf(-2.0 * np.log(FALSE_ALARM), 2, max(2.0 * energy, 1e-12)))
        return self._draw(_DETECTION, terminal, access) < missed

    def _draw(self, stream: np.uint64, terminal: int, access: _Access) -> float:
        name = self.carrier.state.links["key"][2 * terminal]
        return uniform(self.seed, stream, name, self._number[terminal], access.attempt)


def _end(occasions: I64, period: int, time: int) -> int:
    """Return the end of the first occasion at or after `time`."""
    starts = occasions[START]
    index = int(next_index(starts, period, time))
    return int(at(starts, period, index)) + int((occasions[END] - starts)[index % starts.size])
