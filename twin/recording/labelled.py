"""A recording as pandas and xarray know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.clock import NS
from twin.recording.named_tables import blocks

if TYPE_CHECKING:
    import pandas
    import xarray

    from twin.recording.rows import Rows

_AXES = {"position": "axis", "orientation": "quaternion", "velocity": "axis", "angular_velocity": "axis"}


def to_pandas(recording: Rows, table: str, start: int | None, stop: int | None) -> pandas.DataFrame:
    """Return a table of `export` with start <= time < stop [ns]."""
    import pandas

    parts = [pandas.DataFrame(block) for block in blocks(recording, table, start, stop)]
    return pandas.concat(parts, ignore_index=True)


def to_xarray(recording: Rows, start: int | None, stop: int | None) -> xarray.Dataset:
    """Return bodies, commands, modes and links with start <= time < stop [ns], by name of robot and axis."""
    import xarray

    rows = slice(*recording.between(start, stop))
    trace = recording["links/time"][:]
    first = 0 if start is None else int(np.searchsorted(trace, start))
    traces = slice(first, len(trace) if stop is None else int(np.searchsorted(trace, stop)))
    robots = sorted((robot for robot in recording.robots if robot.body >= 0), key=lambda robot: robot.body)
    data: dict[str, Any] = {
        name: (("time", "robot", last), *_column(recording, f"state/{name}", rows)) for name, last in _AXES.items()
    }
    data["mode"] = (("time", "node"), recording.strings.decode(recording["state/mode"][rows]))
    for name in ("path_gain_db", "los"):
        if f"links/{name}" in recording.columns:
            data[name] = (("trace", "link"), *_column(recording, f"links/{name}", traces))
    for name in ("joint_position", "joint_velocity", "joint_effort"):
        if f"state/{name}" in recording.columns:
            data[name] = (("time", "joint"), *_column(recording, f"state/{name}", rows))
    coordinates: dict[str, Any] = {
        "time": ("time", recording["state/time"][rows] / NS, {"units": "s"}),
        "trace": ("trace", trace[traces] / NS, {"units": "s"}),
        "robot": [robot.name for robot in robots],
        "node": [robot.name for robot in recording.robots],
        "axis": list("xyz"),
        "quaternion": list("xyzw"),
    }
    for group in recording.header.layout.commands:
        dims = ("time", f"robot_{group}", f"component_{group}")
        data[f"command_{group}"] = (dims, *_column(recording, f"state/command/{group}", rows))
        coordinates[dims[1]] = [robot.name for robot in recording.robots if robot.group == group]
        if fields := recording.header.command_fields.get(group):
            coordinates[dims[2]] = [name for name, _ in fields]
    return xarray.Dataset(data, coordinates, {"scenario": recording.scenario_text})


def _column(recording: Rows, name: str, rows: slice) -> tuple[Any, dict[str, str]]:
    column = recording[name]
    said = {"units": column.unit, "long_name": column.description, "frame": column.frame}
    return column[rows], {key: text for key, text in said.items() if text}
