"""Measured round trips, played back."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import median

from twin.clock import NS
from twin.errors import ScenarioError, brief
from twin.gzipped import MOST_TABLE, unpacked
from twin.network.events import EventNetwork
from twin.specs import TraceSpec
from twin.state import Packet

COLUMNS = ("time_s", "round_trip_ms")
LOST = -1
"""Stands for a round trip that never came back."""
_LOST = ("", "-1", "nan")
_LARGEST = 4e9
"""Seconds since 1970 reach 2096."""
OUTAGE = "outage"
"""Fate of what is sent while nothing came back."""


class TraceNetwork(EventNetwork):
    """Arrival = creation + half the round trip measured then, never before an earlier packet of the flow.

    Each row holds until the next one, the first also before it. What is sent while a row without a round trip holds, or
    in a gap longer than `longest_gap`, is lost. `counts` says what was lost in the file, and joined in it.
    """

    def __init__(self, spec: TraceSpec, names: Sequence[str], embodied: Sequence[bool], lookahead: int = 0) -> None:
        super().__init__(names, embodied, lookahead)
        self.spec = spec
        times, self.round_trips = read_round_trips(spec.file)
        lost = self.round_trips.count(LOST)
        times, outages = with_outages(times, self.round_trips, spec.longest_gap, spec.longest_outage)
        self.times, joined = join(times, max(spec.longest_gap, spec.longest_outage))
        found = {"interruptions_joined": joined, "outages": outages, "round_trips_lost": lost}
        self._counts = {what: count for what, count in found.items() if count}
        if spec.loop and len(self.times) < 2:
            raise ScenarioError("a trace that loops needs two rows at least", file=spec.file, key="loop")
        self._last: dict[tuple[int, int, str], int] = {}

    def round_trip(self, time: int) -> int:
        """Return the round trip [ns] that was measured at `time` [ns] of the run, LOST if it never came back."""
        time += self.spec.offset
        if self.spec.loop:
            time %= 2 * self.times[-1] - self.times[-2]  # the last row lasts as long as the one before it
        return self.round_trips[max(bisect_right(self.times, time) - 1, 0)]

    @property
    def counts(self) -> Mapping[str, int]:
        """Interruptions of the measurement that were taken out, outages, and rows without a round trip."""
        return self._counts

    def enter(self, packet: Packet, time: int) -> None:
        """Let the packet arrive after half a round trip, unless it is lost."""
        round_trip = self.round_trip(time)
        if round_trip == LOST:
            self.lose(packet, OUTAGE)
            return
        flow = (packet.source, packet.destination, packet.kind)
        self._last[flow] = max(time + round_trip // 2, self._last.get(flow, 0))
        self.arrive(packet, self._last[flow])


def read_round_trips(file: Path) -> tuple[list[int], list[int]]:
    """Read times and round trips, both in ns, from the columns `time_s` and `round_trip_ms` of a CSV.

    A cell that is empty, -1 or nan is a round trip that never came back: LOST. Semicolons go with decimal commas.

    Raises:
        ScenarioError: the file can't be read, lacks a column or a row, or a row holds no such number.
    """
    with unpacked(file, ScenarioError, MOST_TABLE) as plain:
        return _read(plain)


def _read(file: Path) -> tuple[list[int], list[int]]:
    times, round_trips = [], []
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            head = lines.readline(1000)
            lines.seek(0)
            delimiter = ";" if ";" in head and "," not in head else ","
            rows = csv.DictReader(lines, strict=True, skipinitialspace=True, delimiter=delimiter)
            rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                found = ", ".join(rows.fieldnames or ()) or "nothing"
                raise ScenarioError(f"no column {missing[0]}; columns: {found}", file=file, key="row 1")
            for row in rows:
                time, round_trip = (row[name] if delimiter == "," else _point(row[name]) for name in COLUMNS)
                times.append(round(_number(time, COLUMNS[0], file, rows.line_num) * NS))
                if round_trip is not None and round_trip.strip().lower() in _LOST:
                    round_trips.append(LOST)
                    continue
                value = _number(round_trip, COLUMNS[1], file, rows.line_num)
                if value < 0:
                    message = f"round_trip_ms is {value:g}, allowed 0 and more, or nothing for one that is lost"
                    raise ScenarioError(message, file=file, key=f"row {rows.line_num}")
                round_trips.append(round(value * NS / 1000))
    except OSError as error:
        raise ScenarioError(f"can't be read: {error.strerror}", file=file) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"is not a CSV text: {error}", file=file) from error
    if not times:
        raise ScenarioError("has no rows after its header", file=file)
    return times, round_trips


def _point(text: str | None) -> str | None:
    return text and text.replace(",", ".")


def _number(text: str | None, column: str, file: Path, row: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not isfinite(value) or abs(value) > _LARGEST:
        raise ScenarioError(f"{column} is {brief(text)}, expected a number", file=file, key=f"row {row}")
    return value


def with_outages(
    times: Sequence[int], round_trips: list[int], longest_gap: int, longest_outage: int
) -> tuple[list[int], int]:
    """Return times [ns] with those at which gaps become outages, and their number; enter LOST for each in place.

    A gap longer than `longest_gap` and no longer than `longest_outage` began when the next row was due.
    """
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    good = [step for step in steps if 0 <= step <= longest_gap]
    usual = round(median(good)) if good else 0
    gaps = [i for i, step in enumerate(steps) if longest_gap < step <= longest_outage]
    found = list(times)
    for i in reversed(gaps):
        found.insert(i + 1, times[i] + usual)
        round_trips.insert(i + 1, LOST)
    return found, len(gaps)


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
