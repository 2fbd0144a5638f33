"""What a recording holds: tables of equally long columns, and the header that says what the run was.

`recordings/README.md` is this file in words; a change here is a new `VERSION` there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from twin.specs import CommandField
from twin.state import I32, I64, REPEATS, Frame, Node, RoutedLinks

FORMAT = "twin-recording"
VERSION = 2
CHECKED = 2
"""First version of the format with checksums."""

CODE = "<u4"
"""Type of a text column: the number of its text in the table `strings`."""
BODY_COLUMNS = (
    "position",
    "orientation",
    "velocity",
    "angular_velocity",
    "joint_position",
    "joint_velocity",
    "joint_effort",
)
"""Fields of BodyState, and columns of the table `state`."""
_CHUNK_BYTES = 1 << 18
_ENU = "world: x east, y north, z up"
_SEQUENCES = 4096  # rows in a chunk of a table that has no rate


@dataclass(frozen=True, slots=True)
class RadioInfo:
    """One radio: which robot owns it, and its carrier in Hz."""

    owner: int
    carrier: float


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Sizes that hold for a whole run."""

    bodies: int
    joint_offset: I64  # (bodies + 1,)
    pairs: I32  # (L, 2) radio indices of each link
    commands: Mapping[str, tuple[int, int]]  # group -> (robots, width)
    interactions: int = 0  # of a path at most; 0 where the channel does not tell its route
    efforts: int = 0  # joints whose effort is known: all, or none

    @classmethod
    def of(cls, frame: Frame) -> Layout:
        """Return the sizes of a run from one of its frames."""
        return cls(
            bodies=len(frame.bodies.position),
            joint_offset=frame.bodies.joint_offset,
            pairs=np.stack([frame.links.a, frame.links.b], axis=1),
            commands={group: (values.shape[0], values.shape[1]) for group, values in frame.commands.items()},
            interactions=frame.links.path_vertex.shape[1] if isinstance(frame.links, RoutedLinks) else 0,
            efforts=len(frame.bodies.joint_effort),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What is known before the first frame; no host name, path or wall-clock time belongs in here."""

    layout: Layout
    robots: Sequence[Node]
    scenario_text: str  # as resolved: defaults and overrides applied
    duration: int  # ns, as planned
    seed: int
    physics_rate_hz: int
    channel_rate_hz: int
    record_rate_hz: int
    radios: Sequence[RadioInfo] = ()
    command_fields: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)  # name, unit
    world: str = ""
    world_hash: str = ""
    code_version: str = ""
    sources_digest: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version
    plugins: Mapping[str, str] = field(default_factory=dict)  # reference -> sha256 of the source
    inputs: Mapping[str, str] = field(default_factory=dict)  # other files that were read -> sha256
    paths: bool = False  # also record every path of every link
    hops: bool = False  # also record what happened to packets on each radio link
    sensing: bool = False  # also record what base stations saw


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One dataset of a table: `shape` is that of one row."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    unit: str = ""
    description: str = ""
    frame: str = ""
    components: tuple[tuple[str, str], ...] = ()  # name and unit along the last axis
    is_robot: bool = False  # its values are rows of robots

    @property
    def row_bytes(self) -> int:
        """Size of one row in bytes."""
        return int(np.dtype(self.dtype).itemsize * prod(self.shape))


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A group of columns that grow together; columns whose rows would be empty are left out."""

    name: str
    description: str
    columns: tuple[ColumnSpec, ...]
    rate_hz: int | None = None  # rows per simulated second, where that is known

    @property
    def chunk_rows(self) -> int:
        """Rows in a chunk: whole chunks fill a second, so that the flush at its end rewrites none."""
        if self.rate_hz is None:
            return _SEQUENCES
        widest = max(column.row_bytes for column in self.columns)
        most = max(1, min(max(self.rate_hz, 10), _CHUNK_BYTES // widest))
        return next((n for n in range(most, most // 4, -1) if self.rate_hz % n == 0), most)


def components(fields: Sequence[CommandField]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of each component of a command vector."""
    return tuple(
        (item.name if item.size == 1 else f"{item.name}.{i}", item.unit)
        for item in fields
        for i in range(item.size)
    )


def tables(header: Header) -> tuple[TableSpec, ...]:
    """Return the tables of a run, each after those that its rows refer to."""
    links = len(header.layout.pairs)
    text = (ColumnSpec("utf8", "<u1"),)
    specs = [
        TableSpec("text", "the bytes of all texts, one after another", text),
        TableSpec("strings", "all texts, each stored once: text i is text/utf8[end[i - 1]:end[i]]", _STRINGS),
        TableSpec("paths", "paths of all links, in the order of links and traces",
                  _paths(header.layout.interactions)),
        TableSpec("links", "radio links at each trace of the channel", _links(links), header.channel_rate_hz),
        TableSpec("packets", "packets in the order in which their fate was decided",
                  _PACKETS + (_hop("uplink") + _hop("downlink") if header.hops else ())),
        TableSpec("events", "what happened at one instant", _EVENTS),
        TableSpec("logs", "values that controllers log", _LOGS),
        TableSpec("detections", "what base stations detected, in the order of CPIs", _DETECTIONS),
        TableSpec("cpis", "coherent processing intervals of pairs of sites", _CPIS),
        TableSpec("state", "everything that has a value at all times, at the record rate",
                  _state(header), header.record_rate_hz),
        TableSpec("result", "how the run ended, in JSON: complete, reason, summary; empty before", text),
    ]  # fmt: skip
    without = {*(() if header.paths else ("paths",)), *(() if header.sensing else ("detections", "cpis"))}
    return tuple(spec for spec in specs if spec.name not in without)


def ends(header: Header) -> tuple[str, ...]:
    """Return the tables of which each frame says how many rows there were."""
    return ("links", "packets", "events", "logs", *(("cpis",) if header.sensing else ()))


def checks(table: TableSpec) -> TableSpec:
    """Return the table with the checksums of another one's blocks of rows."""
    crc = ColumnSpec("crc", "<u4", (), "", "CRC-32 of the rows of a block, column after column")
    return TableSpec(f"checks/{table.name}", f"blocks of {table.chunk_rows} rows of {table.name} that are full", (crc,))


def _state(header: Header) -> tuple[ColumnSpec, ...]:
    bodies, joints = header.layout.bodies, int(header.layout.joint_offset[-1])
    return (
        ColumnSpec("time", "<i8", (), "ns", "time of the frame"),
        ColumnSpec("position", "<f8", (bodies, 3), "m", "centre of mass", _ENU),
        ColumnSpec("orientation", "<f8", (bodies, 4), "1", "quaternion xyzw, body to world", _ENU),
        ColumnSpec("velocity", "<f8", (bodies, 3), "m/s", "of the centre of mass", _ENU),
        ColumnSpec("angular_velocity", "<f8", (bodies, 3), "rad/s", "angular velocity", _ENU),
        ColumnSpec("joint_position", "<f8", (joints,), "rad or m", "joints, body by body", "joint axes"),
        ColumnSpec("joint_velocity", "<f8", (joints,), "rad/s or m/s", "joints, body by body", "joint axes"),
        ColumnSpec("joint_effort", "<f8", (header.layout.efforts,), "N m or N", "of the joints' drives", "joint axes"),
        ColumnSpec("mode", CODE, (len(header.robots),), "", "mode of each robot: row of the table strings"),
        *(
            ColumnSpec(f"command/{group}", "<f8", shape, "", "command that holds, per robot of the group",
                       components=tuple(header.command_fields.get(group, ())))
            for group, shape in header.layout.commands.items()
        ),
        *(
            ColumnSpec(f"end/{name}", "<i8", (), "rows", f"rows of the table {name} up to this frame")
            for name in ends(header)
        ),
    )  # fmt: skip


def _links(links: int) -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec("time", "<i8", (), "ns", "time of the trace"),
        ColumnSpec("path_gain_db", "<f8", (links,), "dB", "power gain of all paths; -inf without a path"),
        ColumnSpec("los", "<u1", (links,), "1", "1: no obstacle between the two radios"),
        ColumnSpec("path_count", "<i4", (links,), "paths", "paths of each link"),
        ColumnSpec("path_end", "<i8", (), "rows", "rows of the table paths up to this trace, if it is there"),
    )


def _paths(most: int) -> tuple[ColumnSpec, ...]:
    """Return the columns of paths of `most` interactions."""
    route = (
        ColumnSpec("length", "<i4", (), "1", "interactions on the way from radio a to radio b"),
        ColumnSpec("vertex", "<f8", (most, 3), "m", "where they are; zero beyond the last", _ENU),
    )
    return (
        ColumnSpec("amplitude", "<f8", (2,), "1", "field gain at the carrier, phase included",
                   components=(("re", "1"), ("im", "1"))),
        ColumnSpec("delay", "<f8", (), "s", "delay along the path"),
        ColumnSpec("doppler", "<f8", (), "Hz", "positive when the path shortens"),
        ColumnSpec("departure", "<f8", (3,), "1", "unit vector from radio a", _ENU),
        ColumnSpec("arrival", "<f8", (3,), "1", "unit vector from radio b towards the wave's origin", _ENU),
        *(route if most else ()),
    )  # fmt: skip


_PACKETS = (
    ColumnSpec("created", "<i8", (), "ns", "when it entered the sender's queue"),
    ColumnSpec("arrived", "<i8", (), "ns", "when it arrived; -1 if it did not"),
    ColumnSpec("stamp", "<i8", (), "ns", "time of the sensor sample that it carries or answers"),
    ColumnSpec("source", "<i4", (), "", "row of robots", is_robot=True),
    ColumnSpec("destination", "<i4", (), "", "row of robots", is_robot=True),
    ColumnSpec("kind", CODE, (), "", "row of the table strings"),
    ColumnSpec("sequence", "<i8", (), "1", "number within the flow of source, destination and kind"),
    ColumnSpec("size", "<i8", (), "B", "bytes handed to the network"),
    ColumnSpec("fate", CODE, (), "", "delivered, queued or the reason of the loss: row of the table strings"),
)
HOPS = ("uplink", "downlink")
"""First part of the names of columns with what happened on a radio link."""


def _hop(way: str) -> tuple[ColumnSpec, ...]:
    whose = "its source (a sidelink, too)" if way == "uplink" else "its destination"
    return (
        ColumnSpec(f"{way}_queued", "<i8", (), "ns", f"when the sender's MAC had it, over the radio of {whose}"),
        ColumnSpec(f"{way}_occasion", "<i8", (), "ns", "start of the next occasion for data after that"),
        ColumnSpec(f"{way}_alone", "<i8", (), "ns", "start of its first transmission had nobody else sent"),
        ColumnSpec(f"{way}_first", "<i8", (), "ns", "start of its first transmission"),
        ColumnSpec(f"{way}_transmissions", "<i4", (), "1", "transmissions of blocks with a part of it"),
        ColumnSpec(f"{way}_retransmissions", "<i4", (), "1", "how many of them were retransmissions"),
        ColumnSpec(f"{way}_retransmitted", "<i8", (REPEATS,), "ns", "starts of the first of those"),
        ColumnSpec(f"{way}_decoded", "<i8", (), "ns", "when it was complete; -1 if it was dropped here"),
    )


_EVENTS = (
    ColumnSpec("time", "<i8", (), "ns", "when it happened"),
    ColumnSpec("kind", CODE, (), "", "row of the table strings"),
    ColumnSpec("robot", CODE, (), "", "row of the table strings"),
    ColumnSpec("detail", CODE, (), "", "row of the table strings"),
    ColumnSpec("value", "<f8", (), "", "a number that belongs to it"),
)
_LOGS = (
    ColumnSpec("time", "<i8", (), "ns", "when it was logged"),
    ColumnSpec("node", "<i4", (), "", "row of robots", is_robot=True),
    ColumnSpec("name", CODE, (), "", "row of the table strings"),
    ColumnSpec("value", "<f8", (), "", "the value"),
)
_CPIS = (
    ColumnSpec("time", "<i8", (), "ns", "of the bodies that were seen: the middle of the CPI"),
    ColumnSpec("transmitter", "<i4", (), "", "row of robots", is_robot=True),
    ColumnSpec("receiver", "<i4", (), "", "row of robots", is_robot=True),
    ColumnSpec("transmitter_position", "<f8", (3,), "m", "of the antenna", _ENU),
    ColumnSpec("receiver_position", "<f8", (3,), "m", "of the antenna", _ENU),
    ColumnSpec("axes", "<f8", (3, 3), "1", "the receiver's array to world axes; x is its boresight"),
    ColumnSpec("ambiguity", "<f8", (), "m/s", "by whole multiples of which rates may be off; 0: they aren't"),
    ColumnSpec("noise_dbm", "<f8", (), "dBm", "of a resource element: thermal, own transmitter, other sites"),
    ColumnSpec("clutter_db", "<f8", (), "dB", "what cancelling leaves of clutter in its worst cell, over noise"),
    ColumnSpec("threshold_db", "<f8", (), "dB", "of detection, over noise"),
    ColumnSpec("cells", "<f8", (), "1", "cells of range and Doppler"),
    ColumnSpec("range_cell", "<f8", (), "m", "of half the way, by the bandwidth: c / (2 B)"),
    ColumnSpec("rate_cell", "<f8", (), "m/s", "of its rate, by the duration: lambda / (2 T)"),
    ColumnSpec("detection_end", "<i8", (), "rows", "rows of the table detections up to this CPI"),
)
_DETECTIONS = (
    ColumnSpec("range", "<f8", (), "m", "half of the way from transmitter to target to receiver"),
    ColumnSpec("rate", "<f8", (), "m/s", "at which the range grows, as measured"),
    ColumnSpec("direction", "<f8", (3,), "1", "unit vector from the receiver", _ENU),
    ColumnSpec("snr_db", "<f8", (), "dB", "over noise and interference in its cell"),
    ColumnSpec("deviation", "<f8", (4,), "m, m/s, 1, 1", "standard deviations: range, rate, direction in the array"),
    ColumnSpec("source", "<i4", (), "", "row of robots of the target it comes from; -1: noise"),
    ColumnSpec("bounces", "<i4", (), "1", "interactions of that echo besides the target; 0: no ghost"),
)
_STRINGS = (ColumnSpec("end", "<i8", (), "bytes", "where the text ends in text/utf8"),)
