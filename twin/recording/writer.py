"""Writes a run so that a kill at any moment loses at most its last second.

HDF5 in SWMR mode keeps the file readable at all times; each second the chunks are flushed first, and the
committed row counts are written after them. Readers trust only these counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np
from h5py import h5s
from numpy.typing import NDArray

from twin.clock import NS, periodic
from twin.errors import RecordingError
from twin.recording.checks import Committed, header_crc
from twin.recording.files import Claim
from twin.recording.header import write_header
from twin.recording.schema import BODY_COLUMNS, Header, checks, ends, tables
from twin.recording.sensed import columns_of
from twin.recording.table import Codes, TableWriter
from twin.state import HOP, NEVER, REPEATS, Event, Frame, Hop, LinkState, Packet, RoutedLinks

_FIRST_BYTES = 1 << 20
_BODY = attrgetter(*BODY_COLUMNS)
_NO_HOP = Hop(NEVER, NEVER, NEVER, NEVER, 0, 0, (), NEVER).packed()
_LARGEST_ENDING = 1 << 18  # bytes that fit into what is kept back on a full disk


class Writer:
    """Records the frames of one run into `path`; as a context manager it closes the file whatever happens.

    Raises:
        RecordingError: the file exists (and not `force`), another process writes it, or it can't be made.
    """

    def __init__(self, path: Path | str, header: Header, *, force: bool = False) -> None:
        self.path = Path(path)
        self._header = header
        self._modes: list[str] | None = None
        self._links_time: int | None = None
        a, b = np.asarray(header.layout.pairs, np.int32).T
        self._pairs = a.tobytes(), b.tobytes()
        self._left: Frame | None = None  # the newest frame, while it has no row of its own
        self._stopped = ""  # why nothing more can be written
        self._closed = self._broken = False
        self._claim = Claim(self.path, force=force)
        try:
            self._create()
            self._claim.publish()
        except BaseException as error:
            self._claim.abandon()
            if isinstance(error, OSError):
                raise RecordingError(f"{path}: can't be written: {error.strerror or error}") from error
            raise
        self._flush_at, self._flush_by = NS, monotonic() + 1.0

    def _create(self) -> None:
        self._file = self._claim.create(_FIRST_BYTES)
        write_header(self._file, self._header)
        self._file.attrs["header_crc"] = np.int64(header_crc(self._file))
        specs = tables(self._header)
        check = {spec.name: TableWriter(self._file, checks(spec), self._reserve) for spec in specs}
        self._tables = {spec.name: TableWriter(self._file, spec, self._reserve, check[spec.name]) for spec in specs}
        self._codes = Codes(self._tables["strings"], self._tables["text"])
        self._ends = [(f"end/{name}", self._tables[name]) for name in ends(self._header)]
        self._counts = dict.fromkeys(self._tables, (0, 0))
        self._committed = self._file.create_dataset("committed", data=_packed(self._counts))
        self._committed.attrs["tables"] = np.array([name.encode() for name in self._tables])
        self._file.swmr_mode = True
        self._size = 0  # of the file at the last commit

    def write(self, frame: Frame) -> None:
        """Take one frame of the run; call it for every frame, whatever the record rate.

        Raises:
            RecordingError: there is no space left, or the sizes are not those of the header.
        """
        if self._stopped or self._closed:
            raise RecordingError(self._stopped or f"{self.path}: was finished already")
        try:
            self._take(frame)
        except (OSError, RuntimeError) as error:
            raise self._failed(error) from error

    def finish(self, summary: Mapping[str, Any], complete: bool, reason: str = "") -> None:
        """Write the last frame and how the run ended, and close the file; what is not finite in `summary` is null.

        Raises:
            RecordingError: the rows since the last commit could not be written; the file is closed anyhow.
        """
        if self._closed:
            raise RecordingError(f"{self.path}: was finished already")
        self._closed = True
        plain, failure = _plain(summary), None
        if not self._stopped:
            try:
                self._reserve(2 * len(json.dumps(plain)))
                if self._left is not None:
                    self._write_state(self._left)
                self._flush()
            except RecordingError as error:
                failure = error
            except (OSError, RuntimeError) as error:
                failure = self._failed(error)
        if not self._broken:
            moved = self._claim.moved
            self._end(plain, complete and not self._stopped, reason or self._stopped)
            if moved and failure is None:
                where = "the whole recording is where it was moved to"
                failure = RecordingError(f"{self.path}: was moved during the run; {where}")
        if failure is not None:
            raise failure

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._closed:
            why = f"{kind.__name__}: {error}" if kind else "closed before its end"
            self.finish({}, complete=False, reason=why)

    def _take(self, frame: Frame) -> None:
        if frame.time >= self._flush_at or monotonic() >= self._flush_by:
            self._flush()
            self._flush_at, self._flush_by = (frame.time // NS + 1) * NS, monotonic() + 1.0
        if frame.packets:
            self._write_packets(frame.packets)
        if frame.events:
            self._write_events(frame.events)
        if frame.logs:
            self._write_logs(frame.logs)
        if frame.cpis:
            cpis, detections = columns_of(frame.cpis, self._tables["detections"].rows)
            self._tables["detections"].extend(detections)
            self._tables["cpis"].extend(cpis)
        if frame.links.time != self._links_time:
            self._write_links(frame.links)
        self._left = frame
        if self._due(frame.time):
            self._write_state(frame)

    def _due(self, time: int) -> bool:
        rate = self._header.record_rate_hz
        return periodic(-(-time * rate // NS), rate) == time

    def _write_state(self, frame: Frame) -> None:
        self._left = None
        row = {
            "time": frame.time,
            "mode": self._mode_codes(frame.modes),
            **{f"command/{group}": values for group, values in frame.commands.items()},
            **{name: table.rows for name, table in self._ends},
            **dict(zip(BODY_COLUMNS, _BODY(frame.bodies), strict=True)),
        }
        self._tables["state"].append(row)

    def _mode_codes(self, modes: Sequence[str]) -> NDArray[np.uint32]:
        if self._modes != list(modes):
            self._modes = list(modes)
            self._mode_row = np.array([self._codes[mode] for mode in modes], "<u4")
        return self._mode_row

    def _write_links(self, links: LinkState) -> None:
        if (links.a.tobytes(), links.b.tobytes()) != self._pairs:
            raise RecordingError(f"{self.path}: the radio pairs changed during the run; they must stay")
        if self._header.paths:
            amplitude = np.stack([links.path_amplitude.real, links.path_amplitude.imag], axis=1)
            self._tables["paths"].extend({
                "amplitude": amplitude, "delay": links.path_delay, "doppler": links.path_doppler,
                "departure": links.path_departure, "arrival": links.path_arrival, **self._routes(links),
            })  # fmt: skip
        self._tables["links"].append({
            "time": links.time, "path_gain_db": links.path_gain_db, "los": links.los,
            "path_count": links.path_offset[1:] - links.path_offset[:-1],
            "path_end": self._tables["paths"].rows if self._header.paths else 0,
        })  # fmt: skip
        self._links_time = links.time

    def _routes(self, links: LinkState) -> dict[str, Any]:
        if not self._header.layout.interactions:
            return {}
        if not isinstance(links, RoutedLinks):
            raise RecordingError(f"{self.path}: the channel no longer tells the routes of its paths")
        return {"length": links.path_length, "vertex": links.path_vertex}

    def _write_packets(self, packets: Sequence[Packet]) -> None:
        code = self._codes
        rows: list[tuple[Any, ...]] = [
            (p.created, p.arrived, p.stamp, p.source, p.destination, code[p.kind], p.sequence, p.size, code[p.fate])
            for p in packets
        ]
        if self._header.hops:
            rows = [(*row, *_hop(p.up), *_hop(p.down)) for row, p in zip(rows, packets, strict=True)]
        self._tables["packets"].add(rows)

    def _write_events(self, events: Sequence[Event]) -> None:
        code = self._codes
        rows = [(e.time, code[e.kind], code[e.robot], code[e.detail], e.value) for e in events]
        self._tables["events"].add(rows)

    def _write_logs(self, logs: Sequence[tuple[int, int, str, float]]) -> None:
        code = self._codes
        self._tables["logs"].add([(time, node, code[name], value) for time, node, name, value in logs])

    def _flush(self) -> None:
        try:
            self._claim.check(self._size)
        except RecordingError as error:
            self._broken, self._stopped = True, str(error)
            raise
        for table in self._tables.values():
            table.flush()
        self._commit({name: (table.rows, table.open_crc()) for name, table in self._tables.items()})

    def _commit(self, counts: dict[str, tuple[int, int]]) -> None:
        self._file.flush()
        self._committed.id.write(h5s.ALL, h5s.ALL, _packed(counts))
        self._committed.flush()
        self._counts, self._size = counts, self._file.id.get_filesize()

    def _end(self, summary: Any, complete: bool, reason: str) -> None:
        """Write the ending, which fits into what `Claim` keeps back if there is no other space, and close."""
        ending = {"complete": complete, "reason": reason, "summary": summary}
        data = json.dumps(ending, allow_nan=False).encode()
        if self._stopped and len(data) > _LARGEST_ENDING:
            reason += " (there is no room for the summary)"
            data = json.dumps({"complete": complete, "reason": reason, "summary": {}}).encode()
        result = self._tables["result"]
        result.extend({"utf8": np.frombuffer(data, np.uint8)})
        result.flush()
        self._commit({**self._counts, "result": (result.rows, result.open_crc())})
        self._file.close()
        self._claim.release()

    def _reserve(self, size: int) -> None:
        """Make sure of space; once there was none, only the ending is written."""
        if self._stopped:
            return
        try:
            self._claim.reserve(self._file.id.get_filesize(), size)
        except OSError as error:
            self._stopped = self._why(error)
            raise RecordingError(self._stopped) from error

    def _failed(self, error: Exception) -> RecordingError:
        """Return what to say of an error of HDF5, which is left alone from here on, as it may crash."""
        self._broken, self._stopped = True, self._why(error)
        return RecordingError(self._stopped)

    def _why(self, error: Exception) -> str:
        (rows, _), cause = self._counts["state"], getattr(error, "strerror", None) or error
        until = periodic(rows - 1, self._header.record_rate_hz) / NS
        what = f"everything up to {until:g} s is" if rows else "nothing is"
        return f"{self.path}: can't be written any more: {cause}; {what} recorded"


def _packed(counts: Mapping[str, tuple[int, int]]) -> NDArray[np.int64]:
    """Return rows and checksums as they are committed."""
    rows, crcs = zip(*counts.values(), strict=True)
    return Committed(rows, crcs).packed()


def _hop(hop: bytes) -> tuple[Any, ...]:
    """Return the columns of a radio link, those of one that was not there if there is none."""
    numbers = HOP.unpack(hop or _NO_HOP)
    return (*numbers[: -REPEATS - 1], numbers[-REPEATS:], numbers[-REPEATS - 1])


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

