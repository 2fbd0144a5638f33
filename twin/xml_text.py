"""XML from strangers as simulators read it, which is more lenient than the standard; depth and size are bounded."""

from __future__ import annotations

from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_DEPTH = 256
"""Elements inside each other."""
MAX_ELEMENTS = 2_000_000
_BLANK = b" \t\r\n"
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_BOM = b"\xef\xbb\xbf"


def parse_xml(data: bytes) -> tuple[Element, list[str]]:
    """Return the root of XML and what of it isn't as the standard has it, each in words.

    Blanks before the declaration, `--` inside comments and undeclared prefixes (a tag keeps its own: `gz:thing`) are
    read as tinyxml2 does, which Gazebo and Bullet use. A DOCTYPE, in which entities could be declared, is refused.

    Raises:
        ValueError: it is no XML all the same, has a DOCTYPE, or is nested too deeply or too large.
    """
    text = data.removeprefix(_BOM)
    mended = []
    if text[:1] in _BLANKS and text.lstrip(_BLANK).startswith(b"<?xml"):
        text, mended = text.lstrip(_BLANK), ["blanks before the XML declaration"]
    try:
        return _parsed(text), mended
    except expat.ExpatError:
        without = _without_comments(text)
        if without == text:
            raise
        root = _parsed(without)
    return root, [*mended, "'--' inside an XML comment"]


def _parsed(data: bytes) -> Element:
    """Parse with prefixes as parts of names: nobody here asks for a namespace, and many files don't declare theirs."""
    parser, builder = expat.ParserCreate(), _Bounded()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, builder.doctype
    parser.Parse(data, True)
    root: Element = builder.close()
    return root


def _without_comments(text: bytes) -> bytes:
    """Return a text without its comments, lines kept; linear in its length whatever stands in it."""
    parts, position = [], 0
    while (begin := text.find(b"<!--", position)) >= 0 and (end := text.find(b"-->", begin + 4)) >= 0:
        parts += [text[position:begin], b"\n" * text.count(b"\n", begin, end)]
        position = end + 3
    return b"".join([*parts, text[position:]])


class _Bounded(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        self._depth, self._count = self._depth + 1, self._count + 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"found more than {MAX_DEPTH} elements inside each other; allowed: at most that many")
        if self._count > MAX_ELEMENTS:
            raise ValueError(f"found more than {MAX_ELEMENTS} elements; allowed: at most that many")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, name: str, *more: object) -> NoReturn:
        raise ValueError(f"has a DOCTYPE ({name}), which is refused")
