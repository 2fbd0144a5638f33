"""pcapng: the packets of a run as captures at all robots at once, for Wireshark and its kin.

Each robot is an interface of its own and has an address in 10.0.0.0/8 with its name. A packet is captured
where it sets out and, if it arrives, where it arrives: IPv4 and UDP headers alone, since payloads are not
recorded; the comment says kind, sequence number and fate. Times are those of the run, from 1970 on.
Format: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from twin.recording.reader import Recording
from twin.state import NEVER
from twin.world.geometry import atomic

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_IPV4_LINK = 228  # LINKTYPE_IPV4: raw IPv4 without a link layer
_NANOSECONDS = 9  # if_tsresol
_COMMENT, _IF_NAME, _IF_TSRESOL, _NRB_IPV4 = 1, 2, 9, 1
_IP, _UDP = struct.Struct(">BBHHHBBH4s4s"), struct.Struct(">HHHH")
_PORT = 5000  # of the first kind of packet, in alphabetical order


def to_pcapng(recording: Recording, path: Path) -> list[Path]:
    """Write all packets in the order of capture.

    Raises:
        RecordingError: the recording is damaged.
    """
    with atomic(path, "wb") as file:
        file.write(_block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for robot in recording.robots:
            options = _option(_IF_NAME, robot.name.encode()) + _option(_IF_TSRESOL, bytes([_NANOSECONDS]))
            file.write(_block(_INTERFACE, struct.pack("<HHI", _IPV4_LINK, 0, 0) + options + _option(0)))
        names = b"".join(
            _option(_NRB_IPV4, _address(i) + robot.name.encode() + b"\0") for i, robot in enumerate(recording.robots)
        )
        file.write(_block(_NAMES, names + _option(0)))
        for packet in _captures(recording):
            file.write(packet)
    return [path]


def _captures(recording: Recording) -> Iterator[bytes]:
    columns = {name: recording[f"packets/{name}"][:] for name in
               ("created", "arrived", "source", "destination", "sequence", "size")}  # fmt: skip
    kind, fate = (recording.strings.decode(recording[f"packets/{name}"][:]).tolist() for name in ("kind", "fate"))
    ports = {name: _PORT + i for i, name in enumerate(sorted(set(kind)))}
    row = np.arange(len(kind))
    there = columns["arrived"] != NEVER
    time = np.concatenate([columns["created"], columns["arrived"][there]])
    place = np.concatenate([columns["source"], columns["destination"][there]])
    rows = np.concatenate([row, row[there]])
    values = {name: column.tolist() for name, column in columns.items()}
    for i in np.argsort(time, kind="stable").tolist():
        k = int(rows[i])
        size, sequence = values["size"][k], values["sequence"][k]
        head = _headers(values["source"][k], values["destination"][k], ports[kind[k]], sequence, size)
        comment = f"{kind[k]} {sequence} {fate[k]}".encode()
        yield _captured(int(place[i]), int(time[i]), head, len(head) + size, comment)


def _headers(source: int, destination: int, port: int, sequence: int, size: int) -> bytes:
    """Return IPv4 and UDP headers; a total length of 0 stands for one that its 16 bits can't hold."""
    total = _IP.size + _UDP.size + size
    total = total if total < 1 << 16 else 0
    ends = _address(source), _address(destination)
    head = _IP.pack(0x45, 0, total, sequence & 0xFFFF, 0x4000, 64, 17, 0, *ends)
    head = _IP.pack(0x45, 0, total, sequence & 0xFFFF, 0x4000, 64, 17, _checksum(head), *ends)
    return head + _UDP.pack(port, port, max(total - _IP.size, 0), 0)


def _checksum(head: bytes) -> int:
    """Return the Internet checksum of a header (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(head) // 2}H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _address(node: int) -> bytes:
    return struct.pack(">I", (10 << 24) + node + 1)


def _captured(interface: int, time: int, data: bytes, length: int, comment: bytes) -> bytes:
    fixed = struct.pack("<IIIII", interface, time >> 32, time & 0xFFFFFFFF, len(data), length)
    return _block(_PACKET, fixed + _padded(data) + _option(_COMMENT, comment) + _option(0))


def _option(code: int, value: bytes = b"") -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
