"""Evidence as one page of HTML that holds its own data, so that a page can be checked like the data."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from twin.analysis.evidence.sections import sections
from twin.analysis.parts import PICTURE_STYLE, Part, Section, Table

_DATA = re.compile(r'<script type="application/json" id="evidence">(.*?)</script>', re.DOTALL)
_STYLE = """
:root { --ink: #1d2733; --muted: #5b6875; --line: #dfe4ea; --paper: #fff; --soft: #f6f8fa; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 1100px; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .5rem 0; } .muted { color: var(--muted); }
.answer { display: inline-block; padding: .25rem .8rem; border-radius: 1rem; font-weight: 600; }
.passed { background: #d9f2e3; color: #0d5a2f; } .failed { background: #fbdcda; color: #8a1410; }
.inconclusive { background: #fdf0cf; color: #6d4c00; }
nav { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; background: var(--soft);
  border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; margin: 1.2rem 0; }
nav a { margin-right: .9rem; } table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; } th { color: var(--muted); font-weight: 600; background: var(--soft); }
table.judged { table-layout: fixed; } .judged th:first-child { width: 25%; } .judged th:last-child { width: 27%; }
.judged th:nth-last-child(2) { width: 8.5rem; } td.answer-cell { white-space: nowrap; }
@media (max-width: 800px) { .judged thead { display: none; }
  .judged, .judged tbody, .judged tr, .judged td { display: block; }
  .judged tr { border-bottom: 1px solid var(--line); padding: .4rem 0; } .judged td { border: 0; padding: .1rem 0; }
  .judged td:first-child { font-weight: 600; }
  .judged td:not(:first-child)::before { content: attr(data-of) ": "; color: var(--muted); } }
@media print { nav { display: none; } body { font-size: 11px; } tr { break-inside: avoid; } }
"""


def page(document: dict[str, Any]) -> str:
    """Return the page; the same document gives the same bytes."""
    found = sections(document)
    titles = {section.name: section.title for section in found}
    readers = "".join(
        f"<b>{escape(reader)}</b><span>"
        + "".join(f'<a href="#{name}">{escape(titles[name])}</a>' for name in names if name in titles)
        + "</span>"
        for reader, names in document["readers"].items()
    )
    data = json.dumps(document, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    answer = document["answer"]
    style = _STYLE + PICTURE_STYLE if document.get("studies") else _STYLE
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(document["title"])}</title><style>{style}</style></head><body>
<h1>{escape(document["title"])}</h1>
<p><span class="answer {answer}">{answer}</span> <span class="muted">{escape(document["made_by"])}</span></p>
<nav>{readers}</nav>
{"".join(map(_section, found))}
<script type="application/json" id="evidence">{data}</script>
</body></html>
"""


def data_of(text: str) -> dict[str, Any] | None:
    """Return the document that a page holds; None if it holds none."""
    match = _DATA.search(text)
    try:
        found = json.loads(match[1]) if match else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _section(section: Section) -> str:
    parts = "".join(map(_part, section.parts))
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{parts}</section>\n'


def _part(part: Part) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    return _table(part) if isinstance(part, Table) else part.html


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = []
    for i, row in enumerate(table.rows):
        look = table.looks[i] if table.looks else ""
        cells = [
            f'<td class="answer-cell" data-of="{escape(name)}"><span class="answer {look}">{escape(cell)}</span></td>'
            if look and cell.endswith(look)
            else f'<td data-of="{escape(name)}">{escape(cell)}</td>'
            for name, cell in zip(table.header, row, strict=True)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    start = "<table class=judged>" if table.looks else "<table>"
    return f"{start}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
