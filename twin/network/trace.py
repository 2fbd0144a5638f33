"""Measured round trips, played back."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import median

from twin.clock import NS
from twin.errors import ScenarioError
from twin.network.events import EventNetwork
from twin.specs import TraceSpec
from twin.state import Packet

COLUMNS = ("time_s", "round_trip_ms")


class TraceNetwork(EventNetwork):
    """Arrival = creation + half the round trip measured then, never before an earlier packet of the flow.

    Each row holds until the next one, the first also before it. `counts` says what was joined in the file.
    """

    def __init__(
        self, spec: TraceSpec, names: Sequence[str], embodied: Sequence[bool], lookahead: int = 0
    ) -> None:
        super().__init__(names, embodied, lookahead)
        self.spec = spec
        times, self.round_trips = read_round_trips(spec.file)
        self.times, joined = join(times, spec.longest_gap)
        self._joined = joined
        if spec.loop and len(self.times) < 2:
            raise ScenarioError("a trace that loops needs two rows at least", file=spec.file, key="loop")
        self._last: dict[tuple[int, int, str], int] = {}

    def round_trip(self, time: int) -> int:
        """Return the round trip [ns] that was measured at `time` [ns] of the run."""
        time += self.spec.offset
        if self.spec.loop:
            time %= 2 * self.times[-1] - self.times[-2]  # the last row lasts as long as the one before it
        return self.round_trips[max(bisect_right(self.times, time) - 1, 0)]

    @property
    def counts(self) -> Mapping[str, int]:
        """Interruptions of the measurement that were taken out."""
        return {"interruptions_joined": self._joined} if self._joined else {}

    def enter(self, packet: Packet, time: int) -> None:
        """Let the packet arrive after half a round trip."""
        flow = (packet.source, packet.destination, packet.kind)
        self._last[flow] = max(time + self.round_trip(time) // 2, self._last.get(flow, 0))
        self.arrive(packet, self._last[flow])


def read_round_trips(file: Path) -> tuple[list[int], list[int]]:
    """Read times and round trips, both in ns, from the columns `time_s` and `round_trip_ms` of a CSV.

    Raises:
        ScenarioError: the file can't be read, lacks a column or a row, or a row holds no such number.
    """
    times, round_trips = [], []
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                found = ", ".join(rows.fieldnames or ()) or "nothing"
                raise ScenarioError(f"no column {missing[0]}; columns: {found}", file=file, key="row 1")
            for row in rows:
                time, round_trip = (_number(row[name], name, file, rows.line_num) for name in COLUMNS)
                if round_trip < 0:
                    message = f"round_trip_ms is {round_trip:g}, allowed 0 and more"
                    raise ScenarioError(message, file=file, key=f"row {rows.line_num}")
                times.append(round(time * NS))
                round_trips.append(round(round_trip * NS / 1000))
    except OSError as error:
        raise ScenarioError(f"can't be read: {error.strerror}", file=file) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"is not a CSV text: {error}", file=file) from error
    if not times:
        raise ScenarioError("has no rows after its header", file=file)
    return times, round_trips


def _number(text: str | None, column: str, file: Path, row: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ScenarioError(f"{column} is {text!r}, expected a number", file=file, key=f"row {row}")
    return value


def join(times: Sequence[int], longest_gap: int) -> tuple[list[int], int]:
    """Return times [ns] from 0 and the number of interruptions that were taken out of them.

    Where the clock steps back or a gap is longer than `longest_gap`, the measurement was interrupted: the
    next row then follows after the median interval instead.
    """
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    good = [step for step in steps if 0 <= step <= longest_gap]
    usual = round(median(good)) if good else 0
    joined = [0]
    for step in steps:
        joined.append(joined[-1] + (step if 0 <= step <= longest_gap else usual))
    return joined, len(steps) - len(good)
