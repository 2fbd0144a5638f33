"""Which cell serves which terminal: first choice, handover by event A3, radio link failure, admission."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.specs.nr import MobilitySpec
from twin.state import F64, I64, Bool

L1_PERIOD = 200_000_000
"""ns between the measurements that the filter coefficient is defined for."""
LEAST_DBM = -250.0
"""What a cell without a path is taken for."""
ATTACH, HANDOVER, FAILURE, LATE = "attach", "handover", "radio link failure", "handover failure"


class Change(NamedTuple):
    """From `start` on a terminal is detached, from `end` on served by `cell`."""

    start: int  # ns
    end: int  # ns
    terminal: int
    cell: int
    why: str


class Mobility:
    """Watches the terminals of one carrier at every trace: T terminals, C cells."""

    def __init__(self, spec: MobilitySpec, terminals: int) -> None:
        self.spec = spec
        self.cell: I64 = np.full(terminals, -1)  # serving, or the target of a change under way
        self._busy: I64 = np.zeros(terminals, dtype=np.int64)  # ns, end of the change under way
        self._better_since: I64 = np.full(terminals, -1)
        self._target: I64 = np.full(terminals, -1)
        self._lost_since: I64 = np.full(terminals, -1)
        self.barred: Bool = np.zeros(terminals, dtype=bool)  # served by another carrier
        self._filtered: F64 | None = None  # dBm, (T, C)
        self._measured = 0  # ns
        self.refused = 0

    def update(self, time: int, received_dbm: F64, snr_db: F64) -> list[Change]:
        """Return the changes that begin now, from received powers and ratios, each (T, C)."""
        received_dbm = self.filter(time, received_dbm)
        free = (time >= self._busy) & ~self.barred
        calm = free & self._calm(received_dbm, snr_db)
        self._better_since[calm] = self._lost_since[calm] = -1
        changes: list[Change] = []
        for t in np.flatnonzero(free & ~calm).tolist():
            change = self._watch(time, t, received_dbm[t], snr_db[t])
            if change is not None:
                self.cell[t], self._busy[t] = change.cell, change.end
                self._better_since[t] = self._lost_since[t] = -1
                changes.append(change)
        return changes

    def filter(self, time: int, received_dbm: F64) -> F64:
        """Return received powers after the filter of layer 3, (T, C) dBm: TS 38.331 5.5.3.2, at any rate of traces."""
        now = np.maximum(received_dbm, LEAST_DBM)
        if self._filtered is None or self._filtered.shape != now.shape:
            self._filtered = now
        kept = (1.0 - 0.5 ** (self.spec.filter / 4.0)) ** ((time - self._measured) / L1_PERIOD)
        self._filtered, self._measured = kept * self._filtered + (1.0 - kept) * now, time
        return self._filtered

    def serve(self, terminal: int, cell: int, until: int) -> None:
        """Let a terminal come from another carrier to `cell`, and leave it alone `until` [ns]."""
        self.barred[terminal], self.cell[terminal], self._busy[terminal] = False, cell, until
        self._better_since[terminal] = self._lost_since[terminal] = -1

    def bar(self, terminal: int) -> None:
        """Let another carrier serve a terminal."""
        self.barred[terminal], self.cell[terminal] = True, -1

    def _calm(self, received_dbm: F64, snr_db: F64) -> Bool:
        """Tell which terminals are in sync with a cell and hear no other that is better by the offset."""
        rows, serving = np.arange(len(self.cell)), np.maximum(self.cell, 0)
        others = received_dbm.copy()
        others[rows, serving] = -np.inf
        better = others.max(axis=1) > received_dbm[rows, serving] + self.spec.offset
        calm: Bool = (self.cell >= 0) & (snr_db[rows, serving] > self.spec.q_in) & ~better
        return calm

    def _watch(self, time: int, t: int, received_dbm: F64, snr_db: F64) -> Change | None:
        serving = self.cell[t]
        if serving < 0:
            best = self._best(received_dbm, snr_db)
            return None if best < 0 else Change(time, time, t, best, ATTACH)
        failed = self._failed(time, t, snr_db[serving])
        if failed:
            best = self._best(received_dbm, snr_db)
            end = time + self.spec.reestablishment
            return Change(time, end if best >= 0 else time, t, best, FAILURE)
        target = self._a3(time, t, received_dbm)
        if target < 0:
            return None
        if not self.spec.conditional and snr_db[serving] < self.spec.q_out:
            return Change(time, time + self.spec.reestablishment, t, target, LATE)  # command not received
        return Change(time, time + self.spec.interruption, t, target, HANDOVER)

    def _a3(self, time: int, t: int, received_dbm: F64) -> int:
        """Return the cell that has been better by the offset for time-to-trigger, or -1."""
        serving = int(self.cell[t])
        others = received_dbm.copy()
        others[serving] = -np.inf
        best = int(np.argmax(others))
        if not others[best] > received_dbm[serving] + self.spec.offset:
            self._better_since[t] = -1
            return -1
        if self._better_since[t] < 0 or self._target[t] != best:
            self._better_since[t], self._target[t] = time, best
        waited = time - self._better_since[t] >= self.spec.time_to_trigger
        if waited and self._has_room(best):
            return best
        return -1

    def _failed(self, time: int, t: int, snr_db: float) -> bool:
        """Tell whether timer T310 has run out; it runs from out of sync until back in sync."""
        if snr_db < self.spec.q_out and self._lost_since[t] < 0:
            self._lost_since[t] = time
        elif snr_db > self.spec.q_in:
            self._lost_since[t] = -1
        return bool(self._lost_since[t] >= 0 and time - self._lost_since[t] >= self.spec.t310)

    def _best(self, received_dbm: F64, snr_db: F64) -> int:
        """Return the strongest cell in sync that has room, or -1."""
        for cell in np.argsort(-received_dbm, kind="stable").tolist():
            if snr_db[cell] > self.spec.q_in:
                if self._has_room(cell):
                    return int(cell)
                self.refused += 1
        return -1

    def _has_room(self, cell: int) -> bool:
        most = self.spec.max_terminals
        return most is None or int((self.cell == cell).sum()) < most
