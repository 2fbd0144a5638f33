"""Recordings in other formats."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording

_BLOCK = 1 << 16
_STATE = (
    "time_s", "robot", "mode", "x_m", "y_m", "z_m", "qx", "qy", "qz", "qw", "vx_m_s", "vy_m_s", "vz_m_s",
    "wx_rad_s", "wy_rad_s", "wz_rad_s",
)  # fmt: skip
_LINKS = ("time_s", "radio_a", "radio_b", "path_gain_db", "los")


def to_csv(recording: Recording, folder: Path | str) -> list[Path]:
    """Write state.csv (a row a body and frame), links.csv, packets.csv, events.csv and logs.csv; return them.

    Joints, commands and single paths are not in them. Times are in seconds, except in packets.csv, in ns.

    Raises:
        RecordingError: the folder exists, or can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True)
        return [
            _write(folder / "state.csv", _STATE, _states(recording)),
            _write(folder / "links.csv", _LINKS, _links(recording)),
            *(_table(recording, name, folder) for name in ("packets", "events", "logs")),
        ]
    except FileExistsError:
        raise RecordingError(f"{folder}: exists already; name a folder that does not") from None
    except OSError as error:
        raise RecordingError(f"{folder}: can't be written: {error.strerror or error}") from error


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _states(recording: Recording) -> Iterator[list[Any]]:
    robots = [(i, robot) for i, robot in enumerate(recording.robots) if robot.body >= 0]
    for frame in recording.frames():
        bodies = frame.bodies
        for i, robot in robots:
            parts = (bodies.position, bodies.orientation, bodies.velocity, bodies.angular_velocity)
            values = [value for part in parts for value in part[robot.body].tolist()]
            yield [frame.time / NS, robot.name, frame.modes[i], *values]


def _links(recording: Recording) -> Iterator[list[Any]]:
    if "links/path_gain_db" not in recording.columns:
        return
    pairs = recording.header.layout.pairs.tolist()
    block = max(1, _BLOCK // len(pairs))
    for start in range(0, recording.rows["links"], block):
        rows = slice(start, start + block)
        columns = [recording[f"links/{name}"][rows].tolist() for name in ("time", "path_gain_db", "los")]
        for time, gains, los in zip(*columns, strict=True):
            for pair, gain, clear in zip(pairs, gains, los, strict=True):
                yield [time / NS, *pair, gain, clear]


def _table(recording: Recording, name: str, folder: Path) -> Path:
    names = [column.name for column in recording.table(name).columns]
    robots = [robot.name for robot in recording.robots]
    people = {"source", "destination", "node"}
    seconds = name != "packets"

    def rows() -> Iterator[list[Any]]:
        for start in range(0, recording.rows[name], _BLOCK):
            columns = []
            for column in names:
                stored = recording[f"{name}/{column}"]
                values = stored[start : start + _BLOCK]
                values = (recording.strings.decode(values) if stored.is_text else values).tolist()
                if column in people:
                    values = [robots[i] for i in values]
                elif column == "time":
                    values = [value / NS for value in values]
                columns.append(values)
            yield from map(list, zip(*columns, strict=True))

    header = ["time_s" if n == "time" else n if seconds or n not in _TIMES else f"{n}_ns" for n in names]
    return _write(folder / f"{name}.csv", header, rows())


_TIMES = ("created", "arrived", "stamp")
