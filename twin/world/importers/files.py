"""Reading files from strangers: sizes bounded, references kept inside their folder, XML without a DOCTYPE."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

from twin.errors import WorldError

MAX_BYTES = 1 << 30
"""Largest file that is read."""
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
    if len(lines) < 2 or not all(line.lstrip(_BLANK).startswith("{") for _, line in lines[:2]):
        return _json(path, text)
    return [_json(f"{path}:{number}", line.strip(_BLANK)) for number, line in lines]


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


def read_xml(path: Path) -> ElementTree.Element:
    """Parse an XML file; a DOCTYPE, in which entities could be declared, is refused before it is read.

    Raises:
        WorldError: it is not XML, or has a DOCTYPE.
    """
    check_size(path)
    try:
        return ElementTree.parse(path, ElementTree.XMLParser(target=_NoDoctype())).getroot()
    except (ElementTree.ParseError, ValueError, LookupError, OSError) as error:
        raise WorldError(f"{path}: not valid XML: {error}") from error


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, public: str | None, system: str | None) -> NoReturn:
        raise ValueError(f"has a DOCTYPE ({name}), which is refused")
