"""What pages and papers are set from: sections of paragraphs, tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under a header; `looks` colours a row by an answer."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    looks: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        return {"header": list(self.header), "rows": [list(row) for row in self.rows], "looks": self.looks}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and what it shows, for those who don't see it."""

    alt: str
    svg: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        return asdict(self)

    @property
    def html(self) -> str:
        """Return it as an element of a page; a narrow screen moves over it instead of making its letters too small."""
        return f'<figure class="picture" role="img" aria-label="{escape(self.alt)}" tabindex="0">{self.svg}</figure>'


Part = str | Table | Picture
PICTURE_STYLE = """
.picture { overflow-x: auto; margin: .6rem 0 1rem; }
.picture svg { display: block; width: 100%; min-width: 600px; max-width: 860px; height: auto; }
@media print { .picture { break-inside: avoid; } .picture svg { min-width: 0; } }
"""
_UNSEEN = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """One section."""

    name: str  # by which readers are sent here
    title: str
    parts: list[Part]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        plain = [part if isinstance(part, str) else part.as_dict() for part in self.parts]
        return {"name": self.name, "title": self.title, "parts": plain}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Section:
        """Return what `as_dict` wrote."""
        return cls(data["name"], data["title"], [_part(part) for part in data["parts"]])


def _part(data: Any) -> Part:
    if isinstance(data, str):
        return data
    if "svg" in data:
        return Picture(**data)
    return Table(tuple(data["header"]), [tuple(row) for row in data["rows"]], list(data["looks"]))


def picture(figure: Figure, alt: str) -> Picture:
    """Return a figure as the element of a page; the same figure gives the same text.

    Names inside of it are made of `alt` too, so that pictures of one page share none.
    """
    content = BytesIO()
    with rc_context({"svg.hashsalt": alt, "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    text = content.getvalue().decode()
    return Picture(alt, _UNSEEN.sub("", text[text.index("<svg") :]))
