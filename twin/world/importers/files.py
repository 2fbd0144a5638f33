"""Reading files from strangers: sizes bounded, references kept inside their folder, XML without a DOCTYPE."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

from twin.errors import WorldError
from twin.world.importers.content import Tally
from twin.xml_text import parse_xml

MAX_BYTES = 1 << 30
"""Largest file that is read."""
MAX_XML_BYTES = 200_000_000
_BLANK = " \t\r\x1e"
"""Around a line of JSON; the last one begins records of RFC 8142."""
_PROLOGUE = re.compile(rb"\A(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)+", re.DOTALL)
_START = re.compile(rb"<([A-Za-z_][\w.-]*)[\s/>]")


def check_size(path: Path) -> int:
    """Return a file's size in bytes.

    Raises:
        WorldError: it can't be read, is empty or too large.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise WorldError(f"{path}: can't be read: {error.strerror}") from error
    if size == 0:
        raise WorldError(f"{path}: the file is empty")
    if size > MAX_BYTES:
        raise WorldError(f"{path}: found {size / 1e6:.0f} MB; allowed: at most {MAX_BYTES / 1e6:.0f} MB")
    return size


def read_bytes(path: Path, count: int = -1) -> bytes:
    """Return the first `count` bytes of a file, or all.

    Raises:
        WorldError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise WorldError(f"{path}: can't be read: {error.strerror}") from error


def within(root: Path, name: str, source: Path) -> Path:
    """Return the file called `name` below the folder `root`, as `source` refers to it.

    Raises:
        WorldError: the name leads out of the folder.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise WorldError(f"{source}: refers to {name!r}, which leads out of {root}")
    return path


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        WorldError: it is not JSON, or holds NaN or an infinity.
    """
    return _json(path, _text(path))


def read_json_lines(path: Path) -> Any:
    """Parse a JSON file, or one with a JSON value a line, which are returned as a list.

    Raises:
        WorldError: as `read_json`; it says which line.
    """
    text = _text(path)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip(_BLANK)]
    if len(lines) < 2 or not _whole(lines[0][1]):
        return _json(path, text)
    return [_json(f"{path}:{number}", line.strip(_BLANK)) for number, line in lines]


def _whole(line: str) -> bool:
    """Tell whether a line is a JSON object by itself."""
    try:
        return isinstance(json.loads(line.strip(_BLANK)), dict)
    except (ValueError, RecursionError):
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WorldError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WorldError(f"{path}: not valid JSON: not UTF-8 at byte {error.start}") from error


def _json(place: Path | str, text: str) -> Any:
    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a number")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise WorldError(f"{place}: not valid JSON: {error}") from error


def root_tag(head: bytes) -> str | None:
    """Return the name of the outermost XML element of which a file's first bytes hold the start; None if not XML."""
    text = _PROLOGUE.sub(b"", head.removeprefix(b"\xef\xbb\xbf"))
    match = _START.match(text)
    return match[1].decode() if match else None


def read_xml(path: Path, tally: Tally | None = None) -> Element:
    """Parse an XML file as `parse_xml` does; what was not as the standard has it is counted in `tally`.

    Raises:
        WorldError: it is not XML, has a DOCTYPE, or is too large.
    """
    if (size := check_size(path)) > MAX_XML_BYTES:
        raise WorldError(f"{path}: found {size / 1e6:.0f} MB of XML; allowed: at most {MAX_XML_BYTES / 1e6:.0f} MB")
    try:
        root, mended = parse_xml(read_bytes(path))
    except (ExpatError, ValueError, LookupError) as error:
        raise WorldError(f"{path}: not valid XML: {error}") from error
    if tally is not None:
        tally.repaired.update(mended)
    return root
