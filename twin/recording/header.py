"""The header of a recording in HDF5: written before the first row, and read back as the same `Header`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5l, h5s, h5t

from twin.errors import RecordingError
from twin.recording.schema import FORMAT, VERSION, Header, Layout, RadioInfo
from twin.state import Node

_TEXTS = ("world", "world_hash", "code_version", "sources_digest")
_NUMBERS = ("duration", "seed", "physics_rate_hz", "channel_rate_hz", "record_rate_hz")
_LARGEST = 1 << 26  # bytes of a dataset that is read whole


def write_header(file: h5py.File, header: Header) -> None:
    """Write what does not change during the run.

    Raises:
        RecordingError: a group's name can't be that of a dataset.
    """
    for group in header.layout.commands:
        if "/" in group or group in ("", "."):
            raise RecordingError(f"the group {group!r} can't be recorded: its name has a '/' or is a dot")
    write_text(file, "format", FORMAT)
    file.attrs["version"] = np.int64(VERSION)
    for name in _TEXTS:
        write_text(file, name, getattr(header, name))
    for name in _NUMBERS:
        file.attrs[name] = np.int64(getattr(header, name))
    file.attrs["paths"] = np.uint8(header.paths)
    file["scenario"] = _fixed([header.scenario_text])[0]
    _columns(file, "robots", header.robots, {
        "name": str, "group": str, "kind": str, "body": "<i4", "phase": "<i8", "send_offset": "<i8",
        "row": "<i4",
    })  # fmt: skip
    _columns(file, "radios", header.radios, {"owner": "<i4", "carrier": "<f8"})
    file["pairs"] = np.asarray(header.layout.pairs, dtype="<i4").reshape(-1, 2)
    file["joint_offset"] = np.asarray(header.layout.joint_offset, dtype="<i8")
    file["commands/group"] = _fixed(list(header.layout.commands))
    file["commands/shape"] = np.array(list(header.layout.commands.values()), "<i4").reshape(-1, 2)
    _mapping(file, "packages", header.packages)
    _mapping(file, "plugins", header.plugins)
    if header.inputs:
        _mapping(file, "inputs", header.inputs)


def read_header(file: h5py.File) -> Header:
    """Return the header of an open recording.

    Raises:
        RecordingError: it is not one, or of a later version.
    """
    if "format" not in file.attrs or read_text(file, "format") != FORMAT:
        raise RecordingError(f"{file.filename}: is an HDF5 file, but not a recording of twin")
    version = int(file.attrs["version"])
    if not 1 <= version <= VERSION:
        raise RecordingError(
            f"{file.filename}: has format version {version}; this version of twin reads 1 to {VERSION}"
        )
    attributes: dict[str, Any] = {name: read_text(file, name) for name in _TEXTS}
    attributes |= {name: int(file.attrs[name]) for name in _NUMBERS}
    robots = zip(*(_read(file, f"robots/{name}") for name in Node.__slots__), strict=True)
    radios = zip(*(_read(file, f"radios/{name}") for name in RadioInfo.__slots__), strict=True)
    commands = dict(zip(_read(file, "commands/group"), _read(file, "commands/shape"), strict=True))
    header = Header(
        layout=Layout(
            bodies=len(joint_offset := static(file, "joint_offset")) - 1,
            joint_offset=joint_offset,
            pairs=static(file, "pairs"),
            commands={group: (robots, width) for group, (robots, width) in commands.items()},
            interactions=dataset(file, "paths/vertex").shape[1] if linked(file, "paths/vertex") else 0,
            efforts=dataset(file, "state/joint_effort").shape[1] if linked(file, "state/joint_effort") else 0,
        ),
        robots=tuple(Node(*values) for values in robots),
        radios=tuple(RadioInfo(*values) for values in radios),
        scenario_text=_read(file, "scenario"),
        command_fields={group: _components(file, f"state/command/{group}") for group in commands},
        packages=_read_mapping(file, "packages"),
        plugins=_read_mapping(file, "plugins"),
        inputs=_read_mapping(file, "inputs") if linked(file, "inputs") else {},
        paths=bool(file.attrs["paths"]),
        hops=linked(file, "packets/uplink_queued"),
        sensing=linked(file, "cpis/time"),
        **attributes,
    )
    _check(header, file.filename)
    return header


def _check(header: Header, file: str) -> None:
    """Refuse numbers that would lead readers astray."""
    layout, robots = header.layout, len(header.robots)
    owners = [radio.owner for radio in header.radios]
    bodies = [robot.body for robot in header.robots]
    for what, values, least, end in (
        ("a rate", [header.physics_rate_hz, header.channel_rate_hz, header.record_rate_hz], 1, 1 << 31),
        ("the duration", [header.duration], 0, 1 << 63),
        ("radios/owner", owners, 0, robots),
        ("pairs", layout.pairs.reshape(-1).tolist(), 0, len(owners) or 1 << 31),
        ("robots/body", bodies, -1, layout.bodies),
        ("joint_offset", [0, *layout.joint_offset[:1].tolist()], 0, 1),
        ("joint_offset", np.diff(layout.joint_offset).tolist(), 0, 1 << 20),
        ("commands/shape", [size for shape in layout.commands.values() for size in shape], 0, 1 << 31),
    ):
        if wrong := [value for value in values if not least <= value < end]:
            raise RecordingError(f"{file}: {what} is {wrong[0]}; allowed: {least} to {end - 1}")


def write_text(place: h5py.HLObject, name: str, text: str) -> None:
    """Write a text attribute of fixed length."""
    data = text.encode()
    kind = h5t.C_S1.copy()  # by hand: `attrs.create` takes ten times as long, and there are a hundred of them
    kind.set_size(max(1, len(data)))
    kind.set_cset(h5t.CSET_UTF8)
    kind.set_strpad(h5t.STR_NULLPAD)
    attribute = h5a.create(place.id, name.encode(), kind, h5s.create(h5s.SCALAR))
    attribute.write(np.array(data, f"S{max(1, len(data))}"), mtype=kind)


def read_text(place: h5py.HLObject, name: str) -> str:
    """Return a text attribute."""
    value = place.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def static(file: h5py.File, name: str) -> np.ndarray[Any, Any]:
    """Return a whole small dataset.

    Raises:
        RecordingError: it is not here but in another file, or too large to be what it should be.
    """
    found = dataset(file, name)
    if found.nbytes > _LARGEST:
        raise RecordingError(f"{file.filename}: {name} has {found.nbytes} bytes, over the {_LARGEST} allowed")
    return np.asarray(found[()])


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Return a dataset of this very file: a foreign one may point anywhere.

    Raises:
        RecordingError: it points into another place.
        KeyError: there is none.
    """
    if not linked(file, name):
        raise KeyError(f"there is no {name}")
    found = file[name]
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise RecordingError(f"{file.filename}: {name} points into another place; recordings don't")
    return found


def linked(file: h5py.File, name: str) -> bool:
    """Tell whether there is something of that name; links are looked at before they are followed.

    Raises:
        RecordingError: it points into another place.
    """
    parts = name.encode().split(b"/")
    for path in (b"/".join(parts[: i + 1]) for i in range(len(parts))):
        if not file.id.links.exists(path):
            return False
        if file.id.links.get_info(path).type != h5l.TYPE_HARD:
            raise RecordingError(f"{file.filename}: {name} points into another place; recordings don't")
    return True


def _fixed(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    data = [text.encode() for text in texts]
    kind = h5py.string_dtype("utf-8", max([1, *map(len, data)]))
    return np.array(data, dtype=kind)


def _columns(file: h5py.File, group: str, rows: Sequence[Any], columns: Mapping[str, Any]) -> None:
    for name, dtype in columns.items():
        values = [getattr(row, name) for row in rows]
        file[f"{group}/{name}"] = _fixed(values) if dtype is str else np.array(values, dtype=dtype)


def _mapping(file: h5py.File, group: str, values: Mapping[str, str]) -> None:
    names = sorted(values)
    file[f"{group}/name"] = _fixed(names)
    file[f"{group}/value"] = _fixed([values[name] for name in names])


def _read_mapping(file: h5py.File, group: str) -> dict[str, str]:
    return dict(zip(_read(file, f"{group}/name"), _read(file, f"{group}/value"), strict=True))


def _read(file: h5py.File, name: str) -> Any:
    return _decoded(static(file, name).tolist())


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def _components(file: h5py.File, name: str) -> tuple[tuple[str, str], ...]:
    if not linked(file, name) or "components" not in (place := dataset(file, name)).attrs:
        return ()
    names, units = place.attrs["components"], place.attrs["component_units"]
    return tuple((name.decode(), unit.decode()) for name, unit in zip(names, units, strict=True))
