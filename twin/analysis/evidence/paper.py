"""Evidence as a PDF that holds its own data."""

from __future__ import annotations

import base64
import json
import re
import zlib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, XPos, YPos

from twin.analysis.evidence.sections import sections
from twin.analysis.parts import Picture, Section, Table

_MARK = "twin-evidence:"
_DATA = re.compile(rb"twin-evidence:([A-Za-z0-9_=-]+)")
_SHADES = {"passed": (217, 242, 227), "failed": (251, 220, 218), "inconclusive": (253, 240, 207)}
_MUTED = (91, 104, 117)
_COMPARED = (24, 12, 12, 28, 12, 12)
_WIDTHS = {6: (28, 20, 16, 12, 15, 31), 5: (30, 22, 14, 15, 33), 2: (26, 74), 1: (100,)}


def paper(document: dict[str, Any]) -> bytes:
    """Return the PDF; the same document gives the same bytes."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))  # of no run: the same bytes each time
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pdf.add_font("text", "", fonts / "DejaVuSans.ttf")
    pdf.add_font("text", "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.set_title(document["title"])
    data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    pdf.set_keywords(_MARK + base64.urlsafe_b64encode(zlib.compress(data, 9)).decode())
    pdf.set_margin(16)
    pdf.add_page()
    _line(pdf, document["title"], 17, "B")
    _line(pdf, document["made_by"], 8, colour=_MUTED)
    pdf.set_fill_color(*_SHADES[document["answer"]])
    pdf.set_font("text", "B", 12)
    pdf.cell(text=f"  {document['answer']}  ", fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT, h=9)
    pdf.set_fill_color(255, 255, 255)
    pdf.set_draw_color(223, 228, 234)
    _contents(pdf, document)
    for section in sections(document):
        _section(pdf, section)
    return bytes(pdf.output())


def data_of(content: bytes, largest: int) -> dict[str, Any] | None:
    """Return the document of up to `largest` bytes that a PDF holds; None if it holds none."""
    match = _DATA.search(content) or _DATA.search(content.replace(b"\x00", b""))
    try:
        packed = base64.urlsafe_b64decode(match[1]) if match else b""
        found = json.loads(zlib.decompressobj().decompress(packed, largest)) if match else None
    except (ValueError, zlib.error):
        return None
    return found if isinstance(found, dict) else None


def _contents(pdf: FPDF, document: dict[str, Any]) -> None:
    titles = {section.name: section.title for section in sections(document)}
    pdf.ln(3)
    for reader, names in document["readers"].items():
        _line(pdf, f"For the {reader}: {'; '.join(titles[name] for name in names if name in titles)}", 8, colour=_MUTED)


def _section(pdf: FPDF, section: Section) -> None:
    pdf.ln(4)
    if pdf.get_y() > pdf.h - 50:
        pdf.add_page()
    _line(pdf, section.title, 12, "B")
    for part in section.parts:
        if isinstance(part, Table):
            _table(pdf, part)
        elif isinstance(part, Picture):
            pdf.image(BytesIO(part.svg.encode()), w=pdf.epw, alt_text=part.alt)
            pdf.ln(2)
        else:
            _line(pdf, part, 8.5)


def _table(pdf: FPDF, table: Table) -> None:
    pdf.set_font("text", "", 7)
    columns = len(table.header)
    compared = columns == len(_COMPARED) and not table.looks
    widths = _COMPARED if compared else _WIDTHS.get(columns) or tuple([100 // columns] * columns)
    heading = FontFace(emphasis="BOLD", color=_MUTED, fill_color=(246, 248, 250))
    with pdf.table(
        col_widths=widths,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=heading,
        text_align="LEFT",
        line_height=3.6,
        padding=1,
        wrapmode="CHAR" if columns == 2 else "WORD",
    ) as made:
        made.row(table.header)
        for i, row in enumerate(table.rows):
            look = table.looks[i] if table.looks else ""
            drawn = made.row()
            for cell in row:
                style = FontFace(fill_color=_SHADES[look]) if look and cell.endswith(look) else None
                drawn.cell(cell, style=style)
    pdf.ln(2)


def _line(pdf: FPDF, text: str, size: float, style: str = "", colour: tuple[int, int, int] = (29, 39, 51)) -> None:
    pdf.set_font("text", style, size)
    pdf.set_text_color(*colour)
    pdf.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    pdf.set_text_color(29, 39, 51)
    pdf.ln(1)
